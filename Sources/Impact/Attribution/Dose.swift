internal import Glibc
internal import Model

/// How a service as a whole goes with the share of requests a new version gets.
///
/// What the version does to it grows with that share; what comes from elsewhere does not ask for it.
struct Dose: Equatable, Sendable {
  /// The least and the largest share.
  let least: Double
  let most: Double
  /// How much worse the service gets with the share, in standard errors: of latency or of errors, whichever
  /// is more.
  let deviation: Double

  /// Less of a range says nothing.
  private static let rangeMin = 0.1
  private static let windowsMin = 12

  /// nil where the share varies too little.
  init?(_ windows: [ComparedWindow]) {
    var shares: [Double] = []
    var latencies: [Double?] = []
    var errors: [Double] = []
    for window in windows.sorted(by: { $0.start < $1.start }) {
      let all = window.current.merged(with: window.baseline)
      guard all.requests > 0 else { continue }
      shares.append(Double(window.current.requests) / Double(all.requests))
      latencies.append(all.latency?.mean)
      errors.append(Double(all.failures) / Double(all.requests))
    }
    guard shares.count >= Dose.windowsMin else { return nil }
    // Single windows of few requests are no range.
    let sorted = shares.sorted()
    let least = sorted[sorted.count / 10]
    let most = sorted[sorted.count - 1 - sorted.count / 10]
    guard most - least >= Dose.rangeMin else { return nil }
    let pairs = zip(shares, latencies).compactMap { share, latency in
      latency.flatMap { $0.isFinite ? (share, $0) : nil }
    }
    let found = [Dose.slope(pairs), Dose.slope(Array(zip(shares, errors)))].compactMap { $0 }
    guard let deviation = found.max() else { return nil }
    self.least = least
    self.most = most
    self.deviation = deviation
  }

  /// A slope in its standard errors, which neighbouring windows that go together make larger.
  /// - Source: least squares; the effective number of windows by the correlation of neighbouring
  ///   residuals, (1 − r) ÷ (1 + r).
  private static func slope(_ pairs: [(Double, Double)]) -> Double? {
    guard pairs.count >= windowsMin else { return nil }
    let count = Double(pairs.count)
    let middle = pairs.reduce(0) { $0 + $1.0 } / count
    let level = pairs.reduce(0) { $0 + $1.1 } / count
    let spread = pairs.reduce(0) { $0 + ($1.0 - middle) * ($1.0 - middle) }
    guard spread > 0 else { return nil }
    let slope = pairs.reduce(0) { $0 + ($1.0 - middle) * ($1.1 - level) } / spread
    let residuals = pairs.map { $0.1 - level - slope * ($0.0 - middle) }
    let squares = residuals.reduce(0) { $0 + $1 * $1 }
    guard squares > 0 else { return slope > 0 ? Hypothesis.termMax * 2 : 0 }
    let product = zip(residuals, residuals.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
    let correlation = min(max(0, product / squares), 0.95)
    let worth = max(3, count * (1 - correlation) / (1 + correlation))
    let error = (squares / count * count / worth / spread).squareRoot()
    let deviation = error > 0 ? slope / error : 0
    return deviation.isFinite ? deviation : nil
  }
}
