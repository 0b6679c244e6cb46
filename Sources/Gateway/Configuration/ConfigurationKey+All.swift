import Markers
import OTLP

extension ConfigurationKey {
  /// Every key there is, in the order of the documentation.
  public static let all: [ConfigurationKey] =
    listeners + stages + tokens + webhooks + outgoing

  private static let tokens = [
    ConfigurationKey(
      "tokens.file", \.tokens.file, .optionalPath,
      "tokens that are known, one a line as `spangate token` writes it; with any, requests need one"
    ),
    ConfigurationKey(
      "tokens.known", \.tokens.known, .list(of: .token, countMax: 256),
      "the same lines without a file; not on the command line"),
  ]

  private static func tls(_ listener: ListenerName) -> [ConfigurationKey] {
    let section = listener.tlsSection
    return [
      ConfigurationKey(
        "\(section).certificate_file", \.[tls: listener].certificateFile, .optionalPath,
        "certificate of that port and those above it, as PEM; with it the port speaks TLS alone"),
      ConfigurationKey(
        "\(section).key_file", \.[tls: listener].keyFile, .optionalPath,
        "private key of that certificate, as PEM"),
      ConfigurationKey(
        "\(section).client_ca_file", \.[tls: listener].clientCAFile, .optionalPath,
        "authorities, as PEM: clients need a certificate from one of them"),
    ]
  }

  private static let webhooks = WebhookSource.allCases.flatMap { source in
    let section = "webhooks.\(source.configurationName)"
    return [
      ConfigurationKey(
        "\(section).secret", \.webhooks[source].secret, .secret,
        "what messages of \(source.rawValue) are checked with; without it all are taken"),
      ConfigurationKey(
        "\(section).secret_file", \.webhooks[source].secretFile, .optionalPath,
        "a file that holds that secret, read at start"),
    ]
  }

  private static let outgoing: [ConfigurationKey] = [
    ConfigurationKey(
      "github.api", \.github.api, .githubAPI,
      "where the API of GitHub is; of a server of one's own https://HOST/api/v3"),
    ConfigurationKey(
      "github.app_id", \.github.appID, .githubApp,
      "the GitHub App that reviews deployments; without it none are reviewed"),
    ConfigurationKey(
      "github.app_key_file", \.github.appKeyFile, .optionalPath,
      "a file that holds the App's private key, in PEM"),
    ConfigurationKey(
      "github.review_wait", \.github.reviewWait, .duration(second...(30 * day)),
      "how long the gate is asked about a deployment that waits"),
    ConfigurationKey(
      "github.review_undecided", \.github.reviewUndecided, .choice,
      "what is answered when it has no verdict by then"),
    ConfigurationKey(
      "outgoing.private_addresses", \.outgoing.privateAddresses, .choice,
      "whether requests go to addresses of private networks, of one link, and of this machine"),
  ]

  /// Keys of one section stand together.
  private static let listeners: [ConfigurationKey] =
    [
      ConfigurationKey(
        "receiver.grpc.address", \.receiver.grpc.address, .address, flag: "grpc-address",
        "where OTLP/gRPC is received; port 0 picks a free one, which the log names")
    ] + tls(.grpc)
    + [
      ConfigurationKey(
        "receiver.http.address", \.receiver.http.address, .address, flag: "http-address",
        "where OTLP/HTTP is received")
    ] + tls(.http)
    + [
      ConfigurationKey(
        "receiver.wait", \.receiver.wait, .duration(0...(30 * second)),
        "how long a request waits for room before it is refused with a retryable code"),
      ConfigurationKey(
        "query.address", \.query.address, .address, flag: "query-address",
        "where the query API and /metrics are served"),
    ] + tls(.query)

  private static let stages: [ConfigurationKey] = [
    ConfigurationKey(
      "store.path", \.store.path, .path, flag: "store",
      "directory of store and journal, made when it does not exist"),
    ConfigurationKey(
      "store.retention", \.store.retention, .duration(hour...(3_650 * day)), flag: "retention",
      "how long history is kept; spans older than this are rejected"),
    ConfigurationKey(
      "traces.idle", \.traces.idle, .duration(100 * millisecond...(10 * minute)),
      "a trace without a new span for this long is closed and analysed"),
    ConfigurationKey(
      "traces.max_age", \.traces.maxAge, .duration(100 * millisecond...hour),
      "a trace older than this is analysed although it still grows"),
    ConfigurationKey(
      "traces.remember", \.traces.remember, .duration(0...hour),
      "a closed trace without a new span for this long is sealed; later spans are late"),
    ConfigurationKey(
      "traces.clock_skew", \.traces.clockSkew, .duration(0...(10 * minute)),
      "by how much a span is moved at most where the clocks of two hosts disagree; 0 moves none"),
    ConfigurationKey(
      "traces.critical_path", \.traces.criticalPath, .choice,
      "the rule by which time on the critical path is found"),
    ConfigurationKey(
      "failures.ignored_http_codes", \.failures.ignoredHTTPCodes,
      .list(of: .httpCodes, countMax: 64),
      "HTTP codes with which nothing failed, whatever a span says"),
    ConfigurationKey(
      "failures.ignored_grpc_codes", \.failures.ignoredGRPCCodes,
      .list(of: .grpcCode, countMax: 16),
      "gRPC codes with which nothing failed, whatever a span says"),
    ConfigurationKey(
      "peers.attributes", \.peers.attributes,
      .list(of: .attributeKey, countMax: DecodeRules.peerAttributesMax),
      "attributes of spans that name the other side, before all others"),
    ConfigurationKey(
      "identity.dimensions", \.identity.dimensions,
      .list(of: .attributeKey, countMax: DecodeRules.dimensionAttributesMax),
      "attributes of resources and spans by which requests are told apart, besides the cluster"),
    ConfigurationKey(
      "redaction.query_keys", \.redaction.queryKeys,
      .list(of: .queryKey, countMax: Redaction.queryKeysMax),
      "query parameters of URLs whose values are not kept, besides those that never are"),
    ConfigurationKey(
      "limits.memory", \.limits.memory, .memory, flag: "memory",
      "what everything together may take; auto is half of the cgroup or the machine"),
    ConfigurationKey(
      "limits.request_bytes", \.limits.requestBytes, .bytes(4_096...(1 << 30)),
      "body of one request after decompression"),
    ConfigurationKey(
      "limits.spans_per_trace", \.limits.spansPerTrace, .integer(1...10_000_000),
      "a trace is sealed when it reaches this many spans"),
    ConfigurationKey(
      "limits.services", \.limits.services, .integer(1...1_000_000),
      "services told apart; the rest is summed under `__overflow__`"),
    ConfigurationKey(
      "limits.operations_per_service", \.limits.operationsPerService, .integer(1...100_000),
      "operations of one service told apart within an hour"),
    ConfigurationKey(
      "limits.exemplars_bytes", \.limits.exemplarsBytes, .bytes(0...(1 << 36)),
      "example traces with their spans; at most an eighth of limits.memory, 0 keeps none"),
    ConfigurationKey(
      "metrics.series", \.metrics.series, .integer(1...1_000_000),
      "edges shown one by one under /metrics; the rest is summed under `__overflow__`"),
    ConfigurationKey(
      "gate.errors_tolerated", \.gate.errorsTolerated, .percent(0.0001...0.5),
      "the error rate of a version that is safe without another to compare it with"),
    ConfigurationKey(
      "slo.services", \.slo.services, .list(of: .objective, countMax: 1_000),
      "what services are held to: a name or an id, and error_rate, latency_p95 or latency_p99"),
    ConfigurationKey(
      "journal.durability", \.journal.durability, .choice, flag: "durability",
      "what an acknowledged span survives: fsync a power cut, os the end of the process, none nothing"
    ),
    ConfigurationKey(
      "log.format", \.log.format, .choice, flag: "log-format",
      "auto is text on a terminal and JSON otherwise"),
    ConfigurationKey(
      "log.level", \.log.level, .choice, flag: "log-level", "the least severe level that is logged"),
    ConfigurationKey(
      "shutdown.drain", \.shutdown.drain, .duration(0...(10 * minute)),
      "how long open requests may take to be answered when the gateway stops"),
    ConfigurationKey(
      "workers", \.workers, .integer(0...1_024), flag: "workers",
      "event loops; 0 is one for each core"),
  ]

  // Nanoseconds.
  private static let millisecond: UInt64 = 1_000_000
  private static let second: UInt64 = 1_000_000_000
  private static let minute = 60 * second
  private static let hour = 60 * minute
  private static let day = 24 * hour
}
