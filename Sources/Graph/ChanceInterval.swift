import Model

/// Between which values a figure lies, as far as the events it was computed from can tell; and
/// between which the difference of two.
///
/// Every interval is of the 99 % kind: of two ranges that differ by chance alone about one comparison
/// in a hundred is called significant. That supposes that events came by themselves; requests of one
/// trace do not, so nodes are judged by their traces, and edges, which are counted by calls, a little
/// too boldly where one trace makes many. Where rates of sampling are mixed, few requests that stand for
/// many tell less than as many that each stand for as much: they count as what they are worth.
/// - Source: Wilson 1927 (shares); the same score interval for a Poisson count; order statistics for
///   quantiles (Conover, Practical Nonparametric Statistics, 3.2); the difference of two figures from
///   their intervals by Newcombe 1998, method 10, and Zou and Donner 2008 (MOVER); the effective size
///   of a weighted sample by Kish 1965.
struct ChanceInterval: Equatable {
  var estimate: Double
  var low: Double
  var high: Double

  /// The quantile of the normal distribution that leaves half a percent on either side.
  static let deviations = 2.5758

  /// The share of some events among all.
  init?(share part: Double, of whole: Double) {
    guard whole > 0, part >= 0, part <= whole else { return nil }
    let z = ChanceInterval.deviations
    let share = part / whole
    let middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    let spread =
      z / (1 + z * z / whole)
      * (share * (1 - share) / whole + z * z / (4 * whole * whole)).squareRoot()
    estimate = share
    low = max(0, middle - spread)
    high = min(1, middle + spread)
  }

  /// A rate, from how many events there were.
  /// - Parameter perEvent: what one event adds to the rate.
  init?(count: Double, perEvent: Double) {
    guard count >= 0, perEvent >= 0 else { return nil }
    let z = ChanceInterval.deviations
    let spread = z * (count + z * z / 4).squareRoot()
    estimate = count * perEvent
    low = max(0, count + z * z / 2 - spread) * perEvent
    high = (count + z * z / 2 + spread) * perEvent
  }

  /// A quantile, milliseconds.
  /// - Parameter count: from how many events that came by themselves.
  init?(quantile: Double, of histogram: Histogram, count: Double) {
    guard count > 0, let estimate = histogram.quantileNanos(quantile) else { return nil }
    let spread = ChanceInterval.deviations * (count * quantile * (1 - quantile)).squareRoot()
    let first = (count * quantile - spread) / count
    let last = (count * quantile + spread + 1) / count
    self.estimate = estimate / 1e6
    // Beyond the last of all nothing is known.
    low = first > 0 ? (histogram.quantileNanos(first) ?? 0) / 1e6 : 0
    high = last < 1 ? (histogram.quantileNanos(last) ?? .infinity) / 1e6 : .infinity
  }

  /// Between which values `self − base` lies.
  func difference(from base: ChanceInterval) -> ClosedRange<Double> {
    let difference = estimate - base.estimate
    func length(_ a: Double, _ b: Double) -> Double { (a * a + b * b).squareRoot() }
    let below = length(estimate - low, base.high - base.estimate)
    let above = length(high - estimate, base.estimate - base.low)
    return (difference - max(0, below))...(difference + max(0, above))
  }
}

/// What the figures of one side rest on.
struct ChanceSide {
  /// Nil where nothing can be said.
  var rate: ChanceInterval?
  var errorRate: ChanceInterval?
  var latency: ChanceInterval?
  var probability: ChanceInterval?

  /// Of a call: by the requests of its caller.
  init(call: OperationCall.Side, events: Double) {
    guard events > 0, let share = call.probability else { return }
    probability = ChanceInterval(share: share * events, of: events)
  }

  /// Of a node or a version: by its traces.
  init(node sums: Sums, seconds: Double) {
    let requests = Double(sums.counters[.requests])
    // Requests of one trace did not come by themselves. A node can have more traces than requests:
    // those that only left fragments there.
    let independent = requests > 0 ? min(1, Double(sums.counters[.traces]) / requests) : 0
    self.init(sums, events: sums.effectiveRequests * independent, seconds, sums.latency)
  }

  /// Of an edge: by its calls.
  /// - Parameter latency: what is compared of it.
  init(edge sums: Sums, seconds: Double, latency: Histogram) {
    self.init(sums, events: sums.effectiveRequests, seconds, latency)
  }

  /// The figures are those that users read, so that a difference lies within its interval; how much
  /// they can be off follows from how many events came by themselves.
  private init(_ sums: Sums, events: Double, _ seconds: Double, _ latency: Histogram) {
    let requests = sums.counters.adjusted(.requestsAdjusted)
    guard events > 0, requests > 0 else { return }
    rate = ChanceInterval(count: events, perEvent: requests / events / seconds)
    if let errors = share(sums.counters.adjusted(.errorsAdjusted), of: requests) {
      errorRate = ChanceInterval(share: errors * events, of: events)
    }
    self.latency = ChanceInterval(quantile: 0.95, of: latency, count: events)
  }

  subscript(metric: MetricChange.Metric) -> ChanceInterval? {
    switch metric {
    case .requestRate: rate
    case .errorRate: errorRate
    case .latencyP95: latency
    case .probability: probability
    case .perRequest: nil
    }
  }
}

extension [MetricChange] {
  /// The same, each with what chance explains.
  func judged(_ base: ChanceSide, _ current: ChanceSide) -> [MetricChange] {
    map { change in
      var change = change
      if let before = base[change.metric], let after = current[change.metric] {
        change.interval = after.difference(from: before)
      }
      return change
    }
  }
}
