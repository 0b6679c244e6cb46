internal import Glibc
internal import Model

/// Reads the figures of one service from the windows before, during and after a change.
struct EffectSearch {
  let service: NameID
  let seconds: Double
  let errorsTolerated: Double
  private let before: Stage
  private let during: Stage
  private let after: Stage

  /// Fewer requests on a side say nothing.
  static let requestsMin = 10.0
  /// Two quantiles may be off by a bucket each (2.2 %), so less than this is no rise, and below the
  /// second one a larger rise is ruled out.
  static let quantileTolerated = 1.05
  static let quantileMargin = 1.10
  /// A threefold rise of errors is ruled out, as at the gate.
  static let errorsMargin = 3.0

  init(
    service: NameID, phases: ChangeImpact.Phases, seconds: Double, errorsTolerated: Double
  ) {
    self.service = service
    self.seconds = seconds
    self.errorsTolerated = errorsTolerated
    before = Stage(phases.before, of: service)
    during = Stage(phases.during, of: service)
    after = Stage(phases.after, of: service)
  }

  /// What the time before is compared with.
  private var since: Stage { after.traces.count > 0 ? after : during }

  var effects: [ChangeEffect] {
    [
      requestRate, errorRate, quantile(.latencyP50, 0.5), quantile(.latencyP95, 0.95),
      quantile(.latencyP99, 0.99), selfTime,
    ]
  }

  private func effect(
    _ metric: ChangeEffect.Metric, _ figure: (Stage) -> Double?
  ) -> ChangeEffect {
    ChangeEffect(
      metric: metric, before: figure(before), during: figure(during), after: figure(after))
  }

  private var hasEnough: Bool {
    min(before.traces.count, since.traces.count) >= EffectSearch.requestsMin
  }

  // MARK: - Means

  private var requestRate: ChangeEffect {
    var effect = effect(.requestRate) { stage in
      stage.windows.isEmpty || stage.traces.count == 0
        ? nil : stage.requests.sum / (Double(stage.windows.count) * seconds)
    }
    set(&effect, MeanChange(before.requests, since.requests))
    effect.decision = nil
    return effect
  }

  private var selfTime: ChangeEffect {
    var effect = effect(.selfTime) { $0.selfTime.mean }
    set(&effect, MeanChange(before.selfTime, since.selfTime))
    return effect
  }

  private func set(_ effect: inout ChangeEffect, _ change: MeanChange?) {
    effect.decision = .undecided
    guard hasEnough, let change, change.before > 0, change.after.isFinite else { return }
    effect.effect = change.after / change.before
    let width = EffectSearch.width(change.difference, deviation: change.deviation) / change.before
    let ratio = change.after / change.before
    let interval = RatioInterval(lower: max(0, ratio - width), upper: ratio + width)
    effect.interval = interval
    effect.decision = EffectSearch.decision(
      interval, tolerated: 1 + LatencyShiftTest.tolerance, margin: 1 + LatencyShiftTest.margin)
  }

  private var errorRate: ChangeEffect {
    var effect = effect(.errorRate) { $0.errors.mean }
    effect.decision = .undecided
    guard hasEnough, let change = ShareChange(before.errors, since.errors) else { return effect }
    let width = EffectSearch.width(change.difference, deviation: change.deviation)
    // Without a failure on either side the difference is none, and as wide as what would not show.
    let least = change.difference == 0 ? 3 / min(before.traces.count, since.traces.count) : width
    let interval = RatioInterval(
      lower: max(-1, change.difference - least), upper: min(1, change.difference + least))
    effect.effect = change.difference
    effect.interval = interval
    let tolerated = (ErrorRatioTest.ratioTolerated - 1) * change.before
    let margin = max(EffectSearch.errorsMargin * change.before, errorsTolerated) - change.before
    effect.decision = EffectSearch.decision(interval, tolerated: tolerated, margin: margin)
    return effect
  }

  /// Four standard errors.
  private static func width(_ difference: Double, deviation: Double) -> Double {
    deviation != 0 ? CauseSearch.deviationMin * (difference / deviation).magnitude : 0
  }

  private static func decision(
    _ interval: RatioInterval, tolerated: Double, margin: Double
  ) -> Decision {
    if interval.lower > tolerated { return .harmed }
    return (interval.upper.map { $0 < margin } ?? false) ? .safe : .undecided
  }

  // MARK: - Quantiles

  private func quantile(_ metric: ChangeEffect.Metric, _ share: Double) -> ChangeEffect {
    var effect = effect(metric) { $0.quantile(share) }
    effect.decision = .undecided
    let sides = (before, since)
    guard hasEnough, let first = sides.0.quantile(share), let second = sides.1.quantile(share),
      first > 0
    else { return effect }
    effect.effect = second / first
    let usual = sides.0.bounds(share)
    let now = sides.1.bounds(share)
    let upper = now.upper.flatMap { usual.lower > 0 ? $0 / usual.lower : nil }
    let lower = usual.upper.map { $0 > 0 ? now.lower / $0 : 0 } ?? 0
    let interval = RatioInterval(lower: lower, upper: upper)
    effect.interval = interval
    effect.decision = EffectSearch.decision(
      interval, tolerated: EffectSearch.quantileTolerated, margin: EffectSearch.quantileMargin)
    return effect
  }
}

/// One stretch of a service.
private struct Stage {
  let windows: [Window]
  /// Windows, and the requests in each, adjusted for sampling.
  var requests: Observations
  /// Requests, and those that failed; the time of each itself; all adjusted for sampling.
  var errors: Observations
  var selfTime: Observations
  /// Raw.
  var traces: Observations
  private var latency = Histogram()
  private let service: NameID

  init(_ windows: [Window], of service: NameID) {
    self.windows = windows
    self.service = service
    let history = SystemHistory(
      windows.map { window in
        Window([SeriesKey.node(service)].compactMap { key in window.series[key].map { (key, $0) } })
      }, seconds: 1)
    let own = history.nodes[service]
    let empty = Observations(windows: windows.count)
    errors = own?.errors ?? empty
    selfTime = own?.selfTime ?? empty
    traces = own?.traces ?? empty
    requests = empty
    requests.counts = windows.map { _ in 1 }
    requests.sums = errors.counts
    for window in windows {
      if let sums = window.series[.node(service)] { latency.merge(sums.latency) }
    }
  }

  /// Milliseconds.
  func quantile(_ share: Double) -> Double? {
    latency.quantileNanos(share).map { $0 / Double(Nanos.millisecond) }
  }

  /// Between which values a quantile lies, 99 %: those of the ranks about it, as far as so many
  /// requests can tell, which are worth less where slow ones come in bursts.
  /// - Source: distribution-free interval of a quantile, Conover, "Practical Nonparametric
  ///   Statistics", 1999, §3.2.
  func bounds(_ share: Double) -> (lower: Double, upper: Double?) {
    let worth = max(1, traces.count / dispersion(above: share))
    let width = 2.576 * (share * (1 - share) / worth).squareRoot()
    let upper = share + width < 1 ? quantile(share + width) : nil
    return (share > width ? quantile(share - width) ?? 0 : 0, upper)
  }

  private func dispersion(above share: Double) -> Double {
    guard let bound = latency.quantileNanos(share) else { return 1 }
    let above = windows.map { window -> Int64 in
      guard let sums = window.series[.node(service)] else { return 0 }
      let weight = sums.latency.buckets.reduce(Int64(0)) { sum, bucket in
        HistogramScale.lowerEdgeNanos(bucket.index) >= bound ? sum &+ bucket.weight : sum
      }
      return weight / Int64(SpanRecord.weightOne)
    }
    var dispersion = Dispersion()
    dispersion.add(errors: above)
    return dispersion.factor
  }
}
