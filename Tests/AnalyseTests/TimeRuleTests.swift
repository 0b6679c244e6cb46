import Model
import Testing

@testable import Analyse

@Suite struct TimeRuleTests {
  /// Scenario: children that overlap, nest, touch, stick out on either side, or miss the parent.
  /// Guarantees: self time is the duration less the union of what lies inside.
  @Test(
    arguments: [
      ([(10, 20), (15, 30)], 80), ([(10, 50), (20, 30)], 60), ([(10, 20), (20, 30)], 80),
      ([(0, 100)], 0), ([(50, 50)], 100), ([], 100),
      ([(10, 20), (12, 18), (30, 40), (35, 60)], 60),
      ([(0, 10), (90, 150)], 80), ([(110, 150)], 100), ([(10, 90), (10, 90)], 20),
      ([(40, 60), (10, 20), (55, 95), (0, 5)], 30),
    ] as [([(Nanos, Nanos)], Nanos)])
  func selfTime(children: [(Nanos, Nanos)], expected: Nanos) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    for (start, end) in children { trace.span("b", .server, under: root, start, end) }
    #expect(trace.analysed().node("a").ownTime == .of(expected))
  }

  /// Scenario: children began before their parent.
  /// Guarantees: only what lies inside counts.
  @Test func childrenBeforeTheirParent() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 50, 100)
    trace.span("b", .server, under: root, 0, 40)
    trace.span("b", .server, under: root, 30, 60)
    #expect(trace.analysed().node("a").ownTime == .of(40))
  }

  /// Scenario: the path of a request with work in parallel.
  /// Guarantees: at each moment one span is waited for; shares sum to the whole; the time of a call
  /// that no callee explains belongs to the edge.
  @Test func criticalPathByNode() {
    var trace = TraceSketch()
    let a = trace.span("a", .server, 0, 100)
    let toB = trace.span("a", .client, under: a, 10, 60)
    trace.span("b", .server, under: toB, 20, 50)
    let toC = trace.span("a", .client, under: a, 30, 90)
    trace.span("c", .server, under: toC, 40, 80)
    let outcome = trace.analysed()
    func critical(_ sums: Sums) -> Int64 {
      sums.counters[.criticalPathNanos] / Int64(Nanos.millisecond)
    }
    #expect(critical(outcome.node("a")) == 20)
    #expect(critical(outcome.node("c")) == 40)
    #expect(critical(outcome.node("b")) == 10)
    #expect(critical(outcome.edge("a", "b")) == 20)
    #expect(critical(outcome.edge("a", "c")) == 60)
    #expect(outcome.coverage[.criticalPathNanos] == 100 * Int64(Nanos.millisecond))
  }

  /// Scenario: times at the very ends, with every weight.
  /// Guarantees: nothing traps, and all that is found can be taken back.
  @Test func extremes() {
    let times: [(Nanos, Nanos)] = [(0, 0), (0, .max), (.max, .max), (.max - 1, .max), (5, 3)]
    for root in times {
      for child in times {
        for weight: UInt32 in [0, 1, 256, .max] {
          let a = SpanRecord(
            id: SpanID(1), start: root.0, end: root.1, service: NameID(1), weight: weight,
            kind: .server)
          let call = SpanRecord(
            id: SpanID(2), parent: SpanID(1), start: child.0, end: child.1, service: NameID(1),
            weight: weight, kind: .client, traits: .error)
          let b = SpanRecord(
            id: SpanID(.max), parent: SpanID(2), start: root.0, end: child.1, service: NameID(2),
            weight: weight, kind: .server, traits: .error)
          let peer = SpanRecord(
            id: SpanID(4), parent: SpanID(1), start: child.0, end: root.1, service: NameID(1),
            peer: NameID(9), weight: weight, kind: .client, traits: .error)
          var analyser = TraceAnalyser()
          var findings: [Finding] = []
          analyser.analyse([a, call, b, peer], key: TraceSketch.key, into: &findings)
          var sums = WindowSums()
          sums.add(findings)
          #expect(!sums.isEmpty)
          let isPositive = findings.allSatisfy { $0.counters[.criticalPathNanos] >= 0 }
          #expect(isPositive)
          sums.add(findings, sign: -1)
          #expect(sums.isEmpty)
        }
      }
    }
  }
}
