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
  /// How many requests lie before it.
  var depth: Int
  /// The step of the caller; −1 for an entry point. Before this one.
  var caller: Int32
  /// Time on the critical path: spent by what was requested itself, and between the caller and it.
  var own: Nanos = 0
  var gap: Nanos = 0
  var isError = false
  /// Of an entry point: how long the whole took.
  var duration: Nanos?
  /// It has time on the critical path, or leads to what has.
  var isNeeded = false

  /// The same way, without what was found of it.
  var bare: PathStep {
    PathStep(id: id, parent: parent, operation: operation, depth: depth, caller: caller)
  }
}

extension TraceAnalyser {
  /// Requests below this depth count for the one that called them.
  static let pathDepthMax = 64

  /// Of all entry points of the trace: the paths with time on the critical path, and those that lead
  /// to them. Callers first.
  func paths() -> [PathStep] {
    var steps: [PathStep] = []
    steps.reserveCapacity(visits.count)
    // Of each visit the index of its step. Visits come callers first.
    for index in visits.indices {
      let entry = forest.spans[visits[index].entry]
      let operation = entry.operation.isNone ? entry.service : entry.operation
      let caller = forest.parent(of: visits[index].entry).map { visitOf[$0] }
      var step = TraceAnalyser.step(to: operation, after: caller, of: steps)
      if let caller, step.depth > TraceAnalyser.pathDepthMax { step = steps[Int(caller)].bare }
      step.own = visits[index].criticalTime
      step.gap = visits[index].proxyCriticalTime
      step.isError = visits[index].isRequest && entry.isError
      steps.append(step)
    }
    addGaps(to: &steps)
    for root in CriticalPath.roots(of: forest) {
      steps[Int(visitOf[root])].duration = forest.spans[root].durationNanos
    }
    TraceAnalyser.markNeeded(&steps)
    return TraceAnalyser.merged(steps)
  }

  private static func step(
    to operation: NameID, after caller: Int32?, of steps: [PathStep]
  ) -> PathStep {
    let before = caller.map { steps[Int($0)] }
    return PathStep(
      id: pathID(of: operation, below: before?.id ?? 0), parent: before?.id ?? 0,
      operation: operation, depth: (before?.depth ?? -1) + 1, caller: caller ?? -1)
  }

  /// The time of calls that no callee explains: it belongs to the path of what was called. What is
  /// nobody's stays with whoever waited.
  private func addGaps(to steps: inout [PathStep]) {
    for index in forest.spans.indices where criticalTimes[index] > 0 {
      switch owners[index] {
      case .service, .incomingEdge: continue
      case .outgoingEdge, .nobody: break
      }
      let visit = Int(visitOf[index])
      if let peer = peerCalled(index) {
        var step = TraceAnalyser.step(to: peer, after: Int32(visit), of: steps)
        step.own = criticalTimes[index]
        step.isError = forest.spans[index].isError
        steps.append(step)
      } else if roles[index] == .call, lastCallee[index] >= 0 {
        steps[Int(visitOf[Int(lastCallee[index])])].gap &+= criticalTimes[index]
      } else {
        steps[visit].own &+= criticalTimes[index]
      }
    }
  }

  private static func markNeeded(_ steps: inout [PathStep]) {
    // Callees come after their callers, what was appended for peers included.
    for index in steps.indices.reversed() {
      let step = steps[index]
      guard step.isNeeded || step.own > 0 || step.gap > 0 || step.duration != nil else { continue }
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
      if let duration = step.duration {
        merged[index].duration = max(last.duration ?? 0, duration)
      }
    }
    return merged
  }

  static func pathID(of operation: NameID, below parent: UInt64) -> UInt64 {
    var mixed = (operation.raw ^ parent &* 0x9E37_79B9_7F4A_7C15) &+ 0xD1B5_4A32_D192_ED03
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return mixed == 0 ? 1 : mixed
  }

  /// Paths are summed by the minute of the trace's end: there are many of them, and nobody looks at
  /// them by ten seconds.
  func emitPaths(trace: TraceID, into findings: inout [Finding]) {
    var end: Nanos = 0
    var weight = Int64(SpanRecord.weightOne)
    for root in CriticalPath.roots(of: forest) {
      end = max(end, forest.recordedEnd(of: root))
      weight = Int64(forest.spans[root].weight)
    }
    for step in paths() {
      var finding = Finding(
        window: end.floored(to: .minute),
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
      finding.exemplar = trace
      findings.append(finding)
    }
  }
}
