import Model

// How long things took: self time, critical path, and which visits had failing calls.
extension TraceAnalyser {
  /// Self time: the duration less the union of the children. Children are sorted by their end, latest
  /// first, so whatever a later one adds lies below all that is covered already.
  mutating func findSelfTimes() {
    selfTimes.removeAll(keepingCapacity: true)
    for index in forest.spans.indices {
      let span = forest.spans[index]
      var covered: Nanos = 0
      var floor = span.end
      for child32 in forest.children(of: index) {
        let child = forest.spans[Int(child32)]
        let end = min(child.end, floor)
        let start = max(child.start, span.start)
        if end > start {
          covered &+= end &- start
          floor = start
        }
      }
      let own = span.durationNanos.saturatingSubtracting(covered)
      selfTimes.append(own)
      if isOwnTime(index) { visits[Int(visitOf[index])].selfTime &+= own }
    }
  }

  mutating func findCriticalTimes() {
    criticalTimes.removeAll(keepingCapacity: true)
    criticalTimes.append(contentsOf: repeatElement(0, count: forest.spans.count))
    for root in CriticalPath.roots(of: forest) {
      criticalPath.walk(forest, from: root) { span, from, until in
        criticalTimes[span] &+= until &- from
      }
    }
    for index in forest.spans.indices where isOwnTime(index) {
      visits[Int(visitOf[index])].criticalTime &+= criticalTimes[index]
    }
  }

  /// Whether the time of a span that no child explains is its service's own: that of a call is the
  /// gap of an edge, or the time of a peer nobody sees into; nobody works while waiting for messages.
  func isOwnTime(_ index: Int) -> Bool {
    switch roles[index] {
    case .work, .ownApplication, .wrapper: true
    case .call, .callToPeer, .callToUnknown, .receive, .settle: false
    }
  }

  mutating func markFailedCalls() {
    for index in forest.spans.indices {
      let leaves =
        roles[index] == .callToPeer || roles[index] == .callToUnknown || isSent(index)
      if leaves, forest.spans[index].isError {
        visits[Int(visitOf[index])].hasFailedCall = true
      }
      guard isCalled(index), let parent = forest.parent(of: index) else { continue }
      if callFailed(index), !isQueued(index, parent: parent) {
        visits[Int(visitOf[parent])].hasFailedCall = true
      }
    }
  }

  /// A call failed when either end says so. A client span that made several calls speaks for the
  /// last of them only: the earlier ones may have been retried with success, or the other way round.
  func callFailed(_ entry: Int) -> Bool {
    if forest.spans[entry].isError { return true }
    guard let client = clientSide(of: entry) else { return false }
    return forest.spans[client].isError
  }

  /// The span whose duration is the client's view of the call that entered by `entry`: the call it
  /// is under, if it is the callee of that call that ended last.
  func clientSide(of entry: Int) -> Int? {
    guard let parent = forest.parent(of: entry), callOf[parent] >= 0 else { return nil }
    let call = Int(callOf[parent])
    return Int(lastCallee[call]) == entry ? call : nil
  }

  /// Whether a call goes through a queue, so that its caller does not wait for it.
  func isQueued(_ entry: Int, parent: Int) -> Bool {
    forest.spans[entry].kind == .consumer || forest.spans[parent].kind == .producer
  }
}
