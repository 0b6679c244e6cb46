import Model

/// What a slower or faster service does to whoever waits for it, from the drag and slack of its calls.
struct WaitEffect {
  private let gathering: Gathering
  private let graph: ServiceGraph
  private let structure: CallStructure
  private let target: Node
  /// What is called of it that is asked about.
  private let targets: Set<NameID>
  /// How many of the service's requests are for the operation asked about, 0…1.
  private let part: Double

  /// Enough for a delay to come through any way that matters, and round any cycle.
  private static let roundsMax = 64
  /// Of how many calls drag has to be known to bound anything: ranges need not begin and end with the
  /// same calls, since drag is counted where its trace ended.
  private static let knownShareMin = 0.9
  /// No request is supposed to take so much longer or shorter: an hour.
  private static let changeNanosMax = 3.6e12

  init(
    _ gathering: Gathering, _ graph: ServiceGraph, _ structure: CallStructure, _ target: Node,
    operation: String?
  ) {
    self.gathering = gathering
    self.graph = graph
    self.structure = structure
    self.target = target
    targets = structure.targets(target.nameID, operation: operation, gathering)
    guard let operation else {
      part = 1
      return
    }
    let views = gathering.operationViews(of: target.nameID)
    let requests = views.first { $0.operation == operation }?.figures.requests ?? 0
    part = share(requests, of: target.figures.requests) ?? 0
  }

  /// More than that all traces together cannot gain, nanoseconds: a trace with one request to the
  /// service gains that call's drag at most; of several, each what it is faster.
  func gainNanosMax(change: Double) -> Double {
    guard change < 0 else { return 0 }
    let faster = -change * 1e6
    // Of the other calls nothing is known but what paths say.
    guard isKnown else { return .infinity }
    let waits = gathering.waits.values.compactMap { $0[target.nameID] }
    return waits.reduce(0) { sum, wait in
      let others =
        wait.counters.adjusted(.requestsAdjusted)
        - Double(wait.clientLatency.weight) / Double(SpanRecord.weightOne)
      return sum + wait.clientLatency.sum { min(faster, $0) } + max(0, others) * faster
    }
  }

  /// Of nearly all calls to the service that somebody waits for, drag and slack are known.
  private var isKnown: Bool {
    let waits = gathering.waits.values.compactMap { $0[target.nameID] }
    let known = waits.reduce(0) { $0 + $1.counters.adjusted(.requestsAdjusted) }
    let all = graph.edges.reduce(0) { sum, edge in
      let isOfTarget = edge.serverNameID == target.nameID
      return isOfTarget && edge.connectionType.isWaitedFor ? sum + edge.requests : sum
    }
    return !waits.isEmpty && known >= all * WaitEffect.knownShareMin
  }

  /// By how much requests take longer, by operation, nanoseconds: what of the delay exceeds the slack of
  /// calls, as often as they are made. Empty when nothing gets slower, or too little slack is known.
  func losses(change: Double) -> [NameID: Double] {
    change > 0 && isKnown ? byOperation(change) : [:]
  }

  /// The same for any change.
  private func byOperation(_ change: Double) -> [NameID: Double] {
    var sources: [NameID: Double] = [:]
    for operation in targets {
      let sums = gathering.operations[target.nameID]?[operation] ?? gathering.nodes[target.nameID]
      sources[operation] = own(sums ?? Sums(), change)
    }
    return structure.follow(from: sources, tolerance: 1) { caller, calls, change in
      let waits = gathering.waits[structure.service(of: caller)]
      let sum = calls.reduce(0.0) { sum, call in
        guard let wait = waits?[structure.service(of: call.callee)] else { return sum }
        let change = change(call.callee)
        return change == 0
          ? sum : sum + call.probability * call.times * delay(of: wait, by: change)
      }
      return min(max(sum, -WaitEffect.changeNanosMax), WaitEffect.changeNanosMax)
    }
  }

  /// By how much a request takes longer by itself, nanoseconds: none takes less than nothing.
  private func own(_ sums: Sums, _ change: Double) -> Double {
    let weight = Double(sums.ownTime.weight) / Double(SpanRecord.weightOne)
    guard change < 0, weight > 0 else { return change * 1e6 }
    return -sums.ownTime.sum { min(-change * 1e6, $0) } / weight
  }

  func calls(change: Double?) -> [WhatIf.Call] {
    // A call's drag has its way there and back in it, which a faster service leaves as it is.
    let change = change.map { own(gathering.nodes[target.nameID] ?? Sums(), $0) }
    return calls(changeNanos: change)
  }

  private func calls(changeNanos: Double?) -> [WhatIf.Call] {
    gathering.waits.compactMap { client, servers -> WhatIf.Call? in
      guard let sums = servers[target.nameID], let reference = gathering.references[client] else {
        return nil
      }
      let requests = sums.counters.adjusted(.requestsAdjusted)
      return WhatIf.Call(
        client: reference.id, environment: reference.environment, requests: requests,
        wait: CallWait(sums), change: changeNanos.map { delay(of: sums, by: $0) / 1e6 })
    }.sorted { $0.requests != $1.requests ? $0.requests > $1.requests : $0.client < $1.client }
  }

  /// Nanoseconds by which a trace takes longer, per call, if each call by itself took so much longer.
  private func delay(of wait: Sums, by change: Double) -> Double {
    let requests = wait.counters.adjusted(.requestsAdjusted)
    guard requests > 0 else { return 0 }
    let total =
      change < 0
      ? -wait.ownTime.sum { min(-change, $0) } : wait.latency.sum { max(0, change - $0) }
    return total / requests
  }

  /// Follows the change up the callers: each waits longer by what its calls do, as often as it makes
  /// them. Calls of one request that run side by side are counted as if one waited for the other. By
  /// operation, where it is known what they call.
  func upstream(change: Double) -> [WhatIf.Upstream] {
    let own = part * own(gathering.nodes[target.nameID] ?? Sums(), change)
    let byOperation = byOperation(change)
    let nodes = Dictionary(uniqueKeysWithValues: graph.nodes.map { ($0.nameID, $0) })
    let calls = Dictionary(grouping: graph.edges, by: \.clientNameID)
    var changes: [NameID: Double] = [target.nameID: own]
    for _ in 0..<WaitEffect.roundsMax {
      var next: [NameID: Double] = [target.nameID: own]
      for (client, edges) in calls where client != target.nameID {
        guard let requests = nodes[client]?.figures.requests, requests > 0 else { continue }
        let sum = edges.reduce(0) { sum, edge in
          guard let change = changes[edge.serverNameID],
            let wait = gathering.waits[client]?[edge.serverNameID]
          else { return sum }
          return sum + edge.requests / requests * delay(of: wait, by: change)
        }
        let bound = WaitEffect.changeNanosMax
        if sum != 0 { next[client] = min(max(sum, -bound), bound) }
      }
      let isSettled = next.allSatisfy { ((changes[$0.key] ?? 0) - $0.value).magnitude < 1 }
      let hasSameNodes = next.count == changes.count
      changes = next
      if isSettled, hasSameNodes { break }
    }
    let called = Set(graph.edges.map(\.serverNameID))
    return graph.nodes.compactMap { node -> WhatIf.Upstream? in
      guard node.nameID != target.nameID, node.kind == .service else { return nil }
      let mean = node.figures.latency?.mean
      let parts = structure.parts(of: node.nameID)
      let isKnown = parts.contains { byOperation[$0] != nil }
      let change =
        (isKnown
          ? structure.value(of: node.nameID, in: byOperation) : changes[node.nameID] ?? 0) / 1e6
      return WhatIf.Upstream(
        service: node.id, environment: node.environment, isEntry: !called.contains(node.nameID),
        mean: mean, change: max(change, -(mean ?? .infinity)))
    }.sorted { a, b in
      let sizes = (a.change.magnitude, b.change.magnitude)
      return sizes.0 != sizes.1 ? sizes.0 > sizes.1 : a.service < b.service
    }
  }
}

extension Histogram {
  /// The sum of a function of each duration (nanoseconds, the middle of its bucket; 0 for the bucket
  /// of the shortest), over all events.
  fileprivate func sum(_ value: (Double) -> Double) -> Double {
    buckets.reduce(0) { sum, bucket in
      guard bucket.weight > 0 else { return sum }
      let isShort = bucket.index == HistogramScale.underIndex
      let low = HistogramScale.lowerEdgeNanos(bucket.index)
      let high = HistogramScale.upperEdgeNanos(bucket.index)
      let middle = isShort ? 0 : (low + high) / 2
      return sum + Double(bucket.weight) / Double(SpanRecord.weightOne) * value(middle)
    }
  }
}
