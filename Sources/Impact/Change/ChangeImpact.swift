internal import Glibc
public import Model

/// What became of a service, and of those that call it, when something changed: the stretch before the
/// change against that since then.
///
/// Like every comparison of two times it says what happened, not whose doing it was: whatever else began
/// with the change looks like it. Who that may have been the search for causes says, and the gate, which
/// compares versions with each other or takes off what happened to others meanwhile.
public struct ChangeImpact: Equatable, Sendable {
  /// The windows of the time before, during and after, in order, all of one width.
  public struct Phases: Sendable {
    public var before: [Window]
    public var during: [Window]
    public var after: [Window]

    public init(before: [Window], during: [Window], after: [Window]) {
      self.before = before
      self.during = during
      self.after = after
    }
  }

  public var effects: [ChangeEffect]
  /// Those from which calls lead to the service and that got worse too, in order of ids.
  public var affected: [AffectedService]
  /// Where it began that the system is worse, most likely first.
  public var causes: [RootCause]

  /// - Parameters:
  ///   - service: nil for a change that concerns no one service.
  ///   - seconds: how long one window is.
  public init(
    of service: NameID?, _ phases: Phases, seconds: Double, errorsTolerated: Double
  ) {
    let since = phases.during + phases.after
    var search = CauseSearch(
      base: SystemHistory(phases.before, seconds: seconds),
      current: SystemHistory(since, seconds: seconds))
    causes = search.run()
    guard let service else {
      effects = []
      affected = []
      return
    }
    effects =
      EffectSearch(
        service: service, phases: phases, seconds: seconds,
        errorsTolerated: GateSettings(errorsTolerated: errorsTolerated).errorsTolerated
      ).effects
    affected = search.affected(by: service).compactMap { node in
      guard let before = search.base.nodes[node], let after = search.current.nodes[node] else {
        return nil
      }
      return AffectedService(
        node: node, latencyBefore: before.latency.mean, latencyAfter: after.latency.mean,
        errorRateBefore: before.errors.mean, errorRateAfter: after.errors.mean)
    }
  }

  /// The service had requests before and since then.
  public var hasBothSides: Bool {
    effects.contains { $0.metric == .requestRate && $0.before != nil && $0.since != nil }
  }
}

/// Someone upstream who got worse. Milliseconds, and shares 0…1.
public struct AffectedService: Equatable, Sendable {
  public var node: NameID
  public var latencyBefore: Double?
  public var latencyAfter: Double?
  public var errorRateBefore: Double?
  public var errorRateAfter: Double?
}

/// One figure before, during and after a change, and how it moved.
public struct ChangeEffect: Equatable, Sendable {
  public enum Metric: String, Sendable, CaseIterable {
    /// Requests a second.
    case requestRate = "request_rate"
    /// 0…1.
    case errorRate = "error_rate"
    /// Milliseconds.
    case latencyP50 = "latency_p50_ms"
    case latencyP95 = "latency_p95_ms"
    case latencyP99 = "latency_p99_ms"
    /// The mean, milliseconds.
    case selfTime = "self_time_ms"
  }

  public var metric: Metric
  public var before: Double?
  public var during: Double?
  public var after: Double?
  /// From before to after, or to during while there is no after: how many times as much; of the error
  /// rate the difference, which may be from nothing.
  public var effect: Double?
  /// Of the effect; an upper end of nil is unbounded. nil where nothing can be said.
  public var interval: RatioInterval?
  /// nil for the rate of requests, of which neither more nor fewer is worse.
  public var decision: Decision?

  /// What the effect leads to.
  public var since: Double? { after ?? during }
  /// The effect is a difference and not a ratio.
  public var isDifference: Bool { metric == .errorRate }
}

/// One window of a service, for a chart.
public struct ChangePoint: Equatable, Sendable {
  /// 0…1, and milliseconds; nil without requests.
  public var errorRate: Double?
  public var latencyP95: Double?

  public init(_ window: Window, of service: NameID) {
    guard let sums = window.series[.node(service)] else { return }
    let requests = Double(sums.counters[.requestsAdjusted])
    if requests > 0 {
      errorRate = min(max(Double(sums.counters[.errorsAdjusted]) / requests, 0), 1)
    }
    latencyP95 = sums.latency.quantileNanos(0.95).map { $0 / Double(Nanos.millisecond) }
  }
}
