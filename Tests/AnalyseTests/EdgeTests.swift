import Model
import Testing

@testable import Analyse

@Suite struct EdgeTests {
  /// Scenario: a service calls another, each with its span.
  /// Guarantees: one edge with both ends' latency and the gap between; self times; nothing else.
  @Test func clientToServer() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, operation: "GET /")
    let call = trace.span("a", .client, under: root, 10, 90)
    trace.span("b", .server, under: call, 20, 80, operation: "Place")
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0"])
    #expect(outcome.edges == ["a→b 1/0"])
    #expect(outcome.unpaired.isEmpty && outcome.origins.isEmpty)
    #expect(outcome.edge("a", "b").latency == .of(60))
    #expect(outcome.edge("a", "b").clientLatency == .of(80))
    #expect(outcome.edge("a", "b").ownTime == .of(20))
    #expect(outcome.edge("a", "b").exemplars.traces == [TraceSketch.key.trace])
    #expect(outcome.node("a").latency == .of(100) && outcome.node("a").ownTime == .of(20))
    #expect(outcome.node("b").latency == .of(60) && outcome.node("b").ownTime == .of(60))
    #expect(outcome.operation("a", "GET /").counters[.requests] == 1)
    #expect(outcome.operation("b", "Place").latency == .of(60))
    #expect(outcome.coverage[.requests] == 3 && outcome.coverage[.traces] == 1)
  }

  /// Scenario: context crosses services without a client span, then between two client spans.
  /// Guarantees: every pair that crosses a service is an edge, whatever the kinds.
  @Test func anyKinds() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let server = trace.span("b", .server, under: root, 10, 90)
    let inner = trace.span("c", .internal, under: server, 20, 80)
    let client = trace.span("c", .client, under: inner, 20, 80)
    trace.span("d", .client, under: client, 30, 70, peer: "db", peerKind: .database)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/0", "d 1/0", "db 1/0"])
    #expect(outcome.edges == ["a→b 1/0", "b→c 1/0", "c→d 1/0", "d→db virtual_node 1/0"])
    #expect(outcome.edge("a", "b").clientLatency.isEmpty && outcome.edge("a", "b").ownTime.isEmpty)
    #expect(outcome.edge("a", "b").latency == .of(80))
    #expect(outcome.edge("c", "d").clientLatency == .of(60))
  }

  /// Scenario: internal spans stand between the entry and the client span.
  /// Guarantees: one edge, and their time is the caller's own.
  @Test func internalAboveTheClient() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let outer = trace.span("a", .internal, under: root, 0, 100)
    let inner = trace.span("a", .internal, under: outer, 5, 95)
    let call = trace.span("a", .client, under: inner, 10, 90)
    trace.span("b", .server, under: call, 20, 80)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0"] && outcome.edges == ["a→b 1/0"])
    #expect(outcome.node("a").ownTime == .of(20) && outcome.edge("a", "b").ownTime == .of(20))
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: internal spans stand between the client span and the server's.
  /// Guarantees: the client span is still the client's side of the call, and is not unpaired.
  @Test func internalBelowTheClient() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span("a", .client, under: root, 10, 90)
    let connect = trace.span("a", .internal, under: call, 12, 88)
    let send = trace.span("a", .internal, under: connect, 15, 85)
    trace.span("b", .server, under: send, 20, 80)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0"] && outcome.edges == ["a→b 1/0"])
    #expect(outcome.edge("a", "b").clientLatency == .of(80))
    #expect(outcome.edge("a", "b").ownTime == .of(4))
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: the same, and the client says the call failed while the server answered.
  /// Guarantees: the call failed; as nothing that reports did, the error began at the caller.
  @Test func failureBelowInternalWork() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, traits: .error)
    let call = trace.span("a", .client, under: root, 10, 90, traits: .error)
    let send = trace.span("a", .internal, under: call, 15, 85)
    trace.span("b", .server, under: send, 20, 80)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→b 1/1"] && outcome.origins == ["a 1"])
  }

  /// Scenario: a server of the same service stands between a client span and another service.
  /// Guarantees: the call belongs to that server's request, not to the client span above it, by which
  /// the service called itself.
  @Test func serverBetweenEndsTheCall() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let toItself = trace.span("a", .client, under: root, 10, 90)
    let again = trace.span("a", .server, under: toItself, 20, 80)
    trace.span("b", .server, under: again, 30, 70)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→b 1/0"] && outcome.edge("a", "b").clientLatency.isEmpty)
    #expect(outcome.unpaired == ["same_service 1"])
  }

  /// Scenario: a service calls itself by the name of what stands before it, through a client span around
  /// another one; what answers calls on: a service, a database, itself again, or a queue.
  /// Guarantees: the call that was answered is one of itself, the span around it a wrapper, and what lies
  /// behind counts as ever; who answered to the name is told.
  @Test func callOfItselfThatCallsOn() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let wrapper = trace.span("a", .client, under: root, 5, 95)
    let call = trace.span("a", .client, under: wrapper, 10, 90, peer: "balancer")
    let again = trace.span("a", .server, under: call, 20, 80)
    let onward = trace.span("a", .client, under: again, 30, 40)
    trace.span("b", .server, under: onward, 31, 39)
    trace.span(
      "a", .client, under: again, 40, 50, traits: .database, peer: "orders", peerKind: .database)
    let second = trace.span("a", .client, under: again, 50, 70, peer: "balancer")
    let third = trace.span("a", .server, under: second, 55, 65)
    trace.span(
      "a", .producer, under: third, 56, 60, traits: [.messaging, .namesQueue], peer: "mails",
      peerKind: .messaging)
    let outcome = trace.analysed()
    #expect(
      outcome.edges == [
        "a→b 1/0", "a→mails messaging_system 1/0", "a→orders database 1/0",
      ])
    #expect(outcome.unpaired == ["same_service 2", "wraps_another_client 1"])
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "mails 1/0", "orders 1/0"])
    let answers = outcome.window.series.filter { $0.key.kind == .answered }
    #expect(answers.map { outcome.names[NameID($0.key.first)] } == ["balancer"])
    #expect(answers.map(\.value.counters[.requests]) == [2])
    #expect(outcome.node("a").counters[.criticalPathNanos] == Int64(76 * Nanos.millisecond))
  }

  /// Scenario: a service calls itself by the name of what stands before it, once with inner work
  /// between the two ends, and by no name; then both ends share a span id.
  /// Guarantees: no edge and no node for the name; each call is counted as one within the service, its
  /// time is the service's own, and its failure began there.
  @Test func callOfItself() {
    for peer in ["balancer", nil] {
      var trace = TraceSketch()
      let root = trace.span("a", .server, 0, 100, traits: .error)
      let call = trace.span("a", .client, under: root, 10, 40, traits: .error, peer: peer)
      trace.span("a", .server, under: call, 15, 35, traits: .error)
      let other = trace.span("a", .client, under: root, 50, 90, peer: peer)
      let send = trace.span("a", .internal, under: other, 55, 85)
      trace.span("a", .server, under: send, 60, 80)
      var shared = trace
      shared.spans[2].id = call
      shared.spans[2].parent = root
      for outcome in [trace.analysed(), shared.analysed()] {
        #expect(outcome.nodes == ["a 1/1"] && outcome.edges.isEmpty)
        #expect(outcome.unpaired == ["same_service 2"] && outcome.origins == ["a 1"])
        #expect(outcome.node("a").ownTime == .of(100))
      }
    }
  }

  /// Scenario: one client span has several server spans below it: retries, or hedged requests.
  /// Guarantees: each is a call; the client's view is that of the last.
  @Test func oneClientManyServers() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span("a", .client, under: root, 0, 100)
    trace.span("b", .server, under: call, 0, 20, traits: .error)
    trace.span("b", .server, under: call, 30, 50, traits: .error)
    trace.span("b", .server, under: call, 60, 90)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 3/2"] && outcome.edges == ["a→b 3/2"])
    #expect(outcome.edge("a", "b").clientLatency == .of(100))
    #expect(outcome.edge("a", "b").latency == .of(20, 20, 30))
    #expect(outcome.edge("a", "b").ownTime == .of(30))
  }

  /// Scenario: a producer's message is consumed by two services, one of which fails.
  /// Guarantees: messaging edges; nobody waits, so no gap, and the producer is neither charged with
  /// the failure nor said to have absorbed it.
  @Test func producerToConsumers() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 20)
    let send = trace.span("a", .producer, under: root, 5, 10)
    trace.span("b", .consumer, under: send, 30, 60)
    trace.span("c", .consumer, under: send, 40, 80, traits: .error)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/1"])
    #expect(outcome.edges == ["a→b messaging_system 1/0", "a→c messaging_system 1/1"])
    let failed = outcome.edge("a", "c", .messagingSystem)
    #expect(failed.ownTime.isEmpty)
    #expect(failed.counters[.absorbedAdjusted] == 0 && failed.counters[.propagatedAdjusted] == 0)
    #expect(outcome.origins == ["c 1"])
  }

  /// Scenario: leaves that call a database, a queue and a host nobody traces.
  /// Guarantees: each becomes a node of its own with the caller's view, connected by its type.
  @Test func peers() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span(
      "a", .client, under: root, 10, 30, traits: .database, peer: "db", peerKind: .database)
    trace.span(
      "a", .producer, under: root, 40, 45, traits: .messaging, peer: "queue", peerKind: .messaging)
    trace.span("a", .client, under: root, 50, 80, peer: "host")
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "db 1/0", "host 1/0", "queue 1/0"])
    #expect(
      outcome.edges == [
        "a→db database 1/0", "a→host virtual_node 1/0", "a→queue messaging_system 1/0",
      ])
    #expect(outcome.node("db").latency == .of(20) && outcome.node("db").ownTime == .of(20))
    #expect(outcome.node("db").clientLatency.isEmpty && outcome.node("db").counters[.traces] == 1)
    let edge = outcome.edge("a", "db", .database)
    #expect(edge.latency == .of(20) && edge.clientLatency == .of(20))
    #expect(edge.counters[.criticalPathNanos] == Int64(20 * Nanos.millisecond))
    #expect(outcome.node("a").ownTime == .of(45))
  }

  /// Scenario: a client library wraps another, down to a database and down to a service.
  /// Guarantees: only the innermost client is the call; the outer is counted as a wrapper.
  @Test func nestedClients() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let mapper = trace.span("a", .client, under: root, 10, 50, peer: "db", peerKind: .database)
    trace.span(
      "a", .client, under: mapper, 15, 45, traits: .database, peer: "db", peerKind: .database)
    let outer = trace.span("a", .client, under: root, 55, 95, peer: "b.example")
    let inner = trace.span("a", .client, under: outer, 60, 90)
    trace.span("b", .server, under: inner, 65, 85)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "db 1/0"])
    #expect(outcome.edges == ["a→b 1/0", "a→db database 1/0"])
    #expect(outcome.unpaired == ["wraps_another_client 2"])
    #expect(outcome.edge("a", "b").clientLatency == .of(30))
  }

  /// Scenario: client and server share a span id, as Zipkin's libraries do, two hops deep.
  /// Guarantees: the edges and times are those of spans with ids of their own.
  @Test func zipkinSharedIDs() {
    var own = TraceSketch()
    let root = own.span("a", .server, 0, 100)
    let call = own.span("a", .client, under: root, 10, 90)
    let server = own.span("b", .server, under: call, 20, 80)
    let next = own.span("b", .client, under: server, 30, 70)
    own.span("c", .server, under: next, 40, 60)
    var shared = own
    shared.spans[2].id = call
    shared.spans[2].parent = root
    shared.spans[3].parent = call
    shared.spans[4].id = next
    shared.spans[4].parent = call
    let expected = own.analysed()
    let outcome = shared.analysed()
    #expect(outcome.edges == ["a→b 1/0", "b→c 1/0"] && outcome.unpaired.isEmpty)
    #expect(outcome.window == expected.window)
  }

  /// Scenario: every span of a trace with a call, a queue and a database is exported again, some
  /// corrected.
  /// Guarantees: the graph of the corrected spans; the copies are counted.
  @Test func duplicateExports() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span(
      "a", .producer, under: root, 10, 20, traits: [.messaging, .namesQueue], peer: "orders",
      peerKind: .messaging)
    trace.span(
      "b", .consumer, under: SpanID(2), 30, 40, traits: [.messaging, .namesQueue], peer: "orders",
      peerKind: .messaging)
    trace.span(
      "a", .client, under: root, 50, 60, traits: .database, peer: "db", peerKind: .database)
    let once = trace.analysed()
    var again = trace
    again.spans += trace.spans.map { span in
      var earlier = span
      earlier.end -= 1
      return earlier
    }
    again.spans += trace.spans
    #expect(again.analysed().window == once.window)
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    #expect(analyser.analyse(again.spans, key: TraceSketch.key, into: &findings) == 8)
  }

  /// Scenario: requests nobody traced asked for, of which one says who called; a call says the same.
  /// Guarantees: an edge from a node for the caller, which is nobody's request, only for the first.
  @Test func untracedCallers() {
    var trace = TraceSketch()
    let root = trace.span(
      "a", .server, 0, 100, traits: [.namesCaller, .error], peer: "till", peerKind: .client)
    trace.span("a", .server, 0, 50)
    let call = trace.span("a", .client, under: root, 10, 90)
    trace.span(
      "b", .server, under: call, 20, 80, traits: .namesCaller, peer: "other", peerKind: .client)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 2/1", "b 1/0"])
    #expect(outcome.edges == ["a→b 1/0", "till→a virtual_node 1/1"])
    let edge = outcome.edge("till", "a", .virtualNode)
    #expect(edge.latency == .of(100) && edge.clientLatency.isEmpty && edge.ownTime.isEmpty)
    #expect(outcome.node("till").counters[.traces] == 1)
  }

  /// Scenario: a client acknowledges messages it took.
  /// Guarantees: no call and no message, but it is counted, and its time is nobody's work.
  @Test func settling() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span(
      "a", .client, under: root, 10, 90, traits: [.messaging, .namesQueue, .settles],
      peer: "orders", peerKind: .messaging)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"] && outcome.edges.isEmpty)
    #expect(outcome.unpaired == ["settles_messages 1"] && outcome.node("a").ownTime == .of(20))
  }

  /// Scenario: a client span whose attributes name nobody, with nothing below it.
  /// Guarantees: no edge and no node, but it is counted, and its time is not the caller's own.
  @Test func unknownPeer() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    trace.span("a", .client, under: root, 10, 90)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"] && outcome.edges.isEmpty)
    #expect(outcome.unpaired == ["client_without_peer 1"])
    #expect(outcome.node("a").ownTime == .of(20))
  }

  /// Scenario: a client span names a peer, but the callee's own span is there.
  /// Guarantees: the span counts, the attribute does not.
  @Test func reportedCalleeWins() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span("a", .client, under: root, 10, 90, peer: "b.example")
    trace.span("b", .server, under: call, 20, 80)
    #expect(trace.analysed().nodes == ["a 1/0", "b 1/0"])
  }

  /// Scenario: parents that were never sent.
  /// Guarantees: a server is a request all the same; inner work and a sidecar's outbound listener
  /// are fragments of one that is counted where it began.
  @Test func missingParents() {
    var trace = TraceSketch()
    trace.span("a", .server, under: SpanID(901), 0, 50)
    let fragment = trace.span("b", .internal, under: SpanID(902), 0, 50)
    let call = trace.span("b", .client, under: fragment, 10, 40)
    trace.span("c", .server, under: call, 20, 30, traits: .error)
    let listener = trace.span(
      "d", .server, under: SpanID(903), 0, 50, traits: [.proxy, .outboundProxy])
    trace.span("c", .server, under: listener, 0, 40)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "c 2/1"])
    #expect(outcome.edges == ["b→c 1/1", "d→c 1/0"])
    #expect(outcome.unpaired == ["parent_missing 3"])
    #expect(outcome.node("b").counters[.traces] == 1)
    #expect(outcome.edge("b", "c").counters[.absorbedAdjusted] == 256)
  }

  /// Scenario: spans that are their own ancestors.
  /// Guarantees: the earliest becomes a root, is counted as such, and the rest hangs below it.
  @Test func cycle() {
    var trace = TraceSketch()
    trace.span("a", .server, under: SpanID(2), 0, 100)
    trace.span("b", .server, under: SpanID(1), 10, 90)
    trace.span("c", .server, under: SpanID(3), 10, 20)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/0"] && outcome.edges == ["a→b 1/0"])
    #expect(outcome.unpaired == ["parent_cycle 2"])
  }

  /// Scenario: a request that says neither operation, nor version, nor instance.
  /// Guarantees: it counts at its node, and no series is made for what it did not say.
  @Test func namelessRequest() {
    var trace = TraceSketch()
    trace.span("a", .server)
    trace.spans[0].operation = .none
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0"])
    #expect(Set(outcome.window.series.keys.map(\.kind)) == [.node, .path, .coverage, .unpaired])
    #expect(outcome.standalone == ["entry_point 1"])
  }

  /// Scenario: a trace of no spans.
  /// Guarantees: nothing is found.
  @Test func emptyTrace() {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    #expect(analyser.analyse([], key: TraceSketch.key, into: &findings) == 0)
    #expect(findings.isEmpty)
  }
}
