import Model

// Queues are nodes of their own: what is sent goes from the sender to the queue, what is taken from
// the queue to the taker. Either end may be missing: batches are taken in traces of their own, and
// name the messages by links only. So both edges stand by themselves, and meet at the queue's name.
extension TraceAnalyser {
  /// What a span is to the queue it takes messages from.
  enum Taking: UInt8, Sendable {
    /// It takes none, or is part of the work on messages that were counted further up.
    case nothing
    /// It is counted on the edge from its queue.
    case taken
    /// Nobody says from which queue.
    case unnamed
    /// It got a message that work of its service, below the same sender, tells of.
    case worked
  }

  /// Whether the span takes messages from a queue.
  func takes(_ index: Int) -> Bool {
    forest.spans[index].takesMessages
  }

  /// Whether the span asks a queue for messages, of which others below may tell what came.
  func receives(_ index: Int) -> Bool {
    forest.spans[index].kind == .client && forest.spans[index].traits.contains(.receives)
  }

  /// What a client's span that sends nothing is to a queue.
  func roleAtQueue(_ index: Int) -> Role? {
    if receives(index) { return .receive }
    let span = forest.spans[index]
    return span.kind == .client && span.traits.contains(.settles) ? .settle : nil
  }

  /// The queue a span's attributes name; `NameID.none` when they do not, or only its system.
  func namedQueue(_ index: Int) -> NameID {
    let span = forest.spans[index]
    return span.traits.contains(.namesQueue) ? span.peer : .none
  }

  /// Whether the span begins a visit although its parent is of the same service: it takes what that
  /// one put into a queue.
  func returnsByQueue(_ index: Int, parent: Int) -> Bool {
    forest.spans[index].kind == .consumer && forest.spans[parent].kind == .producer
      && !(namedQueue(parent).isNone && namedQueue(index).isNone)
  }

  mutating func noteTaker(_ index: Int) {
    let visit = Int(visitOf[index])
    visits[visit].takesMessages = true
    if visits[visit].queue.isNone { visits[visit].queue = namedQueue(index) }
  }

  /// Finds which calls put messages into which queue, and which spans take them out.
  mutating func findQueues() {
    takings.removeAll(keepingCapacity: true)
    queues.removeAll(keepingCapacity: true)
    sentTo.removeAll(keepingCapacity: true)
    receivedAt.removeAll(keepingCapacity: true)
    guard hasQueues else { return }
    takings.append(contentsOf: repeatElement(.nothing, count: forest.spans.count))
    queues.append(contentsOf: repeatElement(.none, count: forest.spans.count))
    sentTo.append(contentsOf: repeatElement(.none, count: forest.spans.count))
    nameSentTo()
    nameSentToByLinks()
    nameSentElsewhere()
    takers.removeAll(keepingCapacity: true)
    takers.append(contentsOf: repeatElement(-1, count: forest.spans.count))
    works.removeAll(keepingCapacity: true)
    works.append(contentsOf: repeatElement(.none, count: forest.spans.count))
    isBelowSending.removeAll(keepingCapacity: true)
    isBelowSending.append(contentsOf: repeatElement(false, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      if isCalled(index) { takeCalled(index) } else { takeUncalled(index) }
    }
    joinWorkToPolls()
    joinPollsToWork()
  }

  /// Names the queue behind each call: as the call does, else as its takers do; where those differ
  /// the smallest id, so that all of a message's ways meet in one node.
  private mutating func nameSentTo() {
    for sending in creationsOf.keys where namedQueue(sending).isNone {
      sentTo[sending] = queueNamedBySender(sending)
    }
    for creation in sentElsewhere.keys { sentTo[creation] = queueNamedBySender(creation) }
    for index in forest.spans.indices {
      guard let parent = forest.parent(of: index), isThroughQueue(index, parent: parent),
        callOf[parent] >= 0
      else { continue }
      let call = Int(callOf[parent])
      let ownName = queueNamedBySender(call)
      if !ownName.isNone {
        sentTo[call] = ownName
        continue
      }
      let name = visits[Int(visitOf[index])].queue
      if !name.isNone, sentTo[call].isNone || name < sentTo[call] { sentTo[call] = name }
    }
  }

  /// Whether a queue lies between a call and the visit it leads to. A server span below one that sends
  /// is who the broker called (a push subscription), or a sidecar in front of who takes the message;
  /// unless it sends messages on itself and takes none: then it is a gateway in front of the queue, which
  /// the sender reached directly.
  func isThroughQueue(_ entry: Int, parent: Int) -> Bool {
    guard hasQueues, visitOf[entry] != visitOf[parent] else { return false }
    if forest.spans[entry].kind == .consumer { return true }
    guard forest.isSent(entry, under: parent) else { return false }
    let visit = visits[Int(visitOf[entry])]
    return forest.spans[entry].kind != .server || visit.takesMessages || !visit.sendsMessages
  }

  private mutating func takeCalled(_ index: Int) {
    guard let parent = forest.parent(of: index), isThroughQueue(index, parent: parent) else {
      if takes(index) { takers[index] = Int32(index) }
      return
    }
    takers[index] = Int32(index)
    let call = Int(callOf[parent])
    queues[index] = call >= 0 ? sentTo[call] : visits[Int(visitOf[index])].queue
    // Without any name the two services are joined directly.
    if !queues[index].isNone { takings[index] = .taken }
  }

  private mutating func takeUncalled(_ index: Int) {
    let parent = forest.parent(of: index)
    isBelowSending[index] =
      parent.map { isBelowSending[$0] || forest.spans[$0].kind == .producer } ?? false
    if let parent, takers[parent] >= 0, !asksForOthers(index, below: Int(takers[parent])) {
      return noteWork(index, below: parent)
    }
    guard takes(index) else { return }
    takers[index] = Int32(index)
    queues[index] = namedQueue(index)
    takings[index] = queues[index].isNone ? .unnamed : .taken
  }

  /// Whether a span asks for messages within the work on another one, not within a poll.
  private func asksForOthers(_ index: Int, below taker: Int) -> Bool {
    receives(index) && takes(taker) && !forest.spans[taker].traits.contains(.receives)
  }

  /// Work on messages that were taken further up is not counted again; but it may know more of them
  /// than the span that asked for them: how many there were, what became of each, and from where.
  private mutating func noteWork(_ index: Int, below parent: Int) {
    let taker = Int(takers[parent])
    takers[index] = takers[parent]
    works[index].isCounted = works[parent].isCounted
    let span = forest.spans[index]
    guard span.kind == .consumer, !works[parent].isCounted else { return }
    works[index].isCounted = true
    works[taker].links &+= Int64(span.links)
    if span.isError { works[taker].failed &+= max(1, Int64(span.links)) }
    if takings[taker] == .unnamed, !namedQueue(index).isNone {
      queues[taker] = namedQueue(index)
      takings[taker] = .taken
    }
  }

  /// What spans below say of the messages a span took.
  struct Work: Sendable {
    /// How many links the spans have that process messages, and how many messages failed in them.
    var links: Int64 = 0
    var failed: Int64 = 0
    /// The span is one that processes messages, or below one: what is further down says the same
    /// again.
    var isCounted = false

    static let none = Work()
  }

  /// How many links lead from the messages a span took to their senders.
  func linksOfMessages(_ index: Int) -> Int64 {
    max(Int64(forest.spans[index].links), works[index].links)
  }

  /// How many of the messages a span took failed. One that asked for them can have got them well, and
  /// their processing fail.
  private func failedMessages(_ index: Int, of count: Int64) -> Int64 {
    let span = forest.spans[index]
    if span.isError { return count }
    return span.traits.contains(.receives) ? min(count, works[index].failed) : 0
  }

  // MARK: Findings

  func isTaken(_ index: Int) -> Bool { hasQueues && takings[index] == .taken }

  /// Another span tells of the message that the span got.
  func isWorked(_ index: Int) -> Bool { hasQueues && takings[index] == .worked }

  /// The call puts messages into a queue from which some of this trace's spans took them.
  func isSent(_ index: Int) -> Bool { hasQueues && !sentTo[index].isNone }

  /// The edge from a queue to who takes from it, and what the sender's side leaves to be said.
  func emitTaking(_ index: Int, trace: TraceID, into findings: inout [Finding]) {
    let span = forest.spans[index]
    let messages = max(1, linksOfMessages(index))
    let weight = Int64(span.weight) &* messages
    let queue = queues[index]
    let parent = isCalled(index) ? forest.parent(of: index) : nil
    let call = parent.flatMap { callOf[$0] >= 0 ? Int(callOf[$0]) : nil }
    var finding = Finding(
      window: window(of: index),
      key: .edge(queue, span.service, .messagingSystem), latency: span.durationNanos,
      weight: weight, exemplar: trace)
    finding.counters[.requests] = messages
    finding.counters[.requestsAdjusted] = weight
    let visit = visits[Int(visitOf[index])]
    finding.counters[.criticalPathNanos] = adjusted(
      visit.entry == index
        ? visit.criticalTime &+ visit.proxyCriticalTime : criticalTimes[index], Int64(span.weight))
    let failed = failedMessages(index, of: messages)
    finding.counters[.errors] = failed
    finding.counters[.errorsAdjusted] = Int64(span.weight) &* failed
    emit(finding, from: queue, to: span.service, span.dimensions, into: &findings)
    if let call {
      // Of one message: how long the others of a batch were in the queue their senders' traces say.
      let gap = Finding(
        window: finding.window, key: finding.key,
        ownTime: gap(of: index, behind: call), weight: Int64(span.weight))
      emit(gap, from: queue, to: span.service, span.dimensions, into: &findings)
    } else {
      emitUnseenSending(index, by: parent, messages: messages, into: &findings)
    }
  }

  /// How long a message was in the queue.
  func gap(of taker: Int, behind call: Int) -> Nanos {
    let sentAt = sentElsewhere[call]?.end ?? forest.spans[call].end
    return (receivedAt[taker] ?? forest.spans[taker].start).saturatingSubtracting(sentAt)
  }

  /// A message of whose sending no span tells: it is counted at its queue where it is taken, unless
  /// links say that it was sent in another trace and is counted there.
  private func emitUnseenSending(
    _ index: Int, by sender: Int?, messages: Int64, into findings: inout [Finding]
  ) {
    let span = forest.spans[index]
    guard sender != nil || (linksOfMessages(index) == 0 && !isBelowSending[index]) else { return }
    var counters = Counters()
    counters[.requests] = messages
    counters[.requestsAdjusted] = Int64(span.weight) &* messages
    var finding = Finding(
      window: window(of: index), key: .node(queues[index]), counters: counters)
    emit(finding, at: queues[index], span.dimensions, into: &findings)
    guard let sender else { return }
    let client = forest.spans[sender]
    finding.key = .edge(client.service, queues[index], .messagingSystem)
    emit(finding, from: client.service, to: queues[index], client.dimensions, into: &findings)
  }
}
