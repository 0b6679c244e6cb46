import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct CrispPathTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal
  ) -> SpanRecord {
    PathSketch.span(id, under: parent, start, end, kind)
  }

  private func exclusive(_ spans: SpanRecord...) -> [UInt64: Nanos] {
    PathSketch.exclusive(spans, .crisp)
  }

  private func sections(_ spans: SpanRecord...) -> [String] {
    PathSketch.sections(spans, .crisp)
  }

  /// Scenario: CRISP's tests of its path: a chain, children one after the other, children at the
  /// same time, and a path below each of two children.
  /// Guarantees: the spans on its path, each with its exclusive time.
  @Test func whatIsOnThePath() {
    #expect(
      exclusive(span(1, 0, 100), span(2, under: 1, 10, 90), span(3, under: 2, 20, 70))
        == [1: 20, 2: 30, 3: 50])
    #expect(
      exclusive(span(1, 0, 1000), span(2, under: 1, 0, 400), span(3, under: 1, 500, 1000))
        == [1: 100, 2: 400, 3: 500])
    #expect(
      exclusive(span(1, 0, 1000), span(2, under: 1, 0, 600), span(3, under: 1, 500, 1000))
        == [1: 500, 3: 500])
    #expect(
      exclusive(
        span(1, 0, 1000), span(2, under: 1, 0, 400), span(3, under: 1, 500, 1000),
        span(4, under: 3, 900, 1000), span(5, under: 3, 500, 800))
        == [1: 100, 2: 400, 3: 100, 4: 100, 5: 300])
  }

  /// Scenario: a child ends a little after the next one begins: less than 1 % of the parent, just
  /// 1 %, and less than 1 % while a third child begins in between.
  /// Guarantees: only the first is on the path; what the two share is one's section alone.
  @Test func overlapAllowance() {
    let later = span(3, under: 1, 500, 1000)
    #expect(
      exclusive(span(1, 0, 1000), span(2, under: 1, 0, 505), later) == [1: 0, 2: 505, 3: 500])
    #expect(
      sections(span(1, 0, 1000), span(2, under: 1, 0, 505), later) == ["3 500–1000", "2 0–500"])
    #expect(exclusive(span(1, 0, 1000), span(2, under: 1, 0, 510), later) == [1: 500, 3: 500])
    #expect(
      exclusive(
        span(1, 0, 1000), span(2, under: 1, 0, 505), later, span(4, under: 1, 502, 510))
        == [1: 500, 3: 500])
    #expect(
      exclusive(span(1, 0, 1000), span(2, under: 1, 100, 505), span(3, under: 1, 500, 800))
        == [1: 295, 2: 405, 3: 300])
  }

  /// Scenario: a child ends at the very instant at which the next one begins, alone or with others.
  /// Guarantees: an overlap of nothing is within the allowance, if nothing else happens then.
  @Test func equalBoundary() {
    #expect(
      sections(
        span(1, 0, 300), span(2, under: 1, 0, 100), span(3, under: 1, 100, 200),
        span(4, under: 1, 200, 300)) == ["4 200–300", "3 100–200", "2 0–100"])
    #expect(
      sections(
        span(1, 0, 300), span(2, under: 1, 0, 100), span(3, under: 1, 100, 300),
        span(4, under: 1, 50, 100)) == ["3 100–300", "1 0–100"])
  }

  /// Scenario: children beyond their parent's time on either side, outside of it, and on both
  /// sides at once.
  /// Guarantees: the first are cut, the others left out with all below them.
  @Test func overflow() {
    let parent = span(1, 100, 200)
    #expect(exclusive(parent, span(2, under: 1, 50, 150)) == [1: 50, 2: 50])
    #expect(exclusive(parent, span(2, under: 1, 150, 250)) == [1: 50, 2: 50])
    #expect(exclusive(parent, span(2, under: 1, 300, 400), span(3, under: 2, 310, 320)) == [1: 100])
    #expect(exclusive(parent, span(2, under: 1, 0, 60)) == [1: 100])
    #expect(exclusive(parent, span(2, under: 1, 50, 250)) == [1: 100])
  }

  /// Scenario: a server alone under its client, a hundredth longer; longer than that; with a
  /// sibling; under a plain span that is itself under a server.
  /// Guarantees: it is not cut in the first and the last case, its duration is held to the client's.
  @Test func callsAreNotCut() {
    let client = span(1, 100, 200, .client)
    #expect(
      exclusive(client, span(2, under: 1, 105, 206, .server), span(3, under: 2, 205, 206))
        == [1: 0, 2: 99, 3: 1])
    #expect(exclusive(client, span(2, under: 1, 105, 207, .server)) == [1: 5, 2: 95])
    #expect(
      exclusive(client, span(2, under: 1, 105, 206, .server), span(3, under: 1, 101, 102))
        == [1: 4, 2: 95, 3: 1])
    #expect(exclusive(client, span(2, under: 1, 105, 206)) == [1: 5, 2: 95])
    #expect(
      exclusive(
        span(1, 0, 1000, .server), span(2, under: 1, 100, 200), span(3, under: 2, 105, 206, .server)
      ) == [1: 900, 2: 0, 3: 100])
    #expect(
      exclusive(span(1, 0, 1000), span(2, under: 1, 100, 200), span(3, under: 2, 105, 206, .server))
        == [1: 900, 2: 5, 3: 95])
  }

  /// Scenario: CRISP's trace 26: a server that ends after its client with work that goes on as long,
  /// a server that begins before its client, and a span that takes no time.
  /// Guarantees: the segments and exclusive times CRISP publishes for it.
  @Test func trace26() {
    let spans = [
      span(1, 0, 1000), span(2, under: 1, 100, 600, .client), span(3, under: 2, 105, 609, .server),
      span(4, under: 3, 550, 609), span(5, under: 1, 700, 700),
      span(6, under: 1, 750, 950, .client), span(7, under: 6, 745, 945, .server),
    ]
    #expect(
      PathSketch.exclusive(spans, .crisp) == [1: 300, 2: 0, 3: 441, 4: 59, 5: 0, 6: 0, 7: 200])
    #expect(
      PathSketch.sections(spans, .crisp) == [
        "1 950–1000", "6 945–950", "7 750–945", "1 700–750", "1 600–700", "4 550–600", "3 105–550",
        "2 100–105", "1 0–100",
      ])
  }

  /// Scenario: CRISP's traces 16 and 18: children in a row, one of them overlapping its neighbours,
  /// and calls in a row at two levels.
  /// Guarantees: the exclusive times CRISP publishes for them.
  @Test func traces16And18() {
    #expect(
      exclusive(
        span(1, 0, 110), span(2, under: 1, 10, 20), span(3, under: 1, 15, 35),
        span(4, under: 1, 30, 40), span(5, under: 1, 50, 60), span(6, under: 1, 70, 100),
        span(7, under: 6, 80, 90)) == [1: 50, 2: 10, 4: 10, 5: 10, 6: 20, 7: 10])
    #expect(
      exclusive(
        span(1, 0, 250), span(2, under: 1, 10, 110), span(3, under: 2, 30, 40),
        span(4, under: 2, 50, 60), span(5, under: 2, 70, 80), span(6, under: 1, 120, 220),
        span(7, under: 6, 140, 200), span(8, under: 7, 150, 170), span(9, under: 7, 180, 190))
        == [1: 50, 2: 70, 3: 10, 4: 10, 5: 10, 6: 40, 7: 30, 8: 20, 9: 10])
  }

  /// Scenario: children whose durations together are longer than their parent's.
  /// Guarantees: the parent's exclusive time is none, not less; the sections still add up.
  @Test func negativeTimesAreNone() {
    let spans = [span(1, 0, 1000), span(2, under: 1, 0, 505), span(3, under: 1, 500, 1000)]
    let shares = TracePath(PathSketch.forest(spans), rule: .crisp).shares
    #expect(shares.first == TracePath.Share(span: 0, time: 1000, covered: 1005))
    #expect(shares.first?.exclusive == 0)
  }

  /// Scenario: several children end together, by themselves or because they were cut.
  /// Guarantees: the one that began last is on the path.
  @Test func ties() {
    #expect(
      exclusive(
        span(1, 0, 1000), span(2, under: 1, 500, 1000), span(3, under: 1, 600, 1000),
        span(4, under: 2, 500, 700), span(5, under: 3, 600, 800)) == [1: 600, 3: 200, 5: 200])
    #expect(
      exclusive(span(1, 0, 90), span(2, under: 1, 50, 95), span(3, under: 1, 40, 99))
        == [1: 50, 2: 40])
  }

  /// Scenario: a consumer under the producer, and under another span.
  /// Guarantees: only the first is left out, and does not count as a sibling.
  @Test func consumers() {
    #expect(
      exclusive(span(1, 0, 50, .producer), span(2, under: 1, 10, 20, .consumer)) == [1: 50])
    #expect(
      exclusive(span(1, 0, 50, .server), span(2, under: 1, 10, 20, .consumer)) == [1: 40, 2: 10])
  }

  /// Scenario: random trees, some with calls and children that nearly touch.
  /// Guarantees: the same members, times and errors as the rule followed word by word, with
  /// recursion.
  @Test func sameAsRecursion() {
    var random = SeededGenerator()
    var allowed = 0
    for round in 0..<1200 {
      let spans =
        round % 2 == 0
        ? random.pipeline(1 + random.below(24))
        : random.tree(1 + random.below(16), wide: round % 4 == 1)
      let forest = PathSketch.forest(spans)
      var path = CriticalPath.Crisp()
      for root in CriticalPath.roots(of: forest, rule: .crisp) {
        path.walk(forest, from: root) { _, _, _ in }
        var reference = CrispReference(forest: forest)
        let span = forest.spans[root]
        let node = CrispReference.Node(
          span: root, start: span.start, end: span.end, duration: span.durationNanos)
        reference.follow(node, isOnPath: true)
        #expect(path.members.map(\.span) == reference.path)
        for member in path.members {
          #expect(
            Int64(member.duration) - Int64(member.covered) == reference.exclusive[member.span])
        }
        var errors = CriticalPath.ErrorPath()
        path.addErrors(to: &errors, in: forest)
        #expect(Set(errors.onPath + errors.connected) == reference.errors)
        #expect(errors.onPath.count + errors.connected.count == reference.errors.count)
        #expect(Set(errors.onPath).isSubset(of: reference.path))
        #expect(Set(errors.connected).isDisjoint(with: reference.path))
        allowed += reference.allowedOverlaps
      }
    }
    #expect(allowed > 100, "the allowance was not tried")
  }
}

/// The published rule as it reads: recursive, with lists searched again and again.
private struct CrispReference {
  struct Node {
    var span: Int
    var start: Nanos
    var end: Nanos
    var duration: Nanos
  }

  let forest: TraceForest
  var path: [Int] = []
  var exclusive: [Int: Int64] = [:]
  var errors: Set<Int> = []
  var allowedOverlaps = 0

  init(forest: TraceForest) { self.forest = forest }

  private func children(of node: Node) -> [Node] {
    let parent = forest.spans[node.span]
    let all = forest.children(of: node.span).map(Int.init).filter {
      !(forest.spans[$0].kind == .consumer && parent.kind == .producer)
    }
    return all.compactMap { index in
      let child = forest.spans[index]
      let above = forest.parent(of: node.span).map { forest.spans[$0].kind }
      let isCall =
        child.kind == .server && all.count == 1
        && (parent.kind == .client || (parent.kind != .server && above == .server))
        && child.durationNanos * 100 <= node.duration * 101
      if isCall {
        return Node(
          span: index, start: child.start, end: child.end,
          duration: min(child.durationNanos, node.duration))
      }
      if child.start >= node.start, child.end <= node.end {
        return Node(
          span: index, start: child.start, end: child.end, duration: child.durationNanos)
      }
      if child.start < node.start, child.end <= node.end, child.end > node.start {
        return Node(
          span: index, start: node.start, end: child.end, duration: child.end - node.start)
      }
      if child.start >= node.start, child.end > node.end, child.start < node.end {
        return Node(
          span: index, start: child.start, end: node.end, duration: node.end - child.start)
      }
      return nil
    }.sorted { a, b in a.end != b.end ? a.end > b.end : a.start > b.start }
  }

  /// - Returns: whether the span belongs to the errors.
  @discardableResult
  mutating func follow(_ node: Node, isOnPath: Bool) -> Bool {
    let isError = forest.spans[node.span].isError
    if !isOnPath, !isError { return false }
    if isOnPath {
      path.append(node.span)
      exclusive[node.span, default: 0] += Int64(node.duration)
    }
    let children = children(of: node)
    var leads = isError
    var later: Node?
    for child in children {
      if later.map({ happensBefore(child, $0, below: node, children) }) ?? true {
        if isOnPath { exclusive[node.span, default: 0] -= Int64(child.duration) }
        if follow(child, isOnPath: isOnPath) { leads = true }
        later = child
      } else if isError, follow(child, isOnPath: false) {
        leads = true
      }
    }
    if leads { errors.insert(node.span) }
    return leads
  }

  private mutating func happensBefore(
    _ earlier: Node, _ later: Node, below parent: Node, _ children: [Node]
  ) -> Bool {
    if earlier.end < later.start { return true }
    guard earlier.end < later.end, earlier.start < later.start else { return false }
    guard (earlier.end - later.start) * 100 < parent.duration else { return false }
    let window = later.start...earlier.end
    let events = children.reduce(0) {
      $0 + (window.contains($1.start) ? 1 : 0) + (window.contains($1.end) ? 1 : 0)
    }
    if events == 2, earlier.end > later.start { allowedOverlaps += 1 }
    return events == 2
  }
}
