import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct JaegerPathTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal
  ) -> SpanRecord {
    PathSketch.span(id, under: parent, start, end, kind)
  }

  private func sections(_ spans: SpanRecord...) -> [String] {
    PathSketch.sections(spans, .jaeger)
  }

  /// Scenario: two children one after the other with time between them; two that overlap. Traces 1
  /// and 2 of Jaeger's own tests.
  /// Guarantees: its sections: a sibling that overlaps is passed over, its time is the parent's.
  @Test func siblings() {
    #expect(
      sections(span(1, 1, 101), span(2, under: 1, 20, 40), span(3, under: 1, 50, 60))
        == ["1 60–101", "3 50–60", "1 40–50", "2 20–40", "1 1–20"])
    #expect(
      sections(span(1, 1, 101), span(2, under: 1, 10, 50), span(3, under: 1, 20, 60))
        == ["1 60–101", "3 20–60", "1 1–20"])
    #expect(
      sections(span(1, 0, 100), span(2, under: 1, 0, 60), span(3, under: 1, 50, 100))
        == ["3 50–100", "1 0–50"])
  }

  /// Scenario: a child ends at the very instant at which the next one begins.
  /// Guarantees: it is passed over; one nanosecond earlier it would not be.
  @Test func equalBoundary() {
    #expect(
      sections(span(1, 100, 200), span(2, under: 1, 100, 150), span(3, under: 1, 150, 200))
        == ["3 150–200", "1 100–150"])
    #expect(
      sections(span(1, 100, 200), span(2, under: 1, 100, 149), span(3, under: 1, 150, 200))
        == ["3 150–200", "1 149–150", "2 100–149"])
  }

  /// Scenario: children beyond their parents' times. Traces 3, 4, 6, 7, 8 and 9 of Jaeger's own
  /// tests.
  /// Guarantees: its sections: what lies outside is left out with all below it, the rest is cut.
  @Test func overflow() {
    #expect(sections(span(1, 100, 140), span(2, under: 1, 150, 200)) == ["1 100–140"])
    #expect(
      sections(span(1, 1, 31), span(2, under: 1, 40, 80), span(3, under: 2, 50, 60))
        == ["1 1–31"])
    #expect(
      sections(span(1, 1, 30), span(2, under: 1, 15, 35), span(3, under: 2, 10, 25))
        == ["2 25–30", "3 15–25", "1 1–15"])
    #expect(
      sections(span(1, 1, 30), span(2, under: 1, 15, 35), span(3, under: 2, 20, 40))
        == ["3 20–30", "2 15–20", "1 1–15"])
    #expect(sections(span(1, 10, 30), span(2, under: 1, 5, 35)) == ["2 10–30"])
    #expect(sections(span(1, 10, 30), span(2, under: 1, 1, 5)) == ["1 10–30"])
  }

  /// Scenario: a consumer under a producer, with work below it, as Jaeger's trace 5 has with a
  /// reference that only follows; a consumer under another span; a consumer as a root.
  /// Guarantees: only the first is pruned, with all below it.
  @Test func consumers() {
    #expect(
      sections(
        span(1, 1, 31, .producer), span(2, under: 1, 10, 20, .consumer), span(3, under: 2, 12, 14))
        == ["1 1–31"])
    #expect(
      sections(span(1, 1, 31, .server), span(2, under: 1, 10, 20, .consumer))
        == ["1 20–31", "2 10–20", "1 1–10"])
    #expect(sections(span(1, 1, 31, .consumer)) == ["1 1–31"])
  }

  /// Scenario: several children end together, by themselves or because they were cut.
  /// Guarantees: the one that began first is waited for.
  @Test func ties() {
    #expect(
      sections(span(1, 0, 90), span(2, under: 1, 50, 80), span(3, under: 1, 40, 80))
        == ["1 80–90", "3 40–80", "1 0–40"])
    #expect(
      sections(span(1, 0, 90), span(2, under: 1, 50, 95), span(3, under: 1, 40, 99))
        == ["3 40–90", "1 0–40"])
    #expect(
      sections(span(1, 0, 90), span(2, under: 1, 40, 95), span(3, under: 1, 50, 99))
        == ["2 40–90", "1 0–40"])
  }

  /// Scenario: two roots, and a span whose parent is missing.
  /// Guarantees: each has its own path.
  @Test func roots() {
    #expect(
      sections(span(1, 0, 10), span(2, 5, 20), span(3, under: 99, 0, 30), span(4, under: 3, 1, 2))
        == ["1 0–10", "2 5–20", "3 2–30", "4 1–2", "3 0–1"])
  }

  /// Scenario: random trees.
  /// Guarantees: the same sections as the rule followed word by word, with recursion.
  @Test func sameAsRecursion() {
    var random = SeededGenerator()
    for round in 0..<900 {
      let spans =
        round % 3 == 0
        ? random.pipeline(1 + random.below(20))
        : random.tree(1 + random.below(16), wide: round % 3 == 1)
      let forest = PathSketch.forest(spans)
      var expected: [TracePath.Section] = []
      for root in CriticalPath.roots(of: forest, rule: .jaeger) {
        let span = forest.spans[root]
        follow(root, span.start, span.end, in: forest, &expected)
      }
      #expect(TracePath(forest, rule: .jaeger).sections == expected)
    }
  }

  private func follow(
    _ span: Int, _ from: Nanos, _ until: Nanos, in forest: TraceForest,
    _ sections: inout [TracePath.Section]
  ) {
    let children = forest.children(of: span).map(Int.init).filter { index in
      let child = forest.spans[index]
      let isPruned = child.kind == .consumer && forest.spans[span].kind == .producer
      return !isPruned && child.start < until && (child.start >= from || child.end > from)
    }
    var end = until
    var returning: Nanos?
    while true {
      let candidates = children.filter { index in
        returning.map { min(forest.spans[index].end, until) < $0 } ?? true
      }
      guard let last = candidates.map({ min(forest.spans[$0].end, until) }).max() else { break }
      let tied = candidates.filter { min(forest.spans[$0].end, until) == last }
      guard let first = tied.map({ forest.spans[$0].start }).min(),
        let child = tied.first(where: { forest.spans[$0].start == first })
      else { break }
      if last < end { sections.append(TracePath.Section(span: span, from: last, until: end)) }
      let start = max(first, from)
      follow(child, start, last, in: forest, &sections)
      end = start
      returning = start
    }
    if from < end { sections.append(TracePath.Section(span: span, from: from, until: end)) }
  }
}
