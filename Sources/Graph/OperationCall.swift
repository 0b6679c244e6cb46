import Model

/// What an operation calls, in two ranges: a call that stops being made by one operation while others
/// go on making it shows here and nowhere else.
public struct OperationCall: Sendable, Equatable {
  /// The call in one of the ranges.
  public struct Side: Sendable, Equatable {
    /// Calls, adjusted for sampling.
    public var requests: Double
    /// How large a share of the operation's requests makes the call at all, and how often a request makes
    /// it; nil without requests.
    public var probability: Double?
    public var perRequest: Double?
  }

  /// Who calls: the id of the node and its operation; empty where it has no name.
  public var service: String
  public var environment: String
  public var operation: String
  /// What is called, likewise.
  public var callee: String
  public var calleeOperation: String
  /// A side in which it was not called is nil.
  public var base: Side?
  public var current: Side?
  public var changes: [MetricChange]
}

extension OperationCall {
  private struct Key: Hashable {
    var caller: NameID
    var callee: NameID
  }

  /// The calls of one range, each with how many requests that came by themselves it rests on.
  private typealias Calls = [Key: (side: Side, events: Double)]

  /// - Parameter services: whose operations are compared.
  static func differences(
    _ before: Gathering, _ after: Gathering, of services: Set<NameID>, _ changeMin: Double
  ) -> Differences<OperationCall> {
    let base = calls(before, of: services)
    let current = calls(after, of: services)
    let named = Set(base.keys).union(current.keys).compactMap {
      key -> (key: Key, call: OperationCall)? in
      guard let caller = after.calleeLabel(key.caller) ?? before.calleeLabel(key.caller),
        let callee = after.calleeLabel(key.callee) ?? before.calleeLabel(key.callee),
        let service = after.service(of: key.caller) ?? before.service(of: key.caller)
      else { return nil }
      let environment = (after.references[service] ?? before.references[service])?.environment
      let call = OperationCall(
        service: caller.node, environment: environment ?? "", operation: caller.operation,
        callee: callee.node, calleeOperation: callee.operation, base: base[key]?.side,
        current: current[key]?.side, changes: [])
      return (key, call)
    }.sorted { a, b in a.call.precedes(b.call) ?? (a.key.caller < b.key.caller) }
    var differences = Differences<OperationCall>()
    for (key, call) in named {
      var call = call
      if let before = base[key], let after = current[key] {
        call.changes = [
          MetricChange(
            .probability, base: before.side.probability, current: after.side.probability,
            changeMin: changeMin),
          MetricChange(
            .perRequest, base: before.side.perRequest, current: after.side.perRequest,
            changeMin: changeMin),
        ].compactMap { $0 }.judged(
          ChanceSide(call: before.side, events: before.events),
          ChanceSide(call: after.side, events: after.events))
      }
      differences.take(
        call, inBase: call.base != nil, inCurrent: call.current != nil,
        isChanged: !call.changes.isEmpty)
    }
    return differences
  }

  /// What was not told apart is not compared: it need not be the same on both sides.
  private static func calls(_ gathering: Gathering, of services: Set<NameID>) -> Calls {
    var calls: Calls = [:]
    for (caller, callees) in gathering.calls {
      guard let service = gathering.service(of: caller), services.contains(service) else {
        continue
      }
      let operation = gathering.operations[service]?[caller]
      let requests = operation?.counters[.requests] ?? 0
      for (callee, sums) in callees where !callee.isNone && !sums.isZero {
        let counters = sums.counters
        let probability = share(Double(counters[.traces]), of: Double(requests))
        let side = Side(
          requests: counters.adjusted(.requestsAdjusted),
          probability: probability.map { min(1, $0) },
          perRequest: requests > 0 ? Double(counters[.requests]) / Double(requests) : nil)
        calls[Key(caller: caller, callee: callee)] = (side, operation?.effectiveRequests ?? 0)
      }
    }
    return calls
  }

  /// nil where both are written alike.
  private func precedes(_ other: OperationCall) -> Bool? {
    let own = [service, environment, operation, callee, calleeOperation]
    let others = [
      other.service, other.environment, other.operation, other.callee, other.calleeOperation,
    ]
    return own == others ? nil : own.lexicographicallyPrecedes(others)
  }
}
