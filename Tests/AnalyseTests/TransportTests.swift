import Model
import TestSupport
import Testing

@testable import Analyse

@Suite("What carries a call to a database or a queue makes no edge of its own")
struct TransportTests {
  private static let queued: SpanTraits = [.messaging, .namesQueue]
  private static let sidecar: SpanTraits = [.proxy, .outboundProxy]

  /// What the trace says, whatever the order of arrival.
  private func analysed(_ trace: TraceSketch) -> Outcome {
    let outcome = trace.analysed()
    var random = SeededGenerator()
    for _ in 0..<4 {
      var other = trace
      other.spans.shuffle(using: &random)
      let isSame = other.analysed().sums == outcome.sums
      #expect(isSame)
    }
    #expect(outcome.spansByPartner == outcome.coverage[.requests])
    #expect(outcome.spansByPartner == Int64(trace.spans.count))
    return outcome
  }

  /// Scenario: a client of a database with the span of its own HTTP client below it, with inner work
  /// between the two, or none; the host has a name, or none.
  /// Guarantees: one call, to the database, with the time of both; no node for the host.
  @Test(arguments: [false, true], ["es1", nil]) func database(hasWork: Bool, host: String?) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span(
      "a", .client, under: root, 10, 50, traits: .database, peer: "search", peerKind: .database)
    let below = hasWork ? trace.span("a", .internal, under: call, 12, 48) : call
    trace.span("a", .client, under: below, 15, 45, peer: host)
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→search database 1/0"])
    #expect(outcome.nodes == ["a 1/0", "search 1/0"])
    #expect(outcome.unpaired.isEmpty && outcome.paired == 1)
    #expect(
      outcome.standalone == ["entry_point 1"] + (hasWork ? ["inner_work 1"] : []) + ["transport 1"])
    let edge = outcome.edge("a", "search", .database)
    #expect(edge.latency == .of(40) && edge.clientLatency == .of(40) && edge.ownTime.isEmpty)
    // Work between the two is the service's own.
    let critical = Int64((hasWork ? 34 : 40) * Nanos.millisecond)
    #expect(edge.counters[.criticalPathNanos] == critical)
    #expect(outcome.node("search").counters[.criticalPathNanos] == critical)
    #expect(
      outcome.node("a").counters[.criticalPathNanos] == Int64(100 * Nanos.millisecond) - critical)
    let paths = outcome.window.series.filter { $0.key.kind == .path && $0.key.second != 0 }
    #expect(paths.map { $0.value.ownTime } == [.of(hasWork ? 34 : 40)])
  }

  /// Scenario: a database behind the outbound sidecar of who calls it, which reports its listener and its
  /// upstream; the client of the database has an HTTP client besides, or not.
  /// Guarantees: one call to the database; the listener's time is on the edge, as it is around other calls.
  @Test(arguments: [false, true]) func databaseBehindSidecar(hasClient: Bool) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span(
      "a", .client, under: root, 10, 50, traits: .database, peer: "search", peerKind: .database)
    let client =
      hasClient ? trace.span("a", .client, under: call, 11, 49, peer: "es1") : call
    let listener = trace.span(
      "a", .server, under: client, 12, 48, traits: Self.sidecar, peer: "es1.shop")
    trace.span("a", .client, under: listener, 15, 45, traits: .proxy, peer: "es1.shop")
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→search database 1/0"])
    #expect(outcome.nodes == ["a 1/0", "search 1/0"] && outcome.unpaired.isEmpty)
    #expect(outcome.standalone == ["entry_point 1", "transport \(hasClient ? 3 : 2)"])
    let edge = outcome.edge("a", "search", .database)
    #expect(edge.latency == .of(40) && edge.ownTime == .of(6))
    #expect(edge.counters[.criticalPathNanos] == Int64(40 * Nanos.millisecond))
    #expect(
      outcome.node("search").counters[.criticalPathNanos] == Int64(34 * Nanos.millisecond))
    #expect(outcome.node("a").counters[.criticalPathNanos] == Int64(60 * Nanos.millisecond))
    let path = outcome.window.series.first { $0.key.kind == .path && $0.key.second != 0 }?.value
    #expect(path?.ownTime == .of(34) && path?.clientLatency == .of(6))
  }

  /// Scenario: the transport fails and is tried again, with success, or in vain.
  /// Guarantees: one call, which failed if its own span says so; then the error began at the database, and
  /// no host is told not to have been reached.
  @Test(arguments: [false, true]) func retries(fails: Bool) {
    var trace = TraceSketch()
    let error: SpanTraits = fails ? .error : []
    let root = trace.span("a", .server, 0, 100, traits: error)
    let call = trace.span(
      "a", .client, under: root, 10, 60, traits: error.union(.database), peer: "search",
      peerKind: .database)
    trace.span("a", .client, under: call, 11, 20, traits: .error, peer: "es1")
    trace.span("a", .client, under: call, 25, 34, traits: .error, peer: "es2")
    trace.span("a", .client, under: call, 40, 55, traits: error, peer: "es1")
    let outcome = analysed(trace)
    let failed = fails ? 1 : 0
    #expect(outcome.edges == ["a→search database 1/\(failed)"])
    #expect(outcome.nodes == ["a 1/\(failed)", "search 1/\(failed)"])
    #expect(outcome.origins == (fails ? ["search 1"] : []))
    #expect(outcome.standalone == ["entry_point 1", "transport 3"] && outcome.paired == 1)
    #expect(!outcome.window.series.keys.contains { $0.kind == .unreached })
    let edge = outcome.edge("a", "search", .database).counters
    #expect(edge[.criticalPathNanos] == Int64(50 * Nanos.millisecond))
    #expect(edge[.retryNanos] == 0)
  }

  /// Scenario: what carries the call of a database is answered by a service that reports, behind a try
  /// that nobody answered.
  /// Guarantees: the call is to that service, and the try to its host, as without the database's span.
  @Test func answeredByService() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span(
      "a", .client, under: root, 10, 60, traits: .database, peer: "search", peerKind: .database)
    trace.span("a", .client, under: call, 11, 20, traits: .error, peer: "es1")
    let second = trace.span("a", .client, under: call, 30, 50, peer: "es1")
    trace.span("gateway", .server, under: second, 32, 48)
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→es1 virtual_node 1/1", "a→gateway 1/0"])
    #expect(outcome.unpaired == ["wraps_another_client 1"])
    #expect(outcome.standalone == ["entry_point 1"])
  }

  /// Scenario: a client span that names a database around one that names another, which has an HTTP client
  /// below it; and around one that names a host.
  /// Guarantees: the innermost that names one is the call; what stands beside it calls its host.
  @Test func innerDatabaseWins() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let outer = trace.span(
      "a", .client, under: root, 10, 60, traits: .database, peer: "mapper", peerKind: .database)
    let inner = trace.span(
      "a", .client, under: outer, 20, 40, traits: .database, peer: "search", peerKind: .database)
    trace.span("a", .client, under: inner, 25, 35, peer: "es1")
    trace.span("a", .client, under: outer, 45, 55, peer: "tokens")
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→search database 1/0", "a→tokens virtual_node 1/0"])
    #expect(outcome.unpaired == ["wraps_another_client 1"])
    #expect(outcome.standalone == ["entry_point 1", "transport 1"])
  }

  /// Scenario: a database's client below which the service asks itself, and a host; behind itself it asks
  /// another host.
  /// Guarantees: what a request of its own calls is no transport of the call around it.
  @Test func ownServerIsNoTransport() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span(
      "a", .client, under: root, 10, 60, traits: .database, peer: "search", peerKind: .database)
    trace.span("a", .client, under: call, 12, 20, peer: "es1")
    let own = trace.span("a", .server, under: call, 20, 40)
    trace.span("a", .client, under: own, 22, 38, peer: "other")
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→other virtual_node 1/0", "a→search database 1/0"])
    #expect(outcome.standalone == ["entry_point 1", "inner_request 1", "transport 1"])
  }

  /// Scenario: a message is sent by a producer, or by a client span, around an HTTP client's span; somebody
  /// takes it below the sender, in a trace of its own, or nobody does.
  /// Guarantees: it goes to the queue once, and the HTTP client is its transport.
  @Test(arguments: [SpanKind.producer, .client], [false, true])
  func sending(kind: SpanKind, isTaken: Bool) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let send = trace.span(
      "a", kind, under: root, 10, 20, traits: Self.queued, peer: "orders", peerKind: .messaging)
    trace.span("a", .client, under: send, 11, 19, peer: "sqs.example")
    if isTaken {
      trace.span(
        "b", .consumer, under: send, 50, 60, traits: Self.queued, peer: "orders",
        peerKind: .messaging)
    }
    let outcome = analysed(trace)
    #expect(
      outcome.edges == ["a→orders messaging_system 1/0"]
        + (isTaken ? ["orders→b messaging_system 1/0"] : []))
    #expect(outcome.node("orders").counters[.requests] == 1 && outcome.unpaired.isEmpty)
    #expect(outcome.standalone == ["entry_point 1", "transport 1"])
    let edge = outcome.edge("a", "orders", .messagingSystem)
    #expect(edge.latency == .of(10) && edge.clientLatency == .of(10))
    if isTaken { #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(30)) }
  }

  /// Scenario: two messages are created, and sent by one span around an HTTP client's.
  /// Guarantees: both go to the queue, and the HTTP client's span is the transport of their sending.
  @Test func sendingOfCreated() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    for start in [Nanos(1), 3] {
      trace.span(
        "a", .producer, under: root, start, start + 1, traits: Self.queued.union(.creates),
        peer: "orders", peerKind: .messaging)
    }
    let send = trace.span(
      "a", .client, under: root, 10, 20, traits: Self.queued, peer: "orders", peerKind: .messaging)
    trace.span("a", .client, under: send, 11, 19, peer: "sqs.example")
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→orders messaging_system 2/0"])
    #expect(outcome.unpaired == ["wraps_another_client 2"])
    #expect(outcome.standalone == ["entry_point 1", "transport 1"])
  }

  /// Scenario: a poll around the HTTP client's span by which it asks; work on what it got, below it, calls a
  /// host, and so does a client right below it when the poll is over; then the message is settled over HTTP.
  /// Guarantees: what asks and what settles is transport; what the work calls is not.
  @Test func polling() {
    var trace = TraceSketch()
    let poll = trace.span(
      "b", .client, 0, 10, traits: Self.queued.union(.receives), peer: "orders",
      peerKind: .messaging)
    trace.span("b", .client, under: poll, 1, 9, peer: "sqs.example")
    let work = trace.span(
      "b", .consumer, under: poll, 20, 30, traits: Self.queued, peer: "orders",
      peerKind: .messaging)
    trace.span("b", .client, under: work, 21, 25, peer: "mails")
    trace.span("b", .client, under: poll, 26, 29, peer: "bills")
    let settle = trace.span(
      "b", .client, under: work, 26, 29, traits: Self.queued.union(.settles), peer: "orders",
      peerKind: .messaging)
    trace.span("b", .client, under: settle, 27, 28, peer: "sqs.example")
    let outcome = analysed(trace)
    #expect(
      outcome.edges == [
        "b→bills virtual_node 1/0", "b→mails virtual_node 1/0", "orders→b messaging_system 1/0",
      ])
    #expect(outcome.unpaired == ["settles_messages 1"])
    #expect(outcome.standalone == ["message_counted 1", "transport 2"])
  }

  /// Scenario: a message is sent by a producer or a client span, straight, by way of the sender's sidecar, or
  /// of its listener and upstream; below that, while it is sent or later, the taker's sidecar and the taker
  /// (a consumer, or a server that the broker called), or the taker alone. Clocks are corrected.
  /// Guarantees: the message goes through the queue, with the time it was there, and blocks nobody; the
  /// sender's proxies are transport.
  @Test(arguments: [SpanKind.producer, .client], [0, 1, 2]) func pushed(
    by kind: SpanKind, proxies: Int
  ) {
    for taker in [SpanKind.consumer, .server] {
      for (hasSidecar, start) in [(false, Nanos(14)), (true, 14), (false, 200), (true, 200)] {
        var trace = TraceSketch()
        let root = trace.span("a", .server, 0, 100)
        let send = trace.span(
          "a", kind, under: root, 10, 50, traits: Self.queued, peer: "orders",
          peerKind: .messaging)
        var below = send
        if proxies > 1 {
          below = trace.span(
            "a", .server, under: below, 11, 49, traits: Self.sidecar, peer: "broker")
        }
        if proxies > 0 {
          below = trace.span("a", .client, under: below, 12, 48, traits: .proxy, peer: "broker")
        }
        if hasSidecar {
          below = trace.span("b", .server, under: below, start, start + 30, traits: .proxy)
        }
        trace.span("b", taker, under: below, start + 1, start + 29)
        let entered = hasSidecar ? start : start + 1
        let plain = analysed(trace)
        for outcome in [plain, trace.analysed(clockSkewNanosMax: .second)] {
          #expect(
            outcome.edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"])
          #expect(outcome.nodes == ["a 1/0", "b 1/0", "orders 1/0"] && outcome.unpaired.isEmpty)
          let edge = outcome.edge("orders", "b", .messagingSystem)
          #expect(edge.ownTime == .of(entered > 50 ? entered - 50 : 0))
          #expect(outcome.node("b").counters[.criticalPathNanos] == 0)
          #expect(outcome.coverage[.criticalPathNanos] == Int64(100 * Nanos.millisecond))
          #expect(outcome.coverage[.skewed] == 0)
          #expect(outcome.reasons[.transport] ?? 0 == Int64(proxies))
        }
      }
    }
  }

  /// Scenario: a sender's sidecar sends by way of a gateway that has a client's span alone, and the broker
  /// calls the taker below the sender.
  /// Guarantees: the gateway is called by the sender, not by way of the queue; the taker by way of it.
  @Test func gatewayToTheBroker() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let send = trace.span(
      "a", .producer, under: root, 10, 20, traits: Self.queued, peer: "orders",
      peerKind: .messaging)
    let proxy = trace.span("a", .client, under: send, 11, 19, traits: Self.sidecar, peer: "gw")
    trace.span("gateway", .client, under: proxy, 12, 18, traits: .proxy, peer: "broker")
    trace.span("b", .server, under: send, 50, 60)
    let outcome = analysed(trace)
    #expect(
      outcome.edges == [
        "a→gateway 1/0", "a→orders messaging_system 1/0", "gateway→broker virtual_node 1/0",
        "orders→b messaging_system 1/0",
      ])
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: a client span that names only a broker's system calls a service through its sidecar.
  /// Guarantees: that is a call to the service.
  @Test func callOfTheBroker() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span(
      "a", .client, under: root, 10, 50, traits: .messaging, peer: "kafka", peerKind: .messaging)
    let proxy = trace.span("a", .client, under: call, 11, 49, traits: Self.sidecar, peer: "rest")
    trace.span("rest", .server, under: proxy, 12, 48)
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→rest 1/0"] && outcome.unpaired == ["wraps_another_client 1"])
  }

  /// Scenario: a client span that names a host around another one, as before.
  /// Guarantees: the inner one is the call: only databases and queues are known by the outer span.
  @Test func hostAroundHost() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let outer = trace.span("a", .client, under: root, 10, 60, peer: "model")
    trace.span("a", .client, under: outer, 20, 40, peer: "api.example")
    let outcome = analysed(trace)
    #expect(outcome.edges == ["a→api.example virtual_node 1/0"])
    #expect(outcome.unpaired == ["wraps_another_client 1"])
  }
}
