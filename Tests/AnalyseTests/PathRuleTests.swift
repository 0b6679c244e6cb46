import Model
import TestSupport
import Testing

@testable import Analyse

/// What holds for every rule.
@Suite struct PathRuleTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal
  ) -> SpanRecord {
    PathSketch.span(id, under: parent, start, end, kind)
  }

  /// Scenario: random trees, children before, after and around their parents, calls, errors.
  /// Guarantees: the sections of a root follow one another without gap or overlap and sum to its
  /// duration; so do the exclusive times, except that under `crisp` those that would be negative
  /// are none.
  @Test(arguments: CriticalPathRule.allCases) func sectionsPartitionTheRoot(
    rule: CriticalPathRule
  ) {
    var random = SeededGenerator()
    for round in 0..<900 {
      let spans =
        round % 3 == 0
        ? random.pipeline(1 + random.below(24))
        : random.tree(1 + random.below(20), wide: round % 3 == 1)
      let forest = PathSketch.forest(spans)
      let path = TracePath(forest, rule: rule)
      var rest = path.sections[...]
      var duration: Int64 = 0
      for root in CriticalPath.roots(of: forest, rule: rule) {
        duration += Int64(forest.spans[root].durationNanos)
        var cursor = forest.spans[root].end
        while cursor > forest.spans[root].start, let section = rest.popFirst() {
          #expect(section.until == cursor && section.from < section.until)
          cursor = section.from
        }
        #expect(cursor == forest.spans[root].start)
      }
      #expect(rest.isEmpty)
      let signed = path.shares.map { Int64($0.time) - Int64($0.covered) }
      #expect(signed.reduce(0, +) == duration)
      #expect(zip(path.shares, signed).allSatisfy { Int64($0.exclusive) == max($1, 0) })
      #expect(rule == .crisp || signed.allSatisfy { $0 > 0 })
      #expect(Set(path.shares.map(\.span)).count == path.shares.count)
    }
  }

  /// Scenario: garbage: few ids, rings, missing parents, times from one end to the other.
  /// Guarantees: nothing traps; sections lie within a root and do not overlap.
  @Test(arguments: CriticalPathRule.allCases) func garbageIsSurvived(rule: CriticalPathRule) {
    var random = SeededGenerator()
    for _ in 0..<1000 {
      let spans = random.garbage(1 + random.below(24)).map { span in
        // Decoding sees to it that no span ends before it starts.
        var span = span
        if span.end < span.start { span.end = span.start }
        return span
      }
      let forest = PathSketch.forest(spans)
      let path = TracePath(forest, rule: rule)
      let roots = CriticalPath.roots(of: forest, rule: rule)
      let total = roots.reduce(Nanos(0)) { $0.saturatingAdding(forest.spans[$1].durationNanos) }
      let sum = path.sections.reduce(Nanos(0)) { $0.saturatingAdding($1.until - $1.from) }
      #expect(sum == total)
    }
  }

  /// Scenario: a ring with a tail; only spans whose parents are missing; one beside a first span;
  /// a root of no duration; no spans at all.
  /// Guarantees: the earliest of a ring stands for it; every rule but Jaeger's passes over what is
  /// not below a first span where there is one.
  @Test(arguments: CriticalPathRule.allCases) func roots(rule: CriticalPathRule) {
    func sections(_ spans: SpanRecord...) -> [String] { PathSketch.sections(spans, rule) }
    #expect(
      sections(span(1, under: 2, 5, 9), span(2, under: 1, 3, 9), span(3, under: 1, 6, 7))
        == ["1 7–9", "3 6–7", "1 5–6", "2 3–5"])
    #expect(sections(span(3, under: 99, 0, 30), span(4, under: 98, 5, 9)) == ["3 0–30", "4 5–9"])
    #expect(
      sections(span(1, 0, 10), span(3, under: 99, 0, 30))
        == (rule == .jaeger ? ["1 0–10", "3 0–30"] : ["1 0–10"]))
    #expect(sections(span(1, 5, 5), span(2, under: 1, 5, 5)).isEmpty)
    #expect(sections().isEmpty)
  }

  /// Scenario: the same spans in another order, some of them twice.
  /// Guarantees: the same path.
  @Test(arguments: CriticalPathRule.allCases) func orderDoesNotMatter(rule: CriticalPathRule) {
    var random = SeededGenerator()
    for _ in 0..<200 {
      let spans = random.pipeline(1 + random.below(20))
      let again = (spans + spans.filter { _ in random.once(in: 3) }).shuffled(using: &random)
      #expect(PathSketch.sections(again, rule) == PathSketch.sections(spans, rule))
      #expect(PathSketch.exclusive(again, rule) == PathSketch.exclusive(spans, rule))
    }
  }

  /// The shapes in which a careless walk takes time that grows with the square of the spans.
  enum Shape: CaseIterable {
    case chain, fan, touchingFan, overlappingFan, erringFan, comb, roots

    func spans(_ count: UInt64) -> [SpanRecord] {
      let end = 1_000 * count
      let root = PathSketch.span(1, 0, end, error: true)
      let rest = (2...count).map { id -> SpanRecord in
        switch self {
        case .chain:
          PathSketch.span(id, under: id - 1, id, end - id, error: true)
        case .fan:
          PathSketch.span(id, under: 1, 1_000 * (id - 1) + 10, 1_000 * id - 10)
        case .touchingFan:
          // Each begins before the last one ended, by less than 1 % of the root.
          PathSketch.span(id, under: 1, 1_000 * (id - 1), 1_000 * id + 3)
        case .overlappingFan:
          // All are within the allowance of the last, and none may use it.
          PathSketch.span(id, under: 1, id, end - 2 * count + id)
        case .erringFan:
          PathSketch.span(id, under: 1, 10, end - id, error: true)
        case .comb:
          PathSketch.span(id, under: id % 2 == 0 ? id - 1 : id - 2, id, end - id)
        case .roots:
          PathSketch.span(id, under: id % 3 == 0 ? 0 : 1_000_000, id, end)
        }
      }
      return [root] + rest
    }
  }

  /// Scenario: 20 000 spans in a chain, side by side, touching, on top of each other, each failed,
  /// as the teeth of a comb, as roots.
  /// Guarantees: no rule looks at more than a few times that many children, and a comparison more
  /// for each halving where overlaps are judged.
  @Test(.timeLimit(.minutes(3)), arguments: Shape.allCases) func workIsBounded(shape: Shape) {
    let count = 20_000
    let forest = PathSketch.forest(shape.spans(UInt64(count)))
    let halvings = 15
    var wallclock = CriticalPath()
    var jaeger = CriticalPath.Jaeger()
    var crisp = CriticalPath.Crisp()
    var sections = 0
    for root in CriticalPath.roots(of: forest, rule: .jaeger) {
      wallclock.walk(forest, from: root) { _, _, _ in sections += 1 }
      jaeger.walk(forest, from: root) { _, _, _ in sections += 1 }
      crisp.walk(forest, from: root) { _, _, _ in sections += 1 }
      var errors = CriticalPath.ErrorPath()
      crisp.addErrors(to: &errors, in: forest)
    }
    #expect(sections <= 3 * 2 * count)
    #expect(jaeger.steps <= count)
    #expect(crisp.steps <= (4 + 4 * halvings) * count)
  }
}
