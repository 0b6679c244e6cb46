public import Model

/// What a service is held to, as far as somebody said so.
public struct ServiceObjective: Equatable, Sendable {
  /// The share of requests that may fail, 0…1.
  public var errorRate: Double?
  /// What 95 and 99 in 100 requests may take at most.
  public var latencyP95: Nanos?
  public var latencyP99: Nanos?

  public init(errorRate: Double? = nil, latencyP95: Nanos? = nil, latencyP99: Nanos? = nil) {
    self.errorRate = errorRate
    self.latencyP95 = latencyP95
    self.latencyP99 = latencyP99
  }

  /// Each quantile with a bound: its name, the share of requests that may take longer, and the bound.
  var latencies: [(name: String, share: Double, bound: Nanos)] {
    let all = [("p95", 0.05, latencyP95), ("p99", 0.01, latencyP99)]
    return all.compactMap { name, share, bound in bound.map { (name, share, $0) } }
  }
}
