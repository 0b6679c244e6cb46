internal import Glibc

/// Compares the error rates of two versions that run side by side, at any time and as often as one
/// likes.
///
/// Two hypotheses are bet against: that the new version errs at most 1.1 times as often (falls:
/// *harmed*) and that it errs three times as often or more (falls: *safe*). Neither needs an error
/// in the baseline. Sums only: tests over different windows can be merged.
/// - Shape: windows in which both versions had requests; others are passed over.
/// - Source: mixture e-process over a grid of ratios; Ville 1939 for the threshold.
public struct ErrorRatioTest: Equatable, Sendable {
  /// Erring up to this many times as often as the baseline is no harm.
  public static let ratioTolerated = 1.1
  /// A rise this large must be ruled out before a version is safe.
  public static let ratioRuledOut = 3.0
  static let alternativesCount = 12

  /// Harm: `ratioTolerated` times 1.25 … 10. Safety: `ratioRuledOut` divided by 1.5 … 12.
  private static let harmRatios =
    [ratioTolerated]
    + logarithmicGrid(from: 1.25, to: 10, count: alternativesCount).map { $0 * ratioTolerated }
  private static let safetyRatios =
    [ratioRuledOut]
    + logarithmicGrid(from: 1.5, to: 12, count: alternativesCount).map { ratioRuledOut / $0 }
  /// Where the interval looks: eight ratios an octave, from 1/128 to 128.
  static let intervalRatios = (-56...56).map { exp2(Double($0) / 8) }

  private var harm = RatioLikelihood(ratios: ErrorRatioTest.harmRatios)
  private var safety = RatioLikelihood(ratios: ErrorRatioTest.safetyRatios)
  private(set) var interval = RatioLikelihood(ratios: ErrorRatioTest.intervalRatios)
  /// What the paired windows hold in all; unknown failures not among them.
  public private(set) var currentRequests: Int64 = 0
  public private(set) var currentFailures: Int64 = 0
  public private(set) var baselineRequests: Int64 = 0
  public private(set) var baselineFailures: Int64 = 0
  /// How many windows had an error of the new version: a single one may be an accident.
  public private(set) var windowsWithFailures = 0

  public init() {}

  public mutating func add(_ window: ComparedWindow) {
    // A failure nobody can place may be the new version's: it must be safe even so.
    safety.add(PairCounts(window, charged: window.unknownFailures))
    guard window.isPaired else { return }
    let counts = PairCounts(window)
    harm.add(counts)
    interval.add(counts)
    currentRequests += window.current.requests
    currentFailures += window.current.failures
    baselineRequests += window.baseline.requests
    baselineFailures += window.baseline.failures
    if window.current.failures > 0 { windowsWithFailures += 1 }
  }

  public mutating func merge(_ other: ErrorRatioTest) {
    harm.merge(other.harm)
    safety.merge(other.safety)
    interval.merge(other.interval)
    currentRequests += other.currentRequests
    currentFailures += other.currentFailures
    baselineRequests += other.baselineRequests
    baselineFailures += other.baselineFailures
    windowsWithFailures += other.windowsWithFailures
  }

  /// ln of the e-value against "errs at most 1.1 times as often".
  public func logEvidenceOfHarm(dispersion: Double) -> Double {
    harm.logEvidence(
      against: 0, for: 1..<(ErrorRatioTest.alternativesCount + 1), dispersion: dispersion)
  }

  /// ln of the e-value against "errs three times as often or more".
  public func logEvidenceOfSafety(dispersion: Double) -> Double {
    safety.logEvidence(
      against: 0, for: 1..<(ErrorRatioTest.alternativesCount + 1), dispersion: dispersion)
  }

  public func decision(alpha: Double, dispersion: Double) -> Decision {
    if logEvidenceOfHarm(dispersion: dispersion) >= EValue.threshold(alpha) { return .harmed }
    if logEvidenceOfSafety(dispersion: dispersion) >= EValue.threshold(alpha) { return .safe }
    return .undecided
  }

  /// The same test after more of the same: what would decide, if it came.
  func extended(by expected: PairCounts) -> ErrorRatioTest {
    var copy = self
    copy.harm.add(expected)
    copy.safety.add(expected)
    return copy
  }

  static func logarithmicGrid(from low: Double, to high: Double, count: Int) -> [Double] {
    (0..<count).map { low * exp(log(high / low) * Double($0) / Double(count - 1)) }
  }
}
