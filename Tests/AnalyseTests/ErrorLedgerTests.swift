import Model
import TestSupport
import Testing

@testable import Analyse

/// Where errors began, by both who say so: the ledger of nodes, and the ways by which errors reached an
/// entry point.
@Suite struct ErrorLedgerTests {
  private struct Told: Equatable {
    /// Nodes at which errors began, with how many.
    var origins: [String]
    /// Where ways of errors end, each once.
    var ends: [String]
  }

  /// Operations are called as their services, so that both can be compared.
  private func told(_ trace: TraceSketch) -> Told {
    var trace = trace
    for index in trace.spans.indices { trace.spans[index].operation = .none }
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
    let ends = findings.filter { $0.key.kind == .errorPath }
      .map { trace.names[NameID($0.key.third)] ?? "?" }
    return Told(origins: Outcome(findings, names: trace.names).origins, ends: ends.sorted())
  }

  /// A call of a, between 0 and 50 ms, that its client says failed, and the request of b below it.
  private func call(
    until end: Nanos, from start: Nanos = 1, traits: SpanTraits = [],
    clientTraits: SpanTraits = .error,
    hosts: (UInt32, UInt32) = (0, 0)
  ) -> TraceSketch {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 200, traits: .error, host: hosts.0)
    let client = trace.span(
      "a", .client, under: root, 0, 50, traits: clientTraits, host: hosts.0)
    trace.span("b", .server, under: client, start, end, traits: traits, host: hosts.1)
    return trace
  }

  /// Scenario: the server answered well, but its answer came too late for the client.
  /// Guarantees: the call failed; the server has no error, so the error began at the caller.
  @Test func callerGaveUp() {
    let trace = call(until: 90)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/1", "b 1/0"] && outcome.edges == ["a→b 1/1"])
    #expect(outcome.edge("a", "b").counters[.propagatedAdjusted] == 256)
    #expect(told(trace) == Told(origins: ["a 1"], ends: ["a"]))
  }

  /// Scenario: the same, and the server failed too, after the client had given up: it took longer than
  /// the call, or ended later on the same host.
  /// Guarantees: two errors began, and only the caller's reached the entry point.
  @Test func failureAfterCallerGaveUp() {
    let expected = Told(origins: ["a 1", "b 1"], ends: ["a"])
    #expect(told(call(until: 90, traits: .error)) == expected)
    #expect(told(call(until: 90, from: 45, traits: .error, hosts: (7, 7))) == expected)
    let outcome = call(until: 90, traits: .error).analysed()
    #expect(outcome.edges == ["a→b 1/1"])
    #expect(outcome.edge("a", "b").counters[.propagatedAdjusted] == 256)
  }

  /// Scenario: the server failed and its span ends after the client's: by two clocks, by a millisecond, or
  /// the client does not say that the call failed.
  /// Guarantees: nothing says that the caller gave up, so it passed the error through.
  @Test func failureNobodyGaveUpOn() {
    let expected = Told(origins: ["b 1"], ends: ["b"])
    #expect(told(call(until: 90, from: 45, traits: .error)) == expected)
    #expect(told(call(until: 90, from: 45, traits: .error, hosts: (7, 8))) == expected)
    #expect(told(call(until: 51, traits: .error, hosts: (7, 7))) == expected)
    #expect(told(call(until: 90, traits: .error, clientTraits: [])) == expected)
  }

  /// Scenario: a client span whose first try failed in time, and that gave up on the second.
  /// Guarantees: the caller had an error to pass on.
  @Test func firstTryFailed() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 200, traits: .error)
    let client = trace.span("a", .client, under: root, 0, 50, traits: .error)
    trace.span("b", .server, under: client, 1, 10, traits: .error)
    trace.span("c", .server, under: client, 20, 100, traits: .error)
    #expect(told(trace) == Told(origins: ["b 1", "c 1"], ends: ["b"]))
  }

  /// Scenario: below a call given up on, a chain fails.
  /// Guarantees: its errors are passed through among themselves, and do not reach the entry point.
  @Test func chainBelow() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 200, traits: .error)
    let client = trace.span("a", .client, under: root, 0, 50, traits: .error)
    let b = trace.span("b", .server, under: client, 1, 90, traits: .error)
    trace.span("c", .server, under: b, 2, 80, traits: .error)
    #expect(told(trace) == Told(origins: ["a 1", "c 1"], ends: ["a"]))
  }

  /// Scenario: a client gives up on a call that its sidecar goes on with, for the sidecar's listener and
  /// its client span are below the client's; the server fails later, or it failed before.
  /// Guarantees: what failed when the caller was gone is an error of its own; what it was told of is passed
  /// through. So it is with and without internal work around the sidecar's spans.
  @Test(arguments: [false, true]) func givenUpThroughSidecar(hasInternalWork: Bool) {
    for (end, isTold) in [(Nanos(150), false), (40, true)] {
      var trace = TraceSketch()
      let root = trace.span("a", .server, 0, 200, traits: .error)
      var above = trace.span("a", .client, under: root, 0, 50, traits: .error)
      if hasInternalWork { above = trace.span("a", .internal, under: above, 0, 160) }
      let listener = trace.span(
        "a", .server, under: above, 1, 155, traits: [.proxy, .outboundProxy])
      let upstream = trace.span(
        "a", .client, under: listener, 2, 152, traits: [.proxy, .outboundProxy, .error])
      trace.span("b", .server, under: upstream, 3, end, traits: .error)
      #expect(trace.analysed().edges == ["a→b 1/1"])
      #expect(
        told(trace)
          == (isTold
            ? Told(origins: ["b 1"], ends: ["b"])
            : Told(origins: ["a 1", "b 1"], ends: ["a"])))
    }
  }

  /// Scenario: a chain of more client spans than are looked at around a call, the outermost of which gave
  /// up; and 3 000 of them around 3 000 callees.
  /// Guarantees: it ends quickly, and the failure counts as one that was told.
  @Test(.timeLimit(.minutes(1))) func wrappersWithoutEnd() {
    var trace = TraceSketch()
    var above = trace.span("a", .server, 0, 200, traits: .error)
    for place in 0..<3_000 {
      above = trace.span(
        "a", .client, under: above, 0, place == 0 ? 50 : 190, traits: place == 0 ? .error : [])
    }
    for _ in 0..<3_000 { trace.span("b", .server, under: above, 1, 150, traits: .error) }
    #expect(trace.analysed().origins == ["b 3000"])
  }

  /// Scenario: a call to nobody knows whom failed.
  /// Guarantees: there is no node to charge, so the error began at the caller.
  @Test func callToUnknown() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, traits: .error)
    trace.span("a", .client, under: root, 0, 50, traits: .error)
    #expect(trace.analysed().unpaired == ["client_without_peer 1"])
    #expect(told(trace) == Told(origins: ["a 1"], ends: ["a"]))
  }

  /// Scenario: a message could not be sent, as its sender says; somebody took it, or nobody did.
  /// Guarantees: the error began at the queue, either way.
  @Test func failedSend() {
    for isTaken in [true, false] {
      var trace = TraceSketch()
      let root = trace.span("a", .server, 0, 100, traits: .error)
      let send = trace.span(
        "a", .producer, under: root, 10, 20, traits: [.error, .messaging, .namesQueue],
        peer: "orders", peerKind: .messaging)
      if isTaken {
        trace.span("b", .consumer, under: send, 30, 60, traits: .messaging)
      }
      #expect(told(trace) == Told(origins: ["orders 1"], ends: ["orders"]))
    }
  }

  /// Scenario: random traces of every sort.
  /// Guarantees: the ledger adds up. By edge and by operation, what failed was passed on or absorbed,
  /// unless nobody waited. Each request that failed began its error, or passed one through that
  /// something it called had. Ways of errors end where errors began, and each entry point that failed
  /// has one.
  @Test func addsUp() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser()
    for round in 0..<900 {
      var spans =
        round % 2 == 0
        ? random.tree(25, wide: round % 4 == 0) : random.garbage(1 + random.below(24))
      for index in spans.indices {
        spans[index].weight = SpanRecord.weightOne
        if round % 2 == 0 {
          if random.once(in: 2) { spans[index].traits.insert(.error) }
          spans[index].host = UInt32(random.below(3))
          spans[index].start *= .millisecond
          spans[index].end *= .millisecond
        }
        // Each service has one operation, so that a way's end names the service.
        spans[index].operation = .none
        spans[index].version = .none
      }
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let series = Outcome(findings, names: [:]).window.series
      for (key, sums) in series where [.edge, .call].contains(key.kind) {
        let counters = sums.counters
        let told = counters[.propagatedAdjusted] + counters[.absorbedAdjusted]
        #expect(told <= counters[.errorsAdjusted])
      }
      for finding in findings where [.edge, .call].contains(finding.key.kind) {
        let counters = finding.counters
        let told = counters[.propagatedAdjusted] + counters[.absorbedAdjusted]
        #expect(told == counters[.errorsAdjusted] || told == 0)
      }
      var ends: Set<UInt64> = []
      for (key, _) in series where key.kind == .errorPath { ends.insert(key.third) }
      for end in ends {
        let origins = series[.node(NameID(end))]?.counters[.errorOriginsAdjusted] ?? 0
        #expect(origins > 0, "a way of errors ends where the ledger has no origin")
      }
      for (key, sums) in series where key.kind == .node {
        let passedThrough =
          sums.counters[.errorsAdjusted] - sums.counters[.errorOriginsAdjusted]
        #expect(passedThrough >= 0)
        let failedBelow = series.contains { other, below in
          other.kind == .edge && other.first == key.first && below.counters[.propagatedAdjusted] > 0
        }
        #expect(passedThrough == 0 || failedBelow, "passed through from nowhere")
      }
      let failedEntries = series.contains { key, sums in
        key.kind == .path && key.second == 0 && sums.counters[.errorTraces] > 0
          && !sums.latency.isEmpty
      }
      #expect(!failedEntries || !ends.isEmpty, "an error that came from nowhere")
    }
  }
}
