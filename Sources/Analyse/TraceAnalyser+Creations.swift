import Model

// A message can have two spans at its sender: one in which it was made, whose context travels with it,
// and one in which it was sent, alone or with others. It leaves the sender once, by the second.
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

  /// How many messages left with a span that sends: as many as were created for it.
  func messagesSent(_ index: Int) -> Int64 {
    min(Int64(max(1, creationsOf[index]?.count ?? 1)), TraceAnalyser.messagesSentMax)
  }

  /// The queue that the sender's spans name: the one that sends, else those that create what it sends,
  /// of several names the smallest id.
  func queueNamedBySender(_ index: Int) -> NameID {
    let own = namedQueue(index)
    guard own.isNone, let creations = creationsOf[index] else { return own }
    return creations.map { namedQueue(Int($0)) }.filter { !$0.isNone }.min() ?? .none
  }

  /// Finds which span sent what was created: one that links to the creation, one below it, one above it,
  /// else one beside it. Where there is none, the creation stands for the sending itself.
  mutating func findSendings(_ trace: TraceID) {
    sendingOf.removeAll(keepingCapacity: true)
    creationsOf.removeAll(keepingCapacity: true)
    guard hasQueues, forest.spans.indices.contains(where: { creates($0) }) else { return }
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
    findSendingsBeside(sendings)
    for index in forest.spans.indices where sendingOf[index] >= 0 {
      creationsOf[Int(sendingOf[index]), default: []].append(Int32(index))
    }
    for (sending, creations) in creationsOf { leave(by: sending, creations) }
  }

  private func canBeSent(_ index: Int) -> Bool { creates(index) && isOnTheWayOut(index) }

  private func isOnTheWayOut(_ index: Int) -> Bool {
    switch roles[index] {
    case .call, .callToPeer, .callToUnknown, .wrapper: return true
    case .work, .ownApplication, .callToItself, .receive, .settle: return false
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
    where sendings[index] || (canBeSent(index) && sendingOf[index] < 0) {
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
