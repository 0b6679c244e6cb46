import Model

// Structure: what each operation calls. A call that stops being made shows here and nowhere else.
extension TraceAnalyser {
  /// Emits for each request, and each thing it called, how often it did. By the minute of the request's
  /// end: structure is looked at over long stretches.
  func emitStructure(into findings: inout [Finding]) {
    struct Call {
      var visit: Int32
      var callee: NameID
      var failed: Bool
      /// Whether the caller, which waited for it, failed too; nil where nobody waits.
      var callerFailed: Bool?
      var weight: Int64
    }
    var calls: [Call] = []
    for index in forest.spans.indices {
      let span = forest.spans[index]
      if let peer = peerCalled(index), sentElsewhere[index] == nil {
        calls.append(
          Call(
            visit: visitOf[index], callee: peer, failed: span.isError,
            callerFailed: hasFailed(visitOf[index]), weight: Int64(span.weight)))
      }
      // What is taken from a queue is called by nobody who would wait for it.
      if !isTaken(index), !isWorked(index), isCalled(index), let parent = forest.parent(of: index) {
        let callee = span.operation.isNone ? span.service : span.operation
        calls.append(
          Call(
            visit: visitOf[parent], callee: callee, failed: callFailed(index),
            callerFailed: isQueued(index, parent: parent) ? nil : hasFailed(visitOf[parent]),
            weight: Int64(span.weight)))
      }
    }
    calls.sort { ($0.visit, $0.callee) < ($1.visit, $1.callee) }
    var last: (visit: Int32, callee: NameID)?
    for call in calls {
      let index = visits[Int(call.visit)].entry
      let entry = forest.spans[index]
      let caller = entry.operation.isNone ? entry.service : entry.operation
      var finding = Finding(
        window: forest.recordedEnd(of: index).floored(to: .minute),
        key: .call(from: caller, to: call.callee))
      finding.counters[.requests] = 1
      finding.counters[.requestsAdjusted] = call.weight
      if call.failed {
        countFailure(&finding.counters, weight: call.weight, callerFailed: call.callerFailed)
      }
      // Requests that made the call at all: one for the first of several.
      if last?.visit != call.visit || last?.callee != call.callee { finding.counters[.traces] = 1 }
      last = (call.visit, call.callee)
      findings.append(finding)
    }
  }
}
