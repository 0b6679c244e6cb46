/// How many names of each kind are told apart. Beyond it they are summed under `__overflow__`.
public struct NameLimits: Sendable, Equatable {
  /// Services of one tenant.
  public var servicesMax = 10_000
  /// Databases, queues, external peers, clients and addresses of one tenant, each kind on its own.
  public var peersMax = 5_000
  /// Versions of one service seen within an hour.
  public var versionsMax = 100
  /// Instances of one service seen within an hour.
  public var instancesMax = 2_000
  /// Operations of one service seen within an hour.
  public var operationsMax = 1_000
  /// Combinations of dimensions of one tenant.
  public var dimensionsMax = 5_000
  /// All names together.
  public var namesMax = 1_000_000

  public init() {}

  public func count(of kind: NameKind) -> Int {
    switch kind {
    case .service: servicesMax
    case .database, .messaging, .external, .client, .address: peersMax
    case .version: versionsMax
    case .instance: instancesMax
    case .operation: operationsMax
    case .dimensions: dimensionsMax
    }
  }

  /// The name of the limit, as `coverage.overflow` and `/metrics` show it.
  public static func label(of kind: NameKind) -> String {
    switch kind {
    case .service: "services"
    case .database: "databases"
    case .messaging: "messaging"
    case .external: "external"
    case .version: "versions_per_service"
    case .instance: "instances_per_service"
    case .operation: "operations_per_service"
    case .address: "addresses"
    case .client: "clients"
    case .dimensions: "dimensions"
    }
  }
}

/// When a trace is closed, looked at again, and sealed, and how far its clocks may disagree.
public struct TraceLimits: Sendable, Equatable {
  /// Nothing arrived for this long: the trace is closed and analysed.
  public var idleNanos: Nanos = 11 * .second
  /// Older than this it is analysed although it still grows; then again each time its age doubles.
  public var maxAgeNanos: Nanos = 60 * .second
  /// Nothing arrived for this long after closing: it is sealed, and later spans are late.
  public var rememberNanos: Nanos = 60 * .second
  /// No trace is held longer than this, so that one that never ends cannot hold the journal.
  public var heldNanosMax: Nanos = 90 * .minute
  /// A trace is sealed when it reaches this many spans.
  public var spansPerTraceMax = 100_000
  /// By how much a span's times are moved at most where the clocks of two hosts disagree; 0 moves none.
  public var clockSkewNanosMax: Nanos = .second
  /// By which rule time on the critical path is found.
  public var criticalPathRule = CriticalPathRule.wallclock
  /// What open and remembered traces of one shard may take in memory together.
  public var bytesMax = 256 << 20
  /// What sealed sums of one shard may take while they wait for the store.
  public var sealedBytesMax = 64 << 20
  /// What sealed traces of one shard may take that may turn out to be examples, until the next
  /// checkpoint; 0 keeps none.
  public var exemplarBytesMax = 0
  /// How many sealed traces of one shard are remembered, so that their late spans are known as such.
  public var sealedTracesRemembered = 1 << 18

  public init() {}
}
