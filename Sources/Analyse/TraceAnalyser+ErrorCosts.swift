import Model

// What failed calls cost in time: those after which the caller went on without an error, and those
// it made again. Only time on the critical path counts: what nobody waited for cost nobody anything.

/// Time on the critical path that one call cost because it failed.
struct ErrorCost: Sendable {
  /// The calling request did not fail: the time of the call and of all below it.
  var absorbed: Nanos = 0
  /// The caller made the call again: the time of the call, and of the pause before the next attempt.
  var retried: Nanos = 0

  var isZero: Bool { absorbed == 0 && retried == 0 }

  mutating func add(_ other: ErrorCost) {
    absorbed &+= other.absorbed
    retried &+= other.retried
  }
}

extension TraceAnalyser {
  /// One call to a service or to a peer.
  private struct Attempt {
    var visit: Int32
    /// What was called, as the caller sees it: attempts of the same are told by it.
    var callee: NameID
    var operation: NameID
    var start: Nanos
    var end: Nanos
    /// The callee's entry, or the call to a peer.
    var span: Int32
    var isPeer: Bool
    /// The span the call is made by; −1 where the caller has none for it.
    var call: Int32
    var hasFailed: Bool
    /// Time on the critical path of the call and all below it.
    var time: Nanos
  }

  mutating func findErrorCosts() {
    callCosts.removeAll(keepingCapacity: true)
    peerCosts.removeAll(keepingCapacity: true)
    hasFailedCalls = visits.contains { $0.hasFailedCall }
    guard hasFailedCalls else { return }
    callCosts.append(contentsOf: repeatElement(ErrorCost(), count: forest.spans.count))
    peerCosts.append(contentsOf: repeatElement(ErrorCost(), count: forest.spans.count))
    let attempts = attempts()
    for attempt in attempts where attempt.hasFailed && !hasFailed(attempt.visit) {
      change(attempt) { $0.absorbed = attempt.time }
    }
    findRetries(attempts)
  }

  private mutating func change(_ attempt: Attempt, _ body: (inout ErrorCost) -> Void) {
    if attempt.isPeer {
      body(&peerCosts[Int(attempt.span)])
    } else {
      body(&callCosts[Int(attempt.span)])
    }
  }

  private func attempts() -> [Attempt] {
    var below = criticalTimes
    for index32 in forest.order.reversed() {
      if let parent = forest.parent(of: Int(index32)) { below[parent] &+= below[Int(index32)] }
    }
    var attempts: [Attempt] = []
    for index in forest.spans.indices {
      let span = forest.spans[index]
      if let peer = peerCalled(index), !isSent(index) {
        attempts.append(
          Attempt(
            visit: visitOf[index], callee: peer, operation: span.operation, start: span.start,
            end: span.end, span: Int32(index), isPeer: true, call: Int32(index),
            hasFailed: span.isError, time: below[index]))
      }
      guard isCalled(index), !isTaken(index), let parent = forest.parent(of: index),
        !isQueued(index, parent: parent)
      else { continue }
      // By the caller's words where it has some: an attempt nobody answered has no others.
      let call = callOf[parent]
      let caller = call >= 0 && !forest.spans[Int(call)].peer.isNone ? forest.spans[Int(call)] : nil
      attempts.append(
        Attempt(
          visit: visitOf[parent], callee: caller?.peer ?? span.service,
          operation: caller?.operation ?? span.operation, start: span.start, end: span.end,
          span: Int32(index), isPeer: false, call: call, hasFailed: callFailed(index),
          time: below[index] &+ (clientSide(of: index).map { criticalTimes[$0] } ?? 0)))
    }
    return attempts.sorted { a, b in
      if a.visit != b.visit { return a.visit < b.visit }
      if a.callee != b.callee { return a.callee < b.callee }
      if a.operation != b.operation { return a.operation < b.operation }
      return a.start != b.start ? a.start < b.start : a.span < b.span
    }
  }

  private mutating func findRetries(_ attempts: [Attempt]) {
    var pauses: [(attempt: Attempt, next: Attempt)] = []
    var first = 0
    while first < attempts.count {
      var end = first + 1
      while end < attempts.count, attempts[end].visit == attempts[first].visit,
        attempts[end].callee == attempts[first].callee,
        attempts[end].operation == attempts[first].operation
      {
        end += 1
      }
      for position in first..<end where attempts[position].hasFailed {
        // The first of those that began after it had ended; they are sorted by their beginning.
        var low = position + 1
        var high = end
        while low < high {
          let middle = (low + high) / 2
          if attempts[middle].start < attempts[position].end {
            low = middle + 1
          } else {
            high = middle
          }
        }
        if low < end { pauses.append((attempts[position], attempts[low])) }
      }
      first = end
    }
    guard !pauses.isEmpty else { return }
    let waits = OwnSections(of: self)
    for (attempt, next) in pauses {
      var time = attempt.time
      if next.start > attempt.end {
        time &+= waits.time(of: attempt.visit, from: attempt.end, until: next.start)
        // Two attempts by one span of the caller, as proxies make them: the pause is that span's.
        if attempt.call >= 0, attempt.call == next.call {
          time &+= waits.time(
            ofCall: attempt.call, from: attempt.end, until: next.start)
        }
      }
      change(attempt) { $0.retried = time }
    }
  }
}

/// When the critical path was a caller's own: its work, and the time of its calls that no callee
/// explains.
private struct OwnSections {
  private struct Section {
    /// The visit, or (from −1 downwards) the call.
    var owner: Int32
    var from: Nanos
    var until: Nanos
    /// Time of the owner's sections before this one.
    var before: Nanos = 0
  }

  /// By owner, then by time; those of one owner do not overlap.
  private var sections: [Section] = []

  init(of analyser: borrowing TraceAnalyser) {
    var path = CriticalPath()
    var found: [Section] = []
    for root in CriticalPath.roots(of: analyser.forest) {
      path.walk(analyser.forest, from: root) { span, from, until in
        switch analyser.owners[span] {
        case .service:
          found.append(Section(owner: analyser.visitOf[span], from: from, until: until))
        case .outgoingEdge:
          found.append(Section(owner: -1 - Int32(span), from: from, until: until))
        case .incomingEdge, .nobody: break
        }
      }
    }
    found.sort { $0.owner != $1.owner ? $0.owner < $1.owner : $0.from < $1.from }
    for index in found.indices.dropFirst() where found[index].owner == found[index - 1].owner {
      let last = found[index - 1]
      found[index].before = last.before &+ (last.until &- last.from)
    }
    sections = found
  }

  func time(of visit: Int32, from: Nanos, until: Nanos) -> Nanos {
    time(owner: visit, before: until) &- time(owner: visit, before: from)
  }

  func time(ofCall span: Int32, from: Nanos, until: Nanos) -> Nanos {
    time(owner: -1 - span, before: until) &- time(owner: -1 - span, before: from)
  }

  /// Time of an owner's sections before a moment.
  private func time(owner: Int32, before moment: Nanos) -> Nanos {
    var low = 0
    var high = sections.count
    while low < high {
      let middle = (low + high) / 2
      let section = sections[middle]
      if section.owner < owner || (section.owner == owner && section.from < moment) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low > 0, sections[low - 1].owner == owner else { return 0 }
    let last = sections[low - 1]
    return last.before &+ (min(last.until, moment) &- last.from)
  }
}
