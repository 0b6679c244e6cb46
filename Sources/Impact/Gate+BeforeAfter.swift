internal import Model

extension Gate {
  /// Answers without a version to compare with. It rolls back only where services the change cannot
  /// have touched show that it was no common cause.
  public static func answer(_ question: BeforeAfterQuestion) -> GateAnswer {
    let after = question.subject.now.after
    guard after.requests > 0 else {
      return .waiting("no finished window holds a request to \(question.version) yet")
    }
    let view = BeforeAfterView(question)
    let verdict = withHealth(view.verdict, view.health, question.settings)
    return GateAnswer(
      verdict: verdict, confidence: verdict == .rollback ? 1 - GateSettings.alpha : view.confidence,
      reasons: view.reasons(for: verdict),
      evidence: view.evidence, comparison: .beforeAfter, health: view.health,
      smallestDetectable: view.smallestDetectable,
      etaSeconds: verdict == .wait ? view.etaSeconds : nil)
  }
}

/// A before/after comparison, read as an answer.
private struct BeforeAfterView {
  private let question: BeforeAfterQuestion
  private let comparison: BeforeAfter
  private let dispersion: Double
  private let rate: Evidence
  let health: Health

  init(_ question: BeforeAfterQuestion) {
    self.question = question
    comparison = BeforeAfter(question)
    var dispersion = Dispersion()
    dispersion.add(errors: question.history.map(\.failures))
    self.dispersion = dispersion.factor
    rate = Gate.rateEvidence(
      comparison.ownErrors, dispersion: dispersion.factor, settings: question.settings)
    let after = question.subject.now.after
    let own = ErrorRateBound(requests: after.requests, failures: after.failures)
    let part = Health.errors(own, dispersion: dispersion.factor, settings: question.settings)
    health = Health(parts: part.map { [$0] } ?? [])
  }

  private var requests: Int64 { question.subject.now.after.traces }
  private var hasEnoughTraffic: Bool { requests >= GateSettings.requestsMin }

  private var errorsSafe: Bool {
    rate.decision == .safe
      || comparison.errors?.rulesOut(ErrorRatioTest.ratioRuledOut) ?? false
  }

  private var latencySafe: Bool {
    comparison.latency?.rulesOut(1 + LatencyShiftTest.margin) ?? false
  }

  /// Enough earlier stretches to know the spread; also when errors are safe by their rate alone.
  private var hasSpread: Bool { comparison.latency?.halfWidth != nil }

  private var isSafe: Bool { hasEnoughTraffic && errorsSafe && latencySafe }

  /// Kept verdicts were given by rules that never rolled back.
  private var mayRollBack: Bool {
    question.settings.rules != .apart && hasEnoughTraffic && question.otherChanges == 0
  }
  /// What was there before is no effect of the change, and hides one.
  private var changedBefore: Double? {
    question.settings.rules == .apart ? nil : comparison.latencyChangedBefore
  }
  private var errorsHarmed: Bool { mayRollBack && comparison.errorsHarmed }
  private var latencyHarmed: Bool { mayRollBack && comparison.latencyHarmed }

  var verdict: Verdict {
    if changedBefore != nil { return .wait }
    if errorsHarmed || latencyHarmed { return .rollback }
    return isSafe ? .promote : .wait
  }

  var confidence: Double {
    let bound = comparison.ownErrors.logEvidence(
      below: question.settings.errorsTolerated, dispersion: dispersion)
    let errors = max(
      EValue.confidence(bound),
      comparison.errors?.confidence(below: ErrorRatioTest.ratioRuledOut) ?? 0)
    let latency = comparison.latency?.confidence(below: 1 + LatencyShiftTest.margin) ?? 0
    return min(errors, latency)
  }

  var evidence: [Evidence] {
    let now = question.subject.now
    var evidence: [Evidence] = []
    if let shift = comparison.errors {
      evidence.append(
        Evidence(
          metric: .errors,
          baseline: Double(now.before.failures) / Double(now.before.requests),
          current: Double(now.after.failures) / Double(now.after.requests), ratio: shift.ratio,
          interval: shift.interval,
          decision: errorsHarmed ? .harmed : errorsSafe ? .safe : .undecided))
    }
    evidence.append(rate)
    if let shift = comparison.latency {
      evidence.append(
        Evidence(
          metric: .latency, baseline: now.before.latency?.typicalMilliseconds,
          current: now.after.latency?.typicalMilliseconds, ratio: shift.ratio,
          interval: shift.interval,
          decision: latencyHarmed ? .harmed : latencySafe ? .safe : .undecided))
    }
    return evidence
  }

  /// What stands out from the spread of earlier stretches.
  var smallestDetectable: SmallestDetectable {
    SmallestDetectable(
      errorsRatio: comparison.errors?.smallestDetectable,
      latencyRatio: comparison.latency?.smallestDetectable)
  }

  /// Until there are stretches enough, or requests enough; nil where only chance can help.
  var etaSeconds: Int? {
    let elapsed = Double(question.until.saturatingSubtracting(question.start)) / 1e9
    let stretches = comparison.latency?.deviations.count ?? 0
    if stretches < BeforeAfter.stretchesMin {
      return Gate.seconds(Double(BeforeAfter.stretchesMin - stretches) * elapsed)
    }
    guard !hasEnoughTraffic else { return nil }
    return Gate.seconds(
      elapsed / Double(max(requests, 1)) * Double(GateSettings.requestsMin - requests))
  }

  // MARK: - Reasons

  func reasons(for verdict: Verdict) -> [String] {
    switch verdict {
    case .rollback: harms
    case .promote: safeties
    case .wait: lacks
    }
  }

  private var harms: [String] {
    var sentences: [String] = []
    if errorsHarmed, let shift = comparison.controlledErrors {
      let after = question.subject.now.after
      sentences.append(
        GateReasons.failed(after.failures, of: after.requests, by: question.version)
          + ": \(decimals(shift.estimate.ratio)) times the rate of the hour before "
          + standsOut(shift))
    }
    if latencyHarmed, let shift = comparison.controlledLatency {
      sentences.append(
        "typical latency changed by \(change(shift.estimate.ratio)) against the hour before "
          + standsOut(shift))
    }
    return sentences + [caveat]
  }

  private func standsOut(_ shift: ControlledShift) -> String {
    "less what happened to others: more than in any of "
      + "\(shift.estimate.deviations.count) earlier stretches, and more out of line than any of "
      + "\(shift.controls) services it cannot have touched"
  }

  /// Why what looks worse is not rolled back.
  private var noUsableControl: String? {
    guard question.settings.rules != .apart else { return nil }
    let looksWorse = { (shift: ControlledShift?, tolerated: Double) in
      (shift?.estimate.interval?.lower ?? 0) > tolerated
    }
    guard
      looksWorse(comparison.controlledLatency, 1 + LatencyShiftTest.tolerance)
        || looksWorse(comparison.controlledErrors, ErrorRatioTest.ratioTolerated)
    else { return nil }
    if question.otherChanges > 0 {
      return "it looks worse, but \(question.otherChanges) other changes of the service began at "
        + "about the same time: nobody knows whose fault it is"
    }
    let controls = max(
      comparison.controlledLatency?.controls ?? 0, comparison.controlledErrors?.controls ?? 0)
    return controls < ControlledShift.controlsMin
      ? "no usable control: \(controls) services it cannot have touched have enough history, and "
        + "\(ControlledShift.controlsMin) are needed to tell whose fault it is"
      : "it looks worse, but not beyond what happened to services it cannot have touched"
  }

  private var safeties: [String] {
    let after = question.subject.now.after
    let failed = GateReasons.failed(after.failures, of: after.requests, by: question.version)
    let why =
      rate.decision == .safe
      ? "fewer than the \(percent(question.settings.errorsTolerated)) that are tolerated"
      : "a threefold rise over the hour before is ruled out"
    return ["\(failed): \(why)", latencySentence(isSafe: true), caveat]
  }

  private var lacks: [String] {
    var sentences: [String] = []
    let stretches = comparison.latency?.deviations.count ?? 0
    if let changedBefore {
      sentences.append(
        "typical latency had changed by \(change(changedBefore)) before the change is said to have "
          + "begun: either it began earlier, or something else did; say when it began")
    }
    if !hasEnoughTraffic {
      sentences.append(
        "\(grouped(requests)) of at least \(grouped(GateSettings.requestsMin)) requests")
    }
    if !hasSpread {
      sentences.append(
        "there are \(stretches) earlier stretches of the same length to compare with; "
          + "\(BeforeAfter.stretchesMin) are needed")
    } else if !latencySafe {
      sentences.append(latencySentence(isSafe: false))
    }
    if !errorsSafe { sentences.append(errorsLack) }
    if let least = question.settings.minHealth, let score = health.score, score < least {
      sentences.append("health \(decimals(score)) is below the \(decimals(least)) asked for")
    }
    return sentences + [noUsableControl, caveat].compactMap { $0 }
  }

  private var errorsLack: String {
    let after = question.subject.now.after
    let failed = GateReasons.failed(after.failures, of: after.requests, by: question.version)
    guard let interval = comparison.errors?.interval, let upper = interval.upper else {
      return "\(failed): not yet surely below \(percent(question.settings.errorsTolerated))"
    }
    return "\(failed): up to \(decimals(upper)) times the rate of the hour before is possible, "
      + "and \(decimals(ErrorRatioTest.ratioRuledOut)) must be ruled out"
  }

  private func latencySentence(isSafe: Bool) -> String {
    guard let shift = comparison.latency, let interval = shift.interval else {
      return "latency cannot be compared with the hour before"
    }
    let margin = percent(LatencyShiftTest.margin)
    return "typical latency changed by \(change(shift.ratio)) against the hour before (between "
      + "\(change(interval.lower)) and \(change(interval.upper ?? .infinity))): \(margin) slower "
      + (isSafe ? "is ruled out" : "is not ruled out")
  }

  private var caveat: String {
    let count = question.controls.count
    let others =
      count == 0
      ? "there are no other services to tell what else changed"
      : "less what happened to \(count) other service\(count == 1 ? "" : "s")"
    return
      "no other version ran beside \(question.version): compared with the hour before, \(others)"
  }
}

extension ShiftEstimate {
  /// A shift this large stands out from the spread.
  fileprivate var smallestDetectable: Double? { interval.map { ratio / $0.lower } }
}
