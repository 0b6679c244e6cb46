public import Model

// From visits, calls and traces to findings.
extension TraceAnalyser {
  mutating func emit(key: TraceKey, into findings: inout [Finding]) {
    for index in visits.indices { emitVisit(visits[index], trace: key.trace, into: &findings) }
    forgetEnds()
    for index in forest.spans.indices {
      if isTaken(index) {
        emitTaking(index, trace: key.trace, into: &findings)
        markEnds(ofTaking: index)
      } else if isCalled(index), !isWorked(index) {
        emitCall(entry: index, trace: key.trace, into: &findings)
        markEnds(ofCallTo: index)
      }
      if isCalledByClient(index) {
        emitCallOfClient(index, trace: key.trace, into: &findings)
        isEnd[index] = true
      }
      if roles[index] == .callToItself { emitAnswer(toItself: index, into: &findings) }
      if let peer = peerCalled(index) {
        emitCall(index, toPeer: peer, trace: key.trace, into: &findings)
        isEnd[index] = true
      }
      emitOverflow(index, key.tenant, into: &findings)
    }
    emitTraceCounts(trace: key.trace, into: &findings)
    emitPaths(trace: key.trace, into: &findings)
    emitWaits(into: &findings)
    emitStructure(into: &findings)
  }

  private func emitVisit(_ visit: Visit, trace: TraceID, into findings: inout [Finding]) {
    let entry = forest.spans[visit.entry]
    let weight = Int64(entry.weight)
    var counters = Counters()
    counters[.criticalPathNanos] = adjusted(visit.criticalTime, weight)
    var finding = Finding(
      window: window(of: visit.entry), key: .node(entry.service), counters: counters,
      weight: weight)
    guard visit.isRequest else {
      // A fragment: what it did counts, but it is nobody's request.
      finding.ownTime = nil
      emit(finding, at: entry.service, entry.dimensions, into: &findings)
      return
    }
    counters[.requests] = 1
    counters[.requestsAdjusted] = weight
    if entry.isError {
      counters[.errors] = 1
      counters[.errorsAdjusted] = weight
      if !visit.receivesError { counters[.errorOriginsAdjusted] = weight }
    }
    finding.counters = counters
    finding.latency = entry.durationNanos
    finding.ownTime = visit.selfTime
    finding.exemplar = trace
    emit(finding, at: entry.service, entry.dimensions, into: &findings)
    finding.exemplar = nil
    if !entry.operation.isNone {
      finding.key = .operation(entry.service, entry.operation)
      findings.append(finding)
    }
    if !entry.version.isNone {
      finding.key = .version(entry.service, entry.version)
      findings.append(finding)
    }
    if !entry.instance.isNone {
      var presence = Counters()
      presence[.requests] = 1
      findings.append(
        Finding(
          window: finding.window,
          key: .instance(entry.service, entry.instance, version: entry.version),
          counters: presence))
    }
  }

  /// A call to a service that reported.
  private func emitCall(entry index: Int, trace: TraceID, into findings: inout [Finding]) {
    guard let parent = forest.parent(of: index) else { return }
    let entry = forest.spans[index]
    let queued = isQueued(index, parent: parent)
    let weight = Int64(entry.weight)
    let callee = visits[Int(visitOf[index])]
    var finding = Finding(
      window: window(of: index),
      key: .edge(
        forest.spans[parent].service, entry.service, queued ? .messagingSystem : .direct),
      weight: weight, exemplar: trace)
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = weight
    var criticalTime = callee.criticalTime &+ callee.proxyCriticalTime
    let client = clientSide(of: index)
    if let client {
      finding.clientLatency = forest.spans[client].durationNanos
      criticalTime &+= callCriticalTime(client) &+ handedCriticalTime(client)
    }
    // What proxies in front of the callee took is in the gap, so it is not the server's time too.
    let serverTime = entry.durationNanos.saturatingSubtracting(callee.proxyTime)
    finding.latency = serverTime
    var gap = callee.proxyTime &+ (client.map { selfTimes[$0] &+ handedTime($0) } ?? 0)
    if let client, disagree(client: client, server: index) {
      let clientTime = forest.spans[client].durationNanos &+ handedTime(client)
      gap = min(gap, clientTime.saturatingSubtracting(serverTime))
    }
    if !queued, client != nil || gap > 0 { finding.ownTime = gap }
    finding.counters[.criticalPathNanos] = adjusted(criticalTime, weight)
    if hasFailedCalls { count(callCosts[index], &finding.counters, weight: weight) }
    if callFailed(index) {
      countFailure(
        &finding.counters, weight: weight,
        callerFailed: queued ? nil : hasFailed(visitOf[parent]))
    }
    emit(
      finding, from: forest.spans[parent].service, to: entry.service, entry.dimensions,
      into: &findings)
    emitAnswer(to: index, below: parent, into: &findings)
  }

  /// Whether the server's times cannot be right beside the client's: clocks were further apart than is
  /// corrected. Not where the client gave up and the server worked on.
  private func disagree(client: Int, server: Int) -> Bool {
    let (client, server) = (forest.spans[client], forest.spans[server])
    if server.start < client.start || server.start > client.end { return true }
    return server.end > client.end && !client.isError
  }

  /// Whoever is found below a call is who its peer's name stands for. By the minute: names change
  /// hands slowly.
  private func emitAnswer(to entry: Int, below parent: Int, into findings: inout [Finding]) {
    let call = Int(callOf[parent])
    guard call >= 0, !forest.spans[call].peer.isNone else { return }
    let callee = forest.spans[entry]
    var counters = Counters()
    counters[.requests] = 1
    findings.append(
      Finding(
        window: forest.recordedEnd(of: entry).floored(to: .minute),
        key: .answered(
          forest.spans[call].peer, by: callee.service, version: callee.version),
        counters: counters))
  }

  /// A service that called itself and answered has the name it called: so calls by that name which
  /// nobody answered are to it as well.
  private func emitAnswer(toItself call: Int, into findings: inout [Finding]) {
    let span = forest.spans[call]
    guard !span.peer.isNone else { return }
    var counters = Counters()
    counters[.requests] = 1
    findings.append(
      Finding(
        window: forest.recordedEnd(of: call).floored(to: .minute),
        key: .answered(span.peer, by: span.service, version: .none), counters: counters))
  }

  /// A request whose caller does not report and is named by the span that took it.
  private func isCalledByClient(_ index: Int) -> Bool {
    guard forest.rootReasons[index] == .first else { return false }
    let span = forest.spans[index]
    return span.traits.contains(.namesCaller) && span.kind == .server && !span.peer.isNone
  }

  private func emitCallOfClient(_ index: Int, trace: TraceID, into findings: inout [Finding]) {
    let span = forest.spans[index]
    let weight = Int64(span.weight)
    var finding = Finding(
      window: window(of: index),
      key: .edge(span.peer, span.service, .virtualNode), weight: weight, exemplar: trace)
    finding.counters[.requests] = 1
    finding.counters[.requestsAdjusted] = weight
    let proxyTime = visits[Int(visitOf[index])].proxyTime
    finding.latency = span.durationNanos.saturatingSubtracting(proxyTime)
    if proxyTime > 0 { finding.ownTime = proxyTime }
    if span.isError { countFailure(&finding.counters, weight: weight, callerFailed: nil) }
    emit(finding, from: span.peer, to: span.service, span.dimensions, into: &findings)
  }

  /// The node that a span calls and that does not report.
  public func peerCalled(_ index: Int) -> NameID? {
    if isSent(index) { return sentTo[index] }
    return roles[index] == .callToPeer ? forest.spans[index].peer : nil
  }

  /// A call to a database, a queue or a host that does not report: all that is known of it is what
  /// the caller saw, so the call stands for the peer's request too.
  private func emitCall(
    _ index: Int, toPeer peer: NameID, trace: TraceID, into findings: inout [Finding]
  ) {
    let span = forest.spans[index]
    // What another trace sent has the figures of its sending; what it could not send is counted there.
    let elsewhere = sentElsewhere[index]
    if elsewhere?.isError == true { return }
    let sent = elsewhere ?? span
    let messages = messagesSent(index)
    let weight = Int64(sent.weight) &* messages
    var finding = Finding(
      window: elsewhere?.window ?? window(of: index),
      key: .edge(
        span.service, peer, isSent(index) ? .messagingSystem : connectionType(toPeerOf: span)),
      weight: weight)
    if messages > 0 {
      // A trace that counts no call here is no example of one.
      finding.exemplar = trace
      finding.latency = sent.durationNanos
      finding.clientLatency = sent.durationNanos
    }
    finding.counters[.requests] = messages
    finding.counters[.requestsAdjusted] = weight
    finding.counters[.criticalPathNanos] = adjusted(
      callCriticalTime(index) &+ handedCriticalTime(index), Int64(span.weight))
    let handedTime = handedTime(index)
    if handedTime > 0, messages > 0 { finding.ownTime = handedTime }
    var node = finding
    node.key = .node(peer)
    node.clientLatency = nil
    node.ownTime = messages > 0 ? sent.durationNanos : nil
    node.counters[.traces] = 0
    node.counters[.criticalPathNanos] = adjusted(callCriticalTime(index), Int64(span.weight))
    if hasFailedCalls { count(peerCosts[index], &finding.counters, weight: weight) }
    if sent.isError {
      countFailure(
        &finding.counters, weight: weight, callerFailed: hasFailed(visitOf[index]))
      finding.counters[.errors] = messages
      node.counters[.errors] = messages
      node.counters[.errorsAdjusted] = weight
      // Nobody sees what is below the peer: the failure begins there as far as anyone can tell.
      node.counters[.errorOriginsAdjusted] = weight
    }
    emit(finding, from: span.service, to: peer, sent.dimensions, into: &findings)
    emit(node, at: peer, sent.dimensions, into: &findings)
  }

  func count(_ cost: ErrorCost, _ counters: inout Counters, weight: Int64) {
    counters[.absorbedNanos] = adjusted(cost.absorbed, weight)
    counters[.retryNanos] = adjusted(cost.retried, weight)
  }

  func countFailure(_ counters: inout Counters, weight: Int64, callerFailed: Bool?) {
    counters[.errors] = 1
    counters[.errorsAdjusted] = weight
    switch callerFailed {
    case true?: counters[.propagatedAdjusted] = weight
    case false?: counters[.absorbedAdjusted] = weight
    case nil: break
    }
  }

  private func connectionType(toPeerOf span: SpanRecord) -> ConnectionType {
    if span.traits.contains(.database) { return .database }
    if span.traits.contains(.messaging) { return .messagingSystem }
    return .virtualNode
  }

  private func emitOverflow(
    _ index: Int, _ tenant: TenantID, into findings: inout [Finding]
  ) {
    let traits = forest.spans[index].traits
    guard !traits.isDisjoint(with: .anyOverflow) else { return }
    for kind in NameKind.allCases where traits.contains(.overflow(kind)) {
      emitSpan(index, at: .overflow(tenant, kind), &findings)
    }
  }

  /// Counts a span in a series that counts spans.
  private func emitSpan(_ index: Int, at key: SeriesKey, _ findings: inout [Finding]) {
    let span = forest.spans[index]
    var counters = Counters()
    counters[.requests] = 1
    counters[.requestsAdjusted] = Int64(span.weight)
    findings.append(
      Finding(
        window: window(of: index), key: key, counters: counters))
  }

  /// Traces by node, by version and by peer that was not reached, at most one each a trace, in the window in which the last of
  /// the trace's requests to it ended.
  private func emitTraceCounts(trace: TraceID, into findings: inout [Finding]) {
    var touched: [SeriesKey: (end: Nanos, failed: Bool)] = [:]
    func touch(_ key: SeriesKey, _ end: Nanos, _ failed: Bool) {
      let before = touched[key]
      touched[key] = (max(before?.end ?? 0, end), failed || before?.failed == true)
    }
    func touch(node: NameID, _ dimensions: NameID, _ end: Nanos, _ failed: Bool) {
      touch(.node(node), end, failed)
      if !dimensions.isNone { touch(.dimension(node, dimensions), end, failed) }
    }
    for visit in visits {
      let entry = forest.spans[visit.entry]
      let end = forest.recordedEnd(of: visit.entry)
      let failed = visit.isRequest && entry.isError
      touch(node: entry.service, entry.dimensions, end, failed)
      if !entry.version.isNone { touch(.version(entry.service, entry.version), end, failed) }
    }
    for index in forest.spans.indices {
      let end = forest.recordedEnd(of: index)
      let span = forest.spans[index]
      if isTaken(index) { touch(node: queues[index], span.dimensions, end, false) }
      if isCalledByClient(index) { touch(node: span.peer, span.dimensions, end, false) }
      guard let peer = peerCalled(index) else { continue }
      touch(node: peer, span.dimensions, end, span.isError)
      // Whoever was called may have died before it could send its own span.
      if span.isError, !isSent(index), span.traits.isDisjoint(with: [.database, .messaging]) {
        let key = SeriesKey.unreached(peer, at: span.peerAddress, by: span.service)
        touch(key, end, true)
      }
    }
    for (key, seen) in touched {
      var counters = Counters()
      counters[.traces] = 1
      if seen.failed { counters[.errorTraces] = 1 }
      findings.append(
        Finding(window: seen.end.floored(to: windowNanos), key: key, counters: counters))
    }
  }

  /// The window a span falls into: by the clock that timed it, whatever it was corrected by. Windows
  /// are finished by what spans say when they come, and a span must not change its window because
  /// another one of its trace came late.
  func window(of index: Int) -> Nanos { forest.recordedEnd(of: index).floored(to: windowNanos) }

  /// What one finding adds to the critical path at most, 13 days: an hour sampled at one in three
  /// hundred is below it, and thousands of findings with the wildest claims still sum without
  /// leaving 64 bits.
  static let criticalNanosMax: Int64 = 1 << 50

  func adjusted(_ nanos: Nanos, _ weight: Int64) -> Int64 {
    min(Int64(clamping: nanos.weighted(by: weight.magnitude)), TraceAnalyser.criticalNanosMax)
  }
}
