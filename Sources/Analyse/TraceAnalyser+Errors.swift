import Model

// Where errors began. The ledger of nodes and the ways by which errors reached an entry point follow
// one rule: an error is passed through where something that was called failed and whoever called was
// still there to be told; otherwise it began with the request that failed.
extension TraceAnalyser {
  /// Notes of each visit whether calls it made failed, and whether one of them explains its error.
  mutating func markFailedCalls() {
    for index in forest.spans.indices {
      let visit = Int(visitOf[index])
      if forest.spans[index].isError {
        let isReceived = receivesErrorOfPeer(index)
        if isReceived || roles[index] == .callToUnknown { visits[visit].hasFailedCall = true }
        if isReceived { visits[visit].receivesError = true }
      }
      guard isCalled(index), let parent = forest.parent(of: index),
        isAwaited(index, parent: parent)
      else { continue }
      let caller = Int(visitOf[parent])
      if callFailed(index) { visits[caller].hasFailedCall = true }
      if returnsError(index) { visits[caller].receivesError = true }
    }
  }

  /// A call failed when either end says so. A client span that made several calls speaks for the
  /// last of them only: the earlier ones may have been retried with success, or the other way round.
  func callFailed(_ entry: Int) -> Bool {
    if forest.spans[entry].isError { return true }
    guard let client = clientSide(of: entry) else { return false }
    return forest.spans[client].isError
  }

  /// Whether whoever called waits for the answer: nothing went through a queue, and the span did not get
  /// a message from one either, whatever it stands below.
  func isAwaited(_ entry: Int, parent: Int) -> Bool {
    !isQueued(entry, parent: parent) && !isTaken(entry) && !isWorked(entry)
  }

  /// Whether the request of a visit failed.
  func hasFailed(_ visit: Int32) -> Bool { forest.spans[visits[Int(visit)].entry].isError }

  /// Whether a request failed and its caller, who waited for it, was told so. Where only the caller says
  /// that the call failed, there is no error below that could have been passed on.
  /// - Parameter entry: the span by which it entered the callee.
  func returnsError(_ entry: Int) -> Bool {
    guard forest.spans[entry].isError, let parent = forest.parent(of: entry),
      visitOf[parent] != visitOf[entry], isAwaited(entry, parent: parent)
    else { return false }
    let call = Int(callOf[parent])
    return call < 0 || !forest.isGivenUp(entry, by: call)
  }

  /// Whether the span saw a node fail that does not report. Of a call to nobody knows whom there is
  /// no such node, so its failure explains nothing.
  func receivesErrorOfPeer(_ index: Int) -> Bool {
    forest.spans[index].isError && peerCalled(index) != nil
  }
}

extension TraceForest {
  /// Whether a call failed before its callee was done: the caller no longer waited, and what became of
  /// the callee later is not why the call failed. Told by the span of the call, or by one around it: a
  /// proxy may go on with a call whose caller is gone.
  /// - Parameters:
  ///   - entry: the span by which the call entered the callee.
  ///   - call: the caller's span of the call, the innermost of several.
  func isGivenUp(_ entry: Int, by call: Int) -> Bool {
    var caller = call
    for _ in 0...TraceForest.wrappersMax {
      if spans[caller].kind != .internal, isGivenUp(entry, bySpan: caller) { return true }
      guard let above = parent(of: caller), isAroundCalls(above),
        spans[above].service == spans[caller].service
      else { return false }
      caller = above
    }
    return false
  }

  /// How many spans around a call are looked at. Honest traces have two or three; without a bound each of
  /// many callees would look at all above it.
  static let wrappersMax = 16

  /// Client spans, a proxy's listeners on the way out, and internal work between them.
  private func isAroundCalls(_ index: Int) -> Bool {
    let span = spans[index]
    return span.kind == .client || span.kind == .internal || span.traits.contains(.outboundProxy)
  }

  /// Told only where clocks cannot feign it: where the callee took longer than the whole call, or ended
  /// after it by the clock that timed both.
  private func isGivenUp(_ entry: Int, bySpan call: Int) -> Bool {
    let callee = spans[entry]
    let caller = spans[call]
    guard caller.isError else { return false }
    let margin = max(TraceForest.giveUpMargin, caller.durationNanos / 100)
    if callee.durationNanos.saturatingSubtracting(caller.durationNanos) > margin { return true }
    return ClockSkew.areOfOneClock(callee, caller)
      && callee.end.saturatingSubtracting(caller.end) > margin
  }

  /// By how much a callee has to outlast a call, and by a hundredth of the call: many senders know only
  /// milliseconds, and a server ends its span when the caller may already have read the answer.
  private static let giveUpMargin: Nanos = .millisecond
}
