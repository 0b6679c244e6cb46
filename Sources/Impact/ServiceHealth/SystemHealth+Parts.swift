internal import Glibc
internal import Model

// The parts of a service's health. Weights are of what is there: without history or an objective the
// parts that need one are left out, and the others share what they would have counted for.
extension SystemHealth {
  private enum Weight {
    static let errors = 0.4
    static let errorsAgainstHistory = 0.1
    static let latency = 0.1
    static let selfTime = 0.1
    static let dependencyErrors = 0.05
    static let dependencyTime = 0.05
    static let callerErrors = 0.15
    static let callerTime = 0.05
  }

  // MARK: - By itself

  func ownParts(of node: NameID) -> [Health.Part] {
    [
      ownErrors(of: node), errorsAgainstHistory(of: node), latency(of: node), selfTime(of: node),
    ].compactMap { $0 }
  }

  /// Failures that began here, with the calls that reached nobody.
  private func ownErrors(of node: NameID) -> Health.Part? {
    let failures = ownFailures(of: node, in: search.current)
    return errorPart(
      "errors", weight: Weight.errors, failures, of: node, what: "requests failed by themselves")
  }

  /// A rate against what is tolerated: ten times that is worth nothing.
  private func errorPart(
    _ name: String, weight: Double, _ failures: Observations, of node: NameID, what: String
  ) -> Health.Part? {
    let tolerated = objectives[node]?.errorRate ?? errorsTolerated
    let aim = objectives[node]?.errorRate == nil ? "is tolerated" : "is the objective"
    guard let shown = ShownShare(failures, tolerated: tolerated) else { return nil }
    return Health.Part(
      name: name, score: shown.score, weight: weight,
      why: "\(percent(shown.share)) of \(grouped(shown.events)) \(what)\(shown.surely); "
        + "\(percent(tolerated)) \(aim)")
  }

  private func errorsAgainstHistory(of node: NameID) -> Health.Part? {
    let before = ownFailures(of: node, in: search.base)
    let after = ownFailures(of: node, in: search.current)
    guard let change = ShareChange(before, after) else { return nil }
    // Half a failure is as good as none.
    let usual = max(change.before, 0.5 / before.count)
    let ratio = 1 + change.leastRise / usual
    let tolerated = ErrorRatioTest.ratioTolerated
    let badness = log(max(ratio, tolerated) / tolerated) / log(Health.ratioWorst / tolerated)
    return Health.Part(
      name: "errors_against_history", score: SystemHealth.score(badness),
      weight: Weight.errorsAgainstHistory,
      why: "\(percent(change.after)) of requests failed by themselves, \(percent(change.before)) "
        + "before: surely \(decimals(ratio)) times as many; \(decimals(tolerated)) is tolerated")
  }

  /// Traces with a failure that began here. An error trace counts for as much as the share of the
  /// node's failures that began at it.
  private func ownFailures(of node: NameID, in history: SystemHistory) -> Observations {
    var failures = failures(of: node, in: history) { origins, errors in origins / errors }
    for edge in unanswered(node) {
      guard let calls = history.edges[edge]?.raw else { continue }
      for (position, count) in calls.counts.enumerated() {
        failures.counts[position] += count
        failures.sums[position] += calls.sums[position]
      }
    }
    return failures
  }

  private func failures(
    of node: NameID, in history: SystemHistory, share: (Double, Double) -> Double
  ) -> Observations {
    guard let own = history.nodes[node] else {
      return Observations(windows: history.windowsCount)
    }
    var failures = own.traces
    let errors = own.errors.sum
    let part = errors > 0 ? min(max(share(own.origins.sum, errors), 0), 1) : 0
    failures.sums = failures.sums.map { $0 * part }
    return failures
  }

  /// Calls to it of which no span of it tells, unless only one of several callers sees them fail: then
  /// it is the caller that calls where nobody is.
  private func unanswered(_ node: NameID) -> [SystemHistory.Edge] {
    let edges = incoming[node] ?? []
    let unanswered = edges.filter { $0.server != node }
    let failing = unanswered.filter { (search.current.edges[$0]?.raw.sum ?? 0) > 0 }
    let isOneOfSeveral =
      Set(failing.map(\.client)).count == 1 && Set(edges.map(\.client)).count > 1
    return isOneOfSeveral ? [] : unanswered
  }

  /// The share of requests that took longer than an objective allows, against how many may.
  private func latency(of node: NameID) -> Health.Part? {
    guard let objective = objectives[node] else { return nil }
    let parts = objective.latencies.compactMap { name, share, bound -> Health.Part? in
      guard let shown = ShownShare(slower(than: bound, at: node), tolerated: share) else {
        return nil
      }
      let limit = milliseconds(Double(bound) / Double(Nanos.millisecond))
      return Health.Part(
        name: "latency", score: shown.score, weight: Weight.latency,
        why: "\(percent(shown.share)) of \(grouped(shown.events)) requests took longer than "
          + "\(limit)\(shown.surely); the objective \(name) allows \(percent(share))")
    }
    return parts.min { $0.score < $1.score }
  }

  /// Requests, and those surely slower, window by window; raw, as far as sampling lets one know.
  private func slower(than bound: Nanos, at node: NameID) -> Observations {
    var slower = Observations(windows: current.count)
    for (position, window) in current.enumerated() {
      guard let sums = window.series[.node(node)] else { continue }
      let weight = sums.latency.weight
      guard weight > 0 else { continue }
      // What shares a bucket with the bound counts as within it.
      let above = sums.latency.buckets.reduce(0.0) { sum, bucket in
        HistogramScale.lowerEdgeNanos(bucket.index) >= Double(bound)
          ? sum + Double(bucket.weight) : sum
      }
      let requests = Double(max(0, sums.counters[.traces]))
      slower.counts[position] = requests
      slower.sums[position] = requests * min(max(above / Double(weight), 0), 1)
    }
    return slower
  }

  private func selfTime(of node: NameID) -> Health.Part? {
    guard let change = search.selfTimeChange(node), change.difference.isFinite,
      let usual = search.base.nodes[node]?.latency.mean, usual > 0
    else { return nil }
    // What changed because other operations are asked for is no change of the service.
    let own = search.ownDifference(node, change)
    let share = change.difference > 0 ? min(max(own / change.difference, 0), 1) : 0
    let least = change.leastRise * share
    return Health.Part(
      name: "self_time", score: SystemHealth.score(timesUsual: least / usual),
      weight: Weight.selfTime,
      why: "takes \(milliseconds(change.after)) itself, \(milliseconds(change.before)) before: "
        + "surely \(milliseconds(least)) longer of \(milliseconds(usual)) a request took")
  }

  // MARK: - What its dependencies do to it

  func dependencyParts(of node: NameID) -> [Health.Part] {
    guard let edges = outgoing[node], !edges.isEmpty else { return [] }
    return [dependencyErrors(of: node), dependencyTime(of: node, edges)].compactMap { $0 }
  }

  private func dependencyErrors(of node: NameID) -> Health.Part? {
    let passed = failures(of: node, in: search.current) { 1 - $0 / $1 }
    return errorPart(
      "dependency_errors", weight: Weight.dependencyErrors, passed, of: node,
      what: "requests failed after a call had")
  }

  /// What requests surely wait longer for calls than before, or lose to failed calls and to making them
  /// again: the larger of the two.
  private func dependencyTime(
    of node: NameID, _ edges: [SystemHistory.Edge]
  ) -> Health.Part? {
    guard let after = search.current.nodes[node]?.latency, let now = after.mean, now > 0 else {
      return nil
    }
    let lost = surelyLost(edges, requests: after)
    var waiting: MeanChange?
    if let before = search.base.nodes[node] {
      waiting = MeanChange(waits(before), waits(search.current.nodes[node] ?? before))
    }
    guard lost != nil || waiting != nil else { return nil }
    let usual = search.base.nodes[node]?.latency.mean ?? now
    let rise = waiting?.leastRise ?? 0
    let worst = max(usual > 0 ? rise / usual : 0, (lost ?? 0) / now)
    var why = "loses surely \(milliseconds(lost ?? 0)) a request to calls that fail"
    if let waiting {
      why +=
        "; waits \(milliseconds(waiting.after)) for calls, \(milliseconds(waiting.before)) "
        + "before: surely \(milliseconds(rise)) longer"
    }
    return Health.Part(
      name: "dependency_time", score: SystemHealth.score(timesUsual: worst),
      weight: Weight.dependencyTime, why: why)
  }

  /// Requests, and what each takes besides its own time.
  private func waits(_ node: SystemHistory.NodeHistory) -> Observations {
    var waits = node.latency
    for position in waits.sums.indices {
      waits.sums[position] = max(0, waits.sums[position] - node.selfTime.sums[position])
    }
    return waits
  }

  /// Milliseconds a request; nil where there is too little to say how much that varies.
  private func surelyLost(
    _ edges: [SystemHistory.Edge], requests: Observations
  ) -> Double? {
    var lost = requests
    lost.sums = lost.sums.map { _ in 0 }
    for edge in edges {
      guard let own = search.current.edges[edge]?.lost else { continue }
      for (position, time) in own.sums.enumerated() { lost.sums[position] += time }
    }
    guard let mean = lost.mean, let variance = lost.variance else { return nil }
    return max(0, mean - CauseSearch.deviationMin * variance.squareRoot())
  }

  // MARK: - What it does to those that call it

  func callerParts(of node: NameID) -> [Health.Part] {
    guard let edges = incoming[node], !edges.isEmpty else { return [] }
    return [callerErrors(of: node, edges), callerTime(of: node, edges)].compactMap { $0 }
  }

  /// Calls after whose failure the caller failed as well.
  private func callerErrors(
    of node: NameID, _ edges: [SystemHistory.Edge]
  ) -> Health.Part? {
    var harmed = Observations(windows: search.current.windowsCount)
    for edge in edges {
      guard let history = search.current.edges[edge] else { continue }
      let failed = history.propagated + history.absorbed
      let share = failed > 0 ? min(max(history.propagated / failed, 0), 1) : 0
      for (position, count) in history.raw.counts.enumerated() {
        harmed.counts[position] += count
        harmed.sums[position] += history.raw.sums[position] * share
      }
    }
    return errorPart(
      "caller_errors", weight: Weight.callerErrors, harmed, of: node,
      what: "calls to it failed and made the caller fail")
  }

  /// By how much of what they took before it surely holds up those that call it, more than before.
  private func callerTime(
    of node: NameID, _ edges: [SystemHistory.Edge]
  ) -> Health.Part? {
    var added = 0.0
    var usual = 0.0
    var counted: Set<NameID> = []
    for edge in edges {
      guard let rise = dragRise(edge), let caller = search.current.nodes[edge.client],
        let before = search.base.nodes[edge.client]?.latency.mean, before > 0
      else { continue }
      added += rise * (search.current.edges[edge]?.failed.count ?? 0)
      if counted.insert(edge.client).inserted { usual += before * caller.latency.count }
    }
    guard usual > 0 else { return nil }
    let share = added / usual
    return Health.Part(
      name: "caller_time", score: SystemHealth.score(timesUsual: share),
      weight: Weight.callerTime,
      why: "holds up those that call it surely \(percent(share)) longer than before, of what their "
        + "requests took then")
  }

  // MARK: - Scores

  /// - Parameter timesUsual: the rise, as a share of what was usual: half as long again is worth
  ///   nothing.
  private static func score(timesUsual: Double) -> Double {
    score(timesUsual / (Health.latencyWorst - 1))
  }

  static func score(_ badness: Double) -> Double {
    badness.isFinite ? 100 * (1 - min(max(badness, 0), 1)) : 100
  }
}

/// A share of events that should be small, as far as it is shown.
private struct ShownShare {
  let events: Int64
  let share: Double
  /// What it surely is at least; 0 where it is small enough without looking closer.
  let least: Double
  let score: Double

  /// - Parameter tolerated: the share that is worth 100; ten times that is worth nothing.
  init?(_ observed: Observations, tolerated: Double) {
    events = ShownShare.whole(observed.count)
    guard events > 0 else { return nil }
    share = min(max(observed.sum / observed.count, 0), 1)
    guard share > tolerated else {
      least = 0
      score = 100
      return
    }
    let failures = observed.sums.map(ShownShare.whole)
    var dispersion = Dispersion()
    dispersion.add(errors: failures)
    least = ErrorRateBound(requests: events, failures: Int64(share * Double(events)))
      .lower(alpha: GateSettings.alpha, dispersion: dispersion.factor)
    let worst = min(1, Health.errorsWorst * tolerated)
    score = SystemHealth.score((least - tolerated) / max(worst - tolerated, 1e-9))
  }

  private static func whole(_ count: Double) -> Int64 {
    Side.clamped(Int64(min(max(count, 0), 1e12)))
  }

  /// What a sentence says of the bound.
  var surely: String { least > 0 ? ", surely at least \(percent(least))" : "" }
}
