public import Impact
public import Markers
public import Model

/// Where the query API listens, and its limits.
public struct QueryConfiguration: Sendable, Equatable {
  /// `query.address`: a name or an address, and a port; 0 picks a free one.
  public var host = "127.0.0.1"
  public var port = 4320
  /// `metrics.series`: edges shown one by one under `/metrics`; the rest are summed.
  public var metricsSeriesMax = 10_000
  /// `gate.errors_tolerated`: the share of requests that may fail where no objective says so.
  public var errorsTolerated = 0.01
  /// `traces.critical_path`: the rule by which time on the critical path is found.
  public var criticalPathRule = CriticalPathRule.wallclock
  /// `slo.services`: what services are held to, by a name or an id.
  public var objectives: [String: ServiceObjective] = [:]
  /// The range a query covers when it names none.
  public var rangeDefaultNanos: Nanos = 15 * .minute
  /// The longest range a query may cover.
  public var rangeNanosMax: Nanos = 400 * .day
  /// The largest body a request may have.
  public var bodyBytesMax = 64 << 10
  /// The largest message a source of webhooks may send.
  public var webhookBodyBytesMax = 1 << 20
  /// The largest body of lines of a flow log.
  public var flowLogBodyBytesMax = 8 << 20
  /// Of the sources whose messages are checked.
  public var webhookSecrets: [WebhookSource: WebhookSecret] = [:]
  /// `identity.dimensions`: what requests are told apart by, besides the cluster.
  public var dimensions: [String] = []
  /// How much of a larger one is received before it is refused.
  public var receivedBytesMax = 64 << 20
  /// The longest query string.
  public var queryBytesMax = 8 << 10
  /// Connections served at the same time; more wait to be accepted.
  public var connectionsMax = 1_000
  /// A connection without a request for so long is closed.
  public var idleSeconds = 120

  public init() {}

  public init(host: String, port: Int, metricsSeriesMax: Int = 10_000) {
    self.host = host
    self.port = port
    self.metricsSeriesMax = metricsSeriesMax
  }
}
