import Analyse
import Graph
public import Model

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
    /// `service operation`, outermost first; of a call to what does not report, who was called.
    public var path: [String]
    public var exclusive: Nanos
  }

  /// The error critical path, which only `crisp` has.
  public struct Errors: Sendable, Equatable {
    /// Spans on the path that failed, and those above them, outermost first.
    public var onPath: [SpanID]
    /// Failed spans beside the path, connected to a failed span on it by failed spans.
    public var connected: [SpanID]
  }

  public var trace: TraceID
  /// Earliest first; together they are the duration of the trace's roots.
  public var sections: [Section] = []
  public var exclusive: [SpanID: Nanos] = [:]
  /// Longest first.
  public var callPaths: [CallPath] = []
  public var errors: Errors?

  /// - Parameter aliases: which services the names and addresses of peers stand for.
  init(
    _ key: TraceKey, spans: [SpanRecord], names: NameTable, aliases: PeerAliases,
    rule: CriticalPathRule, clockSkewNanosMax: Nanos = 0
  ) {
    trace = key.trace
    var analyser = TraceAnalyser(clockSkewNanosMax: clockSkewNanosMax, criticalPathRule: rule)
    var findings: [Finding] = []
    analyser.analyse(spans, key: key, into: &findings)
    let forest = analyser.waitForest
    let path = TracePath(forest, rule: rule)
    sections = path.sections.map {
      Section(span: forest.spans[$0.span].id, start: $0.from, end: $0.until)
    }
    sections.sort { ($0.start, $0.end, $0.span) < ($1.start, $1.end, $1.span) }
    for share in path.shares {
      let id = forest.spans[share.span].id
      exclusive[id] = exclusive[id, default: 0].saturatingAdding(share.exclusive)
    }
    callPaths =
      CallTree(path, in: forest, names: names) { index in
        analyser.peerCalled(index).map { aliases.node($0) }
      }.callPaths
    callPaths.sort {
      $0.exclusive != $1.exclusive
        ? $0.exclusive > $1.exclusive : $0.path.lexicographicallyPrecedes($1.path)
    }
    errors = path.errors.map { errors in
      Errors(
        onPath: errors.onPath.map { forest.spans[$0].id },
        connected: errors.connected.map { forest.spans[$0].id })
    }
  }
}
