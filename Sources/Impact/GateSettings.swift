public import Model

/// What a gate is asked to hold a version to.
public struct GateSettings: Equatable, Sendable {
  /// The chance, over all looks together, of rolling back a version that is no worse; and of
  /// calling a metric safe that is not.
  public static let alpha = 0.01
  /// What is kept back of `alpha` for the one test at the deadline, and what is left for all looks
  /// before and after it, whether there is a deadline or not: it may be named at any time.
  static let finalAlpha = 0.2 * alpha
  static let sequentialAlpha = alpha - finalAlpha
  /// What a metric has for itself, errors or latency: it suffices to roll back whatever the other
  /// says.
  static let harmAlpha = alpha / 2
  /// No verdict by a baseline that was seen for less: nobody knows what is usual for it.
  public static let baselineSeenMin: Nanos = .minute
  /// No promotion on fewer requests than this, whatever the tests say.
  public static let requestsMin: Int64 = 100
  /// Harm must show in this many windows: a single one may be an accident.
  public static let windowsWithFailuresMin = 2
  /// No promotion while errors lean towards harm by this much (an e-value, 1 is even).
  public static let suspicion = 10.0
  /// A version that had traffic is silent when this many requests were to be expected and none
  /// came (less than one in a thousand by chance), for this many windows at least.
  public static let silentRequestsExpected = 7.0
  public static let silentWindowsMin = 3.0

  /// The error rate that is safe without a baseline, 0…1: `gate.errors_tolerated`.
  public let errorsTolerated: Double
  /// Below this health a promotion waits; nil asks for none.
  public let minHealth: Double?
  /// Those of the time the question was asked.
  public let rules: GateRules

  /// - Parameters:
  ///   - errorsTolerated: brought into 0.01 % … 50 %.
  ///   - minHealth: 0…100.
  public init(
    errorsTolerated: Double = 0.01, minHealth: Double? = nil, rules: GateRules = .latest
  ) {
    self.errorsTolerated = min(max(errorsTolerated.finite(or: 0.01), 0.0001), 0.5)
    self.minHealth = minHealth
    self.rules = rules
  }
}
