/// By which rules a verdict is reached: kept verdicts are given again by the rules of their time.
public enum GateRules: UInt8, Sendable {
  /// Errors and latency are tested apart, each at half of α.
  case apart = 1
  /// All metrics are tested together at one α.
  case together = 2
  /// The same, and what else may have brought it about is weighed.
  case attributed = 3

  public static let latest = GateRules.attributed
}

/// How the chance of a false rollback is held over all metrics and all looks of one gate, and how
/// far that has come.
public struct ErrorControl: Equatable, Sendable {
  public enum Method: String, Sendable {
    /// The mean of the e-values of all metrics is itself one.
    case meanOfEValues = "mean_of_e_values"
  }

  public let method: Method
  /// The chance there is in all.
  public let alpha: Double
  /// What of it is for all looks together, and for the one at the deadline.
  public let alphaSequential = GateSettings.sequentialAlpha
  public let alphaFinal = GateSettings.finalAlpha
  /// The e-value against "no metric is worse", and what it must reach to roll back.
  public let eValue: Double
  public let threshold: Double

  /// - Parameter logEvidence: natural logarithm of the e-value.
  init(method: Method = .meanOfEValues, alpha: Double, logEvidence: Double, threshold: Double) {
    self.method = method
    self.alpha = alpha
    eValue = min(EValue.value(logEvidence), ErrorControl.eValueMax)
    self.threshold = threshold
  }

  /// What lies beyond is as sure as anything: numbers a reader can still read.
  static let eValueMax = 1e12
}
