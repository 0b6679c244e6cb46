import Model

// What calls hold up: how much sooner the trace would have ended without a call, and how much longer
// it could have taken before the trace did.
extension TraceAnalyser {
  /// Emits slack and drag of each call, by the minute of the trace's end, as paths are. A trace of a
  /// single visit that calls nobody costs nothing.
  mutating func emitWaits(into findings: inout [Finding]) {
    guard visits.count > 1 || roles.contains(.callToPeer) else { return }
    slackAndDrag.find(in: waitForest)
    let window = traceEnd.floored(to: .minute)
    // The client is none for who was asked from outside, or by way of a queue.
    // Drag is that of the call: where a client's span tells of it, with the way there and back.
    var requests: [(server: NameID, client: NameID, span: Int32, call: Int32)] = []
    requests.reserveCapacity(visits.count)
    for visit in visits where visit.isRequest {
      let parent = forest.parent(of: visit.entry)
      let client = parent.map {
        isQueued(visit.entry, parent: $0) ? .none : forest.spans[$0].service
      }
      let call = clientSide(of: visit.entry) ?? visit.entry
      requests.append(
        (forest.spans[visit.entry].service, client ?? .none, Int32(visit.entry), Int32(call)))
    }
    for index in forest.spans.indices {
      guard let peer = peerCalled(index), !isSent(index), sentElsewhere[index] == nil else {
        continue
      }
      requests.append((peer, forest.spans[index].service, Int32(index), Int32(index)))
    }
    requests.sort { $0.server != $1.server ? $0.server < $1.server : $0.span < $1.span }
    for (position, request) in requests.enumerated() where !request.client.isNone {
      let span = Int(request.span)
      let weight = Int64(forest.spans[span].weight)
      let isOnly =
        (position == 0 || requests[position - 1].server != request.server)
        && (position + 1 == requests.count || requests[position + 1].server != request.server)
      let drag = slackAndDrag.drags[Int(request.call)]
      let slack = slackAndDrag.slacks[span]
      var finding = Finding(
        window: window, key: .wait(request.client, for: request.server),
        latency: slack == SlackAndDrag.unbounded ? nil : slack, clientLatency: isOnly ? drag : nil,
        ownTime: drag, weight: weight)
      finding.counters[.requests] = 1
      finding.counters[.requestsAdjusted] = weight
      findings.append(finding)
    }
  }

  /// The end of the last root: when the trace was over.
  var traceEnd: Nanos {
    CriticalPath.roots(of: forest).reduce(0) { max($0, forest.recordedEnd(of: $1)) }
  }
}
