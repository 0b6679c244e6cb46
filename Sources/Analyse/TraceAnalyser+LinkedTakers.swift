import Model

// Spans that get a message and spans that work on it can be of one service and of different traces: each
// trace counts what it knows. They meet where their links lead: at the sender of the message, or at the
// poll that got it. There what was counted by a poll is taken back, where work on the same message is
// counted. A correction is in the window of what it corrects, and has all its figures.
extension TraceAnalyser {
  /// Finds what links, and spans below the sender, tell of the same message.
  mutating func joinLinkedTakers(_ trace: TraceID) {
    linkedTakers = LinkedTakers()
    guard links.contains(where: { $0.takesMessages }) else { return }
    var next = 0
    while next < links.count {
      let range = linksOfService(from: next)
      next = range.upperBound
      let first = links[range.lowerBound]
      guard !first.parent.isZero else { continue }
      let linked = linked(by: first)
      if let linked, takes(linked), forest.spans[linked].traits.contains(.receives),
        forest.spans[linked].service == first.service
      {
        joinLinkedWork(range, to: linked, trace)
      } else {
        joinTakers(of: linked, range, trace)
      }
    }
  }

  /// What takes one message: spans out of one trace that link to its sender, or a span below the sender.
  private struct Taker {
    var start: Nanos
    /// None where it fits any: where none is named, and below the sender, who names it.
    var queue: NameID
    /// The first of the links.
    var link: Int?
    var span: Int?
    var isError: Bool
  }

  private mutating func joinTakers(of linked: Int?, _ range: Range<Int>, _ trace: TraceID) {
    var polls: [Taker] = []
    var works: [Taker] = []
    for together in linksTogether(in: range) {
      let first = links[together.lowerBound]
      guard first.takesMessages, isCounted(first, trace) else { continue }
      if let linked, isJoined(together, to: linked, trace) { continue }
      let isPoll = links[together].allSatisfy {
        !$0.takesMessages || $0.traits.contains(.linkOfPoll)
      }
      let taker = Taker(
        start: first.start, queue: taking(in: together).queue, link: together.lowerBound,
        isError: first.isError)
      if isPoll { polls.append(taker) } else { works.append(taker) }
    }
    if let linked {
      for called in calledTakers(of: linked, by: links[range.lowerBound].service)
      where takings[called.span] == .taken {
        let span = forest.spans[called.span]
        let taker = Taker(
          start: called.start, queue: .none, span: called.span, isError: span.isError)
        if !span.traits.contains(.receives) {
          works.append(taker)
        } else if isTold(called.span, by: range, trace) {
          polls.append(taker)
        }
      }
    }
    guard !polls.isEmpty, !works.isEmpty else { return }
    join(polls, works)
  }

  /// Whether the span of a link is counted for itself, as far as it is one of this trace.
  private func isCounted(_ link: SpanRecord, _ trace: TraceID) -> Bool {
    guard link.isLink(outOf: trace) else { return true }
    return forest.candidates(link.linkingSpan(in: trace)).contains {
      takes($0) && takings[$0] != .nothing
    }
  }

  /// Whether a poll below a sender is about the message of that sender: not one about others alone.
  private func isTold(_ poll: Int, by range: Range<Int>, _ trace: TraceID) -> Bool {
    if linksOfMessages(poll) == 0 { return true }
    return links[range].contains {
      $0.isLink(outOf: trace) && $0.linkingSpan(in: trace) == forest.spans[poll].id
    }
  }

  private func calledTakers(of sender: Int, by service: NameID) -> ArraySlice<CalledTaker> {
    var low = 0
    var high = calledTakers.count
    while low < high {
      let middle = (low + high) / 2
      let taker = calledTakers[middle]
      if (taker.sender, taker.service) < (Int32(sender), service) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return calledTakers[low...].prefix { $0.sender == Int32(sender) && $0.service == service }
  }

  /// One message for each work; a poll counts only where no work of its queue does.
  private mutating func join(_ polls: [Taker], _ works: [Taker]) {
    var workQueues: Set<NameID> = []
    var isWorkBelowSender = false
    var isWorkUncounted = false
    for work in works {
      if work.queue.isNone, work.link != nil { isWorkUncounted = true }
      if work.span != nil { isWorkBelowSender = true }
      if !work.queue.isNone { workQueues.insert(work.queue) }
    }
    var repeatsWork = false
    for poll in polls {
      let isWorkedOn =
        poll.queue.isNone
        ? isWorkBelowSender || !workQueues.isEmpty
        : isWorkBelowSender || workQueues.contains(poll.queue)
      // Work that names no queue is counted by nobody but here, and a poll like that neither.
      let isUncounted = poll.queue.isNone && poll.span == nil
      if isWorkedOn || isUncounted {
        takeBack(poll)
      } else if isWorkUncounted {
        repeatsWork = true
      }
    }
    if repeatsWork {
      for work in works where work.queue.isNone {
        if let link = work.link { linkedTakers.repeated.insert(link) }
      }
    }
    noteReceiving(by: polls.sorted { $0.start < $1.start }, works)
  }

  private mutating func takeBack(_ poll: Taker) {
    if let first = poll.link {
      linkedTakers.repeated.insert(first)
      guard !poll.queue.isNone else { return }
      let link = links[first]
      linkedTakers.corrections.append(
        Correction(
          queue: poll.queue, service: link.service, window: link.window,
          latency: link.durationNanos, weight: Int64(link.weight), messages: 1,
          isError: link.isError, dimensions: link.dimensions))
    } else if let span = poll.span {
      var correction = correction(of: span, messages: 1)
      if let parent = forest.parent(of: span), callOf[parent] >= 0 {
        correction.gap = gap(of: span, behind: Int(callOf[parent]))
      }
      linkedTakers.corrections.append(correction)
    }
  }

  private func correction(of index: Int, messages: Int64) -> Correction {
    let span = forest.spans[index]
    return Correction(
      queue: queues[index], service: span.service, window: window(of: index),
      latency: span.durationNanos, weight: Int64(span.weight), messages: messages,
      isError: span.isError, dimensions: span.dimensions)
  }

  /// The time in the queue ends when a message is received, whoever works on it later.
  /// - Parameter polls: by their start.
  private mutating func noteReceiving(by polls: [Taker], _ works: [Taker]) {
    for work in works {
      var low = 0
      var high = polls.count
      while low < high {
        let middle = (low + high) / 2
        if polls[middle].start <= work.start { low = middle + 1 } else { high = middle }
      }
      guard low > 0 else { continue }
      let poll = polls[low - 1]
      guard poll.queue.isNone || work.queue.isNone || poll.queue == work.queue else { continue }
      if let link = work.link { linkedTakers.received[link] = poll.start }
      if let span = work.span, receivedAt[span] == nil { receivedAt[span] = poll.start }
    }
  }

  /// Work in traces of its own that links to the poll which got its messages: what it works on, the poll
  /// does not count.
  private mutating func joinLinkedWork(
    _ range: Range<Int>, to poll: Int, _ trace: TraceID
  ) {
    let works = linksTogether(in: range).filter { together in
      let link = taking(in: together)
      return link.takesMessages && !link.queue.isNone && isCounted(link, trace)
        && !isJoined(together, to: poll, trace)
        && (queues[poll].isNone || queues[poll] == link.queue)
        && links[together].contains { $0.takesMessages && !$0.traits.contains(.linkOfPoll) }
    }
    guard !works.isEmpty else { return }
    let messages = max(1, linksOfMessages(poll))
    let isSentUnseen =
      !isCalled(poll) && linksOfMessages(poll) == 0 && !isBelowSending[poll]
    if takings[poll] == .taken {
      var correction = correction(of: poll, messages: min(messages, Int64(works.count)))
      correction.isSentUnseen = isSentUnseen
      linkedTakers.corrections.append(correction)
    }
    if isSentUnseen { linkedTakers.sentUnseen += works.map { taking(in: $0) } }
  }

  func emitLinkedTakers(into findings: inout [Finding]) {
    for correction in linkedTakers.corrections {
      let weight = correction.weight &* correction.messages
      var counters = Counters()
      counters[.requests] = 0 &- correction.messages
      counters[.requestsAdjusted] = 0 &- weight
      if correction.isSentUnseen {
        emit(
          Finding(window: correction.window, key: .node(correction.queue), counters: counters),
          at: correction.queue, correction.dimensions, into: &findings)
      }
      if correction.isError {
        counters[.errors] = 0 &- correction.messages
        counters[.errorsAdjusted] = 0 &- weight
      }
      let edge = Finding(
        window: correction.window,
        key: .edge(correction.queue, correction.service, .messagingSystem), counters: counters,
        latency: correction.latency, ownTime: correction.gap, weight: 0 &- weight)
      emit(
        edge, from: correction.queue, to: correction.service, correction.dimensions,
        into: &findings)
    }
    for link in linkedTakers.sentUnseen { emitSendingOfNobody(link, into: &findings) }
  }

  /// Messages on the edge from a queue that were counted twice.
  struct Correction: Sendable {
    var queue: NameID
    var service: NameID
    var window: Nanos
    var latency: Nanos
    var gap: Nanos?
    var weight: Int64
    var messages: Int64
    var isError: Bool
    /// They were counted at the queue too.
    var isSentUnseen = false
    var dimensions: NameID
  }
}

/// What links, and spans beside them, tell more than once.
struct LinkedTakers: Sendable {
  /// The first of links that stand together, of which another taker of the message tells all.
  var repeated: Set<Int> = []
  /// Of the first of such links: when the message was received.
  var received: [Int: Nanos] = [:]
  var corrections: [TraceAnalyser.Correction] = []
  /// Messages that nobody counted at their queue.
  var sentUnseen: [SpanRecord] = []
}
