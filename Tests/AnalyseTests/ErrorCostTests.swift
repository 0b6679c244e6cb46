import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct ErrorCostTests {
  /// What calls over an edge cost, milliseconds: absorbed, retried.
  private func costs(_ outcome: Outcome, _ client: String, _ server: String) -> [Int64] {
    let types: [ConnectionType] = [.direct, .virtualNode]
    return [Counters.Field.absorbedNanos, .retryNanos].map { field in
      types.reduce(0) { $0 + outcome.edge(client, server, $1).counters[field] } / 1_000_000
    }
  }

  /// Scenario: a call fails, the caller waits, calls again with success, and does not fail itself.
  /// Guarantees: the failed call with what is below it is absorbed; retrying cost it and the pause.
  @Test func retriedWithSuccess() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let first = trace.span("a", .client, under: root, 10, 30, traits: .error)
    let entry = trace.span("b", .server, under: first, 12, 28, traits: .error)
    trace.span("c", .server, under: entry, 15, 20)
    let second = trace.span("a", .client, under: root, 40, 60)
    trace.span("b", .server, under: second, 42, 58)
    let outcome = trace.analysed()
    #expect(costs(outcome, "a", "b") == [20, 30])
    #expect(costs(outcome, "b", "c") == [0, 0])
  }

  /// Scenario: nobody answers the first attempt; the second is answered; both name the same peer.
  /// Guarantees: the second is an attempt of the same.
  @Test func nobodyAnswered() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span("a", .client, under: root, 0, 10, traits: .error, peer: "cluster", operation: "GET")
    let second = trace.span("a", .client, under: root, 30, 60, peer: "cluster", operation: "GET")
    trace.span("b", .server, under: second, 30, 60, operation: "Place")
    let outcome = trace.analysed()
    #expect(costs(outcome, "a", "cluster") == [10, 30])
  }

  /// Scenario: one client span with two servers below it, as proxies retry.
  /// Guarantees: the pause is the client span's own time between the two.
  @Test func retriedByProxy() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span("a", .client, under: root, 10, 90)
    trace.span("b", .server, under: call, 10, 30, traits: .error)
    trace.span("b", .server, under: call, 50, 80)
    #expect(costs(trace.analysed(), "a", "b") == [20, 40])
  }

  /// Scenario: the caller fails too; another operation is called after; the failed call ran beside a
  /// longer one.
  /// Guarantees: what was passed on is not absorbed; another operation is no retry; what nobody
  /// waited for cost nothing.
  @Test func whatCostsNothing() {
    var passedOn = TraceSketch()
    var root = passedOn.span("a", .server, 0, 100, traits: .error)
    passedOn.span("b", .server, under: root, 0, 50, traits: .error, operation: "x")
    passedOn.span("b", .server, under: root, 50, 90, operation: "y")
    #expect(costs(passedOn.analysed(), "a", "b") == [0, 0])
    var beside = TraceSketch()
    root = beside.span("a", .server, 0, 100)
    let call = beside.span("a", .client, under: root, 0, 100)
    beside.span("c", .server, under: call, 0, 100)
    let failed = beside.span("a", .client, under: root, 10, 60, traits: .error)
    beside.span("b", .server, under: failed, 10, 60, traits: .error)
    #expect(costs(beside.analysed(), "a", "b") == [0, 0])
  }

  /// Scenario: random traces of every sort.
  /// Guarantees: calls cost something only where some failed, and were absorbed or made again.
  @Test func onlyFailuresCost() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser()
    for round in 0..<600 {
      let spans =
        round % 2 == 0 ? random.tree(25, wide: true) : random.garbage(1 + random.below(24))
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      for finding in findings where [.edge, .call].contains(finding.key.kind) {
        let counters = finding.counters
        #expect(counters[.absorbedNanos] == 0 || counters[.absorbedAdjusted] > 0)
        #expect(counters[.retryNanos] == 0 || counters[.errors] > 0)
      }
    }
  }

  /// Scenario: a thousand failed attempts side by side, then one more.
  /// Guarantees: it ends, quickly; each was made again.
  @Test(.timeLimit(.minutes(3))) func manyAttempts() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 10_000)
    for number in 0..<5_000 {
      trace.span(
        "a", .client, under: root, Nanos(number), Nanos(number) + 1, traits: .error, peer: "b")
    }
    let outcome = trace.analysed()
    #expect(costs(outcome, "a", "b") == [5_000, 4_999])
  }
}

@Suite struct WaitTests {
  private func wait(_ outcome: Outcome, _ client: String, _ server: String) -> Sums {
    outcome.window.series.first { key, _ in
      key.kind == .wait && key.names.map { outcome.names[$0] } == [client, server]
    }?.value ?? Sums()
  }

  /// Scenario: two calls side by side, the longer 100 ms and the shorter 60; then one by itself.
  /// Guarantees: the longer could end the trace 40 sooner; the shorter could take 40 more; each the
  /// only request to its service.
  @Test func besideEachOther() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 130)
    trace.span("b", .server, under: root, 0, 100)
    trace.span("c", .server, under: root, 0, 60)
    trace.span("d", .server, under: root, 100, 120)
    let outcome = trace.analysed()
    #expect(wait(outcome, "a", "b").ownTime == .of(40))
    #expect(wait(outcome, "a", "b").latency == .of(0))
    #expect(wait(outcome, "a", "c").ownTime == .of(0))
    #expect(wait(outcome, "a", "c").latency == .of(40))
    #expect(wait(outcome, "a", "d").ownTime == .of(20))
    #expect(wait(outcome, "a", "d").clientLatency == .of(20))
  }

  /// Scenario: two calls to one service, one to a database, and a message.
  /// Guarantees: calls that are not the only one are told apart; a peer counts; nobody waits for
  /// messages, and a trace that calls nobody has no findings.
  @Test func several() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span("b", .server, under: root, 0, 40)
    trace.span("b", .server, under: root, 40, 80)
    trace.span(
      "a", .client, under: root, 80, 100, traits: .database, peer: "db", peerKind: .database)
    let sent = trace.span("a", .producer, under: root, 5, 6)
    trace.span("mail", .consumer, under: sent, 7, 500)
    let outcome = trace.analysed()
    #expect(wait(outcome, "a", "b").counters[.requests] == 2)
    // Without the first, the second would begin after the message was sent.
    #expect(wait(outcome, "a", "b").ownTime == .of(34, 40))
    #expect(wait(outcome, "a", "b").clientLatency.isEmpty)
    #expect(wait(outcome, "a", "db").ownTime == .of(20))
    #expect(wait(outcome, "a", "mail").isZero)
    var alone = TraceSketch()
    alone.span("a", .server)
    #expect(!alone.analysed().window.series.keys.contains { $0.kind == .wait })
  }
}
