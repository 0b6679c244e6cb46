import Model

/// What operations call, and how often: the ways by which an effect on one service comes to those who
/// call it, by operation.
///
/// Spans of a service that name no operation stand under the service itself, and so does what is called
/// by a name that stands for the service: such a call is one to any of its operations, as often as each
/// is asked for.
struct CallStructure {
  /// Requests of one operation that call one other.
  struct Call {
    var callee: NameID
    /// The share of the caller's requests that make the call at all, 0…1.
    var probability: Double
    /// How often those make it that do; 1 at least.
    var times: Double
    /// The share of failed calls after which the caller failed too; nil where none was seen to fail.
    var passedOn: Double?
    /// Nobody waits for it: it goes through a queue.
    var isSent: Bool
  }

  /// Of each operation its calls, by callee.
  private var calls: [NameID: [Call]] = [:]
  /// Of each callee whoever calls it.
  private var callers: [NameID: Set<NameID>] = [:]
  private var services: [NameID: NameID] = [:]
  /// Of each service its operations, and itself for requests without one, each with its share of the
  /// requests.
  private var parts: [NameID: [(part: NameID, share: Double)]] = [:]
  /// Operations some calls of which are not told apart.
  private(set) var overflowing: Set<NameID> = []

  /// Enough for an effect to come through any way that matters, and round any cycle.
  private static let roundsMax = 64

  init(_ gathering: Gathering) {
    for (service, operations) in gathering.operations {
      let requests = gathering.nodes[service]?.counters[.requests] ?? 0
      let named = operations.reduce(0) { $0 &+ $1.value.counters[.requests] }
      let all = Double(max(requests, named, 1))
      for operation in operations.keys { services[operation] = service }
      var shares = operations.sorted { $0.key < $1.key }.map { operation, sums in
        (part: operation, share: Double(sums.counters[.requests]) / all)
      }
      if requests > named { shares.append((service, Double(requests &- named) / all)) }
      parts[service] = shares
    }
    for (caller, callees) in gathering.calls { take(caller, callees, gathering) }
    for (caller, calls) in calls {
      for call in calls { callers[call.callee, default: []].insert(caller) }
    }
  }

  private mutating func take(_ caller: NameID, _ callees: [NameID: Sums], _ gathering: Gathering) {
    let service = services[caller] ?? gathering.service(of: caller) ?? caller
    services[caller] = service
    // Work that is no request is counted by nobody: then each is taken to do what most do.
    let making = callees.values.reduce(0) { max($0, $1.counters[.traces]) }
    var requests = gathering.operations[service]?[caller]?.counters[.requests] ?? 0
    if caller == service {
      let named = (gathering.operations[service] ?? [:]).values.reduce(0) {
        $0 &+ $1.counters[.requests]
      }
      requests = (gathering.nodes[service]?.counters[.requests] ?? 0) &- named
    }
    let all = Double(requests > 0 ? requests : max(making, 1))
    if callees.keys.contains(.none) { overflowing.insert(caller) }
    calls[caller] = callees.sorted { $0.key < $1.key }.compactMap { callee, sums in
      let makers = Double(sums.counters[.traces])
      guard !callee.isNone, makers > 0 else { return nil }
      let server = gathering.service(of: callee) ?? callee
      services[callee] = server
      return Call(
        callee: callee, probability: min(1, makers / all),
        times: max(1, Double(sums.counters[.requests]) / makers),
        passedOn: CallStructure.passedOn(sums.counters)
          ?? gathering.passedOn(from: service, to: server),
        isSent: gathering.isOnlySent(from: service, to: server))
    }
  }

  static func passedOn(_ counters: Counters) -> Double? {
    let propagated = counters.adjusted(.propagatedAdjusted)
    return share(propagated, of: propagated + counters.adjusted(.absorbedAdjusted))
  }

  /// The node an operation belongs to; itself for a node.
  func service(of operation: NameID) -> NameID { services[operation] ?? operation }

  func calls(of operation: NameID) -> [Call] { calls[operation] ?? [] }

  /// Everything of a service that can be called.
  func parts(of service: NameID) -> Set<NameID> {
    Set((parts[service] ?? []).map(\.part)).union([service])
  }

  /// What is asked of a node: all of it, or one operation.
  func targets(
    _ node: NameID, operation: String?, _ gathering: Gathering
  ) -> Set<NameID> {
    guard let operation else { return parts(of: node) }
    return parts(of: node).filter { $0 != node && gathering.text($0) == operation }
  }

  /// A call may lead to one of those given.
  func leads(_ call: Call, to targets: Set<NameID>) -> Bool {
    targets.contains(call.callee)
      || (parts[call.callee] ?? []).contains { targets.contains($0.part) }
  }

  /// Follows an effect up the callers.
  /// - Parameters:
  ///   - sources: where it begins; what they call does not matter to them.
  ///   - tolerance: what changes by less has settled.
  ///   - effect: what a caller has of its calls, by what those they lead to have.
  /// - Returns: of everything it comes to.
  func follow(
    from sources: [NameID: Double], tolerance: Double,
    _ effect: (NameID, [Call], (NameID) -> Double) -> Double
  ) -> [NameID: Double] {
    var values = sources
    var changed = Set(sources.keys)
    for _ in 0..<CallStructure.roundsMax {
      // Who calls a service without saying what for is asked for any of its operations.
      let reached = changed.union(changed.map(service(of:)))
      let affected = reached.reduce(into: Set<NameID>()) { $0.formUnion(callers[$1] ?? []) }
      var next: [NameID: Double] = [:]
      for caller in affected where sources[caller] == nil {
        let value = effect(caller, calls(of: caller)) { self.value(of: $0, in: values) }
        if value != values[caller] ?? 0 { next[caller] = value }
      }
      changed = Set(next.filter { ($0.value - (values[$0.key] ?? 0)).magnitude > tolerance }.keys)
      values.merge(next) { $1 }
      if changed.isEmpty { break }
    }
    return values
  }

  /// Of what is called: of an operation its own, of a service that of its operations as often as each
  /// is asked for.
  func value(of callee: NameID, in values: [NameID: Double]) -> Double {
    guard let parts = parts[callee] else { return values[callee] ?? 0 }
    return parts.reduce(0) { $0 + $1.share * (values[$1.part] ?? 0) }
  }

  /// Which operations have calls that lead to one of those given, themselves included.
  /// - Parameter ends: from which it goes no further.
  func leading(
    to targets: Set<NameID>, besides ends: Set<NameID> = [], where isFollowed: (Call) -> Bool
  ) -> Set<NameID> {
    var found = targets
    var waiting = Array(targets)
    while let callee = waiting.popLast() {
      for name in Set([callee, service(of: callee)]) {
        for caller in callers[name] ?? [] where !found.contains(caller) && !ends.contains(caller) {
          let leads = calls(of: caller).contains { $0.callee == name && isFollowed($0) }
          guard leads else { continue }
          found.insert(caller)
          waiting.append(caller)
        }
      }
    }
    return found
  }
}

extension Gathering {
  /// After how large a share of failed calls from one node to another the caller failed too.
  fileprivate func passedOn(from client: NameID, to server: NameID) -> Double? {
    var counters = Counters()
    for type in ConnectionType.allCases {
      guard let sums = edges[EdgeKey(client: client, server: server, type: type)] else { continue }
      counters.merge(sums.counters)
    }
    return CallStructure.passedOn(counters)
  }

  /// There are calls from one service to another, and nobody waits for any of them. Who sends to a
  /// queue waits until the queue has the message.
  fileprivate func isOnlySent(from client: NameID, to server: NameID) -> Bool {
    guard references[server]?.kind == .service else { return false }
    let types = ConnectionType.allCases.filter {
      edges[EdgeKey(client: client, server: server, type: $0)] != nil
    }
    return !types.isEmpty && types.allSatisfy { !$0.isWaitedFor }
  }
}
