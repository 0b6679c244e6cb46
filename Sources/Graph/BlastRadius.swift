import Model

/// Whose requests suffer when a service fails: the entry points from which calls lead to it.
///
/// Sums do not say which request made which calls, so the share of an entry point's requests that
/// reach the service is bounded, not guessed. Each that does makes a call into every ring around
/// the service (the nodes one call away, two calls away …) on its way in, so no more can have than
/// made calls into any of the rings, nor than the entry point's own that called towards it. A request
/// that makes a call several times is one, as far as it is known what operations call.
public struct BlastRadius: Sendable, Equatable {
  /// Something that is asked from outside.
  public struct EntryPoint: Sendable, Equatable {
    public var node: Node
    /// How many calls lie between it and the service at least; 0 for the service itself.
    public var distance: Int
    /// Requests from outside: those no call of a known node explains. Adjusted for sampling.
    public var requests: Double
    /// At most so much of them reached the service.
    public var shareAtMost: Double
  }

  /// By how many requests can have reached the service at most, the most first.
  public var entryPoints: [EntryPoint]
  /// There are more, with fewer requests.
  public var isTruncated: Bool

  /// Entry points looked at: those with the most requests.
  public static let entryPointsMax = 100

  init(of focus: NameID, _ gathering: Gathering) {
    let calls = CallTable(gathering, environment: nil)
    let makers = Makers(gathering)
    let targets = calls.references.indices.filter { calls.references[$0].nameID == focus }
    let distances = PathSearch.distances(calls.next, to: targets)
    let outside = calls.references.indices.compactMap { node -> (node: Int, requests: Double)? in
      guard distances[node] != nil else { return nil }
      let requests = calls.requestsFromOutside(node)
      return requests > 0 ? (node, requests) : nil
    }.sorted { $0.requests > $1.requests }
    isTruncated = outside.count > BlastRadius.entryPointsMax
    entryPoints = outside.prefix(BlastRadius.entryPointsMax).map { node, requests in
      EntryPoint(
        node: gathering.node(calls.references[node]), distance: distances[node] ?? 0,
        requests: requests,
        shareAtMost: min(
          1, BlastRadius.reachingAtMost(from: node, calls, makers, distances) / requests))
    }.sorted { $0.requests * $0.shareAtMost > $1.requests * $1.shareAtMost }
  }

  /// How many requests to a node can have reached the target.
  private static func reachingAtMost(
    from start: Int, _ calls: CallTable, _ makers: Makers, _ distances: [Int?]
  ) -> Double {
    guard let length = distances[start], length > 0 else { return .infinity }
    // By distance: requests that call the nodes that are so far away, from those one further.
    var intoRing = [Double](repeating: 0, count: length)
    var ownCalls = 0.0
    var seen: Set<Int> = [start]
    var frontier = [start]
    while let node = frontier.popLast() {
      guard let distance = distances[node], distance > 0 else { continue }
      for callee in calls.next[node] {
        guard let rest = distances[callee] else { continue }
        let count = makers.atMost(
          of: calls.requests(node, callee), from: calls.references[node].nameID,
          to: calls.references[callee].nameID)
        if node == start { ownCalls += count }
        if rest == distance - 1, rest < length { intoRing[rest] += count }
        if seen.insert(callee).inserted { frontier.append(callee) }
      }
    }
    return intoRing.reduce(ownCalls, min)
  }
}

/// How many requests made the calls from one node to another.
private struct Makers {
  private struct Pair: Hashable {
    var client: NameID
    var server: NameID
  }

  /// Requests, and their calls, as far as it is known what operations call. Adjusted for sampling.
  private var known: [Pair: (requests: Double, calls: Double)] = [:]

  init(_ gathering: Gathering) {
    // What operations call is not counted by dimension.
    guard !gathering.isPart else { return }
    for (caller, callees) in gathering.calls {
      guard let client = gathering.service(of: caller) else { continue }
      for (callee, sums) in callees {
        guard let server = gathering.service(of: callee) else { continue }
        let calls = sums.counters.adjusted(.requestsAdjusted)
        let part = share(
          Double(sums.counters[.traces]), of: Double(sums.counters[.requests]))
        let before = known[Pair(client: client, server: server)] ?? (0, 0)
        known[Pair(client: client, server: server)] = (
          before.requests + calls * min(1, part ?? 1), before.calls + calls
        )
      }
    }
  }

  /// Calls nobody knows the operation of may be of a request each.
  func atMost(of calls: Double, from client: NameID, to server: NameID) -> Double {
    guard let known = known[Pair(client: client, server: server)] else { return calls }
    return min(calls, known.requests + max(0, calls - known.calls))
  }
}
