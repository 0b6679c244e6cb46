internal import Glibc

/// How well a version does since its start, 0–100, with the parts it is made of.
///
/// Each part counts what is *shown* to be bad: the lower end of an anytime-valid interval. A
/// version of which little is known is healthy until shown otherwise; that little is known, the
/// gate says.
public struct Health: Equatable, Sendable {
  public struct Part: Equatable, Sendable {
    public let name: String
    /// 0–100.
    public let score: Double
    /// The parts' weights add up to 1.
    public let weight: Double
    public let why: String
  }

  public let parts: [Part]

  /// nil where there is nothing to go by.
  public var score: Double? {
    parts.isEmpty ? nil : min(100, parts.reduce(0) { $0 + $1.score * $1.weight })
  }

  /// - Parameter parts: with weights of any sum; they are brought to 1.
  public init(parts: [Part]) {
    let total = parts.reduce(0) { $0 + $1.weight }
    self.parts = parts.map {
      Part(name: $0.name, score: $0.score, weight: $0.weight / total, why: $0.why)
    }
  }

  /// Ten times the tolerated error rate is worth nothing.
  static let errorsWorst = 10.0
  /// So is ten times the baseline's, and half as slow again.
  static let ratioWorst = 10.0
  static let latencyWorst = 1.5

  public init(_ comparison: ConcurrentComparison) {
    let dispersion = comparison.dispersion.factor
    let settings = comparison.settings
    let parts = [
      Health.errors(comparison.ownErrors, dispersion: dispersion, settings: settings),
      Health.errorsAgainstBaseline(comparison.errors, dispersion: dispersion),
      Health.latencyAgainstBaseline(comparison.latency.shift),
    ]
    self.init(parts: parts.compactMap { $0 })
  }

  static func errors(
    _ errors: ErrorRateBound, dispersion: Double, settings: GateSettings
  ) -> Part? {
    guard let rate = errors.rate else { return nil }
    let least = errors.lower(alpha: GateSettings.alpha, dispersion: dispersion)
    return Part(
      name: "errors", score: score(least / (Health.errorsWorst * settings.errorsTolerated)),
      weight: 0.4,
      why: "\(percent(rate)) of \(grouped(errors.requests)) requests failed, surely at least "
        + "\(percent(least)); \(percent(settings.errorsTolerated)) is tolerated")
  }

  private static func errorsAgainstBaseline(
    _ errors: ErrorRatioTest, dispersion: Double
  ) -> Part? {
    guard errors.currentRequests > 0 else { return nil }
    let least = errors.ratioInterval(alpha: GateSettings.alpha, dispersion: dispersion).lower
    let tolerated = ErrorRatioTest.ratioTolerated
    return Part(
      name: "errors_against_baseline",
      score: score(log(max(least, tolerated) / tolerated) / log(Health.ratioWorst / tolerated)),
      weight: 0.3,
      why: "fails surely at least \(decimals(least)) times as often as the baseline; "
        + "\(decimals(tolerated)) is tolerated")
  }

  private static func latencyAgainstBaseline(_ shift: LatencyShift?) -> Part? {
    guard let shift else { return nil }
    let least = shift.ratioInterval(alpha: GateSettings.alpha).lower
    let tolerated = 1 + LatencyShiftTest.tolerance
    return Part(
      name: "latency_against_baseline",
      score: score((least - tolerated) / (Health.latencyWorst - tolerated)), weight: 0.3,
      why: "takes surely at least \(decimals(least)) times as long as the baseline; "
        + "\(decimals(tolerated)) is tolerated")
  }

  private static func score(_ badness: Double) -> Double {
    100 * (1 - min(max(badness, 0), 1))
  }
}
