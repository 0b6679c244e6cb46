import Analyse
import Model
import Query

/// Of the edges under `/metrics`: calls in traces that are kept, so that a figure there leads to a
/// trace that can be looked at.
struct SealedExamples: Sendable {
  private let store: ExemplarStore
  private(set) var edges: [SeriesKey: EdgeExemplars] = [:]
  private var evicted: UInt64 = 0

  init(store: ExemplarStore) { self.store = store }

  /// Adds the calls of traces that were just kept, and forgets those of traces that are no more.
  /// - Parameter shown: the edges shown one by one; others have no examples.
  mutating func add(_ traces: [ExemplarTrace], shown: Window) {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    for trace in traces {
      findings.removeAll(keepingCapacity: true)
      analyser.analyse(trace.spans, key: trace.key, into: &findings)
      let end = trace.end
      for finding in findings
      where finding.key.kind == .edge && finding.counters[.requests] > 0
        && shown.series[finding.key] != nil
      {
        edges[finding.key, default: EdgeExemplars()].offer(
          trace: trace.key.trace, end: end, server: finding.latency,
          client: finding.clientLatency, failed: finding.counters[.errors] > 0)
      }
    }
    let evictedNow = store.figures.evicted
    guard evictedNow != evicted else { return }
    evicted = evictedNow
    edges = edges.compactMapValues { $0.kept(store.contains) }
  }
}
