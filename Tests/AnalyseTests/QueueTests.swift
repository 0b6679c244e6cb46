import Model
import TestSupport
import Testing

@testable import Analyse

/// What goes through queues: edges to them and from them.
@Suite struct QueueTests {
  static let queued: SpanTraits = [.messaging, .namesQueue]

  /// Adds a span that sends to the queue or takes from it.
  @discardableResult
  private func message(
    _ trace: inout TraceSketch, _ service: String, _ kind: SpanKind, under parent: SpanID = .none,
    _ from: Nanos, _ until: Nanos, queue: String? = "orders", traits: SpanTraits = [],
    links: UInt16 = 0, weight: UInt32 = SpanRecord.weightOne
  ) -> SpanID {
    trace.span(
      service, kind, under: parent, from, until,
      traits: traits.union(queue == nil ? .messaging : QueueTests.queued), peer: queue,
      peerKind: .messaging, weight: weight, links: links)
  }

  /// Scenario: a sends a message that two services take, of which one fails.
  /// Guarantees: one edge to the queue, one from it to each; the time in the queue is the second
  /// edge's gap; the queue counts the message once; the failure is its taker's alone.
  @Test func senderQueueTakers() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 20)
    let send = message(&trace, "a", .producer, under: root, 5, 10)
    message(&trace, "b", .consumer, under: send, 30, 60)
    message(&trace, "c", .consumer, under: send, 40, 80, traits: .error)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/1", "orders 1/0"])
    #expect(
      outcome.edges == [
        "a→orders messaging_system 1/0", "orders→b messaging_system 1/0",
        "orders→c messaging_system 1/1",
      ])
    let sent = outcome.edge("a", "orders", .messagingSystem)
    #expect(sent.latency == .of(5) && sent.clientLatency == .of(5) && sent.ownTime.isEmpty)
    let taken = outcome.edge("orders", "b", .messagingSystem)
    #expect(taken.latency == .of(30) && taken.ownTime == .of(20) && taken.clientLatency.isEmpty)
    let failed = outcome.edge("orders", "c", .messagingSystem).counters
    #expect(failed[.absorbedAdjusted] == 0 && failed[.propagatedAdjusted] == 0)
    #expect(outcome.origins == ["c 1"] && outcome.unpaired.isEmpty)
    #expect(outcome.node("orders").counters[.traces] == 1)
    #expect(outcome.node("a").ownTime == .of(15))
  }

  /// Scenario: the taker begins before the sender heard that its message was stored.
  /// Guarantees: no time in the queue, never less.
  @Test func takenBeforeTheSenderKnows() {
    var trace = TraceSketch()
    let send = message(&trace, "a", .producer, 0, 10)
    message(&trace, "b", .consumer, under: send, 5, 8)
    #expect(
      trace.analysed().edge("orders", "b", .messagingSystem).ownTime == .of(0))
  }

  /// Scenario: the sender cannot reach the queue, in a trace in which an earlier try was taken.
  /// Guarantees: the failure is that edge's and began at the queue; the sender's is passed on.
  @Test func sendingFails() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 20, traits: .error)
    let first = message(&trace, "a", .producer, under: root, 1, 5, traits: .error)
    message(&trace, "b", .consumer, under: first, 6, 8)
    message(&trace, "a", .producer, under: root, 10, 15, traits: .error)
    let outcome = trace.analysed()
    #expect(outcome.nodes == ["a 1/1", "b 1/0", "orders 2/2"])
    #expect(
      outcome.edges == ["a→orders messaging_system 2/2", "orders→b messaging_system 1/0"])
    #expect(outcome.origins == ["orders 2"])
    let edge = outcome.edge("a", "orders", .messagingSystem).counters
    #expect(edge[.propagatedAdjusted] == 2 * 256)
  }

  /// Scenario: only the taker names the queue, or sender and taker name different ones.
  /// Guarantees: one node between the two: the sender's name, else the taker's.
  @Test func oneEndNamesTheQueue() {
    var trace = TraceSketch()
    let send = message(&trace, "a", .producer, 0, 5, queue: nil)
    message(&trace, "b", .consumer, under: send, 10, 20)
    #expect(
      trace.analysed().edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"])
    trace = TraceSketch()
    let exchange = message(&trace, "a", .producer, 0, 5, queue: "exchange")
    message(&trace, "b", .consumer, under: exchange, 10, 20, queue: "b-inbox")
    #expect(
      trace.analysed().edges == [
        "a→exchange messaging_system 1/0", "exchange→b messaging_system 1/0",
      ])
  }

  /// Scenario: neither end names the queue; the sender names its system only.
  /// Guarantees: the two are joined directly, as by a call nobody waits for.
  @Test func nobodyNamesTheQueue() {
    var trace = TraceSketch()
    let send = trace.span(
      "a", .producer, 0, 5, traits: .messaging, peer: "kafka", peerKind: .messaging)
    message(&trace, "b", .consumer, under: send, 10, 20, queue: nil)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→b messaging_system 1/0"] && outcome.nodes == ["a 1/0", "b 1/0"])
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: a taker in a trace of its own, with and without links to what it takes.
  /// Guarantees: an edge from the queue, with a message for each link; the queue counts the message
  /// where nothing says that it was sent in another trace.
  @Test func takerAlone() {
    var trace = TraceSketch()
    message(&trace, "b", .consumer, 10, 40)
    var outcome = trace.analysed()
    #expect(outcome.nodes == ["b 1/0", "orders 1/0"])
    #expect(outcome.edges == ["orders→b messaging_system 1/0"] && outcome.unpaired.isEmpty)

    trace = TraceSketch()
    message(&trace, "b", .consumer, 10, 40, traits: .error, links: 7, weight: 512)
    outcome = trace.analysed()
    #expect(outcome.nodes == ["b 1/1"])
    #expect(outcome.edges == ["orders→b messaging_system 7/7"])
    let edge = outcome.edge("orders", "b", .messagingSystem)
    #expect(edge.counters[.requestsAdjusted] == 7 * 512 && edge.latency.weight == 7 * 512)
    #expect(edge.ownTime.isEmpty)

    trace = TraceSketch()
    message(&trace, "b", .consumer, under: SpanID(99), 10, 40)
    outcome = trace.analysed()
    #expect(outcome.edges == ["orders→b messaging_system 1/0"] && outcome.unpaired.isEmpty)
  }

  /// Scenario: takers that say nothing: alone, and below a parent nobody sent.
  /// Guarantees: no edge, and each is counted.
  @Test func takerOfUnnamedQueue() {
    var trace = TraceSketch()
    message(&trace, "b", .consumer, 0, 10, queue: nil)
    message(&trace, "b", .consumer, under: SpanID(99), 0, 10, queue: nil)
    let outcome = trace.analysed()
    #expect(outcome.edges.isEmpty && outcome.nodes == ["b 2/0"])
    #expect(outcome.unpaired == ["parent_missing 1", "queue_not_named 1"])
  }

  /// Scenario: a gateway takes the message over HTTP and sends it on; a sidecar takes it in for b.
  /// Guarantees: one path a → gateway → queue → b, whatever kind the first hop has.
  @Test(arguments: [SpanKind.client, .producer], [SpanKind.consumer, .server])
  func throughGatewayAndSidecar(hop: SpanKind, sidecar: SpanKind) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call =
      hop == .client
      ? trace.span("a", .client, under: root, 10, 50)
      : message(&trace, "a", .producer, under: root, 10, 50)
    let gateway = trace.span("gateway", .server, under: call, 15, 45, traits: .proxy)
    let send = message(&trace, "gateway", .producer, under: gateway, 20, 40)
    let inbound =
      sidecar == .server
      ? trace.span("b", .server, under: send, 60, 90, traits: .proxy)
      : message(&trace, "b", .consumer, under: send, 60, 90, traits: .proxy)
    message(&trace, "b", .consumer, under: inbound, 65, 85)
    let outcome = trace.analysed()
    let first = hop == .client ? "a→gateway 1/0" : "a→gateway messaging_system 1/0"
    #expect(
      outcome.edges == [
        first, "gateway→orders messaging_system 1/0", "orders→b messaging_system 1/0",
      ])
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "gateway 1/0", "orders 1/0"])
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(20))
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: a broker calls the taker over HTTP, while the sender still sends or later: straight, or
  /// through the taker's sidecar. (Cloud Pub/Sub push, Dapr, Knative.)
  /// Guarantees: the message goes through the queue, with the time it was there; it blocks nobody.
  @Test(arguments: [false, true], [12, 200]) func pushed(hasSidecar: Bool, at start: Nanos) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let send = message(&trace, "a", .producer, under: root, 10, 50)
    let entry = trace.span(
      "b", .server, under: send, start, start + 30, traits: hasSidecar ? .proxy : [])
    if hasSidecar { trace.span("b", .server, under: entry, start + 1, start + 29) }
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"])
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "orders 1/0"] && outcome.unpaired.isEmpty)
    #expect(
      outcome.edge("orders", "b", .messagingSystem).ownTime == .of(start > 50 ? start - 50 : 0))
    #expect(outcome.node("b").counters[.criticalPathNanos] == 0)
    #expect(outcome.coverage[.criticalPathNanos] == Int64(100 * Nanos.millisecond))
  }

  /// Scenario: who sends a message and who takes it share one id, as Zipkin's senders do.
  /// Guarantees: one message, with its time in the queue.
  @Test(arguments: [false, true]) func sharedID(hasRoot: Bool) {
    var trace = TraceSketch()
    let root = hasRoot ? trace.span("a", .server, 0, 85) : .none
    let send = message(&trace, "a", .producer, under: root, 20, 80)
    message(&trace, "b", .consumer, under: root, 90, 99)
    trace.spans[trace.spans.count - 1].id = send
    trace.span("b", .internal, under: send, 91, 95)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"])
    #expect(outcome.node("orders").counters[.requests] == 1 && outcome.unpaired.isEmpty)
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(10))
    #expect(outcome.node("b").ownTime == .of(9))
  }

  /// Scenario: a service takes what it sent itself, straight below the sending or not.
  /// Guarantees: an edge there and one back, the message counted once, and no edge to itself.
  @Test(arguments: [false, true]) func ownMessages(isWrapped: Bool) {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 20)
    let send = message(&trace, "a", .producer, under: root, 5, 10)
    let parent = isWrapped ? trace.span("a", .internal, under: send, 6, 9) : send
    message(&trace, "a", .consumer, under: parent, 30, 60)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→orders messaging_system 1/0", "orders→a messaging_system 1/0"])
    #expect(outcome.nodes == ["a \(isWrapped ? 1 : 2)/0", "orders 1/0"])
  }

  /// Scenario: a poll that got a batch, with a span for the work on each message below it; the poll is
  /// a consumer's span, as in older instrumentations, or a client's.
  /// Guarantees: messages are counted where they were taken, once; waiting is nobody's work.
  @Test(arguments: [SpanKind.consumer, .client]) func receiveAndProcess(kind: SpanKind) {
    var trace = TraceSketch()
    let loop = trace.span("b", .internal, 0, 100)
    let poll = message(
      &trace, "b", kind, under: loop, 0, 60, traits: kind == .client ? .receives : [], links: 2)
    message(&trace, "b", .consumer, under: poll, 60, 70, links: 1)
    message(&trace, "b", .consumer, under: poll, 70, 80, links: 1)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["orders→b messaging_system 2/0"])
    #expect(outcome.nodes == ["b 1/0"] && outcome.unpaired.isEmpty)
    #expect(outcome.node("b").ownTime == .of(kind == .client ? 60 : 120))
  }

  /// Scenario: the parent of a taker is no sender: context was handed on by other means.
  /// Guarantees: both edges, and the queue counts the message.
  @Test func senderWithoutSpan() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 20)
    message(&trace, "b", .consumer, under: root, 30, 60)
    let outcome = trace.analysed()
    #expect(outcome.edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"])
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "orders 1/0"])
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime.isEmpty)
  }

  /// Scenario: a span with links and slow work behind a queue hangs below a server.
  /// Guarantees: neither is on the server's critical path.
  @Test func neitherLinksNorTakersBlock() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let send = message(&trace, "a", .producer, under: root, 10, 20, links: 100)
    message(&trace, "b", .consumer, under: send, 12, 95, links: 100)
    let outcome = trace.analysed()
    #expect(outcome.node("b").counters[.criticalPathNanos] == 0)
    #expect(
      outcome.node("a").counters[.criticalPathNanos] == Int64(90 * Nanos.millisecond))
    #expect(outcome.coverage[.criticalPathNanos] == Int64(100 * Nanos.millisecond))
  }

  /// Scenario: a chain of 10 000 queues, and a message 20 000 take.
  /// Guarantees: it ends quickly, with every edge, and the message counted once.
  @Test(.timeLimit(.minutes(3))) func manyQueues() {
    var spans: [SpanRecord] = []
    func span(_ id: UInt64, under parent: UInt64, _ service: UInt64, _ kind: SpanKind) {
      spans.append(
        SpanRecord(
          id: SpanID(id), parent: SpanID(parent), start: id, end: id + 1,
          service: NameID(service), peer: NameID(9), kind: kind, traits: QueueTests.queued))
    }
    for index in 0..<UInt64(10_000) {
      span(2 * index + 1, under: 2 * index, 1 + index % 2, .consumer)
      span(2 * index + 2, under: 2 * index + 1, 1 + index % 2, .producer)
    }
    for index in 0..<UInt64(20_000) { span(100_000 + index, under: 20_000, 3, .consumer) }
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(spans.reversed(), key: TraceSketch.key, into: &findings)
    let outcome = Outcome(findings, names: [:])
    func requests(_ key: SeriesKey) -> Int64? { outcome.window.series[key]?.counters[.requests] }
    #expect(requests(.edge(NameID(1), NameID(9), .messagingSystem)) == 5_000)
    #expect(requests(.edge(NameID(9), NameID(2), .messagingSystem)) == 5_000)
    #expect(requests(.edge(NameID(9), NameID(3), .messagingSystem)) == 20_000)
    #expect(requests(.node(NameID(9))) == 10_001)
  }
}
