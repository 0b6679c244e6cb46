import Model

// A message can have two spans at its sender: one in which it was made, whose context travels with it,
// and one in which it was sent, alone or with others. It leaves the sender once, by the second. Where the
// two are of different traces, the trace of the first counts it, with the figures of the second, which
// its link tells; so it is counted once too where that link comes when the trace was sealed.
// - Source: OpenTelemetry semantic conventions for messaging spans, operation types `create` and `send`.
extension TraceAnalyser {
  /// Whether the span only creates a message.
  func creates(_ index: Int) -> Bool {
    forest.spans[index].kind == .producer && forest.spans[index].traits.contains(.creates)
  }

  /// The span that sent what a span created; without one, the span itself.
  func sending(_ index: Int) -> Int {
    sendingOf.isEmpty || sendingOf[index] < 0 ? index : Int(sendingOf[index])
  }

  /// As many messages as a span that takes them can have links.
  static let messagesSentMax = Int64(UInt16.max)

  /// How many messages left with a span that sends: as many as were created for it, but for those that
  /// are counted where they were created. What could not be sent is counted here alone.
  func messagesSent(_ index: Int) -> Int64 {
    let created = Int64(creationsOf[index]?.count ?? 0)
    let linked = createdElsewhere[index] ?? 0
    guard !forest.spans[index].isError else {
      return min(max(1, created &+ linked), TraceAnalyser.messagesSentMax)
    }
    return min(max(linked > 0 ? 0 : 1, created), TraceAnalyser.messagesSentMax)
  }

  /// The queue that the sender's spans name: the one that sends, else those that create what it sends,
  /// of several names the smallest id.
  func queueNamedBySender(_ index: Int) -> NameID {
    if let sent = sentElsewhere[index], !sent.queue.isNone { return sent.queue }
    let own = namedQueue(index)
    guard own.isNone, let creations = creationsOf[index] else { return own }
    return creations.map { namedQueue(Int($0)) }.filter { !$0.isNone }.min() ?? .none
  }

  /// Finds which span sent what was created: one that links to the creation, one below it, one above it,
  /// else one beside it. Where there is none, the creation stands for the sending itself.
  mutating func findSendings(_ trace: TraceID) {
    sendingOf.removeAll(keepingCapacity: true)
    creationsOf.removeAll(keepingCapacity: true)
    sentElsewhere.removeAll(keepingCapacity: true)
    createdElsewhere.removeAll(keepingCapacity: true)
    guard hasQueues else { return }
    noteCreatedElsewhere(trace)
    guard !createdElsewhere.isEmpty || forest.spans.indices.contains(where: { creates($0) }) else {
      return
    }
    sendingOf.append(contentsOf: repeatElement(-1, count: forest.spans.count))
    let sendings = findSendingsByParentage()
    for link in links where !link.takesMessages && link.isLink(outOf: trace) {
      let linking = forest.candidates(link.linkingSpan(in: trace)).first { sendings[$0] }
      guard let linking else { continue }
      for creation in forest.candidates(link.parent)
      where canBeSent(creation) && forest.spans[creation].service == forest.spans[linking].service {
        sendingOf[creation] = Int32(linking)
      }
    }
    findSendingsElsewhere(trace)
    findSendingsBeside(sendings)
    for index in forest.spans.indices where sendingOf[index] >= 0 {
      creationsOf[Int(sendingOf[index]), default: []].append(Int32(index))
    }
    for (sending, creations) in creationsOf { leave(by: sending, creations) }
  }

  /// Notes which spans send what was created in other traces: by their links to those, which were followed.
  private mutating func noteCreatedElsewhere(_ trace: TraceID) {
    for index in forest.spans.indices {
      let span = forest.spans[index]
      guard span.links > 0, span.sendsCreatedMessages else { continue }
      createdElsewhere[index] = Int64(span.links)
    }
    guard !createdElsewhere.isEmpty else { return }
    for link in links where link.traits.contains(.linkOfSending) && link.isLink(outOf: trace) {
      for linking in forest.candidates(link.linkingSpan(in: trace)) {
        guard let count = createdElsewhere[linking] else { continue }
        createdElsewhere[linking] = count > 1 ? count - 1 : nil
        break
      }
    }
  }

  /// Finds spans of other traces that sent what was created here, or tried to. Of several that say so,
  /// the first one that did not fail.
  private mutating func findSendingsElsewhere(_ trace: TraceID) {
    for link in links where link.traits.contains(.linkOfSending) && !link.isLink(outOf: trace) {
      for creation in forest.candidates(link.parent)
      where canBeSent(creation) && sendingOf[creation] < 0
        && forest.spans[creation].service == link.service
      {
        let before = sentElsewhere[creation]
        if before == nil || before?.isError == true && !link.isError {
          sentElsewhere[creation] = link
        }
      }
    }
    for creation in sentElsewhere.keys { leave(by: creation, []) }
  }

  /// Where neither span names the queue, the message goes to what the one that sent it names.
  mutating func nameSentElsewhere() {
    for (creation, sent) in sentElsewhere
    where sentTo[creation].isNone && forest.spans[creation].peer.isNone {
      sentTo[creation] = sent.peer
    }
  }

  /// Messages that links tell of, and that were created by no span of this trace: they count as those
  /// spans sent them.
  /// - Parameter range: links to one span by one service out of one trace.
  func emitSendings(_ range: Range<Int>, _ trace: TraceID, into findings: inout [Finding]) {
    let sendings = links[range].filter {
      $0.traits.contains(.linkOfSending) && !$0.isError && !$0.parent.isZero
        && !$0.isLink(outOf: trace)
    }
    guard let sent = sendings.first else { return }
    if let created = forest.candidates(sent.parent).first(where: { creates($0) }) {
      guard forest.spans[created].service != sent.service else { return }
    } else if linked(by: sent) != nil {
      for sent in sendings where sent.standsForSending { emitSending(sent, trace, into: &findings) }
      return
    }
    emitSending(sent, trace, into: &findings)
  }

  private func emitSending(
    _ sent: SpanRecord, _ trace: TraceID, into findings: inout [Finding]
  ) {
    guard !sent.peer.isNone else { return }
    let weight = Int64(sent.weight)
    var finding = Finding(
      window: sent.window, key: .edge(sent.service, sent.peer, .messagingSystem),
      latency: sent.durationNanos, clientLatency: sent.durationNanos, weight: weight,
      exemplar: trace)
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = weight
    emit(finding, from: sent.service, to: sent.peer, sent.dimensions, into: &findings)
    finding.key = .node(sent.peer)
    finding.clientLatency = nil
    finding.ownTime = sent.durationNanos
    emit(finding, at: sent.peer, sent.dimensions, into: &findings)
  }

  private func canBeSent(_ index: Int) -> Bool { creates(index) && isOnTheWayOut(index) }

  private func isOnTheWayOut(_ index: Int) -> Bool {
    switch roles[index] {
    case .call, .callToPeer, .callToUnknown, .wrapper: return true
    case .work, .transport, .ownApplication, .callToItself, .receive, .settle: return false
    }
  }

  /// - Returns: parallel to the forest's spans: which of them send, and are not around another that does.
  private mutating func findSendingsByParentage() -> [Bool] {
    var sendings = forest.spans.indices.map { sends($0) && !creates($0) && isOnTheWayOut($0) }
    var below = [Int32](repeating: -1, count: sendings.count)
    for index32 in forest.order.reversed() {
      let index = Int(index32)
      if below[index] >= 0 {
        sendings[index] = false
        handDown(from: index, to: Int(below[index]))
        if canBeSent(index) { sendingOf[index] = below[index] }
      } else if sendings[index] {
        below[index] = index32
      }
      guard let parent = forest.parent(of: index), visitOf[parent] == visitOf[index] else {
        continue
      }
      if below[index] >= 0, below[parent] < 0 || precedes(below[index], below[parent]) {
        below[parent] = below[index]
      }
    }
    var above = [Int32](repeating: -1, count: sendings.count)
    for index32 in forest.order {
      let index = Int(index32)
      guard let parent = forest.parent(of: index), visitOf[parent] == visitOf[index] else {
        continue
      }
      above[index] = sendings[parent] ? Int32(parent) : above[parent]
      if above[index] >= 0, sendingOf[index] < 0, canBeSent(index) {
        sendingOf[index] = above[index]
      }
    }
    return sendings
  }

  /// A span around another one that sends leaves its messages to that one.
  private mutating func handDown(from wrapper: Int, to sending: Int) {
    guard let linked = createdElsewhere.removeValue(forKey: wrapper),
      forest.spans[wrapper].isError == forest.spans[sending].isError
    else { return }
    createdElsewhere[sending] = max(linked, createdElsewhere[sending] ?? 0)
  }

  private func precedes(_ a: Int32, _ b: Int32) -> Bool {
    let (first, second) = (forest.spans[Int(a)].start, forest.spans[Int(b)].start)
    return first != second ? first < second : a < b
  }

  /// In one request of a service, what was created for a queue leaves by the next span that sends there.
  /// Of several such in a row each has one message, and the last of them what is left.
  private mutating func findSendingsBeside(_ sendings: [Bool]) {
    struct Event {
      var visit: Int32
      var queue: NameID
      var start: Nanos
      var span: Int
      var sends: Bool
    }
    var events: [Event] = []
    for index in forest.spans.indices
    where sendings[index]
      || (canBeSent(index) && sendingOf[index] < 0 && sentElsewhere[index] == nil)
    {
      events.append(
        Event(
          visit: visitOf[index], queue: namedQueue(index), start: forest.spans[index].start,
          span: index, sends: sendings[index]))
    }
    let taken = Set(sendingOf)
    events.removeAll { $0.sends && taken.contains(Int32($0.span)) }
    events.sort { a, b in
      if a.visit != b.visit { return a.visit < b.visit }
      if a.queue != b.queue { return a.queue < b.queue }
      if a.start != b.start { return a.start < b.start }
      return a.sends != b.sends ? !a.sends : a.span < b.span
    }
    // Creations from here on wait for who sends them.
    var first = 0
    for (place, event) in events.enumerated() {
      if event.visit != events[first].visit || event.queue != events[first].queue {
        first = place
      }
      guard event.sends else { continue }
      while first < place, events[first].sends { first += 1 }
      let next = place + 1 < events.count ? events[place + 1] : nil
      let isLast = next.map {
        !$0.sends || $0.visit != event.visit || $0.queue != event.queue
      }
      while first < place, !events[first].sends {
        sendingOf[events[first].span] = Int32(event.span)
        first += 1
        if isLast == false { break }
      }
    }
  }

  /// What was created becomes work of its service, and its takers are those of the span that sends it.
  private mutating func leave(by sending: Int, _ creations: [Int32]) {
    let isCalled = roles[sending] == .call || creations.contains { roles[Int($0)] == .call }
    for creation in creations { roles[Int(creation)] = .wrapper }
    roles[sending] =
      isCalled ? .call : forest.spans[sending].peer.isNone ? .callToUnknown : .callToPeer
  }
}
