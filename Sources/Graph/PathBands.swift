import Model

/// The traces of an entry point that took about as long: what the slow ones wait for shows beside what
/// all do.
///
/// Each path keeps by the trace's whole duration how much time was spent there (`Sums.wholes`), so a
/// band is a sum over buckets of that duration, and bands of merged windows are those of the sum.
/// A band's edges are edges of buckets, 2.2 % wide: the bucket a quantile lies in is in the lower band.
public struct PathBand: Sendable, Equatable {
  /// Shares of the requests: 0.95 and 0.99 for those between p95 and p99.
  public var fromQuantile: Double
  public var toQuantile: Double
  /// Milliseconds: `from` is excluded, unless it is 0.
  public var from: Double
  public var to: Double
  /// Adjusted for sampling.
  public var requests: Double
}

/// The part of a path in one band.
public struct BandShare: Sendable, Equatable {
  /// Milliseconds on the critical path per request of the band; nil when the band has none.
  public var mean: Double?
  /// Of all critical-path time of the band; the shares of a band sum to 1.
  public var share: Double
}

/// The bands of an entry point.
struct PathBands {
  static let quantiles = [0.5, 0.95, 0.99]

  private(set) var all: [PathBand] = []
  /// Of each band the highest bucket.
  private var lasts: [UInt16] = []

  /// - Parameter durations: of the entry point.
  init(_ durations: Histogram) {
    guard durations.weight > 0, let longest = durations.buckets.last?.index else { return }
    let ends = PathBands.quantiles + [1]
    lasts = ends.map { $0 < 1 ? PathBands.bucket(of: $0, in: durations) : .max }
    for (number, quantile) in ends.enumerated() {
      let before = number > 0 ? lasts[number - 1] : nil
      let weight = durations.buckets.filter { isIn(number, $0.index) }.reduce(0) { $0 &+ $1.weight }
      all.append(
        PathBand(
          fromQuantile: number > 0 ? ends[number - 1] : 0, toQuantile: quantile,
          from: before.map { HistogramScale.upperEdgeNanos($0) / 1e6 } ?? 0,
          to: HistogramScale.upperEdgeNanos(min(lasts[number], longest)) / 1e6,
          requests: Double(weight) / Double(SpanRecord.weightOne)))
    }
  }

  private static func bucket(of quantile: Double, in durations: Histogram) -> UInt16 {
    let rank = Double(durations.weight) * quantile
    var below = 0.0
    for bucket in durations.buckets {
      below += Double(bucket.weight)
      if below >= rank { return bucket.index }
    }
    return .max
  }

  private func isIn(_ band: Int, _ bucket: UInt16) -> Bool {
    bucket <= lasts[band] && (band == 0 || bucket > lasts[band - 1])
  }

  /// - Parameter wholes: of a path.
  /// - Returns: by band; shares are nanoseconds, to be divided by their total.
  func shares(of wholes: Histogram) -> [BandShare] {
    all.indices.map { band in
      let nanos = Double(
        wholes.buckets.filter { isIn(band, $0.index) }.reduce(0) { $0 &+ $1.weight })
      let requests = all[band].requests
      return BandShare(mean: requests > 0 ? nanos / requests / 1e6 : nil, share: nanos)
    }
  }
}
