internal import Glibc

extension ErrorRatioTest {
  /// The likeliest ratio of the error rates; nil while nobody has erred or only the new version
  /// has (then any ratio is too small).
  public var ratio: Double? {
    guard interval.baselineFailures > 0 else { return nil }
    guard interval.currentFailures > 0 else { return 0 }
    let best = bestIndex
    guard best > 0, best < ErrorRatioTest.intervalRatios.count - 1 else {
      return ErrorRatioTest.intervalRatios[best]
    }
    // The top of the parabola through the best ratio and its neighbours.
    let below = interval[best - 1] - interval[best]
    let above = interval[best + 1] - interval[best]
    let steps = (below - above) / (2 * (below + above)).finite(or: 1)
    return ErrorRatioTest.intervalRatios[best] * exp2(steps.finite(or: 0) / 8)
  }

  /// The ratios no test at `alpha` rejects, at any time: an anytime-valid interval.
  ///
  /// The likelihood is known at fixed ratios and concave in their logarithm, so between two of
  /// them it lies below the lines through their neighbours: the interval ends where those lines do
  /// and so is never too narrow.
  public func ratioInterval(alpha: Double, dispersion: Double) -> RatioInterval {
    let count = ErrorRatioTest.intervalRatios.count
    let values = (0..<count).map { interval[$0] / dispersion }
    let floor = EValue.logMeanExp(values) - EValue.threshold(alpha)
    let upper = ErrorRatioTest.lastStep(above: floor, in: values)
    let lower = ErrorRatioTest.lastStep(above: floor, in: values.reversed())
    return RatioInterval(
      lower: lower.map { exp2((Double(count - 1) - $0 - 56) / 8) } ?? 0,
      upper: upper.map { exp2(($0 - 56) / 8) })
  }

  private var bestIndex: Int {
    ErrorRatioTest.intervalRatios.indices.max { interval[$0] < interval[$1] } ?? 0
  }

  /// The greatest position (in steps of the grid) at which a concave function known at whole
  /// positions may still reach `floor`; nil when it may beyond the last.
  private static func lastStep(above floor: Double, in values: [Double]) -> Double? {
    guard let last = values.lastIndex(where: { $0 >= floor }), last < values.count - 1 else {
      return nil
    }
    let crossing = { (from: Int, to: Int) -> Double in
      // Where the line through both points passes `floor`.
      let slope = values[to] - values[from]
      return slope < 0 ? Double(from) + (floor - values[from]) / slope : .infinity
    }
    let fromLeft = last > 0 ? crossing(last - 1, last) : .infinity
    let fromRight = last + 2 < values.count ? crossing(last + 1, last + 2) : .infinity
    return min(fromLeft, fromRight, Double(last + 1))
  }
}

/// A range of ratios; `upper` is nil where nothing bounds it.
public struct RatioInterval: Equatable, Sendable {
  public let lower: Double
  public let upper: Double?

  public init(lower: Double, upper: Double?) {
    self.lower = lower
    self.upper = upper
  }
}

/// What one metric says.
public enum Decision: String, Sendable {
  case safe, harmed, undecided
}
