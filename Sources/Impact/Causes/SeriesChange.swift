// Where something got worse. Everything here is a pure function of two stretches of windows, so that
// what was found once can be found again.

internal import Glibc
internal import Model

/// One quantity over the windows of a stretch: how many events each had, and what they summed to.
struct Observations: Sendable, Equatable {
  var counts: [Double] = []
  var sums: [Double] = []

  init(windows: Int) {
    counts = Array(repeating: 0, count: windows)
    sums = counts
  }

  var count: Double { counts.reduce(0, +) }
  var sum: Double { sums.reduce(0, +) }
  var mean: Double? { count > 0 ? sum / count : nil }

  /// Variance of the mean, from how the windows differ: requests within one are not independent. Windows
  /// beside each other are not either, so it is raised by their correlation.
  /// - Source: ratio estimator, Cochran, "Sampling Techniques", 1977, §6.3; long-run variance by lags up
  ///   to `lagsMax`.
  var variance: Double? {
    let used = counts.indices.filter { counts[$0] > 0 }
    guard used.count > 1, let mean else { return nil }
    let residuals = used.map { sums[$0] - mean * counts[$0] }
    let squares = residuals.reduce(0) { $0 + $1 * $1 }
    guard squares > 0 else { return 0 }
    var inflation = 1.0
    for lag in 1...Observations.lagsMax where residuals.count > 4 * lag {
      let product = zip(residuals, residuals.dropFirst(lag)).reduce(0) { $0 + $1.0 * $1.1 }
      inflation += 2 * max(0, product / squares)
    }
    let freedom = Double(used.count) / Double(used.count - 1)
    return squares * freedom * inflation / (count * count)
  }

  private static let lagsMax = 3
}

/// How a mean differs between two stretches.
struct MeanChange: Sendable, Equatable {
  var before: Double
  var after: Double
  /// In standard errors.
  var deviation: Double

  var difference: Double { after - before }
  /// What of the rise is more than chance: the difference less `CauseSearch.deviationMin` standard
  /// errors; 0 where that is none.
  var leastRise: Double { SeriesChange.leastRise(difference, deviation: deviation) }
  /// ln(after ÷ before); 0 where one of them is 0.
  var logRatio: Double { before > 0 && after > 0 ? log(after / before) : 0 }

  /// nil where one side has too little to say how much it varies.
  init?(_ base: Observations, _ current: Observations) {
    guard let before = base.mean, let after = current.mean, let first = base.variance,
      let second = current.variance
    else { return nil }
    self.before = before
    self.after = after
    let error = (first + second).squareRoot()
    let difference = after - before
    deviation = error > 0 ? difference / error : difference == 0 ? 0 : difference > 0 ? 100 : -100
  }
}

/// How a share differs between two stretches: events, and how many of them count.
struct ShareChange: Sendable, Equatable {
  var before: Double
  var after: Double
  var deviation: Double

  var difference: Double { after - before }
  /// As of a mean.
  var leastRise: Double { SeriesChange.leastRise(difference, deviation: deviation) }

  /// - Source: two proportions with half an event added, so that none of many is not certainty; raised
  ///   by the dispersion of the events from window to window.
  init?(_ base: Observations, _ current: Observations) {
    guard base.count > 0, current.count > 0 else { return nil }
    before = base.sum / base.count
    after = current.sum / current.count
    let pooled = (base.sum + current.sum + 0.5) / (base.count + current.count + 1)
    let variance = max(pooled * (1 - min(pooled, 0.999)), 1e-12)
    var dispersion = Dispersion()
    dispersion.add(errors: base.sums.map { Int64($0) })
    dispersion.add(errors: current.sums.map { Int64($0) })
    let error = (variance * dispersion.factor * (1 / base.count + 1 / current.count)).squareRoot()
    deviation = (after - before) / error
  }
}

/// What both kinds of change have in common.
private enum SeriesChange {
  static func leastRise(_ difference: Double, deviation: Double) -> Double {
    deviation > CauseSearch.deviationMin
      ? difference * (1 - CauseSearch.deviationMin / deviation) : 0
  }
}
