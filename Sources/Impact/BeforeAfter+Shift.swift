internal import Glibc

/// By how much a stretch differs from the hour before (natural logarithm of a ratio), and how much
/// that varies because it is counted from so many requests.
struct Shift: Equatable, Sendable {
  var size: Double
  var variance: Double
}

extension BeforeAfter {
  /// ln of the ratio of error rates. Half an error is added on each side, so that none at all is a
  /// number too; earlier stretches of the same length are off by as much.
  static func errorShift(_ stretch: Stretch, unknownFailures: Int64 = 0) -> Shift? {
    guard hasData(stretch) else { return nil }
    let after = stretch.after
    let now = logRate(after.failures + unknownFailures, after.requests + unknownFailures)
    let usual = logRate(stretch.before.failures, stretch.before.requests)
    return Shift(size: now.size - usual.size, variance: now.variance + usual.variance)
  }

  /// ln of the ratio of typical latencies.
  static func latencyShift(_ stretch: Stretch) -> Shift? {
    guard hasData(stretch), let before = stretch.before.latency, let after = stretch.after.latency
    else { return nil }
    return Shift(
      size: after.mean - before.mean,
      variance: after.variance / Double(max(stretch.after.traces, 1))
        + before.variance / Double(max(stretch.before.traces, 1)))
  }

  private static func hasData(_ stretch: Stretch) -> Bool {
    min(stretch.before.requests, stretch.after.requests) >= requestsMin
  }

  private static func logRate(_ failures: Int64, _ requests: Int64) -> Shift {
    let failures = Double(failures) + 0.5
    return Shift(size: log(failures / (Double(requests) + 1)), variance: 1 / failures)
  }

  /// The middle value; 0 for none: without others there is nothing to take off.
  static func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}

/// A shift after a change, against such shifts when nothing had changed. Natural logarithms.
public struct ShiftEstimate: Equatable, Sendable {
  /// The earlier ones.
  let placebos: [Double]
  /// Beyond what such comparisons are usually off by.
  public let effect: Double
  /// How far off they may be either way; nil with fewer than `BeforeAfter.stretchesMin` of them.
  public let halfWidth: Double?
  /// How far off each of them was.
  let deviations: [Double]
  /// Of one such comparison; nil with too few of them.
  let standardError: Double?

  init(shift: Shift, placebos: [Double]) {
    self.placebos = placebos
    let count = Double(placebos.count)
    let usual = placebos.isEmpty ? 0 : placebos.reduce(0, +) / count
    effect = shift.size - usual
    deviations = placebos.map { $0 - usual }
    guard placebos.count >= BeforeAfter.stretchesMin else {
      halfWidth = nil
      standardError = nil
      return
    }
    let squares = deviations.reduce(0) { $0 + $1 * $1 }
    let deviation = (squares / (count - 1) * (1 + 1 / count)).squareRoot()
    // The normal spread; never less than the worst that was seen, nor than what so few requests
    // can say at all (a stretch without errors among such stretches has a spread of nothing).
    let widest = deviations.map(\.magnitude).max() ?? 0
    let least = shift.variance.squareRoot() * ShiftEstimate.quantile(degrees: .infinity)
    standardError = max(deviation, shift.variance.squareRoot())
    halfWidth = max(deviation * ShiftEstimate.quantile(degrees: count - 1), widest, least)
  }

  public var ratio: Double { exp(effect) }

  /// The worst any of the earlier comparisons was off by.
  var widest: Double { deviations.map(\.magnitude).max() ?? 0 }

  /// By how many standard errors it is off; nil with too few earlier comparisons, and where nothing
  /// ever varied.
  var score: Double? {
    standardError.flatMap { $0 > 0 ? effect / $0 : nil }
  }

  public var interval: RatioInterval? {
    halfWidth.map { RatioInterval(lower: exp(effect - $0), upper: exp(effect + $0)) }
  }

  /// A rise to `ratio` times is ruled out.
  func rulesOut(_ ratio: Double) -> Bool {
    halfWidth.map { effect + $0 < log(ratio) } ?? false
  }

  /// How large a share of the earlier comparisons was off by less than what still lacks to `ratio`:
  /// never 1, because there is always one more that was not seen.
  func confidence(below ratio: Double) -> Double {
    let gap = log(ratio) - effect
    let smaller = deviations.reduce(0) { $0 + ($1.magnitude < gap ? 1 : 0) }
    return Double(smaller) / Double(deviations.count + 1)
  }

  /// Student's t at 99 %, one-sided, for 19 degrees of freedom and more (off by less than 0.001).
  static func quantile(degrees: Double) -> Double { quantile(2.326_347_874, degrees: degrees) }

  /// Student's t where the standard normal is at `z`.
  /// - Source: Cornish-Fisher expansion, Abramowitz and Stegun 26.7.5.
  static func quantile(_ z: Double, degrees: Double) -> Double {
    let z3 = z * z * z
    let z5 = z3 * z * z
    let z7 = z5 * z * z
    let first = (z3 + z) / 4
    let second = (5 * z5 + 16 * z3 + 3 * z) / 96
    let third = (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / 384
    return z + first / degrees + second / (degrees * degrees)
      + third / (degrees * degrees * degrees)
  }
}
