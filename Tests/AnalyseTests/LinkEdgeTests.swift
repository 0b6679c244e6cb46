import Model
import TestSupport
import Testing

@testable import Analyse

/// Edges by links of spans: through queues, and where no messages have to do with it.
@Suite struct LinkEdgeTests {
  /// Scenario: a takes and c sends to the queue in traces of their own; b takes both messages at once
  /// in a third, and links to both senders.
  /// Guarantees: one path through the queue; each message counted once on each edge and at the queue;
  /// the time each was in the queue is in the gap, once.
  @Test func batchOfTwoTraces() {
    var traces = LinkedTraces()
    let first = traces.span(1, "a", .producer, 5, 10, queue: "orders")
    let second = traces.span(2, "c", .producer, 15, 20, queue: "orders")
    traces.span(3, "b", .consumer, 30, 60, queue: "orders", links: [first, second])
    let outcome = traces.analysed()
    #expect(outcome.nodes == ["a 1/0", "b 1/0", "c 1/0", "orders 2/0"])
    #expect(
      outcome.edges == [
        "a→orders messaging_system 1/0", "c→orders messaging_system 1/0",
        "orders→b messaging_system 2/0",
      ])
    let taken = outcome.edge("orders", "b", .messagingSystem)
    #expect(taken.ownTime == .of(20, 10) && taken.latency == .of(30, 30))
    #expect(outcome.unpaired.isEmpty && outcome.queueAliases.isEmpty)
    #expect(outcome.coverage[.requests] == 3 && outcome.coverage[.traces] == 3)
  }

  /// Scenario: the taker began before the sender heard that its message was stored.
  /// Guarantees: no time in the queue, never less.
  @Test func takenBeforeTheSenderKnows() {
    var traces = LinkedTraces()
    let sent = traces.span(1, "a", .producer, 0, 10, queue: "orders")
    traces.span(2, "b", .consumer, 5, 8, queue: "orders", links: [sent])
    #expect(traces.analysed().edge("orders", "b", .messagingSystem).ownTime == .of(0))
  }

  /// Scenario: the sender names a topic, the taker its subscription; or only one of them a queue; or
  /// neither, and the sender its system.
  /// Guarantees: two names of one queue are told; else the one name stands for both ends, with the
  /// time in the queue; no span is left without an edge.
  @Test func namesOfTheQueue() {
    func outcome(sender: String?, taker: String?) -> Outcome {
      var traces = LinkedTraces()
      let sent = traces.span(
        1, "a", .producer, 0, 10, queue: sender, system: sender == nil ? "kafka" : nil)
      traces.span(2, "b", .consumer, 30, 40, queue: taker, links: [sent])
      return traces.analysed()
    }
    let both = outcome(sender: "topic", taker: "subscription")
    #expect(both.queueAliases == ["subscription=topic"])
    #expect(
      both.edges == [
        "a→topic messaging_system 1/0", "subscription→b messaging_system 1/0",
      ])
    #expect(both.edge("subscription", "b", .messagingSystem).ownTime == .of(20))
    for (sender, taker, queue) in [
      ("orders", nil, "orders"), (nil, "orders", "orders"), (nil, nil, "kafka"),
    ] as [(String?, String?, String)] {
      let one = outcome(sender: sender, taker: taker)
      #expect(
        one.edges == [
          "a→\(queue) messaging_system 1/0", "\(queue)→b messaging_system 1/0",
        ])
      #expect(one.nodes == ["a 1/0", "b 1/0", "\(queue) 1/0"])
      #expect(one.edge(queue, "b", .messagingSystem).ownTime == .of(20))
      #expect(one.unpaired.isEmpty && one.queueAliases.isEmpty)
    }
  }

  /// Scenario: a poll that took two messages and a span for the work on each below it; both levels
  /// link to the senders.
  /// Guarantees: two messages and two times in the queue, those of the poll.
  @Test(arguments: [SpanKind.client, .consumer]) func receiveAndProcess(kind: SpanKind) {
    var traces = LinkedTraces()
    let first = traces.span(1, "a", .producer, 0, 10, queue: "orders")
    let second = traces.span(2, "a", .producer, 0, 15, queue: "orders")
    let poll = traces.span(
      3, "b", kind, 30, 40, queue: "orders", traits: .receives, links: [first, second])
    for message in [first, second] {
      traces.span(3, "b", .consumer, under: poll, 40, 50, queue: "orders", links: [message])
    }
    let outcome = traces.analysed()
    #expect(
      outcome.edges == ["a→orders messaging_system 2/0", "orders→b messaging_system 2/0"])
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(20, 15))
    #expect(outcome.nodes == ["a 2/0", "b 1/0", "orders 2/0"] && outcome.unpaired.isEmpty)
  }

  /// Scenario: two rounds of a poll and the work on what it got, beside each other below one span; all
  /// link, or only the work; the poll names the queue or does not.
  /// Guarantees: each message once, with its time in the queue; what failed in the work is counted.
  @Test(arguments: [false, true], [false, true]) func workBesideItsPoll(
    pollLinks: Bool, pollNames: Bool
  ) {
    var traces = LinkedTraces()
    let sent = (1...3).map { traces.span($0, "a", .producer, 0, 10, queue: "orders") }
    let loop = traces.span(9, "b", .internal, 0, 200)
    func poll(_ from: Nanos, _ messages: ArraySlice<LinkedTraces.Place>) {
      traces.span(
        9, "b", .client, under: loop, from, from + 10, queue: pollNames ? "orders" : nil,
        system: pollNames ? nil : "kafka", traits: .receives,
        links: pollLinks ? Array(messages) : [])
      for (place, message) in messages.enumerated() {
        let start = from + 10 + 10 * UInt64(place)
        traces.span(
          9, "b", .consumer, under: loop, start, start + 10, queue: "orders",
          traits: place == 1 ? .error : [], links: [message])
      }
    }
    poll(20, sent[..<2])
    poll(100, sent[2...])
    let outcome = traces.analysed()
    #expect(
      outcome.edges == ["a→orders messaging_system 3/0", "orders→b messaging_system 3/1"])
    #expect(outcome.nodes == ["a 3/0", "b 1/0", "orders 3/0"] && outcome.unpaired.isEmpty)
    #expect(
      outcome.edge("orders", "b", .messagingSystem).ownTime
        == (pollLinks ? .of(10, 10, 90) : .of(20, 30, 100)))
  }

  /// Scenario: a sender that names nothing at all; who takes its message links to it and names the queue,
  /// or names nothing either; or nobody takes it.
  /// Guarantees: an edge and no reason, or a reason and no edge.
  @Test func senderThatNamesNothing() {
    for (queue, edges) in [
      ("orders", ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"]),
      (nil, ["a→b messaging_system 1/0"]),
    ] as [(String?, [String])] {
      var traces = LinkedTraces()
      let sent = traces.span(1, "a", .producer, 0, 10)
      traces.span(2, "b", .consumer, 30, 40, queue: queue, links: [sent])
      let outcome = traces.analysed()
      #expect(outcome.edges == edges && outcome.unpaired.isEmpty)
    }
    var traces = LinkedTraces()
    traces.span(1, "a", .producer, 0, 10)
    let alone = traces.analysed()
    #expect(alone.edges.isEmpty && alone.unpaired == ["client_without_peer 1"])
  }

  /// Scenario: the same where only the work links, or only the work names the queue.
  /// Guarantees: the poll counts as many messages as the work has links, under the work's queue.
  @Test func onlyTheWorkKnows() {
    var traces = LinkedTraces()
    let sent = (1...3).map { traces.span($0, "a", .producer, 0, 10, queue: "orders") }
    let poll = traces.span(9, "b", .client, 30, 40, traits: [.receives, .messaging])
    let work = traces.span(
      9, "b", .consumer, under: poll, 40, 50, queue: "orders", links: [sent[0], sent[1]])
    traces.span(9, "b", .consumer, under: work, 42, 48, queue: "orders", links: [sent[0]])
    traces.span(9, "b", .consumer, under: poll, 50, 60, queue: "orders", links: [sent[2]])
    let outcome = traces.analysed()
    #expect(
      outcome.edges == ["a→orders messaging_system 3/0", "orders→b messaging_system 3/0"])
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(30, 30, 40))
    #expect(outcome.nodes == ["a 3/0", "b 1/0", "orders 3/0"] && outcome.unpaired.isEmpty)
  }

  /// Scenario: three messages received well, of which the work on one failed, on two levels; or the
  /// receiving itself failed.
  /// Guarantees: one failure at the queue's edge, or as many as there are messages.
  @Test func failuresOfTheWork() {
    for pollFails in [false, true] {
      var trace = TraceSketch()
      let poll = trace.span(
        "b", .client, 0, 10, traits: [.receives, .messaging, .namesQueue, pollFails ? .error : []],
        peer: "orders", peerKind: .messaging, links: 3)
      for index in 0..<3 {
        let work = trace.span(
          "b", .consumer, under: poll, 10, 20, traits: index == 1 ? .error : [], links: 1)
        if index == 1 { trace.span("b", .consumer, under: work, 12, 14, traits: .error) }
      }
      #expect(trace.analysed().edges == ["orders→b messaging_system 3/\(pollFails ? 3 : 1)"])
    }
  }

  /// Scenario: a taker below the sender, or elsewhere in the sender's trace, links to it.
  /// Guarantees: the time in the queue counts once; below the sender a link says nothing new.
  @Test(arguments: [true, false]) func inOneTrace(isBelow: Bool) {
    var traces = LinkedTraces()
    let root = traces.span(1, "a", .server, 0, 20)
    let sent = traces.span(1, "a", .producer, under: root, 5, 10, queue: "orders")
    let other = traces.span(1, "b", .server, under: root, 1, 90)
    let relay = traces.span(1, "a", .internal, under: sent, 10, 12)
    traces.span(
      1, "b", .consumer, under: isBelow ? relay : other, 30, 60, queue: "orders",
      links: [sent])
    let outcome = traces.analysed()
    #expect(
      outcome.edges.filter { $0.contains("orders") } == [
        "a→orders messaging_system 1/0", "orders→b messaging_system 1/0",
      ])
    #expect(outcome.node("orders").counters[.requests] == 1)
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(20))
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: a batch of three whose parent is the sender of the first.
  /// Guarantees: three messages, each with its own time in the queue.
  @Test func batchBelowItsFirstSender() {
    var traces = LinkedTraces()
    let sent = (1...3).map { index in
      traces.span(index, "a", .producer, 0, 10 * index, queue: "orders")
    }
    traces.span(1, "b", .consumer, under: sent[0], 50, 60, queue: "orders", links: sent)
    let taken = traces.analysed().edge("orders", "b", .messagingSystem)
    #expect(taken.counters[.requests] == 3 && taken.ownTime == .of(40, 30, 20))
  }

  /// Scenario: nobody sent the spans that are linked.
  /// Guarantees: each link is counted, and the queue counts the messages where they were taken.
  @Test func sendersOfWhomNobodyTells() {
    var traces = LinkedTraces()
    let missing = (1...2).map { LinkedTraces.Place(trace: $0, id: SpanID(77)) }
    traces.span(3, "b", .consumer, 0, 10, queue: "orders", weight: 512, links: missing)
    traces.span(4, "d", .server, 0, 10, links: [missing[0]])
    let outcome = traces.analysed()
    #expect(outcome.edges == ["orders→b messaging_system 2/0"])
    #expect(outcome.nodes == ["b 1/0", "d 1/0", "orders 2/0"])
    #expect(outcome.node("orders").counters[.requestsAdjusted] == 2 * 512)
    #expect(outcome.unpaired == ["link_target_missing 3"])
    #expect(outcome.coverage[.requests] == 2 && outcome.coverage[.traces] == 2)
  }

  /// Scenario: the message's context is that of a span that sends nothing; the taker names the queue,
  /// or nobody does.
  /// Guarantees: the message leads from that span's service through the queue, or straight to the taker.
  @Test func contextHandedOn() {
    for queue in ["orders", nil] {
      var traces = LinkedTraces()
      let server = traces.span(1, "a", .server, 0, 20)
      traces.span(2, "b", .consumer, 30, 60, queue: queue, links: [server])
      let outcome = traces.analysed()
      #expect(
        outcome.edges
          == (queue == nil
            ? ["a→b messaging_system 1/0"]
            : ["a→orders messaging_system 1/0", "orders→b messaging_system 1/0"]))
      #expect(outcome.node("orders").counters[.requests] == (queue == nil ? 0 : 1))
      #expect(outcome.unpaired.isEmpty)
    }
  }

  /// Scenario: a server's span links to one of another service in another trace, and fails.
  /// Guarantees: an edge of its own kind from the cause to the effect; times, critical paths and
  /// requests are those without the link.
  @Test func plainLink() {
    var traces = LinkedTraces()
    let cause = traces.span(1, "a", .server, 0, 20)
    traces.span(2, "b", .server, 30, 60, traits: .error, weight: 512, links: [cause])
    let outcome = traces.analysed()
    #expect(outcome.edges == ["a→b link 1/1"] && outcome.nodes == ["a 1/0", "b 1/1"])
    let edge = outcome.edge("a", "b", .link)
    #expect(edge.latency == .of(30, weight: 512) && edge.ownTime.isEmpty)
    #expect(edge.counters[.requestsAdjusted] == 512 && edge.counters[.criticalPathNanos] == 0)
    #expect(outcome.node("a").counters[.criticalPathNanos] == Int64(20 * Nanos.millisecond))
    #expect(outcome.node("a").ownTime == .of(20) && outcome.unpaired.isEmpty)
  }

  /// Scenario: plain links within one service, to the span's own parent and to what it called, and a
  /// span below a taker that links to the same message.
  /// Guarantees: no edge besides those there are, and each is counted.
  @Test func plainLinksThatAddNothing() {
    var traces = LinkedTraces()
    let root = traces.span(1, "a", .server, 0, 20)
    let below = traces.span(1, "b", .server, under: root, 5, 10, links: [root])
    traces.span(1, "c", .server, under: below, 6, 8, links: [root])
    traces.span(2, "a", .server, 30, 60, links: [root])
    let sent = traces.span(3, "d", .producer, 0, 10, queue: "orders")
    let taken = traces.span(4, "e", .consumer, 20, 30, queue: "orders", links: [sent])
    traces.span(4, "e", .internal, under: taken, 22, 24, links: [sent])
    let outcome = traces.analysed()
    #expect(
      outcome.edges == [
        "a→b 1/0", "b→c 1/0", "d→orders messaging_system 1/0", "orders→e messaging_system 1/0",
      ])
    #expect(outcome.unpaired == ["link_adds_nothing 4"])
  }

  /// Scenario: spans with more links than are followed.
  /// Guarantees: they are counted; a taker's messages include them.
  @Test func linksNobodyFollowed() {
    var traces = LinkedTraces()
    let sent = traces.span(1, "a", .producer, 0, 10, queue: "orders")
    traces.span(2, "b", .consumer, 20, 30, queue: "orders", links: [sent], unread: 4)
    traces.span(3, "c", .server, 0, 10, unread: 3)
    let outcome = traces.analysed()
    #expect(outcome.unpaired == ["link_not_read 7"])
    #expect(
      outcome.edges == ["a→orders messaging_system 1/0", "orders→b messaging_system 5/0"])
    #expect(outcome.node("orders").counters[.requests] == 1)
  }

  /// Scenario: 20 000 spans below each other link to the one at the top, and 20 000 from elsewhere.
  /// Guarantees: it ends quickly, and every link is in an edge or counted.
  @Test(.timeLimit(.minutes(3))) func manyLinks() {
    let own = TraceSketch.key.trace
    var spans: [SpanRecord] = []
    for index in 1...UInt64(20_000) {
      let span = SpanRecord(
        id: SpanID(index), parent: SpanID(index - 1), start: index, end: index + 1,
        service: NameID(1 + index % 2), kind: .server)
      let other = SpanRecord(
        id: SpanID(index), start: index, end: index + 1, service: NameID(7), kind: .server)
      spans.append(span)
      if index > 1 {
        spans.append(SpanRecord(linkOf: span, in: own, to: SpanLink(trace: own, span: SpanID(1))))
      }
      spans.append(
        SpanRecord(
          linkOf: other, in: TraceID(high: index, low: 1),
          to: SpanLink(trace: own, span: SpanID(1))))
    }
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(spans.reversed(), key: TraceSketch.key, into: &findings)
    let series = Outcome(findings, names: [:]).window.series
    #expect(series[.edge(NameID(2), NameID(7), .link)]?.counters[.requests] == 20_000)
    let unpaired = series[.unpaired(.standard, .linkAddsNothing)]
    #expect(unpaired?.counters[.requests] == 19_999)
    #expect(series[.coverage(.standard)]?.counters[.requests] == 20_000)
  }

  /// Scenario: garbage: spans and links with few ids, every trait, times from one end to the other.
  /// Guarantees: nothing traps; the order does not matter, nor what was there twice; what was added is
  /// taken back to nothing; links are no spans.
  @Test func garbageIsSurvived() {
    var random = SeededGenerator()
    var used = TraceAnalyser()
    for _ in 0..<1000 {
      let spans = random.garbage(random.below(16))
      var links = random.garbage(1 + random.below(12))
      for index in links.indices { links[index].kind = .link }
      for span in spans where random.once(in: 3) {
        let link = SpanLink(
          trace: TraceSketch.key.trace, span: SpanID(UInt64(random.below(16))))
        links.append(
          SpanRecord(
            linkOf: span, in: random.once(in: 2) ? link.trace : TraceID(high: 1, low: 1),
            to: link))
      }
      func sums(_ spans: [SpanRecord], _ analyser: inout TraceAnalyser) -> WindowSums {
        var findings: [Finding] = []
        analyser.analyse(spans, key: TraceSketch.key, into: &findings)
        var sums = WindowSums()
        sums.add(findings)
        var left = sums
        left.add(findings.shuffled(using: &random), sign: -1)
        #expect(left.isEmpty)
        return sums
      }
      var fresh = TraceAnalyser()
      let expected = sums(spans + links, &fresh)
      let again = (spans + links).filter { _ in random.once(in: 3) }
      let isSame = sums((spans + links + again).shuffled(using: &random), &used) == expected
      #expect(isSame)
      let alone = sums(spans, &fresh).merged(from: 0, to: .max)
      let window = expected.merged(from: 0, to: .max)
      let coverage = SeriesKey.coverage(.standard)
      #expect(window.series[coverage] == alone.series[coverage])
    }
  }
}
