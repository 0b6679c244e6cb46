import Journal
import Model
import OTLP
import Query
import Receive

// What the settings mean for the stages: one place in which the memory limit is divided.
extension Configuration {
  var decodeLimits: DecodeLimits {
    var decode = DecodeLimits()
    decode.requestBytesMax = limits.requestBytes
    decode.retentionNanos = store.retention
    return decode
  }

  var receiverConfiguration: ReceiverConfiguration {
    var receive = ReceiverConfiguration()
    receive.grpcAddress = receiver.grpc.address
    receive.httpAddress = receiver.http.address
    receive.decodeLimits = decodeLimits
    return receive
  }

  var queryConfiguration: QueryConfiguration {
    QueryConfiguration(
      host: query.address.host, port: query.address.port, metricsSeriesMax: metrics.series)
  }

  var journalConfiguration: JournalConfiguration {
    JournalConfiguration(
      directory: store.path + "/journal",
      durability: Durability(rawValue: journal.durability.rawValue) ?? .fsync)
  }

  /// Whole seconds, rounded up.
  var drainSeconds: Int { Int((shutdown.drain + .second - 1) / .second) }

  var nameLimits: NameLimits {
    var names = NameLimits()
    names.servicesMax = limits.services
    names.operationsMax = limits.operationsPerService
    return names
  }

  /// - Parameter memoryBytes: what the traces of one shard may take.
  func traceLimits(memoryBytes: Int) -> TraceLimits {
    var trace = TraceLimits()
    trace.idleNanos = traces.idle
    trace.maxAgeNanos = traces.maxAge
    trace.rememberNanos = traces.remember
    trace.spansPerTraceMax = limits.spansPerTrace
    trace.bytesMax = memoryBytes
    return trace
  }
}

/// How `limits.memory` is divided. The rest, a fifth, is for windows, names, store and the process.
struct MemoryShares: Sendable, Equatable {
  /// Open and remembered traces of each shard, as `TraceTable.bytes` counts them: what the arrays
  /// behind them take can be twice that while they grow.
  var traceBytesPerShard: Int
  /// Bodies of requests being received and decoded.
  var requestBytes: Int
  /// Spans waiting in the mailbox of each shard.
  var mailboxSpansPerShard: Int

  init(limitBytes: Int, shards: Int) {
    traceBytesPerShard = limitBytes / 4 / shards
    requestBytes = limitBytes / 4
    mailboxSpansPerShard = max(
      1_000, limitBytes / 20 * 3 / shards / MemoryLayout<SpanRecord>.stride)
  }
}

extension NameTable {
  /// How often a name was summed under overflow, by the name of the limit.
  var overflowsByLabel: [String: UInt64] {
    var labelled: [String: UInt64] = [:]
    for (kind, count) in overflows { labelled[NameLimits.label(of: kind)] = count }
    return labelled
  }
}
