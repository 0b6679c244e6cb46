public import Model

/// What one trace says.
///
/// Spans of one service that hang together are a **visit**: one request, from the span that enters
/// the service to the spans that leave it. Visits are joined by **calls**. Everything a finding
/// counts is a visit, a call, or a trace, whatever the kinds of the spans: proxies in front of and
/// behind an application, which report under its name, fall into the same visit and are not
/// counted twice.
/// - Cost: O(n log n) in the spans of the trace; buffers are reused.
public struct TraceAnalyser: Sendable {
  public private(set) var forest = TraceForest()
  /// The same spans at the same positions, each within the one above it however far clocks are apart;
  /// empty where none is further than is corrected.
  private var placedForest = TraceForest()
  var criticalPath = CriticalPath()
  /// Parallel to the forest's spans: the visit each belongs to.
  var visitOf: [Int32] = []
  var visits: [Visit] = []
  var roles: [Role] = []
  /// Parallel to the forest's spans: what a parent in the same visit finds at or below it.
  var reaches: [Below] = []
  /// Whether the trace has spans that may carry the calls of others; without, what follows is empty.
  var hasTransports = false
  /// Parallel to the forest's spans: the call to a database or a queue that client spans right below it
  /// carry, which is itself or above it; −1 for none.
  var carriedCalls: [Int32] = []
  /// Parallel to the forest's spans: of a call, what of the spans that carry it is on the critical path.
  var carriedCriticalTimes: [Nanos] = []
  /// Parallel to the forest's spans: the call that covers calls begun under it: itself, or the one
  /// above it with nothing but internal work between; −1 for none.
  var callOf: [Int32] = []
  /// Parallel to the forest's spans: of a call, the callee's entry that ended last; −1 for none.
  var lastCallee: [Int32] = []
  /// Parallel to the forest's spans: duration minus the union of the children.
  public internal(set) var selfTimes: [Nanos] = []
  /// Parallel to the forest's spans: whose the time in `selfTimes` is.
  var owners: [TimeOwner] = []
  /// Parallel to the forest's spans: time of proxies between the caller and the call, which
  /// belongs to the call's edge.
  var handedTimes: [Nanos] = []
  /// Parallel to the forest's spans: what of that is on the critical path.
  var handedCriticalTimes: [Nanos] = []
  /// Parallel to the forest's spans: time on the critical path that is the span's own.
  public internal(set) var criticalTimes: [Nanos] = []

  /// Whether some call of the trace failed; without, the two that follow are empty.
  var hasFailedCalls = false
  /// Parallel to the forest's spans: what calls cost because they failed, by the span that enters
  /// the callee, and by the span that calls a peer.
  var callCosts: [ErrorCost] = []
  var peerCosts: [ErrorCost] = []
  var slackAndDrag = SlackAndDrag()

  /// Whether the trace has spans that send or take messages; without, what follows is empty.
  private(set) var hasQueues = false
  /// Whether the trace has spans of proxies; without, the handed times are empty.
  private(set) var hasProxies = false
  /// Parallel to the forest's spans.
  var takings: [Taking] = []
  /// Parallel to the forest's spans: of one that takes messages, the queue they come from.
  var queues: [NameID] = []
  /// Parallel to the forest's spans: of a call, the queue it sends to and somebody takes from.
  var sentTo: [NameID] = []
  /// Parallel to the forest's spans: the span that took the messages the span works on, itself or
  /// one further up; −1 for none.
  var takers: [Int32] = []
  /// Of spans that work on what a poll beside them received: when it did.
  var receivedAt: [Int: Nanos] = [:]
  /// Parallel to the forest's spans.
  var works: [Work] = []
  /// Parallel to the forest's spans: a span further up in the visit sends messages.
  var isBelowSending: [Bool] = []
  /// Parallel to the forest's spans, empty where none creates messages: of one that does, the span that
  /// sent them; −1 for none. And of the spans that sent such messages those that created them.
  var sendingOf: [Int32] = []
  var creationsOf: [Int: [Int32]] = [:]
  /// Parallel to the forest's spans: an edge was emitted of which the span is an end.
  var isEnd: [Bool] = []
  /// By the number of each `UnpairedReason`, 0 standing for none of them.
  var reasonCounts: [ReasonCount] = []
  /// Of spans that create messages which a span of another trace sent, by links to them: that span's.
  var sentElsewhere: [Int: SpanRecord] = [:]
  /// Of spans that send what was created in other traces: how many messages, by their links.
  var createdElsewhere: [Int: Int64] = [:]
  /// Spans that take messages, called by who sent them: by the sender, then by service and start.
  var calledTakers: [CalledTaker] = []
  /// What links say of messages that several spans tell of.
  var linkedTakers = LinkedTakers()
  /// Which spans are below which; empty where no link needs it.
  var descent = Descent()
  /// Records of links to spans of the trace, in the order of what they name.
  var links: [SpanRecord] = []

  /// One request at one service.
  struct Visit: Sendable {
    /// The span by which the request entered the service.
    var entry: Int
    /// A call it made failed.
    var hasFailedCall = false
    /// Something it called failed while it waited: an error of its own was passed through.
    var receivesError = false
    var selfTime: Nanos = 0
    var criticalTime: Nanos = 0
    /// Whether the visit is a request: not a fragment whose beginning was never sent.
    var isRequest = true
    /// The work of an application behind proxies, as far as spans tell, and the time of the
    /// proxies in front of it, which belongs to the edge that leads here.
    var hasApplication = false
    /// Some of its spans are its own work, not only calls it makes.
    var hasApplicationWork = false
    var proxyTime: Nanos = 0
    var proxyCriticalTime: Nanos = 0
    /// Some of its spans send messages.
    var sendsMessages = false
    /// Whether it takes messages from a queue, and from which as far as it says.
    var takesMessages = false
    var queue = NameID.none
  }

  /// What a span is to the graph.
  enum Role: UInt8, Sendable {
    /// Work of the service itself.
    case work
    /// The client side of calls to services that reported.
    case call
    /// A call to a node that does not report.
    case callToPeer
    /// A call to nobody knows whom.
    case callToUnknown
    /// A proxy's hop to the application it stands in front of.
    case ownApplication
    /// A client span around another one.
    case wrapper
    /// A client span that carries a call to a database or a queue above it.
    case transport
    /// A call that a server span of the same service answered.
    case callToItself
    /// Waiting for messages, and saying what became of them.
    case receive, settle
  }

  private let clockSkewNanosMax: Nanos
  let criticalPathRule: CriticalPathRule

  /// - Parameters:
  ///   - clockSkewNanosMax: by how much a span's times are moved at most where the clocks of two hosts
  ///     disagree; 0 moves none.
  ///   - criticalPathRule: by which rule time on the critical path is found.
  public init(
    clockSkewNanosMax: Nanos = 0, criticalPathRule: CriticalPathRule = .wallclock
  ) {
    self.clockSkewNanosMax = clockSkewNanosMax
    self.criticalPathRule = criticalPathRule
  }

  /// Appends the findings of a trace.
  /// - Returns: how many of the spans were copies of others.
  @discardableResult
  public mutating func analyse(
    _ spans: [SpanRecord], key: TraceKey, into findings: inout [Finding]
  ) -> Int {
    guard !spans.contains(where: { $0.kind == .traffic }) else {
      return analyseTraffic(in: spans, key: key, into: &findings)
    }
    guard !spans.contains(where: { $0.kind == .link }) else {
      return analyseLinks(in: spans, key: key, into: &findings)
    }
    links.removeAll(keepingCapacity: true)
    return analyseSpans(spans, key: key, into: &findings)
  }

  /// - Parameter spans: those of senders.
  mutating func analyseSpans(
    _ spans: [SpanRecord], key: TraceKey, into findings: inout [Finding]
  ) -> Int {
    forest.build(spans, clockSkewNanosMax: clockSkewNanosMax)
    if forest.skewOverLimitCount > 0 { placedForest.build(spans, clockSkewNanosMax: .max) }
    descent = links.contains { $0.isLink(outOf: key.trace) } ? Descent(of: forest) : Descent()
    calledTakers.removeAll(keepingCapacity: true)
    guard !spans.isEmpty else {
      joinLinkedTakers(key.trace)
      emitLinks(key: key, into: &findings)
      return 0
    }
    findVisits()
    findRoles()
    findSendings(key.trace)
    findTransports()
    findCalls()
    findQueues()
    joinLinkedTakers(key.trace)
    findSelfTimes()
    findCriticalTimes()
    markFailedCalls()
    findErrorCosts()
    emit(key: key, into: &findings)
    emitLinks(key: key, into: &findings)
    emitCoverage(key.tenant, into: &findings)
    return forest.duplicateCount
  }

  /// Records of traffic need no forest. Spans beside them, under an id that was chosen for it, are
  /// analysed as if there were none.
  private mutating func analyseTraffic(
    in spans: [SpanRecord], key: TraceKey, into findings: inout [Finding]
  ) -> Int {
    var records = spans.filter { $0.kind == .traffic }
    let copies = records.count
    records.removeCopies()
    for record in records { emitTraffic(record, key.tenant, into: &findings) }
    let others = spans.filter { $0.kind != .traffic }
    return copies - records.count + analyse(others, key: key, into: &findings)
  }

  /// The spans as the critical path, slack and drag see them. Where clocks are further apart than is
  /// corrected, callees are placed within their callers by the same rule all the same: a call that was
  /// waited for lies within its caller, whatever its times say.
  public var waitForest: TraceForest { forest.skewOverLimitCount > 0 ? placedForest : forest }

  private mutating func findVisits() {
    visits.removeAll(keepingCapacity: true)
    visitOf.removeAll(keepingCapacity: true)
    visitOf.append(contentsOf: repeatElement(0, count: forest.spans.count))
    hasQueues = links.contains { $0.takesMessages }
    hasProxies = false
    for index32 in forest.order {
      let index = Int(index32)
      let span = forest.spans[index]
      if span.traits.contains(.proxy) { hasProxies = true }
      let takes = takes(index)
      if takes || span.sendsThroughQueue || span.traits.contains(.settles) { hasQueues = true }
      if span.links > 0, span.sendsMessages { hasQueues = true }
      defer {
        if takes { noteTaker(index) }
        if sends(index) { visits[Int(visitOf[index])].sendsMessages = true }
      }
      if let parent = forest.parent(of: index), forest.spans[parent].service == span.service,
        !returnsByQueue(index, parent: parent)
      {
        visitOf[index] = visitOf[parent]
        continue
      }
      visitOf[index] = Int32(visits.count)
      let entersService = span.kind.isEntry && !span.traits.contains(.outboundProxy)
      let isFragment = forest.rootReasons[index] == .parentMissing && !entersService
      visits.append(Visit(entry: index, isRequest: !isFragment))
    }
  }

  /// Whether the span belongs to another visit than its parent: it was called by another service.
  func isCalled(_ index: Int) -> Bool {
    forest.parent(of: index).map { visitOf[$0] != visitOf[index] } ?? false
  }

  /// Decides, from the leaves up, which spans leave their service and where to.
  private mutating func findRoles() {
    roles.removeAll(keepingCapacity: true)
    roles.append(contentsOf: repeatElement(.work, count: forest.spans.count))
    reaches.removeAll(keepingCapacity: true)
    reaches.append(contentsOf: repeatElement(.nothing, count: forest.spans.count))
    hasTransports = false
    for index32 in forest.order.reversed() {
      let index = Int(index32)
      if isAtDatabaseOrQueue(index), !forest.children(of: index).isEmpty { hasTransports = true }
      let below = below(index)
      roles[index] = role(of: index, below: below)
      if roles[index] == .work, answersItsOwnService(index) {
        // Whatever it calls in turn, it is who answered a client of its service above it.
        reaches[index] = .ownServer
      } else if canCarry(index, below: below) {
        reaches[index] = .carrier
      } else if canCarryToTaker(index, below: below) {
        reaches[index] = .proxiedCall
      } else if isWayOut(index, below: below) {
        reaches[index] = .exit
      } else {
        reaches[index] = below
      }
    }
  }

  enum Below: Sendable { case nothing, ownServer, carrier, proxiedCall, exit, calledVisit }

  /// What is below a span: another service's visit, a way to an exit, a way through proxies of its own service
  /// to another one's visit, ways to exits that all may carry a call of the span, a server span of its own
  /// service (behind which there may be anything), or none of these.
  private func below(_ index: Int) -> Below {
    var found = Below.nothing
    for child32 in forest.children(of: index) {
      let child = Int(child32)
      if visitOf[child] != visitOf[index] || reaches[child] == .calledVisit { return .calledVisit }
      if reaches[child] == .exit { found = .exit }
      if reaches[child] == .proxiedCall, found != .exit { found = .proxiedCall }
      if reaches[child] == .carrier, found == .nothing || found == .ownServer { found = .carrier }
      if reaches[child] == .ownServer, found == .nothing { found = .ownServer }
    }
    return found
  }

  /// Whether a span is a way out to a span above it. What a service does with a message is no part of a
  /// call around that.
  private func isWayOut(_ index: Int, below: Below) -> Bool {
    if roles[index] != .work { return true }
    if below == .carrier || below == .proxiedCall { return forest.spans[index].kind == .consumer }
    return below == .calledVisit && !passesCallOn(index)
  }

  /// Whether a client span above it was answered by its own service: a server span within a visit, not a
  /// proxy's.
  private func answersItsOwnService(_ index: Int) -> Bool {
    let span = forest.spans[index]
    return span.kind == .server && span.traits.isDisjoint(with: [.proxy, .outboundProxy])
  }

  /// Whether a call begun under this span belongs to the call this span is under: internal work
  /// between a client span and the server's (a connection set up, a header written).
  private func passesCallOn(_ index: Int) -> Bool {
    roles[index] == .work && forest.spans[index].kind == .internal
  }

  /// Joins each call to the span that is its client's side.
  private mutating func findCalls() {
    callOf.removeAll(keepingCapacity: true)
    callOf.append(contentsOf: repeatElement(-1, count: forest.spans.count))
    lastCallee.removeAll(keepingCapacity: true)
    lastCallee.append(contentsOf: repeatElement(-1, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      if roles[index] == .call { callOf[index] = index32 }
      let sending = sending(index)
      if sending != index, roles[sending] == .call { callOf[index] = Int32(sending) }
      if roles[index] == .transport { callOf[index] = callOf[Int(carriedCalls[index])] }
      guard let parent = forest.parent(of: index) else { continue }
      let call = Int(callOf[parent])
      if visitOf[index] == visitOf[parent] {
        if passesCallOn(index) { callOf[index] = callOf[parent] }
      } else if call >= 0, lastCallee[call] < 0 || endsLater(index, than: Int(lastCallee[call])) {
        lastCallee[call] = index32
      }
    }
  }

  private func endsLater(_ index: Int, than other: Int) -> Bool {
    let a = forest.spans[index]
    let b = forest.spans[other]
    if a.end != b.end { return a.end > b.end }
    if a.start != b.start { return a.start > b.start }
    return index < other
  }

  private func role(of index: Int, below: Below) -> Role {
    if hasQueues, let role = roleAtQueue(index) { return role }
    guard isExit(index) else { return .work }
    if below == .calledVisit { return .call }
    if below == .proxiedCall, forest.spans[index].sendsThroughQueue { return .call }
    if isOwnApplicationHop(index) { return .ownApplication }
    if below == .exit || below == .proxiedCall { return .wrapper }
    if below == .carrier, !namesDatabaseOrQueue(index) { return .wrapper }
    if below == .ownServer, forest.spans[index].kind == .client,
      !forest.spans[index].traits.contains(.messaging)
    {
      return .callToItself
    }
    // A proxy's listener in the middle of a visit, with nothing below it, names no upstream: the
    // application behind it answered.
    guard forest.spans[index].kind.isExit || !forest.spans[index].peer.isNone else { return .work }
    return forest.spans[index].peer.isNone ? .callToUnknown : .callToPeer
  }

  /// Client and producer spans leave their service; so does a proxy's span behind the entry, whatever
  /// its kind: a sidecar's outbound listener reports kind SERVER under the caller's own name.
  private func isExit(_ index: Int) -> Bool {
    let span = forest.spans[index]
    if span.kind.isExit { return true }
    if span.kind == .consumer { return false }
    return span.traits.contains(.proxy) && visits[Int(visitOf[index])].entry != index
  }

  /// A sidecar's hop inwards: its upstream says so, or it comes straight from the span by which the
  /// request entered, goes to the same host, and neither is said to lead outwards.
  private func isOwnApplicationHop(_ index: Int) -> Bool {
    let span = forest.spans[index]
    guard span.traits.contains(.proxy), !span.traits.contains(.outboundProxy) else { return false }
    if span.traits.contains(.upstreamIsOwnApplication) { return true }
    guard span.traits.contains(.peerIsLocalHost), let parent = forest.parent(of: index) else {
      return false
    }
    let listener = forest.spans[parent]
    return visits[Int(visitOf[index])].entry == parent && listener.kind.isEntry
      && listener.traits.contains(.proxy) && !listener.traits.contains(.outboundProxy)
  }
}
