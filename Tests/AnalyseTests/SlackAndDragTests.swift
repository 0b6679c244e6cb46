import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct SlackAndDragTests {
  private func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal
  ) -> SpanRecord {
    PathSketch.span(id, under: parent, start, end, kind)
  }

  /// "slack/drag" by span, in the order of ids; "-" for slack without end.
  private func found(_ spans: SpanRecord...) -> [String] {
    let forest = PathSketch.forest(spans)
    var result = SlackAndDrag()
    result.find(in: forest)
    return forest.spans.indices.map {
      let slack = result.slacks[$0]
      return (slack == SlackAndDrag.unbounded ? "-" : "\(slack)") + "/\(result.drags[$0])"
    }
  }

  /// Scenario: one child after the other; two at once; a chain.
  /// Guarantees: spans in a row have drag as long as they are; of two at once the longer one has
  /// as much drag as the other has slack; drag never exceeds that of the span above.
  @Test func simpleShapes() {
    #expect(
      found(span(1, 0, 100), span(2, under: 1, 10, 40), span(3, under: 1, 50, 90))
        == ["0/100", "0/30", "0/40"])
    #expect(
      found(span(1, 0, 100), span(2, under: 1, 10, 60), span(3, under: 1, 10, 90))
        == ["0/100", "30/0", "0/30"])
    #expect(
      found(
        span(1, 0, 100), span(2, under: 1, 10, 60), span(3, under: 1, 10, 90),
        span(4, under: 3, 10, 20), span(5, under: 3, 20, 80), span(6, under: 2, 20, 30))
        == ["0/100", "30/0", "0/30", "0/10", "0/30", "30/0"])
  }

  /// Scenario: a short call begins after another one ended, while a long one runs beside both.
  /// Guarantees: the long one's slack limits what either could save, and their slack is one.
  @Test func calledInARow() {
    #expect(
      found(
        span(1, 0, 100), span(2, under: 1, 0, 50), span(3, under: 1, 50, 100),
        span(4, under: 1, 0, 80)) == ["0/100", "0/20", "0/20", "20/0"])
    #expect(
      found(
        span(1, 0, 100), span(2, under: 1, 0, 30), span(3, under: 1, 40, 60),
        span(4, under: 1, 0, 90)) == ["0/100", "30/0", "30/0", "0/30"])
  }

  /// Scenario: work nobody waits for, and what is below it; a server that outlives its client.
  /// Guarantees: the first could take for ever and saves nothing; the second counts as cut.
  @Test func notWaitedFor() {
    #expect(
      found(
        span(1, 0, 100), span(2, under: 1, 10, 20, .consumer), span(3, under: 2, 10, 20),
        span(4, under: 1, 90, 110)) == ["0/100", "-/0", "-/0", "-/0"])
    #expect(
      found(span(1, 0, 100, .client), span(2, under: 1, 10, 120, .server)) == ["0/100", "0/90"])
  }

  /// Scenario: random trees, children before, after and around their parents and each other.
  /// Guarantees: a span that takes its slack more leaves the trace as long as it was, and one
  /// nanosecond more makes it longer by that; without a span the trace is shorter by its drag. Both
  /// are tried by timing the whole trace anew.
  @Test func sameAsTimingAnew() {
    var random = SeededGenerator()
    for round in 0..<900 {
      let spans =
        round % 3 == 0
        ? random.pipeline(1 + random.below(14))
        : random.tree(1 + random.below(14), wide: round % 3 == 1)
      let forest = PathSketch.forest(spans)
      var result = SlackAndDrag()
      result.find(in: forest)
      for root in CriticalPath.roots(of: forest) {
        let timing = Timing(forest: forest)
        let before = timing.duration(of: root)
        #expect(before == forest.spans[root].durationNanos)
        for span in forest.spans.indices where timing.isWaitedFor(span, by: root) {
          let slack = result.slacks[span]
          #expect(timing.duration(of: root, when: .longer(span, by: slack)) == before)
          #expect(timing.duration(of: root, when: .longer(span, by: slack + 1)) == before + 1)
          #expect(timing.duration(of: root, when: .gone(span)) == before - result.drags[span])
          #expect(slack == 0 || result.drags[span] == 0)
        }
      }
      for span in forest.spans.indices where result.slacks[span] == SlackAndDrag.unbounded {
        #expect(result.drags[span] == 0)
      }
    }
  }

  /// Scenario: a call of 180 ms to a service that takes 10 of them; a call of as long to a database; one
  /// to a service whose caller sent no client's span.
  /// Guarantees: drag is that of the call, way there and back included, so that the first two compare;
  /// where no client tells of it, it is the server's.
  @Test func dragIsThatOfTheCall() {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 500)
    let call = trace.span("front", .client, under: root, 10, 190)
    trace.span("back", .server, under: call, 90, 100)
    trace.span("front", .client, under: root, 200, 380, peer: "orders")
    trace.span("plain", .server, under: root, 400, 430)
    let outcome = trace.analysed()
    #expect(outcome.wait("front", "back").ownTime == .of(180))
    #expect(outcome.wait("front", "back").clientLatency == .of(180))
    #expect(outcome.wait("front", "orders").ownTime == .of(180))
    #expect(outcome.wait("front", "plain").ownTime == .of(30))
    #expect(outcome.wait("front", "back").latency == outcome.wait("front", "orders").latency)
  }

  /// Scenario: 20 000 spans in each shape that could take time that grows with their square.
  /// Guarantees: no more than a few times that many children are looked at, and a comparison more
  /// for each halving.
  @Test(.timeLimit(.minutes(3)), arguments: PathRuleTests.Shape.allCases)
  func workIsBounded(shape: PathRuleTests.Shape) {
    let count = 20_000
    let halvings = 15
    var result = SlackAndDrag()
    result.find(in: PathSketch.forest(shape.spans(UInt64(count))))
    #expect(result.steps <= (2 + halvings) * count)
  }

  /// Scenario: garbage, with times from one end to the other.
  /// Guarantees: nothing traps.
  @Test func garbage() {
    var random = SeededGenerator()
    var result = SlackAndDrag()
    for _ in 0..<1000 {
      let forest = PathSketch.forest(random.garbage(1 + random.below(24)))
      result.find(in: forest)
      #expect(result.slacks.count == forest.spans.count)
      #expect(result.drags.count == forest.spans.count)
    }
  }
}

/// Times a trace anew, by the definition: what waits for what is read from the recorded times, then
/// everything begins as soon as it may.
private struct Timing {
  enum Change {
    case none
    case longer(Int, by: Nanos)
    case gone(Int)
  }

  private struct Child {
    var span: Int
    var from: Nanos
    var until: Nanos
  }

  let forest: TraceForest

  func duration(of root: Int, when change: Change = .none) -> Nanos {
    duration(of: root, forest.spans[root].start, forest.spans[root].end, change)
  }

  func isWaitedFor(_ span: Int, by root: Int) -> Bool {
    var windows = [Child(span: root, from: forest.spans[root].start, until: forest.spans[root].end)]
    while let next = windows.popLast() {
      if next.span == span { return true }
      windows += children(of: next.span, next.from, next.until)
    }
    return false
  }

  /// Earliest end first.
  private func children(of span: Int, _ from: Nanos, _ until: Nanos) -> [Child] {
    let all = forest.children(of: span).map(Int.init).filter { index in
      let child = forest.spans[index]
      return !CriticalPath.isAsynchronous(index, of: span, in: forest) && child.start <= until
        && child.end >= from
    }
    return all.reversed().map { index in
      Child(
        span: index, from: max(forest.spans[index].start, from),
        until: min(forest.spans[index].end, until))
    }
  }

  private func duration(of span: Int, _ from: Nanos, _ until: Nanos, _ change: Change) -> Nanos {
    if case .gone(let gone) = change, gone == span { return 0 }
    let children = children(of: span, from, until)
    // After the parent's start, in the new times.
    var ends: [Nanos] = []
    for (position, child) in children.enumerated() {
      let earlier = (0..<position).filter { children[$0].until <= child.from }
      let gate = earlier.map { children[$0].until }.max() ?? from
      let start = (earlier.map { ends[$0] }.max() ?? 0) + (child.from - gate)
      ends.append(start + duration(of: child.span, child.from, child.until, change))
    }
    let rest = until - (children.map(\.until).max() ?? from)
    var duration = (ends.max() ?? 0) + rest
    if case .longer(let longer, let extra) = change, longer == span { duration += extra }
    return duration
  }
}
