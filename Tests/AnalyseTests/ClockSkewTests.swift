import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct ClockSkewTests {
  /// The times of a client on host 1 from 100 to 200 and of its server on host 2, after the adjustment.
  private func server(
    _ from: Nanos, _ until: Nanos, max: Nanos = .second, client: SpanKind = .client,
    server: SpanKind = .server, traits: SpanTraits = [], serverTraits: SpanTraits = [],
    hosts: (UInt32, UInt32) = (1, 2), services: (String, String) = ("a", "b")
  ) -> [Nanos] {
    var sketch = TraceSketch()
    let root = sketch.span(services.0, client, 100, 200, traits: traits, host: hosts.0)
    sketch.span(
      services.1, server, under: root, from, until, traits: serverTraits, host: hosts.1)
    var forest = TraceForest()
    forest.build(sketch.spans, clockSkewNanosMax: max)
    #expect(forest.spans[0] == sketch.spans[0], "a root never moves")
    #expect(forest.recordedEnd(of: 1) == sketch.spans[1].end)
    #expect(forest.skewedCount == (forest.spans[1] == sketch.spans[1] ? 0 : 1))
    return [forest.spans[1].start, forest.spans[1].end].map {
      ($0 - TraceSketch.epoch) / .millisecond
    }
  }

  /// Scenario: a server within its client, on the edges of it, before, after, around and longer.
  /// Guarantees: what fits is centred, what lies within and what is longer stays, the latter not before
  /// its client.
  @Test(
    arguments: [
      ((120, 160), (120, 160)), ((100, 200), (100, 200)), ((90, 130), (130, 170)),
      ((180, 220), (130, 170)), ((300, 340), (130, 170)), ((10, 50), (130, 170)),
      ((99, 199), (100, 200)), ((99, 198), (100, 199)), ((90, 250), (100, 260)),
      ((110, 270), (110, 270)), ((10, 300), (100, 390)),
    ] as [((Nanos, Nanos), (Nanos, Nanos))])
  func rule(sent: (Nanos, Nanos), adjusted: (Nanos, Nanos)) {
    #expect(server(sent.0, sent.1) == [adjusted.0, adjusted.1])
    #expect(server(sent.0, sent.1, max: 0) == [sent.0, sent.1])
  }

  /// Scenario: clocks are the same, or not said, within one service and across two.
  /// Guarantees: one clock is never at odds with itself; without hosts services tell clocks apart.
  @Test func clocks() {
    #expect(server(90, 130, hosts: (1, 1)) == [90, 130])
    #expect(server(90, 130, hosts: (0, 0)) == [130, 170])
    #expect(server(90, 130, hosts: (1, 0)) == [130, 170])
    #expect(server(90, 130, hosts: (0, 0), services: ("a", "a")) == [90, 130])
    #expect(server(90, 130, hosts: (0, 2), services: ("a", "a")) == [90, 130])
    #expect(server(90, 130, hosts: (1, 2), services: ("a", "a")) == [130, 170])
  }

  /// Scenario: messages through a queue; work that goes on after its parent; a client that gave up.
  /// Guarantees: they are no skew; the same times between the two ends of a call that was waited for are.
  @Test func otherExplanations() {
    #expect(server(90, 130, server: .consumer) == [90, 130])
    #expect(server(300, 340, client: .producer) == [300, 340])
    #expect(server(300, 340, server: .client, serverTraits: .receives) == [300, 340])
    #expect(server(180, 220, client: .internal) == [180, 220])
    #expect(server(180, 220, server: .internal) == [180, 220])
    #expect(server(180, 220, traits: .error) == [180, 220])
    #expect(server(201, 220, traits: .error) == [140, 159])
    #expect(server(180, 220, serverTraits: .error) == [130, 170])
    #expect(server(90, 130, client: .internal, server: .internal) == [130, 170])
  }

  /// Scenario: the correction is as large as allowed, and a millisecond larger, either way.
  /// Guarantees: the limit is kept to the nanosecond, and what was left alone is counted, with all its
  /// clock timed below it.
  @Test func limit() {
    #expect(server(90, 130, max: 40 * .millisecond) == [130, 170])
    #expect(server(90, 130, max: 40 * .millisecond - 1) == [90, 130])
    #expect(server(180, 220, max: 50 * .millisecond) == [130, 170])
    #expect(server(180, 220, max: 50 * .millisecond - 1) == [180, 220])
    var sketch = TraceSketch()
    let root = sketch.span("a", .client, 100, 200, host: 1)
    let far = sketch.span("b", .server, under: root, 9_000, 9_040, host: 2)
    sketch.span("b", .internal, under: far, 9_010, 9_020, host: 2)
    sketch.span("c", .server, under: far, 8_990, 9_000, host: 3)
    let coverage = sketch.analysed(clockSkewNanosMax: .second)
    #expect(coverage.coverage[.skewed] == 1)
    #expect(coverage.window.series[.skewOverLimit(.standard)]?.counters[.skewed] == 2)
    let off = sketch.analysed()
    #expect(off.coverage[.skewed] == 0)
    #expect(off.window.series[.skewOverLimit(.standard)] == nil)
  }

  /// Scenario: below a server that is moved, work and a call of the same host, and the call's server on a
  /// third host, right as it is and off by its own clock.
  /// Guarantees: what the same clock timed moves along; another clock is judged against what was moved.
  @Test func descendants() {
    var sketch = TraceSketch()
    let root = sketch.span("a", .client, 100, 200, host: 1)
    let server = sketch.span("b", .server, under: root, 500, 580, host: 2)
    sketch.span("b", .internal, under: server, 505, 515, host: 2)
    let call = sketch.span("b", .client, under: server, 520, 560, host: 2)
    let right = sketch.span("c", .server, under: call, 135, 165, host: 3)
    sketch.span("c", .internal, under: right, 150, 160, host: 3)
    sketch.span("d", .server, under: call, 700, 720, host: 4)
    var forest = TraceForest()
    forest.build(sketch.spans, clockSkewNanosMax: .second)
    let starts = forest.spans.map { ($0.start - TraceSketch.epoch) / .millisecond }
    #expect(starts == [100, 110, 115, 130, 135, 150, 140])
    #expect(forest.skewedCount == 4 && forest.skewOverLimitCount == 0)
    // Children are in the order of their new times: d ends at 160, c at 165.
    #expect(Array(forest.children(of: 3)) == [4, 6])
  }

  /// Scenario: a call to a host half a second ahead, whose span ends in another window.
  /// Guarantees: gap and self time are right; the span counts in the window of its own clock. Left as it
  /// was sent, or too far off to be corrected, gap and server together are still the client's time.
  @Test func findings() {
    var sketch = TraceSketch()
    let root = sketch.span("a", .server, 9_500, 9_700, host: 1)
    let call = sketch.span("a", .client, under: root, 9_550, 9_650, host: 1)
    sketch.span("b", .server, under: call, 10_060, 10_140, host: 2)
    let outcome = sketch.analysed(clockSkewNanosMax: .second)
    #expect(outcome.edge("a", "b").ownTime == .of(20) && outcome.node("a").ownTime == .of(100))
    for limit in [0, 100 * Nanos.millisecond] {
      let edge = sketch.analysed(clockSkewNanosMax: limit).edge("a", "b")
      #expect(edge.ownTime == .of(20) && edge.latency == .of(80))
    }
    #expect(outcome.coverage[.skewed] == 1)
    let b = Name(tenant: .standard, kind: .service, text: "b").id
    #expect(outcome.sums.windows[TraceSketch.time(10_000)]?.series[.node(b)] != nil)
    #expect(outcome.sums.windows[TraceSketch.time(0)]?.series[.node(b)] == nil)
  }

  /// Scenario: three nodes as they report: one 0.4 s ahead with two pods that call each other, and a host
  /// a little behind that is called a second time.
  /// Guarantees: pods of one node share its clock, the others are told apart; gaps come out as they were.
  @Test(arguments: [false, true]) func asTheyAreSent(isReversed: Bool) throws {
    let sent = try SentSpans("clocks/nodes")
    let outcome = try sent.analysed(isReversed: isReversed, clockSkewNanosMax: .second)
    #expect(outcome.coverage[.skewed] == 4)
    #expect(outcome.edge("cart", "stock").ownTime == .of(8))
    // The client's own time beside cart's 60 and audit's 20 ms, which ran at once.
    #expect(outcome.edge("frontend", "cart").ownTime == .of(20))
    let raw = try sent.analysed(isReversed: isReversed)
    // As it was sent cart's span lies elsewhere: its length is still right.
    #expect(raw.edge("frontend", "cart").ownTime == .of(20))
    #expect(raw.edge("cart", "stock").ownTime == .of(8))
  }

  /// Scenario: a call that was waited for, whose server's clock is nine seconds ahead, with work and a
  /// call to a third host below; clocks are corrected by a second, by ten, or not at all.
  /// Guarantees: too far apart to be corrected, the spans are counted and keep their times, but the
  /// critical path is that of corrected clocks; slack and drag too. Uncorrected they are as sent.
  @Test(arguments: CriticalPathRule.allCases) func criticalPathBeyondTheLimit(
    rule: CriticalPathRule
  ) {
    var sketch = TraceSketch()
    let root = sketch.span("a", .server, 0, 100, host: 1)
    let call = sketch.span("a", .client, under: root, 10, 90, host: 1)
    let far = sketch.span("b", .server, under: call, 9_020, 9_080, host: 2)
    let onward = sketch.span("b", .client, under: far, 9_030, 9_070, host: 2)
    sketch.span("c", .server, under: onward, 40, 60, host: 3)
    func analysed(_ limit: Nanos) -> (TraceAnalyser, Outcome) {
      var analyser = TraceAnalyser(clockSkewNanosMax: limit, criticalPathRule: rule)
      var findings: [Finding] = []
      analyser.analyse(sketch.spans, key: TraceSketch.key, into: &findings)
      return (analyser, Outcome(findings, names: sketch.names))
    }
    let (beyond, outcome) = analysed(.second)
    #expect(beyond.forest.spans == sketch.spans && beyond.forest.skewOverLimitCount == 3)
    #expect(outcome.coverage[.skewed] == 0)
    #expect(beyond.criticalTimes.map { $0 / .millisecond } == [20, 20, 20, 20, 20])
    let (corrected, other) = analysed(10 * .second)
    #expect(corrected.forest.skewOverLimitCount == 0)
    #expect(beyond.criticalTimes == corrected.criticalTimes)
    for (client, server) in [("a", "b"), ("b", "c")] {
      #expect(outcome.wait(client, server) == other.wait(client, server))
      #expect(!outcome.wait(client, server).ownTime.isEmpty)
    }
    let (sent, _) = analysed(0)
    #expect(sent.criticalTimes.map { $0 / .millisecond } == [20, 80, 0, 0, 0])
  }

  /// Scenario: random calls over hosts whose clocks are off by anything up to a day; garbage.
  /// Guarantees: under each rule the critical path still adds up to the roots' durations; wherever
  /// clocks can be right, the path is the one of clocks that were right.
  @Test func pathsAddUpHoweverFarClocksAre() {
    var random = SeededGenerator()
    for round in 0..<300 {
      let right = random.calls(2 + random.below(20), tight: true)
      let offsets = (0..<4).map { _ in Nanos(random.below(86_400)) * .second }
      var sent = round % 3 == 2 ? random.garbage(20) : right
      for index in sent.indices {
        if round % 3 == 2 {
          // Decoding sees to it that no span ends before it begins.
          sent[index].end = max(sent[index].start, sent[index].end)
        } else {
          sent[index].start += offsets[Int(sent[index].host)]
          sent[index].end += offsets[Int(sent[index].host)]
        }
      }
      for rule in CriticalPathRule.allCases {
        var analyser = TraceAnalyser(clockSkewNanosMax: .second, criticalPathRule: rule)
        var findings: [Finding] = []
        analyser.analyse(sent, key: TraceSketch.key, into: &findings)
        let roots = CriticalPath.roots(of: analyser.forest, rule: rule)
        let whole = roots.reduce(Nanos(0)) { $0 &+ analyser.forest.spans[$1].durationNanos }
        #expect(analyser.criticalTimes.reduce(0, &+) == whole)
        guard round % 3 != 2 else { continue }
        var truth = TraceAnalyser(criticalPathRule: rule)
        findings.removeAll()
        truth.analyse(right, key: TraceSketch.key, into: &findings)
        #expect(analyser.criticalTimes == truth.criticalTimes)
      }
    }
  }

  /// Scenario: times at both ends of what a number holds.
  /// Guarantees: nothing traps, and no span leaves what a number holds.
  @Test func ends() {
    let last = Nanos.max
    func adjusted(_ parent: (Nanos, Nanos), _ child: (Nanos, Nanos)) -> SpanRecord {
      let spans = [
        SpanRecord(
          id: SpanID(1), start: parent.0, end: parent.1, service: NameID(1), kind: .client),
        SpanRecord(
          id: SpanID(2), parent: SpanID(1), start: child.0, end: child.1, service: NameID(2),
          kind: .server),
      ]
      var forest = TraceForest()
      forest.build(spans, clockSkewNanosMax: 10 * .minute)
      return forest.spans[1]
    }
    #expect(adjusted((last - 10, last), (last - 40, last - 5)).end == last - 5)
    #expect(adjusted((last - 40, last - 20), (last - 10, last)).start == last - 35)
    #expect(adjusted((0, 10), (20, 24)).start == 3)
    #expect(adjusted((0, 10), (last - 4, last)).start == last - 4)
    #expect(adjusted((last - 10, last), (0, 4)).start == 0)
  }

  /// Scenario: random calls over hosts whose clocks are off by up to a quarter second; the spans come in
  /// other orders and twice; hosts are left out.
  /// Guarantees: the two ends of each call that can nest do; durations stay; order and copies do not
  /// matter; on one host nothing moves.
  @Test func callsNest() {
    var random = SeededGenerator()
    for _ in 0..<300 {
      let spans = random.calls(2 + random.below(20))
      let offsets = (0..<4).map { _ in Nanos(random.below(500)) * .millisecond }
      let sent = spans.map { span in
        var sent = span
        sent.start += offsets[Int(span.host)]
        sent.end += offsets[Int(span.host)]
        return sent
      }
      var forest = TraceForest()
      forest.build(sent, clockSkewNanosMax: 10 * .second)
      for index in forest.spans.indices {
        let span = forest.spans[index]
        #expect(span.durationNanos == spans[index].durationNanos)
        guard let parent = forest.parent(of: index), span.kind == .server else { continue }
        let client = forest.spans[parent]
        #expect(span.start >= client.start && span.end <= client.end)
      }
      var again = TraceForest()
      again.build(
        (sent + sent.filter { _ in random.once(in: 3) }).shuffled(using: &random),
        clockSkewNanosMax: 10 * .second)
      #expect(again.spans == forest.spans && again.order == forest.order)
      var alike = sent
      for index in alike.indices { alike[index].host = 3 }
      forest.build(alike, clockSkewNanosMax: 10 * .second)
      #expect(forest.spans == alike && forest.skewedCount == 0)
    }
  }

  /// Scenario: calls as long as their servers, so that there is one place a server can have been; then
  /// all spans of one host are shifted by less than the bound.
  /// Guarantees: the graph is the same to the last count.
  @Test func shiftOfOneHostIsUndone() {
    var random = SeededGenerator()
    for _ in 0..<200 {
      let spans = random.calls(2 + random.below(20), tight: true)
      let host = UInt32(1 + random.below(3))
      let shift = Nanos(1 + random.below(UInt64(900))) * .millisecond
      let shifted = spans.map { span in
        var shifted = span
        if span.host == host {
          shifted.start -= shift
          shifted.end -= shift
        }
        return shifted
      }
      func window(_ spans: [SpanRecord]) -> Window {
        var analyser = TraceAnalyser(clockSkewNanosMax: 4 * .second)
        var findings: [Finding] = []
        analyser.analyse(spans, key: TraceSketch.key, into: &findings)
        for index in findings.indices { findings[index].counters[.skewed] = 0 }
        var sums = WindowSums()
        sums.add(findings)
        return sums.merged(from: 0, to: .max)
      }
      let isSame = window(shifted).hasSameCounts(as: window(spans))
      #expect(isSame)
    }
  }
}

extension SeededGenerator {
  /// Services on hosts 0 to 3 of their own that call each other, truly timed: a client span within its
  /// server span, the called server within the client or, when `tight`, exactly as long.
  fileprivate mutating func calls(_ count: Int, tight: Bool = false) -> [SpanRecord] {
    func host(_ service: UInt64) -> UInt32 { UInt32(service % 3) + 1 }
    var spans = [
      SpanRecord(
        id: SpanID(1), start: TraceSketch.time(0), end: TraceSketch.time(4_000),
        service: NameID(1), operation: NameID(50), kind: .server, host: host(1))
    ]
    var servers = [0]
    while spans.count < count, let above = servers.randomElement(using: &self) {
      let caller = spans[above]
      let length = caller.durationNanos
      guard length > 8 else { break }
      let clientStart = caller.start + length / 4
      let clientEnd = caller.end - length / 4
      let service = 1 + UInt64(below(6))
      spans.append(
        SpanRecord(
          id: SpanID(UInt64(spans.count + 1)), parent: caller.id, start: clientStart,
          end: clientEnd, service: caller.service, operation: NameID(51), kind: .client,
          host: caller.host))
      let margin = tight ? 0 : (clientEnd - clientStart) / 8
      servers.append(spans.count)
      spans.append(
        SpanRecord(
          id: SpanID(UInt64(spans.count + 1)), parent: SpanID(UInt64(spans.count)),
          start: clientStart + margin, end: clientEnd - margin / 2, service: NameID(service),
          operation: NameID(50), kind: .server, host: host(service)))
    }
    return spans
  }
}
