import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct ForestTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ kind: SpanKind = .internal, service: UInt64 = 1,
    start: Nanos = 0, end: Nanos = 10
  ) -> SpanRecord {
    SpanRecord(
      id: SpanID(id), parent: SpanID(parent), start: start, end: end, service: NameID(service),
      kind: kind)
  }

  /// The id and kind of each span's parent, by the id and kind of the span.
  private func parents(_ spans: [SpanRecord]) -> [String: String] {
    var forest = TraceForest()
    forest.build(spans)
    var found: [String: String] = [:]
    for index in forest.spans.indices {
      let parent = forest.parent(of: index).map { describe(forest.spans[$0]) }
      found[describe(forest.spans[index])] = parent ?? "\(forest.rootReasons[index])"
    }
    return found
  }

  private func describe(_ span: SpanRecord) -> String { "\(span.id.raw) \(span.kind)" }

  /// Scenario: a root, a child, and a span whose parent nobody sent.
  /// Guarantees: each knows why it is where it is.
  @Test func missingParents() {
    #expect(
      parents([span(1), span(2, under: 1), span(3, under: 99)]) == [
        "1 internal": "first", "2 internal": "1 internal", "3 internal": "parentMissing",
      ])
  }

  /// Scenario: client and server share an id, as Zipkin's libraries do; both name the same parent.
  /// Guarantees: the server hangs under the client, and children of the id under their own service.
  @Test func sharedIDs() {
    let found = parents([
      span(1, .server, service: 1), span(2, under: 1, .client, service: 1),
      span(2, under: 1, .server, service: 2), span(3, under: 2, .internal, service: 2),
      span(4, under: 2, .internal, service: 1), span(5, under: 2, .internal, service: 3),
    ])
    #expect(
      found == [
        "1 server": "first", "2 client": "1 server", "2 server": "2 client",
        "3 internal": "2 server", "4 internal": "2 client", "5 internal": "2 server",
      ])
  }

  /// Scenario: a span that names itself; rings of two and three; tails that hang on them.
  /// Guarantees: the earliest of a ring becomes a root because of the cycle; all others hang below.
  @Test func cycles() {
    #expect(parents([span(1, under: 1)]) == ["1 internal": "cycle"])
    #expect(
      parents([span(1, under: 2, start: 5), span(2, under: 1, start: 3)]) == [
        "1 internal": "2 internal", "2 internal": "cycle",
      ])
    let ring = [
      span(1, under: 2, start: 5), span(2, under: 3, start: 4), span(3, under: 1, start: 6),
      span(4, under: 1), span(5, under: 4), span(6, under: 5), span(7, under: 3),
    ]
    #expect(
      parents(ring) == [
        "1 internal": "2 internal", "2 internal": "cycle", "3 internal": "1 internal",
        "4 internal": "1 internal", "5 internal": "4 internal", "6 internal": "5 internal",
        "7 internal": "3 internal",
      ])
    // Equal starts: the smallest id.
    #expect(parents([span(8, under: 9), span(9, under: 8)])["8 internal"] == "cycle")
  }

  /// Scenario: random parentage over few ids, so that rings, tails and twins abound.
  /// Guarantees: order holds each span once after its parent; children agree with parents; each
  /// ring has exactly one root.
  @Test func orderHoldsEverySpan() {
    var random = SeededGenerator()
    var forest = TraceForest()
    for _ in 0..<500 {
      let count = 1 + random.below(14)
      let spans = (0..<count).map { _ in
        span(
          UInt64(1 + random.below(count)), under: UInt64(random.below(count + 2)),
          SpanKind.allCases[random.below(5)], service: UInt64(1 + random.below(2)),
          start: UInt64(random.below(5)), end: UInt64(5 + random.below(5)))
      }
      forest.build(spans)
      #expect(forest.spans.count + forest.duplicateCount == count)
      #expect(forest.order.map(Int.init).sorted() == Array(forest.spans.indices))
      var place = Array(repeating: 0, count: forest.spans.count)
      for (position, index) in forest.order.enumerated() { place[Int(index)] = position }
      var childCount = 0
      for index in forest.spans.indices {
        let children = forest.children(of: index).map(Int.init)
        childCount += children.count
        #expect(children.allSatisfy { forest.parent(of: $0) == index && place[$0] > place[index] })
        for (a, b) in zip(children, children.dropFirst()) {
          #expect(forest.spans[a].end >= forest.spans[b].end)
        }
        #expect((forest.parent(of: index) == nil) == (forest.rootReasons[index] != .hasParent))
      }
      let rootCount = forest.rootReasons.count { $0 != .hasParent }
      #expect(childCount + rootCount == forest.spans.count)
    }
  }

  /// Scenario: copies of spans: exact ones, and corrected ones with a later end.
  /// Guarantees: each identity stays once, as the copy that ends last; the rest is counted.
  @Test func duplicates() {
    var forest = TraceForest()
    let corrected = span(2, under: 1, end: 20)
    forest.build([span(2, under: 1), span(1), corrected, span(2, under: 1), span(1)])
    #expect(forest.spans == [span(1), corrected] && forest.duplicateCount == 3)
    forest.build([span(1), corrected])
    #expect(forest.duplicateCount == 0)
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    #expect(
      analyser.analyse([span(1), span(1)], key: TraceSketch.key, into: &findings) == 1)
  }

  /// Scenario: twins of one parent.
  /// Guarantees: the latest end comes first, then the latest start, then the smaller id.
  @Test func childrenAreSorted() throws {
    var forest = TraceForest()
    forest.build([
      span(1, end: 100), span(2, under: 1, end: 5), span(3, under: 1, start: 2, end: 9),
      span(4, under: 1, start: 3, end: 9), span(5, under: 1, start: 3, end: 9),
    ])
    let root = try #require(forest.spans.firstIndex { $0.id.raw == 1 })
    #expect(forest.children(of: root).map { forest.spans[Int($0)].id.raw } == [4, 5, 3, 2])
  }
}
