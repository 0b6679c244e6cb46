public import Model

/// What would change at the entry points and upstream if one service were faster, slower, or failed
/// more often: from what was learned of its calls.
public struct WhatIf: Sendable, Equatable {
  /// The effect on one entry point's latency.
  public struct Latency: Sendable, Equatable {
    public var entry: String
    public var environment: String
    public var requests: Double
    /// Milliseconds: as it is, and as it would be.
    public var mean: Double
    public var expected: Double
    /// In how large a share of its traces the service is on the critical path.
    public var onPathShare: Double
  }

  /// The effect on one service's errors.
  public struct Errors: Sendable, Equatable {
    public var service: String
    public var environment: String
    /// Nobody traced calls it.
    public var isEntry: Bool
    public var errorRate: Double?
    /// By how much its error rate would rise, 0…1.
    public var increase: Double
    /// On some way to it no failure was ever seen: that it is passed on is supposed.
    public var isSupposed: Bool
  }

  /// The effect on one service's own requests, an estimate.
  public struct Upstream: Sendable, Equatable {
    public var service: String
    public var environment: String
    /// Nobody traced calls it.
    public var isEntry: Bool
    /// Milliseconds: as it is, and by how much it would change.
    public var mean: Double?
    public var change: Double
  }

  /// The effect of one call alone, if only that call took longer or shorter.
  public struct Call: Sendable, Equatable {
    public var client: String
    public var environment: String
    public var requests: Double
    public var wait: CallWait
    /// Milliseconds by which the trace would take longer, per call; nil when no change was asked
    /// about.
    public var change: Double?
  }

  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  public var service: String
  public var operation: String?
  /// The largest effect first; those without any come last.
  public var latency: [Latency] = []
  public var errors: [Errors] = []
  /// The largest effect first.
  public var upstream: [Upstream] = []
  /// Calls to the service, by who makes them; the most requests first.
  public var calls: [Call] = []
}

extension GraphBuilder {
  /// - Parameters:
  ///   - input: with the series of paths, versions, nodes, edges and what calls hold up; of operations
  ///     too, where one is asked about.
  ///   - change: milliseconds each request would take longer (negative: shorter, down to nothing).
  ///   - errorRate: the share of requests that would fail in addition, 0…1.
  /// - Errors: as for a graph around `service`.
  public static func whatIf(
    _ input: GraphInput, tenant: TenantID, service: String, operation: String?,
    environment: String?, change: Double?, errorRate: Double?
  ) throws(GraphError) -> WhatIf {
    let options = GraphOptions(environment: environment, service: service, direction: .up)
    let gathering = Gathering(input, tenant: tenant)
    let graph = try build(input, tenant: tenant, options: options)
    let named = graph.nodes.filter { $0.id == service }
    let targets = named.isEmpty ? graph.nodes.filter { $0.service == service } : named
    guard let target = targets.first else {
      throw .unknownService(service: service, nearest: [])
    }
    guard targets.count == 1 else {
      throw .ambiguousEnvironment(id: target.id, environments: targets.map(\.environment).sorted())
    }
    if let operation {
      let known = gathering.operationViews(of: target.nameID).map(\.operation)
      guard known.contains(operation) else {
        throw .unknownOperation(
          service: target.id, operation: operation,
          nearest: Spelling.nearest(to: operation, among: known))
      }
    }
    var answer = WhatIf(
      start: input.start, end: input.end, revision: input.revision, service: target.id,
      operation: operation)
    let waits = WaitEffect(gathering, graph, target, operation: operation)
    answer.calls = waits.calls(change: change)
    if let change {
      answer.latency = LatencyEffect(
        target, operation, changeNanos: change * 1e6,
        gainNanosMax: waits.gainNanosMax(change: change)
      ).entries(PathTree(input, tenant: tenant), environment)
      answer.upstream = waits.upstream(change: change)
    }
    if let errorRate { answer.errors = ErrorEffect(graph, target).services(errorRate) }
    return answer
  }
}

/// Makes one step of all paths faster or slower.
private struct LatencyEffect {
  private let target: Node
  private let operation: String?
  private let changeNanos: Double
  /// More than that all requests together cannot gain.
  private let gainNanosMax: Double

  init(_ target: Node, _ operation: String?, changeNanos: Double, gainNanosMax: Double) {
    self.gainNanosMax = gainNanosMax
    self.target = target
    self.operation = operation
    self.changeNanos = changeNanos
  }

  /// Time that is not on the critical path is nobody's loss and nobody's gain, as long as the path
  /// stays where it is: what is gained is an upper bound, what is lost a lower one. Where the service
  /// is not the entry point itself, its calls' drag bounds the gain as well.
  func entries(_ tree: PathTree, _ environment: String?) -> [WhatIf.Latency] {
    let found = tree.entries.compactMap { entry -> WhatIf.Latency? in
      guard environment.map({ $0 == entry.step.environment }) ?? true,
        let mean = entry.sums.latency.meanNanos
      else { return nil }
      let traces = Double(max(entry.sums.counters[.traces], 1))
      let weight = Double(max(entry.sums.latency.weight, 1))
      var changed = 0.0
      var onPath = 0.0
      tree.visit(entry) { group, _ in
        guard matches(group.step) else { return }
        changed += change(group.sums.ownTime)
        if group.sums.counters[.criticalPathNanos] > 0 {
          onPath = max(onPath, Double(group.sums.counters[.traces]))
        }
      }
      if changed < 0, !matches(entry.step) {
        changed = max(changed, -gainNanosMax * Double(SpanRecord.weightOne))
      }
      return WhatIf.Latency(
        entry: entry.step.label, environment: entry.step.environment,
        requests: entry.sums.counters.adjusted(.requestsAdjusted), mean: mean / 1e6,
        expected: max(0, mean + changed / weight) / 1e6, onPathShare: min(1, onPath / traces))
    }
    return found.sorted { a, b in
      let effects = ((a.expected - a.mean).magnitude, (b.expected - b.mean).magnitude)
      return effects.0 != effects.1 ? effects.0 > effects.1 : a.entry < b.entry
    }
  }

  private func matches(_ step: PathTree.Step) -> Bool {
    step.serviceID == target.id && step.environment == target.environment
      && (operation.map { $0 == step.operation } ?? true)
  }

  /// Over all requests, in nanoseconds × 256: no request takes less than nothing.
  private func change(_ own: Histogram) -> Double {
    own.buckets.reduce(0) { sum, bucket in
      guard bucket.weight > 0, bucket.index != HistogramScale.underIndex else { return sum }
      let low = HistogramScale.lowerEdgeNanos(bucket.index)
      let high = HistogramScale.upperEdgeNanos(bucket.index)
      return sum + Double(bucket.weight) * max(changeNanos, -(low + high) / 2)
    }
  }
}

/// Lets one service fail more often and follows the failures up the callers.
private struct ErrorEffect {
  private let graph: ServiceGraph
  private let target: Node
  /// Enough for failures to come through any way that matters, and round any cycle.
  private static let roundsMax = 64

  init(_ graph: ServiceGraph, _ target: Node) {
    self.graph = graph
    self.target = target
  }

  /// The share of requests that does not fail.
  private func healthy(_ node: Node) -> Double { max(0, 1 - (node.figures.errorRate ?? 0)) }

  func services(_ asked: Double) -> [WhatIf.Errors] {
    // What fails already cannot fail in addition.
    let rate = min(asked, healthy(target))
    var increase: [NameID: Double] = [target.nameID: rate]
    var supposed: Set<NameID> = []
    let nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.nameID, $0) })
    let calls = Dictionary(grouping: graph.edges, by: \.clientNameID)
    for _ in 0..<ErrorEffect.roundsMax {
      var next: [NameID: Double] = [target.nameID: rate]
      for (client, edges) in calls where client != target.nameID {
        guard let requests = nodes[client]?.figures.requests, requests > 0 else { continue }
        var survives = 1.0
        for edge in edges {
          guard let failing = increase[edge.serverNameID], failing > 0 else { continue }
          let passedOn = edge.errorPropagation.probability ?? 1
          if edge.errorPropagation.probability == nil || supposed.contains(edge.serverNameID) {
            supposed.insert(client)
          }
          survives *= max(0, 1 - min(1, edge.requests / requests * failing * passedOn))
        }
        if survives < 1 {
          next[client] = min(1 - survives, nodes[client].map(healthy) ?? 1)
        }
      }
      let isSettled = next.allSatisfy { ((increase[$0.key] ?? 0) - $0.value).magnitude < 1e-9 }
      increase = next
      if isSettled, increase.count == next.count { break }
    }
    let called = Set(graph.edges.map(\.serverNameID))
    return graph.nodes.compactMap { node -> WhatIf.Errors? in
      guard node.nameID != target.nameID, node.kind == .service else { return nil }
      return WhatIf.Errors(
        service: node.id, environment: node.environment, isEntry: !called.contains(node.nameID),
        errorRate: node.figures.errorRate, increase: increase[node.nameID] ?? 0,
        isSupposed: supposed.contains(node.nameID))
    }.sorted { $0.increase != $1.increase ? $0.increase > $1.increase : $0.service < $1.service }
  }
}

extension WhatIf {
  /// `{"start","end","revision","service","operation","latency":[…],"errors":[…],
  /// "upstream":[…],"calls":[…]}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.member("service", service)
      if let operation { json.member("operation", operation) }
      json.key("latency")
      json.array(latency) { json, effect in
        json.object { json in
          json.member("entry", effect.entry)
          if !effect.environment.isEmpty { json.member("environment", effect.environment) }
          json.member("requests", effect.requests as Double?)
          json.member("mean_ms", effect.mean as Double?)
          json.member("expected_mean_ms", effect.expected as Double?)
          json.member("change_ms", (effect.expected - effect.mean) as Double?)
          json.member("on_path_share", effect.onPathShare as Double?)
        }
      }
      json.key("errors")
      json.array(errors) { json, effect in
        json.object { json in
          json.member("service", effect.service)
          if !effect.environment.isEmpty { json.member("environment", effect.environment) }
          json.member("entry", effect.isEntry)
          json.member("error_rate", effect.errorRate)
          json.member("increase", effect.increase as Double?)
          json.member("supposed", effect.isSupposed)
        }
      }
      json.key("upstream")
      json.array(upstream) { json, effect in
        json.object { json in
          json.member("service", effect.service)
          if !effect.environment.isEmpty { json.member("environment", effect.environment) }
          json.member("entry", effect.isEntry)
          json.member("mean_ms", effect.mean)
          json.member("change_ms", effect.change as Double?)
        }
      }
      json.key("calls")
      json.array(calls) { json, call in
        json.object { json in
          json.member("client", call.client)
          if !call.environment.isEmpty { json.member("client_environment", call.environment) }
          json.member("requests", call.requests as Double?)
          json.members(of: call.wait)
          json.member("change_ms", call.change)
        }
      }
    }
    return json
  }
}
