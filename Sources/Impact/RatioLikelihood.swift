internal import Glibc

/// The log-likelihood of a ratio of error rates, at fixed ratios, summed over windows.
///
/// Given how many errors a window has in all, how many of them fall to the new version depends on
/// the ratio and on both versions' traffic alone: whatever else moved the error rate cancels.
/// - Source: Lindon and Malek 2022, anytime-valid inference for multinomial and Poisson counts.
struct RatioLikelihood: Equatable, Sendable {
  /// The ratios it is known at, and their logarithms.
  private let ratios: [Double]
  private let logarithms: [Double]
  /// Σ N·ln(1 + θ·n_current ÷ n_baseline) for each ratio θ.
  private var normalizers: [Double]
  private(set) var currentFailures = 0.0
  private(set) var baselineFailures = 0.0

  init(ratios: [Double]) {
    self.ratios = ratios
    logarithms = ratios.map { log($0) }
    normalizers = Array(repeating: 0, count: ratios.count)
  }

  /// Adds a window; where one side had no request it tells nothing about a ratio.
  mutating func add(_ counts: PairCounts) {
    let failures = counts.currentFailures + counts.baselineFailures
    guard counts.currentRequests > 0, counts.baselineRequests > 0, failures > 0 else { return }
    let share = counts.currentRequests / counts.baselineRequests
    for index in ratios.indices { normalizers[index] += failures * log1p(ratios[index] * share) }
    currentFailures += counts.currentFailures
    baselineFailures += counts.baselineFailures
  }

  mutating func merge(_ other: RatioLikelihood) {
    precondition(ratios == other.ratios, "likelihoods at different ratios cannot be added")
    for index in normalizers.indices { normalizers[index] += other.normalizers[index] }
    currentFailures += other.currentFailures
    baselineFailures += other.baselineFailures
  }

  /// Up to a constant that is the same for every ratio.
  subscript(index: Int) -> Double {
    currentFailures * logarithms[index] - normalizers[index]
  }

  /// ln of the e-value against the ratio at `index`, for the mixture of those at `alternatives`.
  func logEvidence(
    against index: Int, for alternatives: Range<Int>, dispersion: Double
  ) -> Double {
    let null = self[index]
    return EValue.logMeanExp(alternatives.map { (self[$0] - null) / dispersion })
  }
}
