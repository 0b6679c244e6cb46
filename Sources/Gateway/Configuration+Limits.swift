import Impact
import Journal
import Markers
import Model
import OTLP
import Outgoing
import Query
import Receive

// What the settings mean for the stages: one place in which the memory limit is divided.
extension Configuration {
  func decodeLimits(_ shares: MemoryShares) -> DecodeLimits {
    var decode = DecodeLimits()
    decode.requestBytesMax = limits.requestBytes
    decode.memoryBytesMax = shares.decodeBytes
    decode.retentionNanos = store.retention
    return decode
  }

  var decodeRules: DecodeRules {
    var rules = DecodeRules()
    rules.ignoredCodes.http = failures.ignoredHTTPCodes
    rules.ignoredCodes.grpc = Set(failures.ignoredGRPCCodes)
    rules.peerAttributes = peers.attributes
    rules.dimensionAttributes = identity.dimensions
    rules.redaction = Redaction(queryKeys: redaction.queryKeys)
    return rules
  }

  func receiverConfiguration(_ shares: MemoryShares) -> ReceiverConfiguration {
    var receive = ReceiverConfiguration()
    receive.grpcAddress = receiver.grpc.address
    receive.httpAddress = receiver.http.address
    receive.decodeLimits = decodeLimits(shares)
    receive.decodeRules = decodeRules
    return receive
  }

  /// - Parameter shards: event loops, each with a shard.
  func memoryShares(shards: Int) -> MemoryShares {
    MemoryShares(
      limitBytes: limits.memory.bytes(on: .read()), exemplarBytesMax: limits.exemplarsBytes,
      shards: shards)
  }

  /// - Errors: `UnreadableSecret` when a file that is to hold a secret cannot be read.
  func queryConfiguration() throws -> QueryConfiguration {
    var query = QueryConfiguration(
      host: self.query.address.host, port: self.query.address.port,
      metricsSeriesMax: metrics.series)
    query.dimensions = identity.dimensions
    query.errorsTolerated = gate.errorsTolerated
    query.criticalPathRule = traces.criticalPath
    query.objectives = objectives
    for source in WebhookSource.allCases {
      let section = webhooks[source]
      let file = section.secretFile
      query.webhookSecrets[source] =
        file.isEmpty ? section.secret : try WebhookSecret(file: file, of: source)
    }
    return query
  }

  /// What services are held to, by a name or an id.
  var objectives: [String: ServiceObjective] {
    Dictionary(
      slo.services.map { ($0.service, $0.objective) }, uniquingKeysWith: { first, _ in first })
  }

  /// nil where no App is named.
  /// - Errors: what is missing besides, or cannot be read.
  func githubApp() throws -> GitHubApp? {
    guard !github.appID.isEmpty || !github.appKeyFile.isEmpty else { return nil }
    for (isMissing, key) in [
      (github.appID.isEmpty, "github.app_id"), (github.appKeyFile.isEmpty, "github.app_key_file"),
    ] where isMissing {
      throw IncompleteReviews("\(key) is missing: an App has an id and a key")
    }
    // Whoever could forge a message could have a deployment approved.
    guard webhooks[.github] != WebhookSection() else {
      throw IncompleteReviews(
        "webhooks.github.secret is missing: deployments are reviewed only where messages are checked"
      )
    }
    let app = GitHubApp(id: github.appID, keyFile: github.appKeyFile)
    do {
      try app.check()
    } catch {
      throw IncompleteReviews("github.app_key_file: \(error)")
    }
    return app
  }

  func journalConfiguration(_ shares: MemoryShares) -> JournalConfiguration {
    JournalConfiguration(
      directory: store.path + "/journal", segmentBytesMax: shares.segmentBytes,
      durability: Durability(rawValue: journal.durability.rawValue) ?? .fsync)
  }

  /// Whole seconds, rounded up.
  var drainSeconds: Int { Int((shutdown.drain + .second - 1) / .second) }

  func nameLimits(_ shares: MemoryShares) -> NameLimits {
    var names = NameLimits()
    names.namesMax = shares.namesMax
    names.servicesMax = limits.services
    names.operationsMax = limits.operationsPerService
    return names
  }

  /// - Parameters:
  ///   - memoryBytes: what the traces of one shard may take.
  ///   - exemplarBytes: what sealed ones may take besides that may turn out to be examples.
  func traceLimits(memoryBytes: Int, exemplarBytes: Int = 0) -> TraceLimits {
    var trace = TraceLimits()
    trace.idleNanos = traces.idle
    trace.maxAgeNanos = traces.maxAge
    trace.rememberNanos = traces.remember
    trace.clockSkewNanosMax = traces.clockSkew
    trace.criticalPathRule = traces.criticalPath
    trace.spansPerTraceMax = limits.spansPerTrace
    trace.bytesMax = memoryBytes
    trace.exemplarBytesMax = exemplarBytes
    trace.sealedBytesMax = min(memoryBytes / 2, 64 << 20)
    trace.sealedTracesRemembered = min(max(memoryBytes / 128, 1 << 12), 1 << 18)
    return trace
  }
}

/// Something is missing without which GitHub cannot be answered.
struct IncompleteReviews: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) { self.description = description }
}

/// How `limits.memory` is divided. The process itself, its names and the store's cache come first;
/// what is left is shared out, and a little of it kept back.
struct MemoryShares: Sendable, Equatable {
  /// Open and remembered traces of each shard, with the findings that stand for them. Sealed sums on
  /// their way to the store may take half as much again.
  var traceBytesPerShard: Int
  /// Bodies of requests being received and decoded.
  var requestBytes: Int
  /// Spans waiting in the mailbox of each shard.
  var mailboxSpansPerShard: Int
  /// What decoding one request may take.
  var decodeBytes: Int
  /// Names held at once, at some 256 bytes each.
  var namesMax: Int
  /// One file of the journal: it is read as a whole at start.
  var segmentBytes: Int
  /// Traces kept as examples: half of `limits.exemplars_bytes`, of which no more counts than an eighth
  /// of the memory there is.
  var exemplarBytes: Int
  /// Sealed traces of each shard that may turn out to be examples, those of the present checkpoint
  /// and those of the last: a quarter each.
  var candidateBytesPerShard: Int

  /// What an idle gateway takes, with room for the caches of the store and of the allocator.
  static let baseBytes = 72 << 20

  init(limitBytes: Int, exemplarBytesMax: Int, shards: Int) {
    let whole = max(limitBytes - MemoryShares.baseBytes, limitBytes / 4)
    let exemplars = min(exemplarBytesMax, whole / 8)
    let usable = whole - exemplars
    exemplarBytes = exemplars / 2
    candidateBytesPerShard = exemplars / 4 / shards
    traceBytesPerShard = usable / 10 * 3 / shards
    requestBytes = usable / 20 * 3
    mailboxSpansPerShard = max(
      1_000, usable / 10 / shards / MemoryLayout<SpanRecord>.stride)
    decodeBytes = min(max(usable / 16, 16 << 20), 512 << 20)
    namesMax = min(max(usable / 10 / 256, 10_000), 1_000_000)
    segmentBytes = min(max(usable / 16, 4 << 20), 64 << 20)
  }
}
