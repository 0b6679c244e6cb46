internal import Model

/// The sentences that say why a verdict is what it is.
struct GateReasons {
  let question: ConcurrentQuestion
  let comparison: ConcurrentComparison
  let shift: LatencyShift?
  let decisions: ConcurrentComparison.Decisions
  let void: ConcurrentComparison.Void?
  let forecast: GateForecast
  let health: Health

  private var version: String { question.version }
  private var baseline: String { question.baseline }
  private var errors: ErrorRatioTest { comparison.errors }

  func sentences(for verdict: Verdict) -> [String] {
    switch verdict {
    case .rollback: harms + leftOut
    case .promote: [errorsSafe, latencySafe].compactMap { $0 } + leftOut
    case .wait: voids + lacks + shortBaseline + leftOut
    }
  }

  // MARK: - Rolling back

  private var harms: [String] {
    var sentences: [String] = []
    if decisions.errors == .harmed { sentences.append(errorsHarmed) }
    if let final = decisions.final, final.isHarmed {
      sentences.append(
        "at the deadline, over \(final.windows) windows, a typical request takes "
          + "\(change(final.ratio)) longer with \(version) than with \(baseline) (at least "
          + "\(change(final.lower))): slower beyond the "
          + "\(percent(LatencyShiftTest.tolerance)) that count as none")
    } else if let shift, decisions.latency == .harmed {
      sentences.append(
        "\(typicalLatencies(shift)): slower beyond the \(percent(LatencyShiftTest.tolerance)) "
          + "that count as none")
    }
    return sentences
  }

  private var errorsHarmed: String {
    let interval = errors.ratioInterval(
      alpha: GateSettings.alpha, dispersion: comparison.dispersion.factor)
    let least = decimals(interval.lower)
    let times =
      errors.ratio.map { "\(decimals($0)) times as often (at least \(least))" }
      ?? "at least \(least) times as often"
    return "\(failed(errors.currentFailures, of: errors.currentRequests, by: version)), "
      + "\(failed(errors.baselineFailures, of: errors.baselineRequests, by: baseline)) "
      + "in the same windows: \(times)"
  }

  // MARK: - Promoting

  private var errorsSafe: String {
    let charged = comparison.chargedErrors
    if comparison.logSafetyOfRatio >= EValue.threshold(GateSettings.alpha) {
      return "\(failed(errors.currentFailures, of: errors.currentRequests, by: version)), "
        + "\(failed(errors.baselineFailures, of: errors.baselineRequests, by: baseline)): "
        + "a threefold rise in errors is ruled out"
    }
    let upper = charged.upper(
      alpha: GateSettings.alpha, dispersion: comparison.dispersion.factor)
    return "\(failed(charged.failures, of: charged.requests, by: version)): surely fewer than "
      + "\(percent(upper)), and \(percent(comparison.settings.errorsTolerated)) is tolerated"
  }

  private var latencySafe: String? {
    shift.map {
      "\(typicalLatencies($0)): "
        + "\(percent(LatencyShiftTest.margin)) slower is ruled out"
    }
  }

  // MARK: - What was not compared

  private var voids: [String] {
    switch void {
    case .split(let announced, let seen):
      [
        "\(version) was announced to get \(percent(announced)) of the requests and gets "
          + "\(percent(seen)): something else than the announced rule picks them, so the two "
          + "versions are not compared"
      ]
    case .jump(let jump):
      [
        "the share of \(version) went from \(percent(jump.shareBefore)) to "
          + "\(percent(jump.shareAfter)) though nobody announced it, and "
          + (jump.isRecent
            ? "it is not known yet whether the versions still compare as before"
            : "since then the versions compare differently: it gets other requests, so they are "
              + "not compared")
      ]
    case .shortBaseline, nil: []
    }
  }

  private var shortBaseline: [String] {
    guard case .shortBaseline(let seen) = void else { return [] }
    return [
      "\(baseline) was seen for \(duration(Double(seen) / 1e9)) only: "
        + "\(duration(Double(GateSettings.baselineSeenMin) / 1e9)) are needed to know what is usual "
        + "for it"
    ]
  }

  private var leftOut: [String] {
    let count = comparison.latency.windowsLeftOut
    guard count > 0 else { return [] }
    let seconds = duration(Double(InstanceAges.warmUpNanos) / 1e9)
    let rest =
      count < LatencyShiftTest.warmUpWindowsMax
      ? "" : "; no more are left out, since instances keep being new"
    return [
      "in \(count) windows \(version) had no instance older than \(seconds): their latency is "
        + "left out, their errors are not\(rest)"
    ]
  }

  // MARK: - Waiting

  /// What is missing, the most fundamental first.
  private var lacks: [String] {
    guard comparison.ownErrors.requests > 0 else { return [nothing] + unknownFailures }
    var sentences = silences + unknownFailures
    if comparison.pairedWindows == 0 { sentences.append(neverTogether) }
    if let lack = errorsLack { sentences.append(lack) }
    if let lack = latencyLack { sentences.append(lack) }
    if sentences.isEmpty, !comparison.hasEnoughTraffic {
      sentences.append(
        "\(grouped(comparison.currentTraffic.requests)) of at least "
          + "\(grouped(GateSettings.requestsMin)) requests")
    }
    return sentences.isEmpty || isUnhealthy ? sentences + [unhealthy] : sentences
  }

  private var nothing: String { "no finished window holds a request to \(version) yet" }

  private var neverTogether: String {
    "\(version) and \(baseline) have not had a request in the same ten seconds yet"
  }

  private var silences: [String] {
    var sentences: [String] = []
    for (name, traffic) in [
      (version, comparison.currentTraffic), (baseline, comparison.baselineTraffic),
    ] where traffic.isSilent(question.until) {
      let seconds = traffic.windowsSilent(question.until) * Double(windowNanos) / 1e9
      sentences.append("\(name) has had no request for \(duration(seconds)), though it had before")
    }
    return sentences
  }

  private var unknownFailures: [String] {
    let count = comparison.chargedErrors.failures - comparison.ownErrors.failures
    guard count > 0, decisions.errors != .safe else { return [] }
    return [
      "\(grouped(count)) calls failed without reaching a version that is known; "
        + "\(version) must be safe even if all of them were its own"
    ]
  }

  private var errorsLack: String? {
    guard decisions.errors != .safe else { return nil }
    if comparison.isSuspicious {
      return "\(failed(errors.currentFailures, of: errors.currentRequests, by: version)), "
        + "\(failed(errors.baselineFailures, of: errors.baselineRequests, by: baseline)): "
        + "this leans towards harm, but not yet beyond doubt"
    }
    let seen = grouped(comparison.ownErrors.requests)
    switch forecast.need {
    case .ruleOutRise(let requests):
      return "\(seen) of about \(about(requests)) requests needed to rule out a threefold rise "
        + "in errors"
    case .showLowRate(let requests):
      return "\(seen) of about \(about(requests)) requests needed to show that fewer than "
        + "\(percent(comparison.settings.errorsTolerated)) fail"
    case nil:
      return
        "\(failed(comparison.ownErrors.failures, of: comparison.ownErrors.requests, by: version))"
        + ": above the \(percent(comparison.settings.errorsTolerated)) that would be safe by "
        + "itself, and there is too little of \(baseline) to compare with"
    }
  }

  private var latencyLack: String? {
    guard let shift else {
      return "latency can be compared in \(comparison.latency.windows) windows; "
        + "\(LatencyShiftTest.windowsMin) are needed"
    }
    guard decisions.latency == .undecided else { return nil }
    let goal =
      "\(typicalLatencies(shift)): "
      + "\(percent(LatencyShiftTest.margin)) slower is not ruled out yet"
    guard let windows = forecast.windowsToSettleLatency else { return goal }
    return "\(goal), which takes about \(about(windows)) more windows if there is no difference"
  }

  private var isUnhealthy: Bool {
    guard let least = comparison.settings.minHealth, let score = health.score else { return false }
    return score < least
  }

  private var unhealthy: String {
    "health \(decimals(health.score ?? 0)) is below the "
      + "\(decimals(comparison.settings.minHealth ?? 0)) asked for"
  }

  // MARK: - Parts of sentences

  private func failed(_ failures: Int64, of requests: Int64, by version: String) -> String {
    GateReasons.failed(failures, of: requests, by: version)
  }

  static func failed(_ failures: Int64, of requests: Int64, by version: String) -> String {
    let share = requests > 0 ? " (\(percent(Double(failures) / Double(requests))))" : ""
    return "\(grouped(failures)) of \(grouped(requests)) requests to \(version) failed\(share)"
  }

  private func typicalLatencies(_ shift: LatencyShift) -> String {
    let current = comparison.currentLatency?.typicalMilliseconds ?? 0
    let usual = comparison.baselineLatency?.typicalMilliseconds ?? 0
    let interval = shift.ratioInterval(alpha: GateSettings.alpha)
    return "a typical request takes \(milliseconds(current)) with \(version), "
      + "\(milliseconds(usual)) with \(baseline) (\(change(shift.ratio)), between "
      + "\(change(interval.lower)) and \(change(interval.upper ?? .infinity)))"
  }
}
