internal import Glibc

/// Bounds a version's own error rate, at any time and as often as one likes, without comparing it
/// with anything: how a service that never errs can be shown to be safe.
///
/// Bets against "fails at `rate` or more" with half the money on "never", the rest on a sixteenth
/// to seven eighths of the rate, so that one error costs time and not the case. With no error at
/// all 499 requests show a rate below 1 % at α = 0.01 (459 would be the least any test needs).
/// - Shape: two whole numbers; merging is exact.
/// - Source: mixture of likelihood ratios; Waudby-Smith and Ramdas 2024, betting.
public struct ErrorRateBound: Equatable, Sendable {
  public private(set) var requests: Int64 = 0
  public private(set) var failures: Int64 = 0

  public init() {}

  public init(requests: Int64, failures: Int64) {
    add(requests: requests, failures: failures)
  }

  /// Adds what the version did, with the failures nobody can place on its account.
  public mutating func add(_ side: Side, unknownFailures: Int64 = 0) {
    let unknown = Side.clamped(unknownFailures)
    add(requests: side.requests + unknown, failures: side.failures + unknown)
  }

  mutating func add(requests: Int64, failures: Int64) {
    let requests = Side.clamped(requests)
    self.requests += requests
    self.failures += min(Side.clamped(failures), requests)
  }

  public mutating func merge(_ other: ErrorRateBound) {
    requests += other.requests
    failures += other.failures
  }

  /// The share that failed; nil without requests.
  public var rate: Double? { requests > 0 ? Double(failures) / Double(requests) : nil }

  /// ln of the e-value against "fails at `rate` or more".
  public func logEvidence(below rate: Double, dispersion: Double) -> Double {
    ErrorRateBound.logEvidence(
      requests: Double(requests), failures: Double(failures), below: rate, dispersion: dispersion)
  }

  /// A rate that is not exceeded, but for a chance of `alpha` over all looks together.
  public func upper(alpha: Double, dispersion: Double) -> Double {
    guard requests > failures, let rate else { return 1 }
    return ErrorRateBound.bisected(holding: rate, failing: 1) { candidate in
      logEvidence(below: candidate, dispersion: dispersion) < EValue.threshold(alpha)
    }
  }

  /// A rate that is reached, but for a chance of `alpha` over all looks together.
  public func lower(alpha: Double, dispersion: Double) -> Double {
    guard failures > 0, let rate else { return 0 }
    return ErrorRateBound.bisected(holding: rate, failing: 0) { candidate in
      logEvidence(above: candidate, dispersion: dispersion) < EValue.threshold(alpha)
    }
  }

  /// What is bet on, as shares of the rate bet against, and how much of the money.
  private static let below: [(share: Double, money: Double)] = [
    (0, 0.5), (1 / 16, 0.1), (1 / 8, 0.1), (1 / 4, 0.1), (1 / 2, 0.1), (3 / 4, 0.05),
    (7 / 8, 0.05),
  ]

  /// For counts that may be expected ones.
  static func logEvidence(
    requests: Double, failures: Double, below rate: Double, dispersion: Double
  ) -> Double {
    guard rate > 0, rate < 1 else { return rate >= 1 && requests > failures ? .infinity : 0 }
    return EValue.logSumExp(
      below.map { bet in
        log(bet.money)
          + logRatio(
            requests: requests, failures: failures, of: bet.share * rate, to: rate) / dispersion
      })
  }

  /// ln of the e-value against "fails at `rate` or less".
  private func logEvidence(above rate: Double, dispersion: Double) -> Double {
    guard rate > 0 else { return .infinity }
    guard rate < 1 else { return 0 }
    // Odds, not rates, are multiplied: a rate of one cannot be passed.
    let odds = rate / (1 - rate)
    return EValue.logMeanExp(
      [1.125, 1.25, 1.5, 2, 4, 8, 32].map { factor in
        let bet = odds * factor / (1 + odds * factor)
        return ErrorRateBound.logRatio(
          requests: Double(requests), failures: Double(failures), of: bet, to: rate) / dispersion
      })
  }

  /// ln of how much likelier the counts are at rate `bet` than at rate `null`.
  private static func logRatio(
    requests: Double, failures: Double, of bet: Double, to null: Double
  ) -> Double {
    let successes = (requests - failures) * (log1p(-bet) - log1p(-null))
    return failures > 0 ? failures * (log(bet) - log(null)) + successes : successes
  }

  /// The end of the range of rates that begins at `holding` and satisfies `holds`, from outside.
  private static func bisected(
    holding: Double, failing: Double, _ holds: (Double) -> Bool
  ) -> Double {
    var inside = holding
    var outside = failing
    for _ in 0..<60 {
      let middle = (inside + outside) / 2
      if holds(middle) { inside = middle } else { outside = middle }
    }
    return outside
  }
}
