internal import Glibc
public import Model

/// A question about a version that runs beside another.
public struct ConcurrentQuestion: Equatable, Sendable {
  /// As users name them; only for sentences.
  public let version: String
  public let baseline: String
  /// When the change began, and where finished data ends.
  public let start: Nanos
  public let until: Nanos
  /// All from `start` to `until`; empty ones may be missing.
  public let windows: [ComparedWindow]
  /// The baseline's windows in the hour before `start`, in order.
  public let history: [Side]
  /// When the version was last seen, where that is known better than by the window: the end of the
  /// ten seconds; nil where windows are as fine as that.
  public let lastSeen: Nanos?
  /// What share of the requests the version was announced to get, in order of time.
  public let announced: [AnnouncedShare]
  /// By when a verdict is wanted; nil where nobody said so before it was seen what there is.
  public let deadline: FixedDeadline?
  public let settings: GateSettings

  public init(
    version: String, baseline: String, start: Nanos, until: Nanos, windows: [ComparedWindow],
    history: [Side] = [], lastSeen: Nanos? = nil, announced: [AnnouncedShare] = [],
    deadline: FixedDeadline? = nil, settings: GateSettings = GateSettings()
  ) {
    self.lastSeen = lastSeen
    self.announced = Array(
      announced.sorted { $0.from < $1.from }.prefix(AnnouncedShare.countMax))
    self.deadline = deadline
    self.version = version
    self.baseline = baseline
    self.start = start
    self.until = until
    self.windows = windows
    self.history = history
    self.settings = settings
  }
}

/// Decides whether a rollout may go on.
///
/// Promotes only on evidence of safety, rolls back only on evidence of harm, and otherwise waits
/// and says for what. No data is never a pass.
/// - Cost: O(windows × ratios tested).
public enum Gate {
  public static func answer(_ question: ConcurrentQuestion) -> GateAnswer {
    var comparison = ConcurrentComparison(
      settings: question.settings, history: question.history, announced: question.announced,
      deadline: question.deadline)
    for window in question.windows.sorted(by: { $0.start < $1.start }) { comparison.add(window) }
    if let lastSeen = question.lastSeen { comparison.currentWasLastSeen(lastSeen) }
    let shift = comparison.latency.shift
    let health = Health(comparison)
    let decisions = comparison.decisions(shift, until: question.until)
    let void = comparison.void
    let statistics =
      void == nil ? comparison.verdict(decisions, until: question.until) : Verdict.wait
    let verdict = withHealth(statistics, health, question.settings)
    let forecast = GateForecast(comparison, shift: shift)
    let elapsed = Double(question.until.saturatingSubtracting(question.start)) / 1e9
    // Time helps against too little data, not against silence, poor health or other requests.
    let timeHelps =
      statistics == .wait && void == nil && !comparison.currentTraffic.isSilent(question.until)
      && !comparison.baselineTraffic.isSilent(question.until)
    let eta = timeHelps ? forecast.seconds(elapsed: elapsed) : nil
    let reasons = GateReasons(
      question: question, comparison: comparison, shift: shift, decisions: decisions,
      void: void, forecast: forecast, health: health)
    return GateAnswer(
      verdict: verdict, confidence: confidence(verdict, comparison, shift, decisions),
      reasons: reasons.sentences(for: verdict),
      evidence: evidence(comparison, shift, decisions),
      comparison: comparison.pairedWindows > 0 ? .concurrent : nil, health: health,
      smallestDetectable: SmallestDetectable(
        errorsRatio: forecast.smallestErrorsRatio, latencyRatio: forecast.smallestLatencyRatio),
      etaSeconds: eta.flatMap(seconds), control: comparison.control(shift))
  }

  /// A promotion of a version in poor health waits.
  static func withHealth(
    _ verdict: Verdict, _ health: Health, _ settings: GateSettings
  ) -> Verdict {
    guard verdict == .promote, let least = settings.minHealth else { return verdict }
    return (health.score ?? 0) < least ? .wait : .promote
  }

  /// Whole windows, since there is no news between them; nil beyond a month, which is a way of
  /// saying never.
  static func seconds(_ seconds: Double) -> Int? {
    guard seconds < 30 * 86_400 else { return nil }
    return max(1, Int((seconds / 10).rounded(.up))) * 10
  }

  private static func confidence(
    _ verdict: Verdict, _ comparison: ConcurrentComparison, _ shift: LatencyShift?,
    _ decisions: ConcurrentComparison.Decisions
  ) -> Double {
    var harm = max(comparison.logHarmOfErrors, shift?.logEvidenceOfHarm ?? 0)
    if decisions.final?.isHarmed ?? false {
      harm = max(harm, EValue.threshold(GateSettings.finalAlpha))
    }
    let safety = min(comparison.logSafetyOfErrors, shift?.logEvidenceOfSafety ?? 0)
    return switch verdict {
    case .rollback: EValue.confidence(harm)
    case .promote: EValue.confidence(safety)
    case .wait: min(EValue.confidence(max(harm, safety)), 1 - GateSettings.alpha)
    }
  }

  private static func evidence(
    _ comparison: ConcurrentComparison, _ shift: LatencyShift?,
    _ decisions: ConcurrentComparison.Decisions
  ) -> [Evidence] {
    guard comparison.ownErrors.requests > 0 else { return [] }
    var evidence = [rateEvidence(comparison)]
    if comparison.pairedWindows > 0 {
      evidence.insert(errorEvidence(comparison, decisions.errors), at: 0)
    }
    if let shift { evidence.append(latencyEvidence(comparison, shift, decisions.latency)) }
    return evidence
  }

  private static func errorEvidence(
    _ comparison: ConcurrentComparison, _ decision: Decision
  ) -> Evidence {
    let errors = comparison.errors
    return Evidence(
      metric: .errors,
      baseline: Double(errors.baselineFailures) / Double(errors.baselineRequests),
      current: Double(errors.currentFailures) / Double(errors.currentRequests),
      ratio: errors.ratio,
      interval: errors.ratioInterval(
        alpha: GateSettings.alpha, dispersion: comparison.dispersion.factor),
      decision: decision)
  }

  private static func rateEvidence(_ comparison: ConcurrentComparison) -> Evidence {
    rateEvidence(
      comparison.chargedErrors, dispersion: comparison.dispersion.factor,
      settings: comparison.settings)
  }

  static func rateEvidence(
    _ errors: ErrorRateBound, dispersion: Double, settings: GateSettings
  ) -> Evidence {
    let log = errors.logEvidence(below: settings.errorsTolerated, dispersion: dispersion)
    return Evidence(
      metric: .errorRate, baseline: settings.errorsTolerated, current: errors.rate,
      ratio: errors.rate.map { $0 / settings.errorsTolerated },
      interval: RatioInterval(
        lower: errors.lower(alpha: GateSettings.alpha, dispersion: dispersion),
        upper: errors.upper(alpha: GateSettings.alpha, dispersion: dispersion)),
      decision: log >= EValue.threshold(GateSettings.alpha) ? .safe : .undecided)
  }

  private static func latencyEvidence(
    _ comparison: ConcurrentComparison, _ shift: LatencyShift, _ decision: Decision
  ) -> Evidence {
    Evidence(
      metric: .latency, baseline: comparison.baselineLatency?.typicalMilliseconds,
      current: comparison.currentLatency?.typicalMilliseconds, ratio: shift.ratio,
      interval: shift.ratioInterval(alpha: GateSettings.alpha),
      decision: decision)
  }
}
