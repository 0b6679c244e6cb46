/// Whether a rollout may go on.
public enum Verdict: String, Sendable {
  case promote, wait, rollback
}

/// What the version was compared with.
public enum Comparison: String, Sendable {
  /// Another version in the same windows.
  case concurrent
  /// The hour before, less what happened to others: weaker evidence, enough to roll back only where
  /// the others tell whose fault it is.
  case beforeAfter = "before_after"
}

/// What one metric says, with the numbers it says it by.
public struct Evidence: Equatable, Sendable {
  public enum Metric: String, Sendable {
    /// Share of requests that failed, against the baseline's. `decision` counts both ways to be
    /// safe: this comparison and `errorRate`.
    case errors
    /// The version's own share, with every failure nobody can place on its account, against the
    /// tolerated one.
    case errorRate = "error_rate"
    /// What a typical request takes (geometric mean), milliseconds.
    case latency
  }

  public let metric: Metric
  public let baseline: Double?
  public let current: Double?
  public let ratio: Double?
  /// Of the ratio; for `errorRate` of the rate itself. Holds at all looks together.
  public let interval: RatioInterval?
  public let decision: Decision

  public init(
    metric: Metric, baseline: Double?, current: Double?, ratio: Double?, interval: RatioInterval?,
    decision: Decision
  ) {
    self.metric = metric
    self.baseline = baseline
    self.current = current
    self.ratio = ratio
    self.interval = interval
    self.decision = decision
  }
}

/// The least that could be told from noise with the traffic so far; nil where nothing could be.
public struct SmallestDetectable: Equatable, Sendable {
  public let errorsRatio: Double?
  public let latencyRatio: Double?

  public init(errorsRatio: Double? = nil, latencyRatio: Double? = nil) {
    self.errorsRatio = errorsRatio
    self.latencyRatio = latencyRatio
  }
}

/// The answer to "may this rollout go on?", with its evidence.
public struct GateAnswer: Equatable, Sendable {
  public let verdict: Verdict
  /// How sure, 0…1: of a verdict that something was decided; of `wait`, how near a decision is.
  public let confidence: Double
  /// English sentences with numbers; never empty.
  public let reasons: [String]
  public let evidence: [Evidence]
  /// nil when there was nothing to compare.
  public let comparison: Comparison?
  /// Of the version since the start; its `score` is nil without data.
  public let health: Health
  public let smallestDetectable: SmallestDetectable
  /// How long until a verdict, if it goes on like this and the version is no different; nil when
  /// there is a verdict or none is in sight.
  public let etaSeconds: Int?
  /// How the chance of a false rollback is held; nil where nothing was tested for harm.
  public let control: ErrorControl?
  /// What may have brought about what became of the service, every hypothesis; empty where nothing was
  /// compared, and by rules that did not weigh them.
  public let attribution: [Hypothesis]

  public init(
    verdict: Verdict, confidence: Double = 0, reasons: [String], evidence: [Evidence] = [],
    comparison: Comparison? = nil, health: Health = Health(parts: []),
    smallestDetectable: SmallestDetectable = SmallestDetectable(), etaSeconds: Int? = nil,
    control: ErrorControl? = nil, attribution: [Hypothesis] = []
  ) {
    precondition(!reasons.isEmpty, "an answer without a reason helps nobody")
    self.verdict = verdict
    self.confidence = confidence
    self.reasons = reasons
    self.evidence = evidence
    self.comparison = comparison
    self.health = health
    self.smallestDetectable = smallestDetectable
    self.etaSeconds = etaSeconds
    self.control = control
    self.attribution = attribution
  }

  /// The answer to a question nothing is known about.
  public static func waiting(_ reason: String) -> GateAnswer {
    GateAnswer(verdict: .wait, reasons: [reason])
  }
}
