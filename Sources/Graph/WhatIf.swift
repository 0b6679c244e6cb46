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
    /// In how large a share of its traces the service is on the critical path, at most: of traces that
    /// pass it by several ways it is not known whether they are the same.
    public var onPathShare: Double
    /// Of its time on the critical path, how much is of ways that were not told apart: what of that is
    /// the service's is not known.
    public var overflowShare: Double
  }

  /// The effect on one entry point's errors, an estimate.
  public struct Errors: Sendable, Equatable {
    public var entry: String
    public var environment: String
    public var requests: Double
    public var errorRate: Double?
    /// By how much its error rate would rise, 0…1; nil for entry points that were not told apart.
    public var increase: Double?
    /// On some way to it no failure was ever seen: that it is passed on is supposed.
    public var isSupposed: Bool
    /// Some operation on the way makes calls that were not told apart: it may rise by more.
    public var hasOverflow: Bool
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
  ///   - input: with the series of paths, versions, nodes, edges, operations, what they call, and what
  ///     calls hold up.
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
    let structure = CallStructure(gathering)
    let tree = PathTree(input, tenant: tenant)
    let waits = WaitEffect(gathering, graph, structure, target, operation: operation)
    answer.calls = waits.calls(change: change)
    if let change {
      answer.latency = LatencyEffect(
        target, operation, changeNanos: change * 1e6,
        gainNanosMax: waits.gainNanosMax(change: change),
        losses: waits.losses(change: change)
      ).entries(tree, environment)
      answer.upstream = waits.upstream(change: change)
    }
    if let errorRate {
      answer.errors = ErrorEffect(gathering, structure, target, operation: operation)
        .entries(tree, environment, rate: errorRate)
    }
    return answer
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
          json.member("overflow_share", effect.overflowShare as Double?)
        }
      }
      json.key("errors")
      json.array(errors) { json, effect in
        json.object { json in
          json.member("entry", effect.entry)
          if !effect.environment.isEmpty { json.member("environment", effect.environment) }
          json.member("requests", effect.requests as Double?)
          json.member("error_rate", effect.errorRate)
          json.member("increase", effect.increase)
          json.member("supposed", effect.isSupposed)
          json.member("overflow", effect.hasOverflow)
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
