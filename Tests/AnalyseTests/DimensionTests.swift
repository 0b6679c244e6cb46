import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct DimensionTests {
  private static let east = NameID(71)
  private static let west = NameID(72)

  private func window(_ spans: [SpanRecord]) -> Window {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(spans, key: TraceSketch.key, into: &findings)
    return Outcome(findings, names: [:]).window
  }

  /// Scenario: a caller in the east, its callee and the callee's database in the west, a failure.
  /// Guarantees: nodes count by the dimensions of the request; calls by those of the callee, or of the
  /// caller where the callee does not report; figures are those of the whole.
  @Test func ofRequestsAndCalls() {
    var sketch = TraceSketch()
    let root = sketch.span("a", .server, 0, 100)
    let call = sketch.span("a", .client, under: root, 10, 90)
    let server = sketch.span("b", .server, under: call, 20, 80, traits: .error)
    sketch.span(
      "b", .client, under: server, 30, 40, traits: .database, peer: "db", peerKind: .database)
    for index in sketch.spans.indices {
      sketch.spans[index].dimensions = index < 2 ? Self.east : Self.west
    }
    let window = window(sketch.spans)
    func id(_ text: String) -> NameID { sketch.names.first { $0.value == text }?.key ?? .none }
    let (a, b, db) = (id("a"), id("b"), id("db"))
    for (node, dimensions) in [(a, Self.east), (b, Self.west), (db, Self.west)] {
      #expect(window.series[.dimension(node, dimensions)] == window.series[.node(node)])
    }
    #expect(
      window.series[.dimensionEdge(a, b, Self.west)] == window.series[.edge(a, b, .direct)])
    #expect(
      window.series[.dimensionEdge(b, db, Self.west)] == window.series[.edge(b, db, .database)])
    let kinds: Set<SeriesKind> = [.dimension, .dimensionEdge]
    #expect(window.series.keys.count { kinds.contains($0.kind) } == 5)
  }

  /// Scenario: random garbage, all of it with one of two dimensions, and without any.
  /// Guarantees: what is counted by dimensions adds up to the whole, of each node and of each pair of
  /// nodes, but for traces, which may touch a node with both; without dimensions nothing is added.
  @Test func addUp() {
    var random = SeededGenerator()
    for _ in 0..<500 {
      var spans = random.garbage(1 + random.below(24))
      let kinds: Set<SeriesKind> = [.dimension, .dimensionEdge]
      let plain = window(spans)
      #expect(!plain.series.keys.contains { kinds.contains($0.kind) })
      for index in spans.indices {
        spans[index].dimensions = random.once(in: 2) ? Self.east : Self.west
      }
      // Copies with other dimensions are other spans: the one that stays may differ.
      spans.removeCopies()
      let whole = window(spans)
      var expected = Window()
      var found = Window()
      for (key, sums) in whole.series {
        var sums = sums
        sums.counters[.traces] = 0
        sums.counters[.errorTraces] = 0
        switch key.kind {
        case .node: expected.merge(sums, at: key)
        case .edge: expected.merge(sums, at: SeriesKey(.edge, key.first, key.second))
        case .dimension: found.merge(sums, at: SeriesKey(.node, key.first))
        case .dimensionEdge: found.merge(sums, at: SeriesKey(.edge, key.first, key.second))
        default: break
        }
      }
      let isSame = found.hasSameCounts(as: expected)
      #expect(isSame)
    }
  }
}
