import Model
import Testing

@testable import Analyse

@Suite("Failed calls of which no span of the callee tells") struct UnreachedTests {
  /// The unreached series of a trace: "peer@address by caller count".
  private func unreached(_ outcome: Outcome) -> [String] {
    outcome.window.series.compactMap { key, sums in
      guard key.kind == .unreached else { return nil }
      let texts = key.names.map { outcome.names[$0] ?? "-" }
      let counters = sums.counters
      #expect(counters[.traces] == counters[.errorTraces] && counters[.requests] == 0)
      return "\(texts[0])@\(texts[1]) by \(texts[2]) \(counters[.errorTraces])"
    }.sorted()
  }

  private func failedCall(
    _ trace: inout TraceSketch, to peer: String, at address: String? = nil, under root: SpanID,
    _ from: Nanos = 10, _ until: Nanos = 20, traits: SpanTraits = [], peerKind: NameKind = .external
  ) {
    trace.span(
      "front", .client, under: root, from, until, traits: traits.union(.error), peer: peer,
      peerKind: peerKind)
    if let address {
      trace.spans[trace.spans.count - 1].peerAddress = trace.name(address, .address)
    }
  }

  /// Scenario: a trace with failed calls: to one address twice, to another, and to one it does not
  /// name.
  /// Guarantees: each peer and address counts once, in the window in which the last of its calls
  /// ended.
  @Test func onceATrace() throws {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 30_000)
    failedCall(&trace, to: "checkout", at: "10.0.0.5", under: root, 10, 20)
    failedCall(&trace, to: "checkout", at: "10.0.0.5", under: root, 15_000, 15_010)
    failedCall(&trace, to: "checkout", at: "10.0.0.6", under: root)
    failedCall(&trace, to: "checkout", under: root)
    failedCall(&trace, to: "checkout", under: root, 40, 50)
    let outcome = trace.analysed()
    #expect(
      unreached(outcome) == [
        "checkout@- by front 1", "checkout@10.0.0.5 by front 1", "checkout@10.0.0.6 by front 1",
      ])
    let late = SeriesKey.unreached(
      trace.name("checkout", .external), at: trace.name("10.0.0.5", .address),
      by: trace.name("front"))
    let windows = outcome.sums.windows.filter { $0.value.series[late] != nil }.map(\.key)
    #expect(windows == [TraceSketch.time(15_010).floored(to: windowNanos)])
  }

  /// Scenario: calls to databases and queues fail, and others work.
  /// Guarantees: none of them is a service that was not reached.
  @Test func notDatabasesNorQueues() {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 100)
    failedCall(
      &trace, to: "orders", at: "10.0.0.7", under: root, traits: .database, peerKind: .database)
    failedCall(&trace, to: "events", under: root, traits: .messaging, peerKind: .messaging)
    trace.span("front", .client, under: root, 10, 20, peer: "checkout")
    let outcome = trace.analysed()
    #expect(unreached(outcome).isEmpty)
    #expect(outcome.node("orders").counters[.errorTraces] == 1)
  }

  /// Scenario: a call fails, and a span of the service it went to says so.
  /// Guarantees: the failure is in the service's own series, and not counted again as unreached.
  @Test func notWhatTheCalleeReports() {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 100)
    let call = trace.span("front", .client, under: root, 10, 50, traits: .error, peer: "peer")
    trace.spans[1].peerAddress = trace.name("10.0.0.5", .address)
    trace.span("checkout", .server, under: call, 20, 40, traits: .error, version: "v42")
    let outcome = trace.analysed()
    #expect(unreached(outcome).isEmpty)
    #expect(outcome.version("checkout", "v42").counters[.errorTraces] == 1)
  }

  /// Scenario: a trace with failed calls is taken back.
  /// Guarantees: nothing is left of it.
  @Test func takenBack() {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 100)
    failedCall(&trace, to: "checkout", at: "10.0.0.5", under: root)
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
    var sums = WindowSums()
    sums.add(findings)
    #expect(!sums.isEmpty)
    sums.add(findings, sign: -1)
    #expect(sums.isEmpty)
  }
}
