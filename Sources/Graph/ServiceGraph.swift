public import Model

/// Who calls whom, how often, how fast, and where errors begin, over one range of time.
/// - Shape: nodes by (id, environment), edges by (client, server, connection type), traffic by (client,
///   server, source), ascending.
/// - Units: `start` and `end` in Unix nanoseconds.
public struct ServiceGraph: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  public var nodes: [Node]
  public var edges: [Edge]
  /// What no span tells of.
  public var traffic: [TrafficEdge] = []
  public var coverage: Coverage

  /// The length of the range in seconds; never 0, so that it can divide.
  public var seconds: Double { rangeSeconds(start, end) }

  /// Nodes of more than one environment are shown, or one id with and without one, so that an id alone may
  /// name several of them.
  public var hasSeveralEnvironments: Bool {
    guard let first = nodes.first(where: { !$0.environment.isEmpty }) else { return false }
    return nodes.contains { !$0.environment.isEmpty && $0.environment != first.environment }
      || Set(nodes.lazy.map(\.id)).count < nodes.count
  }
}

/// What a node of the graph is.
public enum NodeKind: String, Sendable, CaseIterable {
  case service, database, messaging, external, client
}

/// A service, or something that is called and does not report.
public struct Node: Sendable, Equatable {
  /// The identity behind `id`, unique also across environments.
  public var nameID: NameID
  /// `NodeIdentity.path`, prefixed with the kind unless a service. Unique within an environment.
  public var id: String
  public var environment: String
  public var namespace: String
  /// The name by itself.
  public var service: String
  public var kind: NodeKind
  /// The versions seen, sorted; spans that name none do not count as one.
  public var versions: [String]
  /// How many distinct instances were seen.
  public var instances: Int
  /// The clusters its requests were taken in, sorted; those that name none do not count as one.
  public var clusters: [String]
  public var figures: Figures
  /// Failed calls it made after which its own request did not fail, adjusted for sampling.
  public var errorsAbsorbed: Double
  /// How well it does, 0…100; nil without data. Whoever judges that fills it in.
  public var health: Double?
}

/// Calls from one node to another, over one type of connection.
public struct Edge: Sendable, Equatable {
  public var clientNameID: NameID
  public var serverNameID: NameID
  /// The ids of the nodes at both ends.
  public var client: String
  public var server: String
  public var clientEnvironment: String
  public var serverEnvironment: String
  public var connectionType: ConnectionType
  /// Calls and failed calls, adjusted for sampling.
  public var requests: Double
  public var failed: Double
  /// How many calls sampled alike would tell as much.
  public var effectiveRequests: Double
  /// Calls as the client saw them, as the server saw them, and what neither explains.
  public var clientLatency: DurationSummary?
  public var serverLatency: DurationSummary?
  public var gap: DurationSummary?
  /// Of all critical-path time in the range; nil when there is none at all.
  public var criticalPathShare: Double?
  public var errorPropagation: ErrorPropagation
  /// What its calls hold up; nil where the series about it were not read.
  public var wait: CallWait?
  /// A few traces in which the call can be seen.
  public var exemplars: [TraceID]

  /// The share of calls that failed, 0…1; nil without calls.
  public var failedShare: Double? { share(failed, of: requests) }
}

/// What became of failed calls, adjusted for sampling.
public struct ErrorPropagation: Sendable, Equatable {
  /// Calls that failed.
  public var calleeFailures: Double
  /// After these the calling request failed too.
  public var propagated: Double
  /// After these it did not.
  public var absorbed: Double
  /// `propagated / (propagated + absorbed)`; nil without failures.
  public var probability: Double?
  /// Milliseconds on critical paths, over all calls, adjusted for sampling: of failed calls after
  /// which the caller did not fail, and of failed calls that were made again, with the pauses between.
  public var absorbedTime = 0.0
  public var retryTime = 0.0
}

/// What calls over an edge hold up.
public struct CallWait: Sendable, Equatable {
  /// How much sooner the trace would have ended without one of them: a faster callee gains no more.
  public var drag: DurationSummary?
  /// How much longer one of them could have taken before the trace did: a slower callee costs what
  /// exceeds it. Calls that nobody waits for have none.
  public var slack: DurationSummary?
  /// The share of calls without slack, 0…1: those of which every delay is a delay of the trace.
  public var blockingShare: Double?

  init(_ sums: Sums) {
    drag = DurationSummary(sums.ownTime)
    slack = DurationSummary(sums.latency)
    let tight = sums.latency.buckets.first { $0.index == HistogramScale.underIndex }?.weight ?? 0
    blockingShare = share(
      Double(tight) / Double(SpanRecord.weightOne),
      of: sums.counters.adjusted(.requestsAdjusted))
  }
}

/// What arrived, and what could not be used.
public struct Coverage: Sendable, Equatable {
  public var spans: Int64 = 0
  public var traces: Int64 = 0
  public var lateSpans: Int64 = 0
  public var duplicates: Int64 = 0
  /// Spans whose times were corrected because two hosts' clocks disagreed, and spans left as they came
  /// because they would have been moved further than `traces.clock_skew`.
  public var skewAdjusted: Int64 = 0
  public var skewOverLimit: Int64 = 0
  /// Spans that are an end of an edge and lack no partner.
  public var paired: Int64 = 0
  /// Spans, links and records of traffic that might have made an edge and made none, by
  /// `UnpairedReason.label`.
  public var unpaired: [String: Int64] = [:]
  /// Spans that need no partner, by the same labels. With the spans among `unpaired` and with `paired`
  /// they add up to `spans`.
  public var standalone: [String: Int64] = [:]
  /// What was summed under overflow, by the name of the limit.
  public var overflow: [String: UInt64] = [:]
  /// Records of logs that made traffic, by `TrafficSource.label`.
  public var trafficRecords: [String: Int64] = [:]

  public init() {}
}

/// The length of a range in seconds; never 0, so that it can divide.
func rangeSeconds(_ start: Nanos, _ end: Nanos) -> Double {
  max(Double(end.saturatingSubtracting(start)) / Double(Nanos.second), 1e-9)
}

/// `part / whole` within 0…1, or nil where that is no number. (Times on critical paths are counted
/// where each span ended, so at the edge of a range a part may exceed its whole.)
func share(_ part: Double, of whole: Double) -> Double? {
  guard whole > 0 else { return nil }
  let quotient = part / whole
  return quotient.isFinite ? min(max(quotient, 0), 1) : nil
}
