import Model

// Who gets messages and who works on them can be two spans of one service. They are one taking: where
// one is below the other, where they stand beside each other in one request, and where both stand below
// the sender.
extension TraceAnalyser {
  /// Work that stands beside the poll which got its messages, not below it: in one request of a service,
  /// what is worked on came by the last poll that began before.
  mutating func joinWorkToPolls() {
    var polls: [(visit: Int32, start: Nanos, span: Int)] = []
    for index in forest.spans.indices where isTakenByItself(index) {
      guard forest.spans[index].traits.contains(.receives), !isBelowWork(index) else { continue }
      polls.append((visitOf[index], forest.spans[index].start, index))
    }
    guard !polls.isEmpty else { return }
    polls.sort { ($0.visit, $0.start, $0.span) < ($1.visit, $1.start, $1.span) }
    for index in forest.spans.indices where isTakenByItself(index) {
      let span = forest.spans[index]
      guard !span.traits.contains(.receives) else { continue }
      var low = 0
      var high = polls.count
      while low < high {
        let middle = (low + high) / 2
        if (polls[middle].visit, polls[middle].start) <= (visitOf[index], span.start) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      guard low > 0, polls[low - 1].visit == visitOf[index] else { continue }
      join(index, to: polls[low - 1].span)
    }
  }

  /// Whether the span is part of the work on a message: what it asks for is nothing to those beside that.
  private func isBelowWork(_ index: Int) -> Bool {
    forest.parent(of: index).map { takers[$0] >= 0 } ?? false
  }

  /// Whether the span took messages, and was called by nobody who sent them.
  func isTakenByItself(_ index: Int) -> Bool {
    takings[index] != .nothing && !isCalled(index)
  }

  private mutating func join(_ work: Int, to poll: Int) {
    let span = forest.spans[work]
    if takings[poll] == .unnamed, takings[work] == .taken {
      queues[poll] = queues[work]
      takings[poll] = .taken
    }
    guard takings[work] == .unnamed || queues[work] == queues[poll] else { return }
    takings[work] = .nothing
    works[poll].links &+= linksOfMessages(work)
    if span.isError { works[poll].failed &+= max(1, linksOfMessages(work)) }
  }

  /// Polls and work of one service that are both called by who sent the message: the work counts, from
  /// when the message was received. A poll of more messages than there is such work stays: it tells of
  /// others.
  mutating func joinPollsToWork() {
    for index in forest.spans.indices where takes(index) {
      guard isCalled(index), takers[index] == Int32(index), let parent = forest.parent(of: index)
      else { continue }
      calledTakers.append(
        CalledTaker(
          sender: sends(parent) || callOf[parent] < 0 ? Int32(parent) : callOf[parent],
          service: forest.spans[index].service, start: forest.spans[index].start, span: index))
    }
    calledTakers.sort()
    var first = 0
    for (place, span) in calledTakers.enumerated() {
      let isLast =
        place + 1 == calledTakers.count || calledTakers[place + 1].sender != span.sender
        || calledTakers[place + 1].service != span.service
      guard isLast else { continue }
      joinPolls(in: calledTakers[first...place].map(\.span))
      first = place + 1
    }
  }

  /// - Parameter spans: by their start.
  private mutating func joinPolls(in spans: [Int]) {
    let work = spans.filter { !forest.spans[$0].traits.contains(.receives) }
    guard !work.isEmpty, work.count < spans.count else { return }
    let messages = work.reduce(0) { $0 &+ max(1, linksOfMessages($1)) }
    var received: Nanos?
    for span in spans {
      if forest.spans[span].traits.contains(.receives) {
        guard linksOfMessages(span) <= messages else { continue }
        takings[span] = .worked
        received = forest.spans[span].start
        // The work is the request; waiting for it is none of its own.
        visits[Int(visitOf[span])].isRequest = false
      } else {
        receivedAt[span] = received
      }
    }
  }
}

/// A span that takes messages, called by who sent them.
struct CalledTaker: Comparable, Sendable {
  var sender: Int32
  var service: NameID
  var start: Nanos
  var span: Int

  static func < (a: CalledTaker, b: CalledTaker) -> Bool {
    if a.sender != b.sender { return a.sender < b.sender }
    if a.service != b.service { return a.service < b.service }
    return a.start != b.start ? a.start < b.start : a.span < b.span
  }
}
