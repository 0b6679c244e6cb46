public import Graph
public import Model
public import OTLP
import Windows

/// The whole path of a span without sockets, journal or store: bytes in, graph out. What
/// `spangate analyze` runs, on the same stages as the server.
public struct LocalPipeline: ~Copyable {
  private let names = NameTable()
  private let decoder: OTLPDecoder
  private var shard: Shard
  private let clockSkewNanosMax: Nanos
  private var sequence: UInt64 = 0
  private var spans: [TraceKey: [SpanRecord]] = [:]

  /// What became of one request's spans.
  public struct Intake: Sendable {
    public var accepted: Int
    public var rejections: Rejections
  }

  public init(configuration: Configuration) {
    var limits = configuration.decodeLimits(configuration.memoryShares(shards: 1))
    // A file is history: nothing in it is too old.
    limits.retentionNanos = .max
    limits.aheadNanosMax = .max
    decoder = OTLPDecoder(names: names, limits: limits, rules: configuration.decodeRules)
    let traceLimits = configuration.traceLimits(memoryBytes: .max / 2)
    shard = Shard(limits: traceLimits)
    clockSkewNanosMax = traceLimits.clockSkewNanosMax
  }

  /// Takes in one export request.
  /// - Errors: `DecodeError` when the body cannot be read as a whole.
  public mutating func take(
    _ body: [UInt8], encoding: OTLPEncoding, now: Nanos
  ) throws(DecodeError) -> Intake {
    let decoded = try decode(body, encoding: encoding, now: now)
    sequence += 1
    shard.fold(decoded.batch, sequence: sequence, now: now)
    for index in 0..<decoded.batch.count where decoded.batch.spans[index].kind != .link {
      let key = TraceKey(tenant: decoded.batch.tenant, trace: decoded.batch.traces[index])
      spans[key, default: []].append(decoded.batch.spans[index])
    }
    return Intake(accepted: decoded.batch.sentCount, rejections: decoded.rejections)
  }

  private func decode(
    _ body: [UInt8], encoding: OTLPEncoding, now: Nanos
  ) throws(DecodeError) -> DecodedRequest {
    let result = unsafe body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) -> DecodedRequest in
        try unsafe decoder.decode(bytes, encoding: encoding, tenant: .standard, now: now)
      }
    }
    return try result.get()
  }

  /// The graph of everything taken so far.
  public mutating func graphInput() -> GraphInput {
    shard.closeAll()
    let snapshot = shard.snapshot()
    let window = snapshot.merged(from: 0, to: .max, after: 0) ?? Window()
    // What is summed by the minute begins before the first trace did.
    let starts = ([snapshot.overlay] + snapshot.generations.map(\.sums)).flatMap { sums in
      sums.windows.filter { $0.value.series.keys.contains { $0.kind == .coverage } }.keys
    }
    let ids = window.series.keys.flatMap(\.names)
    let input = GraphInput(
      window: window, names: names.names(ids), start: starts.min() ?? 0,
      end: (starts.max() ?? 0).saturatingAdding(windowNanos), revision: snapshot.revision)
    guard let changed = ChangedHands(input),
      let stretches = snapshot.windows(
        changed.selection, from: 0, to: .max, by: windowNanos, after: 0)
    else { return input }
    return changed.resolved(input, by: stretches)
  }

  /// The critical path of each trace, in the order of trace ids. By the rule the graph rests on it is
  /// that of the times as clocks were corrected; by published rules that of the times that were sent,
  /// as the tools they come from have them.
  public mutating func criticalPaths(rule: CriticalPathRule = .wallclock) -> [TraceCriticalPath] {
    var paths: [TraceCriticalPath] = []
    let skewMax = rule == .wallclock ? clockSkewNanosMax : 0
    let aliases = PeerAliases(graphInput())
    for (key, spans) in spans.sorted(by: { $0.key.trace < $1.key.trace }) {
      paths.append(
        TraceCriticalPath(
          key, spans: spans, names: names, aliases: aliases, rule: rule,
          clockSkewNanosMax: skewMax))
    }
    return paths
  }
}
