public import Model

/// Ranks where it began that a system got worse from one stretch of time to another.
///
/// What is compared is local: the time a service takes itself, the gap of an edge, errors that began
/// somewhere, calls an operation makes. What is only passed on has no local change, so it needs no
/// explaining away; what else one change brings about (queues before a service that waits for another,
/// calls not made after a failure, retries) is given to the deeper change.
public struct RootCauses: Sendable {
  public var causes: [RootCause]

  /// - Parameters:
  ///   - base: windows in order of time, all of one width.
  ///   - current: the same.
  ///   - seconds: how long one window is.
  public init(base: [Window], current: [Window], seconds: Double) {
    var search = CauseSearch(
      base: SystemHistory(base, seconds: seconds),
      current: SystemHistory(current, seconds: seconds))
    causes = search.run()
  }
}

/// The search, with what it found so far.
struct CauseSearch {
  /// Nothing is taken for a change that deviates by fewer standard errors.
  static let deviationMin = 4.0
  /// Nor times that changed by a smaller share.
  static let timeRatioMin = 0.05

  let base: SystemHistory
  let current: SystemHistory
  let answered: [NameID: NameID]
  let callers: [NameID: Set<NameID>]
  let callees: [NameID: Set<NameID>]
  var findings: [Candidate: Amounts] = [:]
  /// By how much everything changed at once, as a logarithm.
  var shared = 0.0

  struct Candidate: Hashable {
    var kind: RootCause.Kind
    var node: NameID
  }

  struct Amounts {
    /// Time added, milliseconds a second.
    var time = 0.0
    /// Failures and lost calls a second.
    var failures = 0.0
    var lostCalls = 0.0
    var evidence: [CauseEvidence] = []
  }

  init(base: SystemHistory, current: SystemHistory) {
    self.base = base
    self.current = current
    var answered: [NameID: NameID] = [:]
    for (peer, services) in base.answered.merging(
      current.answered, uniquingKeysWith: { $0.union($1) })
    where services.count == 1 {
      answered[peer] = services.first
    }
    self.answered = answered
    var callers: [NameID: Set<NameID>] = [:]
    var callees: [NameID: Set<NameID>] = [:]
    for edge in Set(base.edges.keys).union(current.edges.keys) {
      let server = answered[edge.server] ?? edge.server
      callers[server, default: []].insert(edge.client)
      callees[edge.client, default: []].insert(server)
    }
    self.callers = callers
    self.callees = callees
  }

  mutating func run() -> [RootCause] {
    findLoad()
    findShared()
    findSelfTimes()
    findErrors()
    findUnanswered()
    findLostCalls()
    findGaps()
    findGivenUp()
    return ranked()
  }

  func service(_ node: NameID) -> NameID { answered[node] ?? node }

  mutating func note(
    _ kind: RootCause.Kind, _ node: NameID, _ evidence: CauseEvidence? = nil, time: Double = 0,
    failures: Double = 0, lostCalls: Double = 0
  ) {
    let candidate = Candidate(kind: kind, node: node)
    findings[candidate, default: Amounts()].time += time
    findings[candidate, default: Amounts()].failures += failures
    findings[candidate, default: Amounts()].lostCalls += lostCalls
    if let evidence { findings[candidate, default: Amounts()].evidence.append(evidence) }
  }

  /// Requests a second to a node now.
  func rate(_ node: NameID) -> Double {
    (current.nodes[node]?.origins.count ?? 0) / currentSeconds
  }

  var currentSeconds: Double { max(1, Double(current.windowsCount) * current.seconds) }

  /// Nodes that get most of their requests from nobody known.
  var entries: [NameID] {
    current.nodes.keys.filter { node in
      guard let requests = current.nodes[node]?.origins.count, requests > 0 else { return false }
      let called = current.edges.filter { $0.key.server == node }.reduce(0.0) {
        $0 + $1.value.requests.sum
      }
      return called < requests / 2
    }.sorted()
  }
}
