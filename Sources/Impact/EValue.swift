internal import Glibc

/// Arithmetic on e-values, kept as natural logarithms so that nothing overflows.
enum EValue {
  /// What an e-value must reach to decide at `alpha`, by Ville's inequality: 1 ÷ α.
  static func threshold(_ alpha: Double) -> Double { -log(alpha) }

  /// ln Σ exp(values) without overflow; −∞ for none.
  static func logSumExp(_ values: [Double]) -> Double {
    guard let top = values.max(), top > -.infinity else { return -.infinity }
    var sum = 0.0
    for value in values { sum += exp(value - top) }
    return top + log(sum)
  }

  /// ln of the mean of exp(values).
  static func logMeanExp(_ values: [Double]) -> Double {
    logSumExp(values) - log(Double(max(values.count, 1)))
  }

  /// The e-value itself; infinite beyond what a number can hold.
  static func value(_ logarithm: Double) -> Double { exp(logarithm) }

  /// How sure an e-value makes one, 0…1: one minus the anytime-valid p-value 1 ÷ E.
  static func confidence(_ logarithm: Double) -> Double {
    logarithm > 0 ? 1 - exp(-logarithm) : 0
  }
}

extension Double {
  /// Self for a number, `fallback` for what is none.
  func finite(or fallback: Double) -> Double { isFinite ? self : fallback }
}
