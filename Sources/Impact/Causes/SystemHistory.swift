internal import Model

/// What is known of a system in one stretch of windows, by node, edge and operation.
struct SystemHistory {
  struct Edge: Hashable, Sendable {
    var client: NameID
    var server: NameID
  }

  /// What one operation calls.
  struct CallKey: Hashable, Sendable {
    var caller: NameID
    var callee: NameID
  }

  struct NodeHistory: Sendable {
    /// Requests, and the time each spent there itself, milliseconds.
    var selfTime: Observations
    /// Requests, and the time each took altogether.
    var latency: Observations
    /// Requests, and errors that began there.
    var origins: Observations
    /// Requests, and those that failed.
    var errors: Observations
    /// Traces, and those with an error here: raw, not adjusted for sampling.
    var traces: Observations
  }

  struct EdgeHistory: Sendable {
    /// Calls, and the time between both ends.
    var gap: Observations
    /// Calls, and those that failed as either end sees it.
    var failed: Observations
    var requests: Observations
    /// Calls and those that failed: raw, not adjusted for sampling.
    var raw: Observations
    /// Of failed calls those after which the caller failed too, and after which it did not.
    var propagated = 0.0
    var absorbed = 0.0
    /// Calls, and the time on critical paths that failed ones cost although the caller went on, or that
    /// went into making them again, milliseconds.
    var lost: Observations
  }

  let windowsCount: Int
  let seconds: Double
  private let emptyNode: NodeHistory
  private let emptyEdge: EdgeHistory
  private(set) var nodes: [NameID: NodeHistory] = [:]
  private(set) var operations: [NameID: NodeHistory] = [:]
  private(set) var operationsOf: [NameID: Set<NameID>] = [:]
  private(set) var edges: [Edge: EdgeHistory] = [:]
  /// Requests of the caller's operation that made the call at all.
  private(set) var calls: [CallKey: Observations] = [:]
  /// Calls, and how much sooner the trace would have ended without each, milliseconds.
  private(set) var drags: [Edge: Observations] = [:]
  /// Who answered to the name of a peer.
  private(set) var answered: [NameID: Set<NameID>] = [:]
  /// Failed calls to a peer with the address they went to.
  private(set) var addressed: [NameID: Double] = [:]
  /// Instances by window.
  private(set) var instances: [NameID: [Set<NameID>]] = [:]

  init(_ windows: [Window], seconds: Double) {
    windowsCount = windows.count
    self.seconds = seconds
    let empty = Observations(windows: windows.count)
    emptyNode = NodeHistory(
      selfTime: empty, latency: empty, origins: empty, errors: empty, traces: empty)
    emptyEdge = EdgeHistory(gap: empty, failed: empty, requests: empty, raw: empty, lost: empty)
    for (position, window) in windows.enumerated() {
      for (key, sums) in window.series { add(key, sums, at: position) }
    }
  }

  private mutating func add(_ key: SeriesKey, _ sums: Sums, at position: Int) {
    switch key.kind {
    case .node:
      SystemHistory.add(
        sums, to: &nodes[NameID(key.first), default: emptyNode], at: position)
    case .operation:
      SystemHistory.add(
        sums, to: &operations[NameID(key.second), default: emptyNode], at: position)
      operationsOf[NameID(key.first), default: []].insert(NameID(key.second))
    case .edge:
      let edge = Edge(client: NameID(key.first), server: NameID(key.second))
      SystemHistory.add(sums, to: &edges[edge, default: emptyEdge], at: position)
    case .call:
      let call = CallKey(caller: NameID(key.first), callee: NameID(key.second))
      calls[call, default: Observations(windows: windowsCount)].sums[position] += Double(
        sums.counters[.traces])
    case .wait:
      let edge = Edge(client: NameID(key.first), server: NameID(key.second))
      SystemHistory.add(
        sums.ownTime, to: &drags[edge, default: Observations(windows: windowsCount)], at: position)
    case .answered:
      answered[NameID(key.first), default: []].insert(NameID(key.second))
    case .unreached where key.second != 0:
      addressed[NameID(key.first), default: 0] += Double(sums.counters[.errorTraces])
    case .instance:
      let service = NameID(key.first)
      if instances[service] == nil {
        instances[service] = Array(repeating: [], count: windowsCount)
      }
      instances[service]?[position].insert(NameID(key.second))
    default: break
    }
  }

  private static func add(_ sums: Sums, to node: inout NodeHistory, at position: Int) {
    add(sums.ownTime, to: &node.selfTime, at: position)
    add(sums.latency, to: &node.latency, at: position)
    let requests = sums.adjusted(.requestsAdjusted)
    node.origins.counts[position] += requests
    node.origins.sums[position] += sums.adjusted(.errorOriginsAdjusted)
    node.errors.counts[position] += requests
    node.errors.sums[position] += sums.adjusted(.errorsAdjusted)
    node.traces.counts[position] += Double(sums.counters[.traces])
    node.traces.sums[position] += Double(sums.counters[.errorTraces])
  }

  private static func add(_ sums: Sums, to edge: inout EdgeHistory, at position: Int) {
    add(sums.ownTime, to: &edge.gap, at: position)
    let requests = sums.adjusted(.requestsAdjusted)
    edge.failed.counts[position] += requests
    edge.failed.sums[position] += sums.adjusted(.errorsAdjusted)
    edge.requests.counts[position] += 1
    edge.requests.sums[position] += requests
    edge.raw.counts[position] += Double(sums.counters[.requests])
    edge.raw.sums[position] += Double(sums.counters[.errors])
    edge.propagated += sums.adjusted(.propagatedAdjusted)
    edge.absorbed += sums.adjusted(.absorbedAdjusted)
    edge.lost.counts[position] += requests
    // A failed call can be in both.
    let lost = max(sums.counters[.absorbedNanos], sums.counters[.retryNanos])
    edge.lost.sums[position] += Double(lost) / Double(Nanos.millisecond)
  }

  private static func add(_ times: Histogram, to stretch: inout Observations, at position: Int) {
    guard !times.isEmpty else { return }
    stretch.counts[position] += Double(times.weight) / Double(SpanRecord.weightOne)
    stretch.sums[position] += Double(times.sumNanos) / Double(Nanos.millisecond)
  }

  /// The service that alone answered to a peer's name; else the peer itself.
  func resolved(_ node: NameID) -> NameID {
    guard let found = answered[node], found.count == 1, let service = found.first else {
      return node
    }
    return service
  }
}

extension Sums {
  /// A count that was corrected for sampling.
  fileprivate func adjusted(_ field: Counters.Field) -> Double {
    Double(counters[field]) / Double(SpanRecord.weightOne)
  }
}
