// Everything that can be set, and where it comes from: defaults < file < environment < flags.
//
// One table (`ConfigurationKey.all`) says what keys there are. Reading, printing, the suggestions in
// error texts, and the page in docs/ all follow from it, so that they cannot disagree. The values are
// plain structs: a test makes one and changes a field. Nobody but this folder reads the environment.

public import Access
public import Impact
public import Markers
public import Model
public import OTLP
public import Outgoing

/// What a gateway runs with. A fresh value holds the defaults.
public struct Configuration: Sendable, Equatable {
  public var receiver = ReceiverSection()
  public var query = QuerySection()
  public var store = StoreSection()
  public var traces = TracesSection()
  public var failures = FailuresSection()
  public var peers = PeersSection()
  public var identity = IdentitySection()
  public var redaction = RedactionSection()
  public var limits = LimitsSection()
  public var metrics = MetricsSection()
  public var gate = GateSection()
  public var slo = ObjectivesSection()
  public var tokens = TokensSection()
  public var webhooks = WebhooksSection()
  public var github = GitHubSection()
  public var outgoing = OutgoingSection()
  public var journal = JournalSection()
  public var log = LogSection()
  public var shutdown = ShutdownSection()
  /// Event loops; 0 means one for each core.
  public var workers = 0

  public init() {}
}

/// Where spans are received.
public struct ReceiverSection: Sendable, Equatable {
  public var grpc = ListenerSection(address: ListenAddress(host: "127.0.0.1", port: 4317))
  public var http = ListenerSection(address: ListenAddress(host: "127.0.0.1", port: 4318))
  /// How long a request waits for room before it is refused with a retryable code, nanoseconds.
  public var wait: UInt64 = 500_000_000

  public init() {}
}

/// One listener.
public struct ListenerSection: Sendable, Equatable {
  public var address: ListenAddress
  public var tls = TLSSection()

  public init(address: ListenAddress) { self.address = address }
}

/// How one listener speaks TLS: not at all while there is no certificate. All are paths of files,
/// empty for none.
public struct TLSSection: Sendable, Equatable {
  public var certificateFile = ""
  public var keyFile = ""
  /// Clients need a certificate from one of the authorities in it.
  public var clientCAFile = ""

  public init() {}
}

/// Where the query API is served.
public struct QuerySection: Sendable, Equatable {
  public var address = ListenAddress(host: "127.0.0.1", port: 4320)
  public var tls = TLSSection()

  public init() {}
}

/// Where the store and the journal live, and for how long.
public struct StoreSection: Sendable, Equatable {
  /// Directory, made when it does not exist.
  public var path = "data"
  /// Nanoseconds.
  public var retention: UInt64 = 14 * 86_400_000_000_000

  public init() {}
}

/// When a trace is closed, analysed again, and sealed, and how far clocks are corrected. All in
/// nanoseconds.
public struct TracesSection: Sendable, Equatable {
  public var idle: UInt64 = 11_000_000_000
  public var maxAge: UInt64 = 60_000_000_000
  public var remember: UInt64 = 60_000_000_000
  public var clockSkew: UInt64 = 1_000_000_000
  public var criticalPath = CriticalPathRule.wallclock

  public init() {}
}

/// What is no failure although spans say so.
public struct FailuresSection: Sendable, Equatable {
  public var ignoredHTTPCodes: [ClosedRange<Int>] = []
  public var ignoredGRPCCodes: [RPCCode] = []

  public init() {}
}

/// Who is on the other side.
public struct PeersSection: Sendable, Equatable {
  /// Keys of attributes that are asked first.
  public var attributes: [String] = []

  public init() {}
}

/// What is not kept.
public struct RedactionSection: Sendable, Equatable {
  /// Query keys whose values are secret, besides those that always are.
  public var queryKeys: [String] = []

  public init() {}
}

/// What is told apart.
public struct IdentitySection: Sendable, Equatable {
  /// Keys of attributes by which requests are told apart, besides the cluster.
  public var dimensions: [String] = []

  public init() {}
}

/// What may be held at once.
public struct LimitsSection: Sendable, Equatable {
  public var spansPerTrace = 100_000
  public var exemplarsBytes = 64 << 20
  public var memory = MemoryLimit.automatic
  /// The body of one request, after decompression.
  public var requestBytes = 64 << 20
  public var operationsPerService = 1_000
  public var services = 10_000

  public init() {}
}

/// What `/metrics` shows.
public struct MetricsSection: Sendable, Equatable {
  /// Edges shown one by one; the rest is summed under `__overflow__`.
  public var series = 10_000

  public init() {}
}

/// What the gate holds versions to.
public struct GateSection: Sendable, Equatable {
  /// The error rate that is safe without a version to compare with, 0…1.
  public var errorsTolerated = 0.01

  public init() {}
}

/// What services are held to.
public struct ObjectivesSection: Sendable, Equatable {
  /// One of each service that has any.
  public var services: [NamedObjective] = []

  public init() {}
}

/// What one service is held to.
public struct NamedObjective: Sendable, Equatable {
  /// A name or an id.
  public var service: String
  public var objective: ServiceObjective

  public init(service: String, objective: ServiceObjective) {
    self.service = service
    self.objective = objective
  }
}

/// Who may do what: everybody everything while there is neither.
public struct TokensSection: Sendable, Equatable {
  /// A file with a line for each token; empty for none.
  public var file = ""
  /// The same lines without a file.
  public var known: [TokenLine] = []

  public init() {}
}

/// What is shared with the sources of webhooks.
public struct WebhooksSection: Sendable, Equatable {
  private var sources: [WebhookSource: WebhookSection] = [:]

  public init() {}

  public subscript(source: WebhookSource) -> WebhookSection {
    get { sources[source] ?? WebhookSection() }
    set { sources[source] = newValue == WebhookSection() ? nil : newValue }
  }
}

/// How messages of one source are checked.
public struct WebhookSection: Sendable, Equatable {
  public var secret: WebhookSecret?
  /// A file that holds it; empty for none.
  public var secretFile = ""

  public init() {}
}

/// How deployments that GitHub holds back are reviewed.
public struct GitHubSection: Sendable, Equatable {
  public var api = GitHubAddress.standard
  /// Empty for none: then nothing is reviewed.
  public var appID = ""
  /// Empty for none.
  public var appKeyFile = ""
  /// How long the gate is asked, nanoseconds.
  public var reviewWait: UInt64 = 30 * 60_000_000_000
  /// What is answered when it has no verdict by then.
  public var reviewUndecided = ReviewAnswer.State.rejected

  public init() {}
}

/// Whom the gateway may speak to by itself.
public struct OutgoingSection: Sendable, Equatable {
  public var privateAddresses = PrivateAddresses.refuse

  public init() {}
}

/// How the journal treats the disk.
public struct JournalSection: Sendable, Equatable {
  public var durability = JournalDurability.fsync

  public init() {}
}

/// What an acknowledged span survives.
public enum JournalDurability: String, Sendable, CaseIterable {
  /// A power cut: every group is synced before it is acknowledged.
  case fsync
  /// The end of the process, but not of the machine.
  case os
  /// Nothing: no journal is written.
  case none
}

/// What is logged, and how.
public struct LogSection: Sendable, Equatable {
  public var format = LogFormat.auto
  public var level = LogLevel.info

  public init() {}
}

/// How a log line looks.
public enum LogFormat: String, Sendable, CaseIterable {
  /// Text when standard error is a terminal, JSON otherwise.
  case auto
  case text
  case json
}

/// The least severe level that is logged.
public enum LogLevel: String, Sendable, CaseIterable {
  case trace, debug, info, notice, warning, error, critical
}

/// How the gateway stops.
public struct ShutdownSection: Sendable, Equatable {
  /// How long open requests may take to be answered, nanoseconds.
  public var drain: UInt64 = 10_000_000_000

  public init() {}
}
