import Model
import Testing

@testable import Analyse

/// Sidecars as Envoy reports them (Tests/Fixtures/envoy): every span of a hop under the name of the
/// workload, whose application propagates the context without spans of its own.
@Suite struct EnvoyTests {
  private enum Mesh { case plain, upstreamSpans }

  /// The inbound listener of a workload and, with upstream spans, its hop to the application.
  /// - Returns: the span the application's outgoing requests hang under.
  private func inbound(
    _ trace: inout TraceSketch, _ mesh: Mesh, _ service: String, under parent: SpanID,
    failed: Bool = false, applicationFailed: Bool = false
  ) -> SpanID {
    let depth = Nanos(trace.spans.count)
    let listener = trace.span(
      service, .server, under: parent, depth, 100 - depth,
      traits: failed || applicationFailed ? [.proxy, .error] : .proxy)
    guard mesh == .upstreamSpans else { return listener }
    return trace.span(
      service, .client, under: listener, depth + 1, 99 - depth,
      traits: failed || applicationFailed
        ? [.proxy, .peerIsLocalHost, .error] : [.proxy, .peerIsLocalHost],
      peer: "127.0.0.1:8080")
  }

  /// The outbound listener and, with upstream spans, one span for each try.
  /// - Returns: the spans the next hop hangs under, one for each try.
  private func outbound(
    _ trace: inout TraceSketch, _ mesh: Mesh, _ service: String, under parent: SpanID,
    failed: Bool = false, tries: Int = 1
  ) -> [SpanID] {
    let depth = Nanos(trace.spans.count)
    let error: SpanTraits = failed ? .error : []
    guard mesh == .upstreamSpans else {
      let client = trace.span(
        service, .client, under: parent, depth, 100 - depth,
        traits: error.union([.proxy, .outboundProxy]), peer: "next:80")
      return Array(repeating: client, count: tries)
    }
    let listener = trace.span(
      service, .server, under: parent, depth, 100 - depth,
      traits: error.union([.proxy, .outboundProxy]), peer: "next:80")
    return (0..<tries).map { _ in
      trace.span(
        service, .client, under: listener, depth + 1, 99 - depth,
        traits: error.union([.proxy, .peerIsLocalHost]), peer: "next:80")
    }
  }

  /// Scenario: a request passes a→b→c, with and without spans for each upstream.
  /// Guarantees: three nodes, two edges, one request each: no self edge, no node for a proxy's own
  /// application, no request counted twice.
  @Test(arguments: [false, true])
  func chain(upstreamSpans: Bool) {
    let mesh = upstreamSpans ? Mesh.upstreamSpans : .plain
    var trace = TraceSketch()
    let a = inbound(&trace, mesh, "a", under: .none)
    let b = inbound(&trace, mesh, "b", under: outbound(&trace, mesh, "a", under: a)[0])
    _ = inbound(&trace, mesh, "c", under: outbound(&trace, mesh, "b", under: b)[0])
    #expect(trace.spans.count == (upstreamSpans ? 10 : 5))
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/0"])
    #expect(outcome.edges == ["a→b 1/0", "b→c 1/0"])
    #expect(outcome.origins.isEmpty)
    #expect(outcome.edge("a", "b").clientLatency.weight == 256)
    let own = ["own_application 3", "wraps_another_client 2"]
    #expect(outcome.unpaired == (upstreamSpans ? own : []))
  }

  /// Scenario: c answers 503; b hides it, or passes it on.
  /// Guarantees: b→c failed either way and the error began at c; a→b only when b passes it on.
  @Test(arguments: [false, true], [false, true])
  func lastHopFails(upstreamSpans: Bool, isHidden: Bool) {
    let mesh = upstreamSpans ? Mesh.upstreamSpans : .plain
    var trace = TraceSketch()
    let a = inbound(&trace, mesh, "a", under: .none, failed: !isHidden)
    let toB = outbound(&trace, mesh, "a", under: a, failed: !isHidden)
    let b = inbound(&trace, mesh, "b", under: toB[0], failed: !isHidden)
    let toC = outbound(&trace, mesh, "b", under: b, failed: true)
    _ = inbound(&trace, mesh, "c", under: toC[0], failed: true)
    let outcome = trace.analysed()
    let passed = isHidden ? 0 : 1
    #expect(outcome.nodes == ["a 1/\(passed)", "b 1/\(passed)", "c 1/1"])
    #expect(outcome.edges == ["a→b 1/\(passed)", "b→c 1/1"])
    #expect(outcome.origins == ["c 1"])
    let failed = outcome.edge("b", "c").counters
    #expect(failed[.absorbedAdjusted] == (isHidden ? 256 : 0))
    #expect(failed[.propagatedAdjusted] == (isHidden ? 0 : 256))
  }

  /// Scenario: the Envoy of b answers 503 twice and the Envoy of a tries twice.
  /// Guarantees: two calls, both failed; one request at a, two at b.
  @Test(arguments: [false, true])
  func retry(upstreamSpans: Bool) {
    let mesh = upstreamSpans ? Mesh.upstreamSpans : .plain
    var trace = TraceSketch()
    let a = inbound(&trace, mesh, "a", under: .none, failed: true)
    for client in outbound(&trace, mesh, "a", under: a, failed: true, tries: 2) {
      _ = inbound(&trace, mesh, "b", under: client, failed: true)
    }
    #expect(trace.spans.count == (upstreamSpans ? 9 : 4))
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/1", "b 2/2"] && outcome.edges == ["a→b 2/2"])
    #expect(outcome.origins == ["b 2"])
    #expect(outcome.node("b").counters[.errorTraces] == 1)
  }

  /// Scenario: the application of b refuses connections; its Envoy answers 503.
  /// Guarantees: the error begins at b; the application's port is no node.
  @Test(arguments: [false, true])
  func applicationDown(upstreamSpans: Bool) {
    let mesh = upstreamSpans ? Mesh.upstreamSpans : .plain
    var trace = TraceSketch()
    let a = inbound(&trace, mesh, "a", under: .none, failed: true)
    let toB = outbound(&trace, mesh, "a", under: a, failed: true)
    _ = inbound(&trace, mesh, "b", under: toB[0], applicationFailed: true)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/1", "b 1/1"] && outcome.edges == ["a→b 1/1"])
    #expect(outcome.origins == ["b 1"])
  }

  /// Scenario: the next hop refuses connections, once or at every try.
  /// Guarantees: each try is a failed call to the address, which is charged with it; a is not.
  @Test(arguments: [false, true], [1, 3])
  func nextHopDown(upstreamSpans: Bool, tries: Int) {
    let mesh = upstreamSpans ? Mesh.upstreamSpans : .plain
    var trace = TraceSketch()
    let a = inbound(&trace, mesh, "a", under: .none, failed: true)
    _ = outbound(&trace, mesh, "a", under: a, failed: true, tries: tries)
    let outcome = trace.analysed()
    // Without upstream spans there is one span for all tries.
    let count = upstreamSpans ? tries : 1
    #expect(outcome.nodes == ["a 1/1", "next:80 \(count)/\(count)"])
    #expect(outcome.edges == ["a→next:80 virtual_node \(count)/\(count)"])
    #expect(outcome.origins == ["next:80 \(count)"])
  }

  /// Scenario: Istio names the hop to the application by its cluster; its address is the pod's.
  /// Guarantees: it is known by the name alone.
  @Test func istioInboundCluster() {
    var trace = TraceSketch()
    let listener = trace.span("a", .server, 0, 100, traits: .proxy)
    trace.span(
      "a", .client, under: listener, 10, 90, traits: [.proxy, .upstreamIsOwnApplication],
      peer: "10.0.0.7:8080")
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"] && outcome.edges.isEmpty)
    #expect(outcome.unpaired == ["own_application 1"] && outcome.node("a").ownTime == .of(80))
  }

  /// Scenario: a proxy at the edge of the mesh forwards to a host that does not report.
  /// Guarantees: that host is a node: it is not the proxy's own application.
  @Test func gatewayToForeignHost() {
    var trace = TraceSketch()
    let listener = trace.span("gateway", .server, 0, 100, traits: .proxy)
    trace.span("gateway", .client, under: listener, 10, 90, traits: .proxy, peer: "10.0.0.7:80")
    #expect(trace.analysed().edges == ["gateway→10.0.0.7:80 virtual_node 1/0"])
  }

  /// Scenario: an application with spans of its own sits between the two listeners.
  /// Guarantees: one request, not two; its own time is its service's.
  @Test func instrumentedApplication() {
    var trace = TraceSketch()
    let listener = trace.span("a", .server, 0, 100, traits: .proxy)
    let hop = trace.span(
      "a", .client, under: listener, 1, 99, traits: [.proxy, .peerIsLocalHost], peer: "127.0.0.1:80"
    )
    let server = trace.span("a", .server, under: hop, 2, 98)
    let client = trace.span("a", .client, under: server, 10, 90)
    let egress = trace.span(
      "a", .client, under: client, 11, 89, traits: [.proxy, .outboundProxy], peer: "b.example")
    trace.span("b", .server, under: egress, 20, 80, traits: .proxy)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0"] && outcome.edges == ["a→b 1/0"])
    #expect(outcome.edge("a", "b").clientLatency == .of(78))
  }

  /// Scenario: a proxy in front of an application that sends spans of its calls alone, called by somebody
  /// who reports and by nobody who does.
  /// Guarantees: the time no call explains is the application's, once: in its self time, not in the gap.
  @Test func applicationOfCallsAlone() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let client = trace.span("a", .client, under: root, 10, 90)
    let proxy = trace.span("b", .server, under: client, 20, 80, traits: .proxy)
    trace.span("b", .client, under: proxy, 40, 60, traits: .database, peer: "orders")
    let outcome = trace.analysed()
    #expect(outcome.node("b").ownTime == .of(40) && outcome.node("b").latency == .of(60))
    let edge = outcome.edge("a", "b")
    #expect(edge.ownTime == .of(20) && edge.latency == .of(60) && edge.clientLatency == .of(80))
  }

  /// Scenario: a calls b through the sidecars of both; the applications tell of themselves, or not.
  /// Guarantees: the time of the sidecars is on the edge, and in nobody's self time; on the critical path
  /// it is the call's gap too.
  @Test(arguments: [false, true]) func timeOfTheSidecars(isInstrumented: Bool) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let client = trace.span("a", .client, under: root, 10, 90)
    let listener = trace.span(
      "a", .server, under: client, 12, 88, traits: [.proxy, .outboundProxy], peer: "next")
    let upstream = trace.span("a", .client, under: listener, 15, 85, traits: .proxy, peer: "next")
    let inbound = trace.span("b", .server, under: upstream, 20, 80, traits: .proxy)
    let hop = trace.span(
      "b", .client, under: inbound, 24, 76, traits: [.proxy, .upstreamIsOwnApplication])
    if isInstrumented { trace.span("b", .server, under: hop, 30, 70) }
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0"] && outcome.edges == ["a→b 1/0"])
    #expect(outcome.node("b").ownTime == .of(isInstrumented ? 40 : 52))
    // The client's own 4 are its service's: 20 less them and the callee's is what lies between.
    #expect(outcome.node("a").ownTime == .of(24))
    #expect(outcome.edge("a", "b").ownTime == .of(isInstrumented ? 36 : 24))
    // What the proxies in front of it took is in the gap, and not the server's too.
    #expect(outcome.edge("a", "b").latency == .of(isInstrumented ? 40 : 52))
    #expect(outcome.node("b").latency == .of(60))
    let critical =
      outcome.node("a").counters[.criticalPathNanos]
      + outcome.node("b").counters[.criticalPathNanos]
    #expect(critical == Int64((isInstrumented ? 64 : 76) * Nanos.millisecond))
    let edge = outcome.edge("a", "b").counters[.criticalPathNanos]
    #expect(edge == Int64(76 * Nanos.millisecond))
    let paths = outcome.window.series.filter { $0.key.kind == .path }
    let entry = paths.first { $0.key.second == 0 }?.value
    let callee = paths.first { $0.key.second != 0 }?.value
    #expect(entry?.ownTime == .of(24) && entry?.clientLatency.isEmpty == true)
    #expect(callee?.ownTime == .of(isInstrumented ? 40 : 52))
    #expect(callee?.clientLatency == .of(isInstrumented ? 36 : 24))
  }

  /// Scenario: an application sends by way of a listener on its host that is not named as outbound,
  /// and which forwards to another process on the same host.
  /// Guarantees: that process is a node: only the hop behind the entry leads to the own application.
  @Test func localListenerBehindTheApplication() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let listener = trace.span("a", .server, under: root, 10, 90, traits: .proxy)
    trace.span(
      "a", .client, under: listener, 20, 80, traits: [.proxy, .peerIsLocalHost], peer: "local:1")
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→local:1 virtual_node 1/0"])
    #expect(outcome.unpaired == ["wraps_another_client 1"])
  }

  /// Scenario: a proxy's listener in the middle of a visit, with nothing below it and no peer.
  /// Guarantees: it is work of the service, not a call to nobody.
  @Test func listenerWithoutUpstream() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span("a", .server, under: root, 10, 90, traits: .proxy)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"] && outcome.unpaired.isEmpty)
  }
}
