import Model
import Testing

@testable import Analyse

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
    #expect(client.analysed().nodes == ["a 1/1", "b 1/0"] && client.analysed().origins == ["a 1"])
    var alone = TraceSketch()
    alone.span("a", .server, 0, 100, traits: .error, operation: "a")
    #expect(ways(alone) == ["a 100"])
    var absorbed = TraceSketch()
    root = absorbed.span("a", .server, 0, 100, operation: "a")
    absorbed.span("b", .server, under: root, 0, 50, traits: .error, operation: "b")
    #expect(ways(absorbed).isEmpty)
  }
}
