import Analyse
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
    decoder = OTLPDecoder(names: names, limits: limits)
    shard = Shard(limits: configuration.traceLimits(memoryBytes: .max / 2))
  }

  /// Takes in one export request.
  /// - Errors: `DecodeError` when the body cannot be read as a whole.
  public mutating func take(
    _ body: [UInt8], encoding: OTLPEncoding, now: Nanos
  ) throws(DecodeError) -> Intake {
    let decoded = try decode(body, encoding: encoding, now: now)
    sequence += 1
    shard.fold(decoded.batch, sequence: sequence, now: now)
    for index in 0..<decoded.batch.count {
      let key = TraceKey(tenant: decoded.batch.tenant, trace: decoded.batch.traces[index])
      spans[key, default: []].append(decoded.batch.spans[index])
    }
    return Intake(accepted: decoded.batch.count, rejections: decoded.rejections)
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
    var starts = Array(snapshot.overlay.windows.keys)
    for generation in snapshot.generations { starts += generation.sums.windows.keys }
    let ids = window.series.keys.flatMap(\.names)
    return GraphInput(
      window: window, names: names.names(ids), start: starts.min() ?? 0,
      end: (starts.max() ?? 0).saturatingAdding(windowNanos), revision: snapshot.revision)
  }

  /// The `wallclock` critical path of each trace, in the order of trace ids.
  public func criticalPaths() -> [TraceCriticalPath] {
    var paths: [TraceCriticalPath] = []
    for (key, spans) in spans.sorted(by: { $0.key.trace < $1.key.trace }) {
      paths.append(TraceCriticalPath(trace: key.trace, spans: spans, names: names))
    }
    return paths
  }
}

/// The critical path of one trace.
public struct TraceCriticalPath: Sendable, Equatable {
  /// A stretch of time in which the trace waited for one span.
  public struct Section: Sendable, Equatable {
    public var span: SpanID
    /// Unix nanoseconds.
    public var start: Nanos
    public var end: Nanos
  }

  /// Time on the critical path below one way of calls, from the root on.
  public struct CallPath: Sendable, Equatable {
    /// `service operation`, outermost first.
    public var path: [String]
    public var exclusive: Nanos
  }

  public var trace: TraceID
  /// Earliest first; together they are the duration of the trace's roots.
  public var sections: [Section] = []
  public var exclusive: [SpanID: Nanos] = [:]
  /// Longest first.
  public var callPaths: [CallPath] = []

  init(trace: TraceID, spans: [SpanRecord], names: NameTable) {
    self.trace = trace
    var forest = TraceForest()
    forest.build(spans)
    var walker = CriticalPath()
    var times: [Int: Nanos] = [:]
    for root in CriticalPath.roots(of: forest) {
      walker.walk(forest, from: root) { index, from, until in
        let id = forest.spans[index].id
        sections.append(Section(span: id, start: from, end: until))
        exclusive[id, default: 0] &+= until &- from
        times[index, default: 0] &+= until &- from
      }
    }
    sections.sort { ($0.start, $0.end, $0.span) < ($1.start, $1.end, $1.span) }
    var byPath: [[String]: Nanos] = [:]
    for (index, time) in times {
      byPath[TraceCriticalPath.path(to: index, in: forest, names: names), default: 0] &+= time
    }
    callPaths = byPath.map { CallPath(path: $0.key, exclusive: $0.value) }
    callPaths.sort {
      $0.exclusive != $1.exclusive
        ? $0.exclusive > $1.exclusive : $0.path.lexicographicallyPrecedes($1.path)
    }
  }

  /// The deepest part of a way that is longer than this is left out.
  private static let pathLengthMax = 256

  private static func path(
    to index: Int, in forest: TraceForest, names: NameTable
  ) -> [String] {
    var path: [String] = []
    var walker: Int? = index
    while let at = walker {
      let span = forest.spans[at]
      let service = names.name(span.service).map { NodeIdentity(text: $0.text) }
      let operation = names.name(span.operation)?.text ?? ""
      let label = service.map { $0.namespace.isEmpty ? $0.name : "\($0.namespace)/\($0.name)" }
      path.append("\(label ?? "?") \(operation)")
      walker = forest.parent(of: at)
    }
    return Array(path.reversed().prefix(pathLengthMax))
  }
}
