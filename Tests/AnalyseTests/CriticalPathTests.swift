import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct CriticalPathTests {
  struct Section: Equatable {
    var span: SpanID
    var from: Nanos
    var until: Nanos
  }

  private func path(_ spans: [SpanRecord]) -> [[Section]] {
    var forest = TraceForest()
    forest.build(spans)
    var path = CriticalPath()
    return CriticalPath.roots(of: forest).map { root in
      var sections: [Section] = []
      path.walk(forest, from: root) { span, from, until in
        sections.append(Section(span: forest.spans[span].id, from: from, until: until))
      }
      return sections
    }
  }

  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal
  ) -> SpanRecord {
    SpanRecord(
      id: SpanID(id), parent: SpanID(parent), start: start, end: end, service: NameID(1),
      kind: kind)
  }

  /// Scenario: two children overlap.
  /// Guarantees: the one that ends last is waited for, the other until that one began.
  @Test func overlappingChildren() {
    let sections = path([span(1, 0, 100), span(2, under: 1, 10, 60), span(3, under: 1, 40, 90)])
    #expect(
      sections == [
        [
          Section(span: SpanID(1), from: 90, until: 100),
          Section(span: SpanID(3), from: 40, until: 90),
          Section(span: SpanID(2), from: 10, until: 40),
          Section(span: SpanID(1), from: 0, until: 10),
        ]
      ])
  }

  /// Scenario: work nobody waits for: a consumer, and a child that outlives its parent.
  /// Guarantees: it is not on the path. A server that outlives its client is: clocks differ.
  @Test func asynchronousWork() {
    let own = [[Section(span: SpanID(1), from: 0, until: 100)]]
    #expect(path([span(1, 0, 100), span(2, under: 1, 10, 90, .consumer)]) == own)
    #expect(path([span(1, 0, 100), span(2, under: 1, 10, 101)]) == own)
    #expect(path([span(1, 0, 100, .client), span(2, under: 1, 10, 101, .client)]) == own)
    #expect(
      path([span(1, 0, 100, .client), span(2, under: 1, 10, 101, .server)]) == [
        [
          Section(span: SpanID(2), from: 10, until: 100),
          Section(span: SpanID(1), from: 0, until: 10),
        ]
      ])
  }

  /// Scenario: several roots; the first spans missing; a root of no duration.
  /// Guarantees: roots that name no parent count; the others only where there are none.
  @Test func roots() {
    let both = path([span(1, 0, 10), span(2, 0, 20), span(3, under: 99, 0, 30)])
    #expect(both.map { $0.map(\.span.raw) } == [[1], [2]])
    let missing = path([span(3, under: 99, 0, 30), span(4, under: 4, 0, 30)])
    #expect(missing.map { $0.map(\.span.raw) } == [[3], [4]])
    #expect(path([span(1, 5, 5), span(2, under: 1, 5, 5)]) == [[]])
  }

  /// Scenario: random trees with random clocks: children before, after and around their parents,
  /// asynchronous ones, several levels deep.
  /// Guarantees: the sections of a root follow one another without gap or overlap and sum to its
  /// duration; at each instant they name the same span as a slow walk instant by instant.
  @Test func sectionsPartitionTheRoot() {
    var random = SeededGenerator()
    for round in 0..<600 {
      let spans = random.tree(1 + random.below(14), wide: round % 3 == 0)
      var forest = TraceForest()
      forest.build(spans)
      var path = CriticalPath()
      for root in CriticalPath.roots(of: forest) {
        let span = forest.spans[root]
        var cursor = span.end
        var actual = Array(repeating: -1, count: Int(span.durationNanos))
        path.walk(forest, from: root) { index, from, until in
          #expect(until == cursor && from < until && from >= span.start)
          cursor = from
          for instant in from..<until { actual[Int(instant - span.start)] = index }
        }
        #expect(cursor == span.start)
        var expected = Array(repeating: -1, count: Int(span.durationNanos))
        paint(root, span.start, span.end, in: forest, origin: span.start, &expected)
        #expect(actual == expected)
      }
    }
  }

  /// The reference: who is waited for, looking back from each instant.
  private func paint(
    _ span: Int, _ from: Nanos, _ until: Nanos, in forest: TraceForest, origin: Nanos,
    _ owners: inout [Int]
  ) {
    var instant = until
    while instant > from {
      let waitedFor = forest.spans.indices.filter { child in
        guard forest.parent(of: child) == span else { return false }
        let record = forest.spans[child]
        let parent = forest.spans[span]
        let outlives = record.end > parent.end
        let isCall = record.kind == .server && parent.kind == .client
        let isMessage =
          record.kind == .consumer || record.kind == .server && parent.kind == .producer
        return !isMessage && (!outlives || isCall) && record.start < instant
          && record.end > from && record.end > record.start
      }.max { a, b in
        let first = (forest.spans[a].end, forest.spans[a].start, -a)
        return first < (forest.spans[b].end, forest.spans[b].start, -b)
      }
      guard let child = waitedFor, forest.spans[child].end >= instant else {
        owners[Int(instant - 1 - origin)] = span
        instant -= 1
        continue
      }
      let start = max(forest.spans[child].start, from)
      paint(child, start, instant, in: forest, origin: origin, &owners)
      instant = start
    }
  }

  /// Scenario: random traces are analysed.
  /// Guarantees: time on critical paths sums to the durations of the roots, and no service has more
  /// of it than there is.
  @Test func criticalTimeIsTheRootsDuration() {
    var random = SeededGenerator()
    for _ in 0..<200 {
      let spans = random.tree(1 + random.below(30), wide: true)
      var analyser = TraceAnalyser()
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let forest = analyser.forest
      let expected = CriticalPath.roots(of: forest).reduce(0) {
        $0 + Int64(forest.spans[$1].durationNanos)
      }
      let outcome = Outcome(findings, names: [:])
      #expect(outcome.coverage[.criticalPathNanos] == expected)
      let nodes = outcome.window.series.filter { $0.key.kind == .node }
      #expect(nodes.reduce(0) { $0 + $1.value.counters[.criticalPathNanos] } <= expected)
    }
  }
}

extension SeededGenerator {
  /// A random tree of spans with small times. `wide`: children need not lie within their parents.
  mutating func tree(_ count: Int, wide: Bool) -> [SpanRecord] {
    var spans: [SpanRecord] = []
    for index in 0..<count {
      var start = Nanos(below(60))
      var end = start + Nanos(below(60))
      var parent = SpanID.none
      if index > 0 {
        let above = spans[below(index)]
        parent = above.id
        if !wide {
          start = above.start + Nanos(below(Int(above.durationNanos) + 1))
          end = start + Nanos(below(Int(above.end - start) + 1))
        } else if once(in: 15) {
          parent = once(in: 2) ? .none : SpanID(999)
        }
      }
      spans.append(
        SpanRecord(
          id: SpanID(UInt64(index + 1)), parent: parent, start: start, end: end,
          service: NameID(UInt64(1 + below(3))), operation: NameID(50),
          kind: SpanKind.allCases[below(5)]))
    }
    return spans
  }
}
