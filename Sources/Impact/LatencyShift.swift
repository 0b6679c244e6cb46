internal import Glibc

/// How much slower a version is than the one beside it, with what is known of the error.
///
/// All figures are natural logarithms of a ratio of (geometric) mean latencies.
public struct LatencyShift: Equatable, Sendable {
  public let mean: Double
  /// How many windows of equal weight it is worth.
  let size: Double
  /// Of one such window, dependence between windows included.
  let variance: Double

  /// The likeliest ratio of latencies.
  public var ratio: Double { exp(mean) }

  /// ln of the e-value against "slower by at most `LatencyShiftTest.tolerance`".
  public var logEvidenceOfHarm: Double {
    logEvidence(distance: mean - log1p(LatencyShiftTest.tolerance))
  }

  /// The same where it is put together with others: a mean on the right side bets nothing, so that
  /// what is left is never more than the two-sided process it is half of.
  var logHarm: Double {
    mean > log1p(LatencyShiftTest.tolerance) ? logEvidenceOfHarm : -.infinity
  }

  /// ln of the e-value against "slower by `LatencyShiftTest.margin` or more".
  public var logEvidenceOfSafety: Double {
    logEvidence(distance: log1p(LatencyShiftTest.margin) - mean)
  }

  public func decision(alpha: Double) -> Decision {
    if logEvidenceOfHarm >= EValue.threshold(alpha) { return .harmed }
    if logEvidenceOfSafety >= EValue.threshold(alpha) { return .safe }
    return .undecided
  }

  /// An interval of ratios that holds at all looks together, but for a chance of `alpha`.
  public func ratioInterval(alpha: Double) -> RatioInterval {
    let width = halfWidth(alpha: alpha)
    return RatioInterval(lower: exp(mean - width), upper: exp(mean + width))
  }

  /// ŝ·√(2(tρ² + 1) ÷ (t²ρ²) · ln(√(tρ² + 1) ÷ α)) of the source.
  func halfWidth(alpha: Double) -> Double {
    (2 * variance * (mixed + 1) / (size * mixed) * (0.5 * log(mixed + 1) - log(alpha)))
      .squareRoot()
  }

  /// The same shift and spread after `size` windows' worth, the mean pulled towards `future` by
  /// those to come.
  func extended(to size: Double, future: Double) -> LatencyShift {
    let share = min(1, self.size / size)
    return LatencyShift(
      mean: mean * share + future * (1 - share), size: size, variance: variance)
  }

  /// tρ² of the source.
  private var mixed: Double { size * LatencyShiftTest.tightness }

  /// The interval, solved for its α: what a mean that far on the wrong side amounts to.
  private func logEvidence(distance: Double) -> Double {
    guard distance > 0 else { return 0 }
    return distance * distance * size * mixed / (2 * variance * (mixed + 1)) - 0.5 * log(mixed + 1)
  }
}
