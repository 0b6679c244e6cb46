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
  }

  /// Whether the span takes messages from a queue.
  func takes(_ index: Int) -> Bool {
    forest.spans[index].kind == .consumer || receives(index)
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
    guard hasQueues else { return }
    takings.append(contentsOf: repeatElement(.nothing, count: forest.spans.count))
    queues.append(contentsOf: repeatElement(.none, count: forest.spans.count))
    sentTo.append(contentsOf: repeatElement(.none, count: forest.spans.count))
    nameSentTo()
    isWithinTaking.removeAll(keepingCapacity: true)
    isWithinTaking.append(contentsOf: repeatElement(false, count: forest.spans.count))
    isBelowSending.removeAll(keepingCapacity: true)
    isBelowSending.append(contentsOf: repeatElement(false, count: forest.spans.count))
    for index32 in forest.order {
      let index = Int(index32)
      if isCalled(index) { takeCalled(index) } else { takeUncalled(index) }
    }
  }

  /// Names the queue behind each call: as the call does, else as its takers do; where those differ
  /// the smallest id, so that all of a message's ways meet in one node.
  private mutating func nameSentTo() {
    for index in forest.spans.indices {
      guard let parent = forest.parent(of: index), isThroughQueue(index, parent: parent),
        callOf[parent] >= 0
      else { continue }
      let call = Int(callOf[parent])
      let ownName = namedQueue(call)
      if !ownName.isNone {
        sentTo[call] = ownName
        continue
      }
      let name = visits[Int(visitOf[index])].queue
      if !name.isNone, sentTo[call].isNone || name < sentTo[call] { sentTo[call] = name }
    }
  }

  /// Whether a queue lies between a call and the visit it leads to. A server span says that the
  /// sender reached a process directly (a gateway in front of the queue), unless that process
  /// goes on to take the message (a sidecar).
  func isThroughQueue(_ entry: Int, parent: Int) -> Bool {
    guard hasQueues, visitOf[entry] != visitOf[parent] else { return false }
    if forest.spans[entry].kind == .consumer { return true }
    guard forest.spans[parent].kind == .producer else { return false }
    return forest.spans[entry].kind != .server || visits[Int(visitOf[entry])].takesMessages
  }

  private mutating func takeCalled(_ index: Int) {
    guard let parent = forest.parent(of: index), isThroughQueue(index, parent: parent) else {
      isWithinTaking[index] = takes(index)
      return
    }
    isWithinTaking[index] = true
    let call = Int(callOf[parent])
    queues[index] = call >= 0 ? sentTo[call] : visits[Int(visitOf[index])].queue
    // Without any name the two services are joined directly.
    if !queues[index].isNone { takings[index] = .taken }
  }

  private mutating func takeUncalled(_ index: Int) {
    let parent = forest.parent(of: index)
    let isWithin = parent.map { isWithinTaking[$0] } ?? false
    isWithinTaking[index] = isWithin || takes(index)
    isBelowSending[index] =
      parent.map { isBelowSending[$0] || forest.spans[$0].kind == .producer } ?? false
    guard !isWithin, takes(index) else { return }
    queues[index] = namedQueue(index)
    takings[index] = queues[index].isNone ? .unnamed : .taken
  }

  // MARK: Findings

  func isTaken(_ index: Int) -> Bool { hasQueues && takings[index] == .taken }

  /// The call puts messages into a queue from which some of this trace's spans took them.
  func isSent(_ index: Int) -> Bool { hasQueues && !sentTo[index].isNone }

  /// The edge from a queue to who takes from it, and what the sender's side leaves to be said.
  func emitTaking(_ index: Int, trace: TraceID, into findings: inout [Finding]) {
    let span = forest.spans[index]
    let messages = max(1, Int64(span.links))
    let weight = Int64(span.weight) &* messages
    let queue = queues[index]
    let parent = isCalled(index) ? forest.parent(of: index) : nil
    let call = parent.flatMap { callOf[$0] >= 0 ? Int(callOf[$0]) : nil }
    var finding = Finding(
      window: window(of: index),
      key: .edge(queue, span.service, .messagingSystem), latency: span.durationNanos,
      ownTime: call.map { span.start.saturatingSubtracting(forest.spans[$0].end) },
      weight: weight, exemplar: trace)
    finding.counters[.requests] = messages
    finding.counters[.requestsAdjusted] = weight
    let visit = visits[Int(visitOf[index])]
    finding.counters[.criticalPathNanos] = adjusted(
      visit.entry == index
        ? visit.criticalTime &+ visit.proxyCriticalTime : criticalTimes[index], Int64(span.weight))
    if span.isError {
      finding.counters[.errors] = messages
      finding.counters[.errorsAdjusted] = weight
    }
    emit(finding, from: queue, to: span.service, span.dimensions, into: &findings)
    if call == nil {
      emitUnseenSending(index, by: parent, messages: messages, into: &findings)
    }
  }

  /// A message of whose sending no span tells: it is counted at its queue where it is taken, unless
  /// links say that it was sent in another trace and is counted there.
  private func emitUnseenSending(
    _ index: Int, by sender: Int?, messages: Int64, into findings: inout [Finding]
  ) {
    let span = forest.spans[index]
    guard sender != nil || (span.links == 0 && !isBelowSending[index]) else { return }
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
