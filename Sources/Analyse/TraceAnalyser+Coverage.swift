import Model

// What became of each span of a trace. Every one is an end of an edge, or is counted under one reason
// why it has no partner; so the counts of a trace add up to its spans. Whoever lacks its partner is
// counted as that even where it is the other end of another edge: that its parent is missing must show
// whatever it called itself.
extension TraceAnalyser {
  /// How many spans, and how many they stand for, in 1/256ths.
  struct ReasonCount: Sendable {
    var spans: Int64 = 0
    var weight: Int64 = 0
  }

  mutating func forgetEnds() {
    isEnd.removeAll(keepingCapacity: true)
    isEnd.append(contentsOf: repeatElement(false, count: forest.spans.count))
  }

  /// Both sides of a call to a service that reported: where there is no client's span, the span right
  /// above is the caller's.
  mutating func markEnds(ofCallTo entry: Int) {
    isEnd[entry] = true
    guard let parent = forest.parent(of: entry) else { return }
    isEnd[callOf[parent] >= 0 ? Int(callOf[parent]) : parent] = true
  }

  /// Who takes messages; and who sent them, where no call stands for the sending.
  mutating func markEnds(ofTaking index: Int) {
    isEnd[index] = true
    guard isCalled(index), let parent = forest.parent(of: index), callOf[parent] < 0 else { return }
    isEnd[parent] = true
  }

  /// Of links that made an edge: the span they name, where it is an end, and those of this trace that
  /// have them.
  mutating func markEnds(ofLinks range: Range<Int>, to linked: Int?, in trace: TraceID) {
    if let linked { isEnd[linked] = true }
    for link in links[range] where link.isLink(outOf: trace) {
      for linking in forest.candidates(link.linkingSpan(in: trace))
      where forest.spans[linking].service == link.service {
        isEnd[linking] = true
      }
    }
  }

  /// Counts the trace, and each of its spans once, all in the window in which the trace ended: so the
  /// sums agree in whatever range is asked for.
  mutating func emitCoverage(_ tenant: TenantID, into findings: inout [Finding]) {
    countReasons()
    var end: Nanos = 0
    var criticalTime: Int64 = 0
    for index in forest.spans.indices {
      end = max(end, forest.recordedEnd(of: index))
      let time = adjusted(criticalTimes[index], Int64(forest.spans[index].weight))
      criticalTime = min(criticalTime + time, TraceAnalyser.criticalNanosMax)
    }
    let window = end.floored(to: windowNanos)
    func emit(_ key: SeriesKey, _ counters: Counters) {
      findings.append(Finding(window: window, key: key, counters: counters))
    }
    var counters = Counters()
    counters[.requests] = Int64(forest.spans.count)
    counters[.traces] = 1
    counters[.criticalPathNanos] = criticalTime
    counters[.skewed] = Int64(forest.skewedCount)
    emit(.coverage(tenant), counters)
    for (number, count) in reasonCounts.enumerated() where count.spans > 0 {
      counters = Counters()
      counters[.requests] = count.spans
      counters[.requestsAdjusted] = count.weight
      let reason = UnpairedReason(rawValue: UInt8(number))
      emit(reason.map { .unpaired(tenant, $0) } ?? .paired(tenant), counters)
    }
    guard forest.skewOverLimitCount > 0 else { return }
    counters = Counters()
    counters[.skewed] = Int64(forest.skewOverLimitCount)
    emit(.skewOverLimit(tenant), counters)
  }

  private mutating func countReasons() {
    reasonCounts.removeAll(keepingCapacity: true)
    reasonCounts.append(
      contentsOf: repeatElement(ReasonCount(), count: TraceAnalyser.reasonNumbers))
    for index in forest.spans.indices {
      let number = Int(reason(index)?.rawValue ?? 0)
      reasonCounts[number].spans += 1
      reasonCounts[number].weight &+= Int64(forest.spans[index].weight)
    }
  }

  private static let reasonNumbers =
    1 + (UnpairedReason.allCases.map { Int($0.rawValue) }.max() ?? 0)

  /// Why a span has no partner; nil where it has all that it might have.
  func reason(_ index: Int) -> UnpairedReason? {
    if let reason = unpairedReason(index) { return reason }
    return isEnd[index] ? nil : standaloneReason(index)
  }

  /// Why a span lacks a partner that there might be.
  private func unpairedReason(_ index: Int) -> UnpairedReason? {
    if sentElsewhere[index] != nil { return .wrapsAnotherClient }
    switch roles[index] {
    case .callToUnknown:
      return isEnd[index] && (isSent(index) || isTakenByLink(index)) ? nil : .clientWithoutPeer
    case .ownApplication: return .ownApplication
    case .wrapper: return .wrapsAnotherClient
    case .settle: return .settlesMessages
    case .callToItself: return .sameService
    case .work, .call, .callToPeer, .transport, .receive: break
    }
    if isTaken(index) { return nil }
    switch forest.rootReasons[index] {
    case .parentMissing: return .parentMissing
    case .cycle: return .parentCycle
    case .hasParent, .first:
      // Each of its links counts it, where the sender's trace knows the queue.
      return hasQueues && takings[index] == .unnamed && linksOfMessages(index) == 0
        ? .queueNotNamed : nil
    }
  }

  /// Why a span that is an end of no edge needs none.
  private func standaloneReason(_ index: Int) -> UnpairedReason {
    if roles[index] == .transport { return .transport }
    let kind = forest.spans[index].kind
    guard roles[index] == .work, kind != .consumer else {
      return hasQueues && takings[index] == .unnamed ? .toldByLinks : .messageCounted
    }
    guard forest.rootReasons[index] == .first else {
      return kind == .server ? .innerRequest : .innerWork
    }
    return kind == .server ? .entryPoint : .backgroundWork
  }
}
