import Model

// Links of spans of other traces, and of this one, to spans of this one. None is a child in the sense of
// time: nobody waits for linked work. Who takes messages is counted in its own trace, by the number of
// its links; what a link adds is what only the sender's trace knows: how long the message was in the
// queue, how the sender calls the queue, and whether anybody sent it.
extension TraceAnalyser {
  /// Records of links need no forest, and the spans beside them none of them.
  mutating func analyseLinks(
    in spans: [SpanRecord], key: TraceKey, into findings: inout [Finding]
  ) -> Int {
    links = spans.filter { $0.kind == .link }
    let count = links.count
    links.removeCopies()
    let copies = count - links.count
    links.sort(by: TraceAnalyser.linkPrecedes)
    return copies + analyseSpans(spans.withoutLinks, key: key, into: &findings)
  }

  /// Links to one span by one request of a service stand together, those that take messages first, by
  /// when they did.
  private static func linkPrecedes(_ a: SpanRecord, _ b: SpanRecord) -> Bool {
    if a.parent != b.parent { return a.parent < b.parent }
    if a.service != b.service { return a.service < b.service }
    if a.host != b.host { return a.host < b.host }
    if a.takesMessages != b.takesMessages { return a.takesMessages }
    if a.start != b.start { return a.start < b.start }
    if a.end != b.end { return a.end > b.end }
    return a.id < b.id
  }

  /// The links to one span by one service, from the first of them on.
  func linksOfService(from first: Int) -> Range<Int> {
    let link = links[first]
    var end = first + 1
    while end < links.count, links[end].parent == link.parent, links[end].service == link.service {
      end += 1
    }
    return first..<end
  }

  /// Of these the links out of one trace: they tell of the same message, or of the same cause. A span
  /// that receives and one that processes what was received are one taking.
  func linksTogether(in links: Range<Int>) -> [Range<Int>] {
    var together: [Range<Int>] = []
    var first = links.lowerBound
    for next in links where self.links[next].host != self.links[first].host {
      together.append(first..<next)
      first = next
    }
    together.append(first..<links.upperBound)
    return together
  }

  // MARK: Queues

  /// Whether somebody takes what a call sends that names no queue, and says so by a link.
  func isTakenByLink(_ index: Int) -> Bool {
    guard !links.isEmpty, sends(index) else { return false }
    return isLinkedByTaker(index)
      || creationsOf[index]?.contains { isLinkedByTaker(Int($0)) } == true
  }

  private func isLinkedByTaker(_ index: Int) -> Bool {
    let id = forest.spans[index].id
    var low = 0
    var high = links.count
    while low < high {
      let middle = (low + high) / 2
      if links[middle].parent < id { low = middle + 1 } else { high = middle }
    }
    return links[low...].prefix { $0.parent == id }.contains { link in
      link.takesMessages && linked(by: link) == index
        && (!link.queue.isNone || link.service != forest.spans[index].service)
    }
  }

  /// Names the queue behind calls that name none, as those call it that link to them.
  mutating func nameSentToByLinks() {
    for link in links where link.takesMessages && !link.queue.isNone {
      guard let linked = linked(by: link), sends(linked) else { continue }
      let sender = sending(linked)
      guard queueNamedBySender(sender).isNone else { continue }
      switch roles[sender] {
      case .call, .callToPeer, .callToUnknown: break
      case .work, .transport, .ownApplication, .wrapper, .callToItself, .receive, .settle: continue
      }
      if sentTo[sender].isNone || link.queue < sentTo[sender] { sentTo[sender] = link.queue }
    }
  }

  /// The span a link names. Of several with one id (a client and its server, by Zipkin's custom) the
  /// one that sends messages.
  func linked(by link: SpanRecord) -> Int? {
    guard !link.parent.isZero else { return nil }
    let candidates = forest.candidates(link.parent)
    return candidates.first { sends($0) } ?? candidates.first
  }

  /// Whether the span puts messages into a queue.
  func sends(_ index: Int) -> Bool { forest.spans[index].sendsMessages }

  /// The queue a span sends to; where it names none, its system.
  private func queueSentTo(_ index: Int) -> NameID {
    if isSent(index) { return sentTo[index] }
    let span = forest.spans[index]
    return span.traits.contains(.messaging) ? span.peer : .none
  }

  // MARK: Findings

  mutating func emitLinks(key: TraceKey, into findings: inout [Finding]) {
    var next = 0
    while next < links.count {
      let range = linksOfService(from: next)
      next = range.upperBound
      for together in linksTogether(in: range) { emit(together, key, into: &findings) }
    }
    emitLinkedTakers(into: &findings)
  }

  private mutating func emit(
    _ range: Range<Int>, _ key: TraceKey, into findings: inout [Finding]
  ) {
    let first = links[range.lowerBound]
    // What a sealed trace said stands; only what its links say of each other can be added.
    guard !first.traits.contains(.linkToSealed) else { return }
    emitSendings(range, key.trace, into: &findings)
    let isToldBefore = linkedTakers.repeated.contains(range.lowerBound)
    guard let linked = linked(by: first) else {
      for link in links[range] { emitLinkOfNothing(link, key.tenant, into: &findings) }
      if first.takesMessages, !first.parent.isZero, !isToldBefore {
        emitSendingOfNobody(taking(in: range), into: &findings)
      }
      return
    }
    let joins = first.takesMessages || first.service != forest.spans[linked].service
    if joins, !isJoined(range, to: linked, key.trace) {
      if isToldBefore {
        emitPlainLinks(in: range, key.tenant, into: &findings)
        return
      }
      if emitJoin(range, linked, key, into: &findings) { return }
    }
    // Who takes messages made its edge already.
    emitPlainLinks(in: range, key.tenant, into: &findings)
  }

  /// Links beside those of spans that take messages: they say nothing new.
  private func emitPlainLinks(
    in range: Range<Int>, _ tenant: TenantID, into findings: inout [Finding]
  ) {
    for link in links[range] where !link.takesMessages {
      emitUnpaired(.linkAddsNothing, link, tenant, into: &findings)
    }
  }

  /// - Returns: whether the links made an edge.
  private mutating func emitJoin(
    _ range: Range<Int>, _ linked: Int, _ key: TraceKey, into findings: inout [Finding]
  ) -> Bool {
    let first = links[range.lowerBound]
    guard first.takesMessages else {
      for link in links[range] {
        emitEdge(
          from: forest.spans[linked].service, .link, link, gap: nil, key.trace, into: &findings)
      }
      markEnds(ofLinks: range, to: linked, in: key.trace)
      return true
    }
    emitPlainLinks(in: range, key.tenant, into: &findings)
    let message = taking(in: range)
    let received = linkedTakers.received[range.lowerBound] ?? message.start
    let sender = sends(linked) ? sending(linked) : nil
    let isTold =
      sender.map {
        emitTaking(message, sentBy: $0, received: received, key.trace, into: &findings)
      } ?? emitTaking(message, handedOnBy: linked, key.trace, into: &findings)
    guard isTold else {
      emitUnpaired(.linkAddsNothing, message, key.tenant, into: &findings)
      return true
    }
    // Who sends by name to a queue is the end of an edge to it already.
    let leadsToQueue = sender.map { !message.queue.isNone || !queueSentTo($0).isNone } ?? false
    markEnds(ofLinks: range, to: leadsToQueue ? nil : sender ?? linked, in: key.trace)
    return true
  }

  /// The first of the spans that took a message: by then it had left the queue. Where only a later one
  /// names the queue, with that name.
  func taking(in range: Range<Int>) -> SpanRecord {
    var taking = links[range.lowerBound]
    if taking.queue.isNone,
      let named = links[range].first(where: { $0.takesMessages && !$0.queue.isNone })
    {
      taking.peer = named.peer
      taking.traits.insert(.namesQueue)
    }
    return taking
  }

  /// Whether parentage joins the two spans of one of the links already.
  func isJoined(_ range: Range<Int>, to linked: Int, _ trace: TraceID) -> Bool {
    links[range].contains { link in
      guard link.isLink(outOf: trace) else { return false }
      return forest.candidates(link.linkingSpan(in: trace)).contains { linking in
        forest.spans[linking].service == link.service
          && (descent.leads(from: linked, to: linking) || descent.leads(from: linking, to: linked))
      }
    }
  }

  /// A message that a span of this trace sent.
  /// - Parameter received: when it left the queue.
  /// - Returns: whether it says anything.
  private func emitTaking(
    _ link: SpanRecord, sentBy sender: Int, received: Nanos, _ trace: TraceID,
    into findings: inout [Finding]
  ) -> Bool {
    let sentAt = sentElsewhere[sender]?.end ?? forest.recordedEnd(of: sender)
    let gap = received.saturatingSubtracting(sentAt)
    let sent = queueSentTo(sender)
    guard !link.queue.isNone else {
      // Its own trace could not say from where it takes.
      let from = sent.isNone ? forest.spans[sender].service : sent
      guard from != link.service else { return false }
      emitEdge(from: from, .messagingSystem, link, gap: gap, trace, into: &findings)
      return true
    }
    let finding = Finding(
      window: link.window, key: .edge(link.queue, link.service, .messagingSystem), ownTime: gap,
      weight: Int64(link.weight))
    emit(finding, from: link.queue, to: link.service, link.dimensions, into: &findings)
    let named = isSent(sender) ? sentTo[sender] : queueNamedBySender(sender)
    guard !named.isNone, named != link.queue else { return true }
    var counters = Counters()
    counters[.requests] = 1
    // By the minute: queues are renamed seldom.
    findings.append(
      Finding(
        window: link.end.floored(to: .minute), key: .queueAlias(link.queue, sentTo: named),
        counters: counters))
    return true
  }

  /// A message whose context a span of this trace handed on, which is no span that sends.
  private func emitTaking(
    _ link: SpanRecord, handedOnBy linked: Int, _ trace: TraceID, into findings: inout [Finding]
  ) -> Bool {
    let client = forest.spans[linked]
    guard client.service != link.service else { return false }
    guard !link.queue.isNone else {
      emitEdge(from: client.service, .messagingSystem, link, gap: nil, trace, into: &findings)
      return true
    }
    emitSendingOfNobody(link, into: &findings)
    var finding = Finding(
      window: link.window, key: .edge(client.service, link.queue, .messagingSystem))
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = Int64(link.weight)
    emit(finding, from: client.service, to: link.queue, client.dimensions, into: &findings)
    return true
  }

  /// The queue counts a message when it is sent: where no span tells of that, when it is taken.
  func emitSendingOfNobody(_ link: SpanRecord, into findings: inout [Finding]) {
    guard !link.queue.isNone else { return }
    var finding = Finding(window: link.window, key: .node(link.queue))
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = Int64(link.weight)
    emit(finding, at: link.queue, link.dimensions, into: &findings)
  }

  private func emitEdge(
    from client: NameID, _ type: ConnectionType, _ link: SpanRecord, gap: Nanos?,
    _ trace: TraceID, into findings: inout [Finding]
  ) {
    let weight = Int64(link.weight)
    var finding = Finding(
      window: link.window, key: .edge(client, link.service, type), latency: link.durationNanos,
      ownTime: gap, weight: weight, exemplar: trace)
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = weight
    if link.isError { countFailure(&finding.counters, weight: weight, callerFailed: nil) }
    emit(finding, from: client, to: link.service, link.dimensions, into: &findings)
  }

  private func emitLinkOfNothing(
    _ link: SpanRecord, _ tenant: TenantID, into findings: inout [Finding]
  ) {
    guard link.parent.isZero else {
      return emitUnpaired(.linkTargetMissing, link, tenant, into: &findings)
    }
    let count = Int64(link.unreadLinks)
    if count > 0 { emitUnpaired(.linkNotRead, link, count: count, tenant, into: &findings) }
  }

  private func emitUnpaired(
    _ reason: UnpairedReason, _ link: SpanRecord, count: Int64 = 1, _ tenant: TenantID,
    into findings: inout [Finding]
  ) {
    var counters = Counters()
    counters[.requests] = count
    counters[.requestsAdjusted] = Int64(link.weight) &* count
    findings.append(
      Finding(window: link.window, key: .unpaired(tenant, reason), counters: counters))
  }
}

extension SpanRecord {
  /// Of the record of a link: the queue the span that has it takes from or sends to, as far as it says.
  var queue: NameID { traits.contains(.namesQueue) ? peer : .none }

  var window: Nanos { end.floored(to: windowNanos) }
}
