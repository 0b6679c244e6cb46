/// One figure that moved by more than was tolerated.
public struct MetricChange: Sendable, Equatable {
  /// The figures that are compared.
  public enum Metric: String, Sendable, CaseIterable {
    /// Requests a second.
    case requestRate = "request_rate"
    /// 0…1.
    case errorRate = "error_rate"
    /// Milliseconds: of a node the incoming calls, of an edge what the server saw, or the
    /// client where no server reports.
    case latencyP95 = "latency_p95_ms"
    /// Of a call: the share of the caller's requests that make it at all, 0…1.
    case probability
    /// Of a call: how often a request of the caller makes it.
    case perRequest = "per_request"

    /// A smaller move is no change, however large it is beside the figure: one error among ten
    /// thousand requests.
    var moveMin: Double {
      switch self {
      case .errorRate, .probability, .perRequest: 0.001
      case .requestRate, .latencyP95: 0
      }
    }
  }

  public var metric: Metric
  public var base: Double
  public var current: Double
  /// Between which values the difference lies, in the metric's unit, as far as the number of traces
  /// (of an edge: of calls), and how unlike they were sampled, can tell; nil where that is not known.
  public var interval: ClosedRange<Double>?

  /// The difference is more than chance explains: 0 is not in the interval.
  public var isSignificant: Bool { interval.map { !$0.contains(0) } ?? false }

  /// `(current − base) / base`; nil where the base is 0.
  public var relative: Double? { base > 0 ? (current - base) / base : nil }

  /// nil when both sides are about the same, or one of them has no such figure.
  /// - Parameter changeMin: the least relative change; a move away from 0 is always beyond it.
  init?(_ metric: Metric, base: Double?, current: Double?, changeMin: Double) {
    guard let base, let current else { return nil }
    let move = abs(current - base)
    guard move > 0, move >= metric.moveMin, move >= changeMin * base else { return nil }
    self.metric = metric
    self.base = base
    self.current = current
  }
}
