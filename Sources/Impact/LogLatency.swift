internal import Glibc
public import Model

/// Mean and variance of the natural logarithm of latency, in nanoseconds.
///
/// Latencies multiply (a slower disk makes everything so many percent slower), so their logarithms
/// add, and a difference of two means is the logarithm of a ratio. Three additive numbers.
public struct LogLatency: Equatable, Sendable {
  /// How many events, adjusted for sampling; used only to mix, never as an amount of evidence.
  public let weight: Double
  let sum: Double
  let squares: Double

  init(weight: Double, sum: Double, squares: Double) {
    self.weight = weight
    self.sum = sum
    self.squares = squares
  }

  /// - Parameters:
  ///   - weight: positive. - mean: of ln nanoseconds. - variance: not negative.
  public init?(weight: Double, mean: Double, variance: Double) {
    guard weight > 0, weight.isFinite, mean.isFinite, variance >= 0, variance.isFinite else {
      return nil
    }
    self.init(weight: weight, sum: weight * mean, squares: weight * (mean * mean + variance))
  }

  /// Reads a histogram: every event counts as the middle of its bucket on the logarithmic scale,
  /// events below or above all buckets as the edge they passed. nil when it holds no events.
  public init?(_ histogram: Histogram) {
    var weight = 0.0
    var sum = 0.0
    var squares = 0.0
    for bucket in histogram.buckets where bucket.weight > 0 {
      let share = Double(bucket.weight) / Double(SpanRecord.weightOne)
      let value = LogLatency.middle(of: bucket.index)
      weight += share
      sum += share * value
      squares += share * (value * value + LogLatency.varianceInsideBucket)
    }
    guard weight > 0 else { return nil }
    self.init(weight: weight, sum: sum, squares: squares)
  }

  public var mean: Double { sum / weight }

  /// At least what a uniform spread inside one bucket has, so that it is never zero.
  public var variance: Double {
    max(squares / weight - mean * mean, LogLatency.varianceInsideBucket)
  }

  /// The geometric mean: what a typical request takes, in milliseconds.
  public var typicalMilliseconds: Double { exp(mean) / Double(Nanos.millisecond) }

  func merged(with other: LogLatency) -> LogLatency {
    LogLatency(
      weight: weight + other.weight, sum: sum + other.sum, squares: squares + other.squares)
  }

  /// ln 2 ÷ 32, the width of a bucket, squared, ÷ 12.
  static let varianceInsideBucket = 3.909_936_636_704_113e-05

  private static func middle(of index: UInt16) -> Double {
    let low = HistogramScale.lowerEdgeNanos(index)
    let high = HistogramScale.upperEdgeNanos(index)
    return low > 0 ? (log(low) + log(high)) / 2 : log(high)
  }
}

extension LogLatency {
  /// Both together, where either may be missing.
  static func merged(_ first: LogLatency?, _ second: LogLatency?) -> LogLatency? {
    guard let first else { return second }
    return second.map(first.merged) ?? first
  }
}
