public import Model

/// By which ways of requests the entry points of a range of time spent their time: the critical path
/// of all traces together.
public struct CallPaths: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  /// By which time is on the critical path now; what is older may have been found by another.
  public var rule = CriticalPathRule.wallclock
  /// The busiest first.
  public var entries: [EntryPaths]
}

/// One entry point: an operation nobody traced called.
public struct EntryPaths: Sendable, Equatable {
  /// `service operation`.
  public var entry: String
  public var service: String
  public var operation: String
  public var environment: String
  /// Raw, and adjusted for sampling.
  public var traces: Int64
  public var requests: Double
  /// How long the whole took.
  public var duration: DurationSummary?
  /// Those that failed, raw and adjusted.
  public var errorTraces: Int64
  public var errors: Double
  /// Milliseconds on the critical path, over all traces, adjusted for sampling: of failed calls after
  /// which their caller did not fail, and of failed calls that were made again, with the pauses.
  public var absorbedTime: Double
  public var retryTime: Double
  /// Its traces by how long they took, the fastest first.
  public var bands: [PathBand]
  /// Those with most time first.
  public var paths: [CallPath]
  /// Ways by which errors reached it, those with most failed traces first.
  public var errorPaths: [ErrorWay]
}

/// One way by which errors reached an entry point: every request on it failed, and nothing that the
/// last one called.
public struct ErrorWay: Sendable, Equatable {
  /// As `CallPath.path`; the error began at the last.
  public var path: [String]
  /// Raw, and adjusted for sampling.
  public var traces: Int64
  public var errors: Double
  /// Of the entry point's failed requests. One that failed by several ways counts for each.
  public var share: Double
  /// How long these requests took at the entry point, before they failed.
  public var duration: DurationSummary?
  /// All of it in the range, milliseconds.
  public var durationSum: Double
  public var exemplars: [TraceID]
}

/// One way of requests from an entry point.
public struct CallPath: Sendable, Equatable {
  /// `service operation`, the entry point first; one that does not report by its id.
  public var path: [String]
  /// Raw: those in which time was spent there, or in what it calls.
  public var traces: Int64
  /// Time on the critical path, per trace: spent by the last request itself.
  public var exclusive: DurationSummary?
  /// All of it in the range, milliseconds.
  public var exclusiveSum: Double
  /// Between the caller and it (network, queueing, retries).
  public var gap: DurationSummary?
  public var gapSum: Double
  /// Of all critical-path time of the entry point, `exclusive` and `gap` together.
  public var share: Double
  /// The same in nanoseconds, adjusted for sampling.
  public var criticalNanos: Nanos
  public var errorTraces: Int64
  /// As of the entry point: what failed calls on this way cost.
  public var absorbedTime: Double
  public var retryTime: Double
  /// Per band of the entry point: time on the critical path here, milliseconds per request of the
  /// band, and its share of the band.
  public var bands: [BandShare]
  public var exemplars: [TraceID]
}

extension GraphBuilder {
  /// The call paths of the entry points of a service.
  /// - Parameters:
  ///   - input: with the series of paths, errors' paths and versions, and of nodes, which name the services
  ///     operations belong to.
  ///   - service: a name or an id; nil for all.
  ///   - operation: nil for all.
  /// - Errors: `.unknownService` when the service has no entry point in the range, `.ambiguous` when
  ///   several have the name.
  public static func callPaths(
    _ input: GraphInput, tenant: TenantID, service: String? = nil, operation: String? = nil,
    environment: String? = nil
  ) throws(GraphError) -> CallPaths {
    let tree = PathTree(input, tenant: tenant)
    let entries = try tree.entries(
      service: service, operation: operation, environment: environment)
    let views = entries.map { tree.view(of: $0) }.sorted { a, b in
      a.requests != b.requests ? a.requests > b.requests : a.entry < b.entry
    }
    return CallPaths(start: input.start, end: input.end, revision: input.revision, entries: views)
  }
}
