internal import Model

// What fails, and what no longer happens.
extension CauseSearch {
  /// Shares that moved by less are no change.
  private static let shareMin = 0.001

  mutating func findErrors() {
    let givenUp = givenUpFailures()
    for node in current.nodes.keys.sorted() where service(node) == node {
      guard let before = base.nodes[node]?.origins, let after = current.nodes[node]?.origins,
        let change = ShareChange(before, after), change.deviation > CauseSearch.deviationMin,
        change.difference > CauseSearch.shareMin
      else { continue }
      // What fails because the node gave up on calls began there too, but is looked into below.
      let failures = change.difference * rate(node) - (givenUp[node] ?? 0)
      guard failures > change.difference * rate(node) / 2 else { continue }
      note(
        .errors, onlyFailingCaller(of: node) ?? node,
        evidence(.errorOrigins, change, other: node, before: before.count, after: after.count),
        failures: failures)
    }
  }

  /// Of a node that does not report, the one of several callers whose calls fail, where the others' do not:
  /// then it is the caller that does something wrong.
  private func onlyFailingCaller(of node: NameID) -> NameID? {
    let calls = current.edges.filter { $0.key.server == node }
    guard current.operationsOf[node] == nil, calls.count > 1 else { return nil }
    let failing = calls.filter { edge, after in
      guard let before = base.edges[edge]?.failed, let change = ShareChange(before, after.failed)
      else { return after.failed.sum > 0 }
      return change.deviation > CauseSearch.deviationMin && change.difference > CauseSearch.shareMin
    }
    return failing.count == 1 ? failing.first?.key.client : nil
  }

  /// Calls that fail and of which no span of the callee tells: the callee is gone, or the caller calls
  /// where nobody is.
  mutating func findUnanswered() {
    for (edge, after) in current.edges.sorted(by: {
      ($0.key.client, $0.key.server) < ($1.key.client, $1.key.server)
    }) {
      let callee = service(edge.server)
      guard callee != edge.server else { continue }
      let direct = SystemHistory.Edge(client: edge.client, server: callee)
      var base = Observations(windows: 1)
      var now = Observations(windows: 1)
      base.counts = [
        (self.base.edges[edge]?.failed.count ?? 0) + (self.base.edges[direct]?.failed.count ?? 0)
      ]
      base.sums = [self.base.edges[edge]?.failed.sum ?? 0]
      now.counts = [after.failed.count + (current.edges[direct]?.failed.count ?? 0)]
      now.sums = [after.failed.sum]
      guard let change = ShareChange(base, now), change.deviation > CauseSearch.deviationMin,
        change.difference > CauseSearch.shareMin
      else { continue }
      let failures = now.sums[0] / currentSeconds
      let found = evidence(
        .unanswered, change, other: edge.client, before: base.count, after: now.count)
      let hasAddress = (current.addressed[edge.server] ?? 0) > 0
      let otherCallers = (callers[callee] ?? []).subtracting([edge.client])
      let isOnlyHere = !otherCallers.contains { other in
        (current.edges[SystemHistory.Edge(client: other, server: edge.server)]?.failed.sum ?? 0) > 0
      }
      if hasAddress || (!isOnlyHere && !otherCallers.isEmpty) {
        note(.errors, callee, found, failures: failures)
      } else {
        note(.errors, edge.client, found, failures: failures)
        if otherCallers.isEmpty {
          note(.errors, callee, found, failures: failures * CauseSearch.doubtfulShare)
        }
      }
    }
  }

  private static let doubtfulShare = 0.8

  /// Calls whose caller gave up although the callee did not fail: the callee's slowness, if it is slower;
  /// else the caller gives up too soon.
  mutating func findGivenUp() {
    for (edge, change, failures) in givenUpCalls() {
      let found = evidence(
        .unanswered, change, other: edge.server, before: base.edges[edge]?.failed.count ?? 0,
        after: current.edges[edge]?.failed.count ?? 0)
      if let deeper = slowerBelow(edge.server) {
        note(deeper.kind, deeper.node, found, failures: failures)
      } else {
        note(.errors, edge.client, found, failures: failures)
      }
    }
  }

  /// Edges on which more calls are given up than before, with how many more a second.
  private func givenUpCalls() -> [(edge: SystemHistory.Edge, change: ShareChange, failures: Double)]
  {
    var found: [(edge: SystemHistory.Edge, change: ShareChange, failures: Double)] = []
    for (edge, after) in current.edges.sorted(by: {
      ($0.key.client, $0.key.server) < ($1.key.client, $1.key.server)
    }) {
      guard service(edge.server) == edge.server, let before = base.edges[edge],
        let change = ShareChange(before.failed, after.failed),
        change.deviation > CauseSearch.deviationMin,
        let calleeBefore = base.nodes[edge.server]?.errors,
        let calleeAfter = current.nodes[edge.server]?.errors,
        calleeBefore.count > 0, calleeAfter.count > 0
      else { continue }
      let calleeFails =
        calleeAfter.sum / calleeAfter.count - calleeBefore.sum / calleeBefore.count
      let givenUp = change.difference - max(0, calleeFails)
      guard givenUp > CauseSearch.shareMin, givenUp > change.difference / 2 else { continue }
      found.append((edge, change, givenUp * after.failed.count / currentSeconds))
    }
    return found
  }

  /// By who gave up on calls, how many more requests a second failed with them than before.
  private func givenUpFailures() -> [NameID: Double] {
    var failures: [NameID: Double] = [:]
    for call in givenUpCalls() {
      guard let edge = current.edges[call.edge], edge.propagated > 0 else { continue }
      let share = edge.propagated / (edge.propagated + edge.absorbed)
      failures[call.edge.client, default: 0] += call.failures * share
    }
    return failures
  }

  /// What made a callee slower: what it or something below it takes itself, or the way to them.
  private func slowerBelow(_ node: NameID) -> Candidate? {
    if let deeper = deeperCause(of: node) { return deeper }
    let below = reachable(from: node, by: callees).union([node])
    return findings.filter {
      ($0.key.kind == .edgeGap && below.contains($0.key.node) || $0.key.kind == .load
        || $0.key.kind == .platform) && $0.value.time > 0
    }.max {
      $0.value.time != $1.value.time
        ? $0.value.time < $1.value.time : $0.key.node < $1.key.node
    }?.key
  }

  /// So many requests an operation needs before what it no longer calls counts.
  private static let requestsMin = 20.0
  private static let lostShareMin = 0.1

  mutating func findLostCalls() {
    let owners = operationOwners()
    for (call, before) in base.calls.sorted(by: {
      ($0.key.caller, $0.key.callee) < ($1.key.caller, $1.key.callee)
    }) {
      guard let owner = owners[call.caller], let first = operation(call.caller, in: base),
        let second = operation(call.caller, in: current),
        first.origins.count > CauseSearch.requestsMin,
        second.origins.count > CauseSearch.requestsMin
      else { continue }
      var past = Observations(windows: 1)
      var now = Observations(windows: 1)
      past.counts = [first.origins.count]
      past.sums = [min(before.sum, first.origins.count)]
      now.counts = [second.origins.count]
      now.sums = [min(current.calls[call]?.sum ?? 0, second.origins.count)]
      guard let change = ShareChange(past, now), change.deviation < -CauseSearch.deviationMin,
        change.difference < -CauseSearch.lostShareMin * change.before
      else { continue }
      // A request that failed makes no further calls.
      let failing =
        second.errors.sum / second.errors.count - first.errors.sum / max(1, first.errors.count)
      guard -change.difference > 2 * failing else { continue }
      note(
        .structure, owner,
        evidence(
          .callProbability, change, other: call.callee, before: past.count, after: now.count),
        lostCalls: -change.difference * second.origins.count / currentSeconds)
    }
  }

  private func operationOwners() -> [NameID: NameID] {
    var owners: [NameID: NameID] = [:]
    for history in [base, current] {
      for (node, operations) in history.operationsOf {
        for operation in operations { owners[operation] = node }
      }
    }
    return owners
  }

  private func operation(
    _ id: NameID, in history: SystemHistory
  ) -> SystemHistory.NodeHistory? { history.operations[id] }

  private func evidence(
    _ metric: CauseEvidence.Metric, _ change: ShareChange, other: NameID = .none, before: Double,
    after: Double
  ) -> CauseEvidence {
    CauseEvidence(
      metric: metric, other: other, before: change.before, after: change.after,
      deviation: change.deviation, eventsBefore: before, eventsAfter: after)
  }
}
