internal import Glibc
internal import Model

/// What the time before and after tells about whose doing it is, with the services the change cannot have
/// touched beside it.
struct ReplacementSigns {
  private let question: BeforeAfterQuestion
  private let comparison: BeforeAfter

  init(_ question: BeforeAfterQuestion) {
    self.question = question
    comparison = BeforeAfter(question)
  }

  private var isHarmed: Bool { comparison.errorsHarmed || comparison.latencyHarmed }

  /// It is worse than before, whether others are too or not.
  var isWorse: Bool { isHarmed || othersShift > log1p(LatencyShiftTest.margin) }

  /// - Parameter hasCircumstances: it is known too what else changed, when and where.
  func terms(hasCircumstances: Bool) -> [(Hypothesis.Kind, Hypothesis.Term)] {
    guard question.subject.now.after.requests > 0 else { return [] }
    return (hasCircumstances ? sharedControlTerms : controlTerms) + onsetTerms
      + (hasCircumstances ? [] : markerTerms) + loadTerms
  }

  /// The typical shift of services the change cannot have touched, as a logarithm.
  private var othersShift: Double {
    BeforeAfter.median(question.controls.compactMap { BeforeAfter.latencyShift($0.now)?.size })
  }

  /// What is this service's own is as likely the doing of anything that reaches it alone; where in it the
  /// circumstances tell apart.
  private static let local: [Hypothesis.Kind] = [
    .otherChange, .load, .scaling, .dependency, .operationMix,
  ]

  /// The same for whatever reaches this service alone. Where all others moved too, the difference in
  /// differences says whether that is all: by the likelihood of what is left over, in its standard
  /// errors, against none, less what its free size costs.
  /// - Source: likelihood ratio of a normal shift, z² ÷ 2.
  private var sharedControlTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let terms = controlTerms
    guard let own = terms.first(where: { $0.0 == .thisDeployment })?.1 else { return terms }
    guard own.logOdds < 0, let shift = comparison.controlledLatency,
      let score = shift.estimate.score, score.isFinite
    else { return terms + ReplacementSigns.local.map { ($0, own) } }
    let left = max(0, score / shift.scale)
    let odds = min(left * left / 2, Hypothesis.termMax) - AttributionWeights.strong
    let why = own.why + "; what is left over is \(decimals(left)) standard errors"
    let ofOwn = Hypothesis.Term(.controls, odds, why)
    return terms.filter { $0.0 != .thisDeployment } + [(.thisDeployment, ofOwn)]
      + ReplacementSigns.local.map { ($0, ofOwn) }
  }

  private var controlTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    guard let shift = comparison.controlledLatency, shift.isUsable,
      let score = shift.estimate.score, score.isFinite
    else { return [] }
    if isHarmed {
      let why =
        "it stands out from all earlier stretches and from \(shift.controls) services the change cannot "
        + "have touched"
      return [
        (.thisDeployment, .init(.controls, AttributionWeights.strong, why)),
        (.noise, .init(.controls, -Hypothesis.termMax, why)),
        (.platform, .init(.controls, -AttributionWeights.strong, why)),
      ]
    }
    let others = othersShift
    if others > log1p(LatencyShiftTest.margin) {
      let why =
        "services the change cannot have touched changed too: typically by \(change(exp(others)))"
      return [
        (.platform, .init(.controls, AttributionWeights.strong, why)),
        (.thisDeployment, .init(.controls, -AttributionWeights.weak, why)),
        (.noise, .init(.controls, -AttributionWeights.strong, why)),
      ]
    }
    let why = "it is within what such comparisons are off by without a change"
    guard score < ControlledShift.errorsMin else { return [] }
    return [
      (.noise, .init(.effect, AttributionWeights.weak, why)),
      (.platform, .init(.controls, -AttributionWeights.weak, "other services did not change")),
    ]
  }

  private var onsetTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    guard let ratio = comparison.latencyChangedBefore else { return [] }
    return [
      (
        .thisDeployment,
        .init(
          .onset, -AttributionWeights.strong,
          "typical latency had changed by \(change(ratio)) before the change began")
      )
    ]
  }

  private var markerTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let count = question.otherChanges
    return [
      (
        .otherChange,
        count > 0
          ? .init(
            .markers, AttributionWeights.weak,
            "\(count) other changes of the service began at about the same time")
          : .init(
            .markers, -AttributionWeights.strong,
            "no other change of the service is known to have begun at about the same time")
      )
    ]
  }

  private var loadTerms: [(Hypothesis.Kind, Hypothesis.Term)] {
    let now = question.subject.now
    let seconds = Double(question.until.saturatingSubtracting(question.start))
    guard now.before.requests >= BeforeAfter.requestsMin, seconds > 0 else { return [] }
    let usual = Double(now.before.requests) / Double(StretchPlan.beforeNanos)
    let ratio = Double(now.after.requests) / seconds / usual
    return AttributionTerms.load(ratio: ratio, isSure: true, isWorse: isHarmed)
  }
}
