public import Model

/// What is known about the requests to a node, a version or an operation.
/// - Units: counts adjusted for sampling unless said otherwise; shares 0…1.
public struct Figures: Sendable, Equatable {
  public var requests: Double
  /// How many requests sampled alike would tell as much.
  public var effectiveRequests: Double
  public var errors: Double
  /// `errors / requests`; nil without requests.
  public var errorRate: Double?
  /// Errors that began here.
  public var errorOrigins: Double
  /// The other errors: a call made for the request had failed before.
  public var errorsPassedThrough: Double { errors - errorOrigins }
  /// Raw, not adjusted: traces seen, and those with an error here.
  public var traces: Int64
  public var errorTraces: Int64
  public var latency: DurationSummary?
  public var selfTime: DurationSummary?
  /// Of all critical-path time in the range; nil when there is none at all.
  public var criticalPathShare: Double?
  public var exemplars: [TraceID]

  /// - Parameter criticalPathNanos: the critical-path time of the range, gaps included.
  public init(_ sums: Sums, criticalPathNanos: Int64) {
    let counters = sums.counters
    requests = counters.adjusted(.requestsAdjusted)
    effectiveRequests = sums.effectiveRequests
    errors = counters.adjusted(.errorsAdjusted)
    errorRate = share(errors, of: requests)
    errorOrigins = counters.adjusted(.errorOriginsAdjusted)
    traces = counters[.traces]
    errorTraces = counters[.errorTraces]
    latency = DurationSummary(sums.latency)
    selfTime = DurationSummary(sums.ownTime)
    criticalPathShare = share(
      Double(counters[.criticalPathNanos]), of: Double(criticalPathNanos))
    exemplars = sums.exemplars.traces
  }
}

/// How long things took.
/// - Units: milliseconds. Quantiles are off by at most 2.2 %, the width of a histogram's bucket;
///   `maximum` is the upper edge of the highest bucket in use.
public struct DurationSummary: Sendable, Equatable {
  public var mean: Double
  public var p50: Double
  public var p90: Double
  public var p95: Double
  public var p99: Double
  public var maximum: Double

  /// nil when nothing was measured.
  public init?(_ histogram: Histogram) {
    guard let mean = histogram.meanNanos, let maximum = histogram.maximumNanos else { return nil }
    func quantile(_ share: Double) -> Double {
      milliseconds(histogram.quantileNanos(share) ?? maximum)
    }
    self.mean = milliseconds(mean)
    p50 = quantile(0.5)
    p90 = quantile(0.9)
    p95 = quantile(0.95)
    p99 = quantile(0.99)
    self.maximum = milliseconds(maximum)
  }
}

/// Nanoseconds as milliseconds, to the whole nanosecond.
private func milliseconds(_ nanos: Double) -> Double { nanos.rounded() / 1_000_000 }

extension Sums {
  /// How many requests that were all sampled alike would tell as much as these do: all that were seen,
  /// or fewer where few stand for many others. Tiles without squares are taken as sampled alike.
  /// - Source: Kish 1965, Survey Sampling, 11.7: (Σw)² ÷ Σw².
  var effectiveRequests: Double {
    let seen = Double(counters[.requests])
    let one = Double(SpanRecord.weightOne)
    let squares = Double(squaredWeightExcess) / (one * one) + seen
    let weights = counters.adjusted(.requestsAdjusted)
    guard seen > 0, squares > 0, weights > 0 else { return max(0, seen) }
    return min(seen, weights * weights / squares)
  }
}

extension Counters {
  /// A counter kept in 1/256ths, as a number of events.
  func adjusted(_ field: Field) -> Double {
    Double(self[field]) / Double(SpanRecord.weightOne)
  }
}
