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
  /// Guarantees: the ledger adds up, by edge and by operation: what failed was passed on or absorbed,
  /// unless nobody waited; an operation's errors began there or were passed through; and no trace lost
  /// more by absorbed failures than its critical path is long, where no failure lies within another.
  @Test func ledgerAddsUp() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser()
    for round in 0..<600 {
      let spans =
        round % 2 == 0 ? random.tree(25, wide: true) : random.garbage(1 + random.below(24))
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      for finding in findings where [.edge, .call].contains(finding.key.kind) {
        let counters = finding.counters
        let told = counters[.propagatedAdjusted] + counters[.absorbedAdjusted]
        #expect(told == counters[.errorsAdjusted] || told == 0)
        #expect(counters[.absorbedNanos] == 0 || counters[.absorbedAdjusted] > 0)
        #expect(counters[.retryNanos] == 0 || counters[.errors] > 0)
      }
      for finding in findings where finding.key.kind == .node {
        let counters = finding.counters
        #expect(counters[.errorOriginsAdjusted] <= counters[.errorsAdjusted])
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

@Suite struct ErrorWayTests {
  private func ways(_ trace: TraceSketch) -> [String] {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
    var labels: [UInt64: String] = [:]
    for finding in findings where finding.key.kind == .path {
      let text = trace.names[NameID(finding.key.third)] ?? "?"
      labels[finding.key.first] = (labels[finding.key.second].map { $0 + ">" } ?? "") + text
    }
    return findings.filter { $0.key.kind == .errorPath }.map { finding in
      "\(labels[finding.key.first] ?? "?") \((finding.latency ?? 0) / .millisecond)"
    }
  }

  /// Scenario: a failure two calls away fails every request before it; another was absorbed.
  /// Guarantees: one way, to where it began, with how long the entry point's request took.
  @Test func toTheOrigin() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, traits: .error, operation: "a")
    let b = trace.span("b", .server, under: root, 0, 90, traits: .error, operation: "b")
    trace.span("c", .server, under: b, 0, 80, traits: .error, operation: "c")
    let d = trace.span("d", .server, under: root, 90, 95, operation: "d")
    trace.span("e", .server, under: d, 91, 92, traits: .error, operation: "e")
    #expect(ways(trace) == ["a>b>c 100"])
  }

  /// Scenario: a database fails off the critical path; a client that gave up on a server that did
  /// not fail; an entry point that fails by itself; one that does not fail.
  /// Guarantees: the way ends at the last request that failed, as the ledger has it, or at what does not
  /// report; no way where none arrived.
  @Test func ends() {
    var database = TraceSketch()
    var root = database.span("a", .server, 0, 100, traits: .error, operation: "a")
    database.span("a", .client, under: root, 0, 100, peer: "x")
    database.span(
      "a", .client, under: root, 5, 10, traits: [.error, .database], peer: "orders",
      peerKind: .database)
    #expect(ways(database) == ["a>orders 100"])
    var client = TraceSketch()
    root = client.span("a", .server, 0, 100, traits: .error, operation: "a")
    let call = client.span("a", .client, under: root, 0, 50, traits: .error)
    client.span("b", .server, under: call, 0, 70, operation: "b")
    #expect(ways(client) == ["a 100"])
    #expect(client.analysed().nodes == ["a 1/1", "b 1/0"] && client.analysed().origins.isEmpty)
    var alone = TraceSketch()
    alone.span("a", .server, 0, 100, traits: .error, operation: "a")
    #expect(ways(alone) == ["a 100"])
    var absorbed = TraceSketch()
    root = absorbed.span("a", .server, 0, 100, operation: "a")
    absorbed.span("b", .server, under: root, 0, 50, traits: .error, operation: "b")
    #expect(ways(absorbed).isEmpty)
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
