import Model

// Call paths: by which way of requests, from the entry point on, the time on the critical path was
// spent. A path is known by what its last step is and by the path before it, so that a tree of paths
// needs no texts and sums like everything else.

/// One way of requests from an entry point on.
struct PathStep: Sendable {
  /// Hash of the path before it and of `operation`.
  var id: UInt64
  /// The path before it; 0 for an entry point.
  var parent: UInt64
  /// What is requested last: an operation; the service where it has no name, or a peer that does
  /// not report.
  var operation: NameID
  /// The entry point it begins with.
  var entry: UInt64
  /// How many requests lie before it.
  var depth: Int
  /// The step of the caller; −1 for an entry point. Before this one.
  var caller: Int32
  /// Time on the critical path: spent by what was requested itself, and between the caller and it.
  var own: Nanos = 0
  var gap: Nanos = 0
  var isError = false
  var cost = ErrorCost()
  /// The request failed, and so did all those it was made for.
  var reachesEntry = false
  /// As far as anyone can tell the error began here.
  var isOrigin = false
  /// Of an entry point: how long the whole took.
  var duration: Nanos?
  /// It has time on the critical path, or leads to what has.
  var isNeeded = false

  /// The same way, without what was found of it.
  var bare: PathStep {
    PathStep(
      id: id, parent: parent, operation: operation, entry: entry, depth: depth, caller: caller)
  }
}

extension TraceAnalyser {
  /// Requests below this depth count for the one that called them.
  static let pathDepthMax = 64

  /// Of all entry points of the trace: the paths with time on the critical path, those by which errors
  /// reached an entry point, and those that lead to them. Callers first.
  func paths() -> [PathStep] {
    var steps: [PathStep] = []
    steps.reserveCapacity(visits.count)
    // Of each visit the index of its step. Visits come callers first.
    for index in visits.indices {
      let entry = forest.spans[visits[index].entry]
      let operation = entry.operation.isNone ? entry.service : entry.operation
      let caller = forest.parent(of: visits[index].entry).map { visitOf[$0] }
      var step = TraceAnalyser.step(
        to: operation, version: entry.version, after: caller, of: steps)
      if let caller, step.depth > TraceAnalyser.pathDepthMax { step = steps[Int(caller)].bare }
      step.own = visits[index].criticalTime
      step.gap = visits[index].proxyCriticalTime
      step.isError = visits[index].isRequest && entry.isError
      steps.append(step)
    }
    for root in CriticalPath.roots(of: forest, rule: criticalPathRule) {
      steps[Int(visitOf[root])].duration = forest.spans[root].durationNanos
    }
    var peers: [Int: Int] = [:]
    addGaps(to: &steps, peers: &peers)
    addErrors(to: &steps, peers: &peers)
    TraceAnalyser.markNeeded(&steps)
    return TraceAnalyser.merged(steps)
  }

  private static func step(
    to operation: NameID, version: NameID = .none, after caller: Int32?, of steps: [PathStep]
  ) -> PathStep {
    let before = caller.map { steps[Int($0)] }
    let id = SeriesKey.pathID(of: operation, version: version, below: before?.id ?? 0)
    return PathStep(
      id: id, parent: before?.id ?? 0, operation: operation, entry: before?.entry ?? id,
      depth: (before?.depth ?? -1) + 1, caller: caller ?? -1)
  }

  /// The time of calls that no callee explains: it belongs to the path of what was called. What is
  /// nobody's stays with whoever waited.
  /// - Parameter peers: gets, of each call to a peer that has one, its step.
  private func addGaps(to steps: inout [PathStep], peers: inout [Int: Int]) {
    for index in forest.spans.indices where takerOfTime(of: index) == nil {
      let handed = handedCriticalTime(index)
      let own = callCriticalTime(index)
      guard !isCarrying(index), own > 0 || handed > 0 else { continue }
      let visit = Int(visitOf[index])
      switch owners[index] {
      case .service, .incomingEdge:
        steps[visit].own &+= handed
        continue
      case .outgoingEdge, .nobody: break
      }
      if let peer = peerCalled(index) {
        var step = TraceAnalyser.step(to: peer, after: Int32(visit), of: steps)
        step.own = own
        step.gap = handed
        step.isError = forest.spans[index].isError
        if hasFailedCalls { peers[index] = steps.count }
        steps.append(step)
      } else if roles[index] == .call, lastCallee[index] >= 0 {
        steps[Int(visitOf[Int(lastCallee[index])])].gap &+= own &+ handed
      } else {
        steps[visit].own &+= own &+ handed
      }
    }
  }

  /// Follows errors from the entry points to where they began, by the rule of the ledger
  /// (`TraceAnalyser+Errors`), and adds what failed calls cost.
  private func addErrors(to steps: inout [PathStep], peers: inout [Int: Int]) {
    func reach(_ index: Int) {
      steps[index].reachesEntry = true
      steps[index].isOrigin = true
      if steps[index].caller >= 0 { steps[Int(steps[index].caller)].isOrigin = false }
    }
    /// Whether the caller's own request failed and that reached the entry point.
    func isPassedOn(by visit: Int32) -> Bool {
      steps[Int(visit)].reachesEntry && steps[Int(visit)].isError
    }
    for index in visits.indices {
      let entry = visits[index].entry
      guard let parent = forest.parent(of: entry) else {
        if steps[index].isError, steps[index].duration != nil { reach(index) }
        continue
      }
      guard hasFailedCalls, isAwaited(entry, parent: parent) else { continue }
      steps[index].cost = callCosts[entry]
      if isPassedOn(by: visitOf[parent]), returnsError(entry) { reach(index) }
    }
    guard hasFailedCalls else { return }
    for index in forest.spans.indices where receivesErrorOfPeer(index) {
      guard let peer = peerCalled(index) else { continue }
      let isOnWay = isPassedOn(by: visitOf[index])
      if isOnWay, peers[index] == nil {
        var step = TraceAnalyser.step(to: peer, after: visitOf[index], of: steps)
        step.isError = true
        peers[index] = steps.count
        steps.append(step)
      }
      // What has no time of its own cost its caller a pause at most.
      steps[peers[index] ?? Int(visitOf[index])].cost.add(peerCosts[index])
      if isOnWay, let step = peers[index] { reach(step) }
    }
  }

  private static func markNeeded(_ steps: inout [PathStep]) {
    // Callees come after their callers, what was appended for peers included.
    for index in steps.indices.reversed() {
      let step = steps[index]
      let hasTime = step.own > 0 || step.gap > 0 || !step.cost.isZero
      guard step.isNeeded || hasTime || step.duration != nil || step.reachesEntry else { continue }
      steps[index].isNeeded = true
      if step.caller >= 0 { steps[Int(step.caller)].isNeeded = true }
    }
  }

  /// The needed ones; the same way taken several times in one trace is one path. Callers first.
  private static func merged(_ steps: [PathStep]) -> [PathStep] {
    let sorted = steps.filter(\.isNeeded).sorted { ($0.depth, $0.id) < ($1.depth, $1.id) }
    var merged: [PathStep] = []
    for step in sorted {
      guard let last = merged.last, last.id == step.id else {
        merged.append(step)
        continue
      }
      let index = merged.count - 1
      merged[index].own &+= step.own
      merged[index].gap &+= step.gap
      merged[index].isError = last.isError || step.isError
      merged[index].isOrigin = last.isOrigin || step.isOrigin
      merged[index].cost.add(step.cost)
      if let duration = step.duration {
        merged[index].duration = max(last.duration ?? 0, duration)
      }
    }
    return merged
  }

  /// Paths are summed by the minute of the trace's end: there are many of them, and nobody looks at
  /// them by ten seconds.
  func emitPaths(trace: TraceID, into findings: inout [Finding]) {
    let window = traceEnd.floored(to: .minute)
    let weight =
      CriticalPath.roots(of: forest, rule: criticalPathRule).last.map {
        Int64(forest.spans[$0].weight)
      }
      ?? Int64(SpanRecord.weightOne)
    let steps = paths()
    for step in steps {
      let whole = TraceAnalyser.duration(ofEntry: step.entry, among: steps)
      var finding = Finding(
        window: window,
        key: .path(step.id, below: step.parent, operation: step.operation), weight: weight)
      finding.counters[.traces] = 1
      finding.counters[.requestsAdjusted] = weight
      if step.isError {
        finding.counters[.errorTraces] = 1
        finding.counters[.errorsAdjusted] = weight
      }
      finding.counters[.criticalPathNanos] = adjusted(step.own &+ step.gap, weight)
      finding.latency = step.duration
      finding.ownTime = step.own
      if step.gap > 0 { finding.clientLatency = step.gap }
      finding.whole = whole
      count(step.cost, &finding.counters, weight: weight)
      finding.exemplar = trace
      findings.append(finding)
      guard step.isOrigin else { continue }
      var origin = Finding(
        window: window,
        key: .errorPath(step.id, below: step.parent, operation: step.operation), latency: whole,
        weight: weight, exemplar: trace)
      origin.counters[.errorTraces] = 1
      origin.counters[.errorsAdjusted] = weight
      findings.append(origin)
    }
  }

  /// - Parameter steps: by depth, then by id, as they are merged.
  private static func duration(ofEntry entry: UInt64, among steps: [PathStep]) -> Nanos? {
    var low = 0
    var high = steps.count
    while low < high {
      let middle = (low + high) / 2
      if steps[middle].depth == 0, steps[middle].id < entry {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low < steps.count && steps[low].id == entry ? steps[low].duration : nil
  }
}
