import Model
import TestSupport
import Testing

@testable import Analyse

/// Messages of which spans in different traces tell, beyond how many there are.
@Suite struct LinkedTakerTests {
  /// A message of a's in trace 1, from 0 to 10 ms.
  private func sent(
    _ traces: inout LinkedTraces, queue: String? = "orders"
  ) -> LinkedTraces.Place {
    traces.span(
      1, "a", .producer, 0, 10, queue: queue, system: queue == nil ? "kafka" : nil)
  }

  /// Scenario: a sampled poll that failed and, half a minute later, work that stands for other numbers.
  /// Guarantees: all figures of the poll are gone from its window but for time on the critical path; those
  /// of the work stand, with the time in the queue until the poll.
  @Test func figuresOfTheWork() {
    var traces = LinkedTraces()
    let message = sent(&traces)
    traces.span(
      2, "b", .client, 30, 40, queue: "orders", traits: [.receives, .error], weight: 1024,
      links: [message])
    traces.span(3, "b", .consumer, 30_000, 30_050, queue: "orders", weight: 512, links: [message])
    let outcome = traces.analysed()
    let edge = outcome.edge("orders", "b", .messagingSystem)
    #expect(edge.counters[.requests] == 1 && edge.counters[.requestsAdjusted] == 512)
    #expect(edge.counters[.errors] == 0 && edge.counters[.errorsAdjusted] == 0)
    #expect(edge.latency == .of(50, weight: 512) && edge.ownTime == .of(20, weight: 512))
    #expect(edge.squaredWeightExcess == 512 * 512 - 256 * 256)
    for window in outcome.sums.windows.values {
      for (key, sums) in window.series where key.kind == .edge {
        #expect(sums.counters[.requests] >= 0 && sums.latency.weight >= 0)
      }
    }
    #expect(outcome.sums.windows.count > 1)
  }

  /// Scenario: poll and work in traces of their own name the same queue, different ones, or one of them
  /// none; neither does.
  /// Guarantees: one message, but two where the queues differ; it is on the edge of the named queue.
  @Test func namesOfTheQueue() {
    for (poll, work, edges) in [
      ("orders", "orders", ["orders→b messaging_system 1/0"]),
      ("orders", "other", ["orders→b messaging_system 1/0", "other→b messaging_system 1/0"]),
      ("orders", nil, ["orders→b messaging_system 1/0"]),
      (nil, "orders", ["orders→b messaging_system 1/0"]),
      (nil, nil, ["orders→b messaging_system 1/0"]),
    ] as [(String?, String?, [String])] {
      var traces = LinkedTraces()
      let message = sent(&traces)
      traces.span(2, "b", .client, 30, 40, queue: poll, traits: .receives, links: [message])
      traces.span(3, "b", .consumer, 40, 50, queue: work, links: [message])
      let outcome = traces.analysed()
      #expect(outcome.edges == ["a→orders messaging_system 1/0"] + edges)
      #expect(outcome.unpaired.isEmpty)
      let gaps = outcome.edge("orders", "b", .messagingSystem).ownTime
      #expect(gaps == .of(20))
    }
  }

  /// Scenario: nobody sent the sender's trace.
  /// Guarantees: the queue counts the message once, and its taker too; both links lead nowhere.
  @Test func senderOfWhomNobodyTells() {
    var traces = LinkedTraces()
    let message = LinkedTraces.Place(trace: 1, id: SpanID(77))
    traces.span(2, "b", .client, 30, 40, queue: "orders", traits: .receives, links: [message])
    traces.span(3, "b", .consumer, 40, 50, queue: "orders", links: [message])
    let outcome = traces.analysed()
    #expect(outcome.edges == ["orders→b messaging_system 1/0"])
    #expect(outcome.node("orders").counters[.requests] == 1)
    #expect(outcome.unpaired == ["link_target_missing 2"])
  }

  /// Scenario: a message is polled twice and worked on once, or polled twice alone; two services poll it
  /// and one of them works.
  /// Guarantees: one for each work, or for each poll where there is none; services apart.
  @Test func severalPolls() {
    for (works, count) in [(true, 1), (false, 2)] {
      var traces = LinkedTraces()
      let message = sent(&traces)
      for (trace, start) in [(UInt64(2), Nanos(30)), (3, 50)] {
        traces.span(
          trace, "b", .client, start, start + 5, queue: "orders", traits: .receives,
          links: [message])
      }
      if works { traces.span(4, "b", .consumer, 60, 70, queue: "orders", links: [message]) }
      traces.span(5, "c", .client, 20, 25, queue: "orders", traits: .receives, links: [message])
      let outcome = traces.analysed()
      #expect(
        outcome.edges == [
          "a→orders messaging_system 1/0", "orders→b messaging_system \(count)/0",
          "orders→c messaging_system 1/0",
        ])
      let gaps = outcome.edge("orders", "b", .messagingSystem).ownTime
      #expect(gaps == (works ? .of(40) : .of(20, 40)))
    }
  }

  /// Scenario: within the work on one message a poll asks for another, which is worked on in a trace of its
  /// own; behind it the first poll's second message.
  /// Guarantees: each of the three once.
  @Test func pollWithinWork() {
    var traces = LinkedTraces()
    let messages = (1...3).map { traces.span($0, "a", .producer, 0, 10, queue: "orders") }
    let loop = traces.span(9, "b", .internal, 20, 200)
    traces.span(
      9, "b", .client, under: loop, 30, 35, queue: "orders", traits: .receives,
      links: Array(messages[..<2]))
    let work = traces.span(
      9, "b", .consumer, under: loop, 40, 80, queue: "orders", links: [messages[0]])
    traces.span(
      9, "b", .client, under: work, 50, 55, queue: "orders", traits: .receives,
      links: [messages[2]])
    traces.span(9, "b", .consumer, under: loop, 90, 95, queue: "orders", links: [messages[1]])
    traces.span(10, "b", .consumer, 60, 70, queue: "orders", links: [messages[2]])
    let outcome = traces.analysed()
    #expect(
      outcome.edges == ["a→orders messaging_system 3/0", "orders→b messaging_system 3/0"])
  }

  /// Scenario: a poll without links, and two messages of it worked on in traces of their own that link to
  /// the poll; nobody tells of the sending.
  /// Guarantees: two messages, at the queue as well.
  @Test func workLinkedToPoll() {
    var traces = LinkedTraces()
    let poll = traces.span(1, "b", .client, 30, 40, queue: "orders", traits: .receives)
    for trace: UInt64 in [2, 3] {
      traces.span(trace, "b", .consumer, 50, 60, queue: "orders", links: [poll])
    }
    let outcome = traces.analysed()
    #expect(outcome.edges == ["orders→b messaging_system 2/0"])
    #expect(outcome.node("orders").counters[.requests] == 2)
    #expect(outcome.edge("orders", "b", .messagingSystem).latency == .of(10, 10))
  }

  /// Scenario: two messages of one trace are sent by another: a first try fails, a second one succeeds; or
  /// only the failed one is told of.
  /// Guarantees: failures count where they were, with what became of the request; each message leaves
  /// once, by what succeeded, and not at all if nothing did.
  @Test(arguments: [true, false]) func sendingFails(isRetried: Bool) {
    var traces = LinkedTraces()
    let made = (0..<2).map { _ in
      traces.span(1, "a", .producer, 1, 4, queue: "orders", traits: .creates)
    }
    let flush = traces.span(2, "a", .server, 10, 60)
    traces.span(
      2, "a", .client, under: flush, 10, 20, queue: "orders", traits: .error, links: made)
    if isRetried {
      traces.span(3, "a", .client, 30, 50, queue: "orders", weight: 512, links: made)
    }
    let outcome = traces.analysed()
    #expect(outcome.edges == ["a→orders messaging_system \(isRetried ? 4 : 2)/2"])
    let edge = outcome.edge("a", "orders", .messagingSystem)
    #expect(edge.counters[.requestsAdjusted] == (isRetried ? 6 : 2) * 256)
    #expect(edge.counters[.absorbedAdjusted] == 2 * 256)
    #expect(outcome.node("orders").counters[.errorOriginsAdjusted] == 2 * 256)
  }

  /// Scenario: what sends is around another span that sends, and both link to what was created elsewhere;
  /// a span that sends links to two spans that created nothing; one sends what another service created.
  /// Guarantees: one sending each; where services differ, each sends.
  @Test func whatALinkOfASenderNames() {
    var traces = LinkedTraces()
    let made = traces.span(1, "a", .producer, 1, 4, queue: "orders", traits: .creates)
    let outer = traces.span(2, "a", .producer, 5, 20, queue: "orders", links: [made])
    traces.span(2, "a", .client, under: outer, 6, 19, queue: "orders", links: [made])
    #expect(traces.analysed().edges == ["a→orders messaging_system 1/0"])

    traces = LinkedTraces()
    let causes = (1...2).map { traces.span($0, "a", .server, 0, 10) }
    traces.span(3, "a", .producer, 5, 20, queue: "orders", links: causes)
    #expect(traces.analysed().edges == ["a→orders messaging_system 1/0"])

    traces = LinkedTraces()
    let other = traces.span(1, "a", .producer, 1, 4, queue: "orders", traits: .creates)
    traces.span(2, "relay", .producer, 5, 20, queue: "orders", links: [other])
    #expect(
      traces.analysed().edges == [
        "a→orders messaging_system 1/0", "a→relay link 1/0", "relay→orders messaging_system 1/0",
      ])
  }

  /// Scenario: 20 000 polls and as much work, each in a trace of its own, link to one sender; and work in as
  /// many traces links to one poll.
  /// Guarantees: it ends quickly; one message for each work, and no poll is taken back twice.
  @Test(.timeLimit(.minutes(3))) func manyTakers() async {
    await onOwnThread {
      func record(_ kind: SpanKind, _ number: UInt64) -> SpanRecord {
        let span = SpanRecord(
          id: SpanID(number), start: number, end: number + 1, service: NameID(2), peer: NameID(9),
          kind: kind,
          traits: kind == .client ? QueueTests.queued.union(.receives) : QueueTests.queued,
          links: 1)
        return SpanRecord(
          linkOf: span, in: TraceID(high: number, low: UInt64(kind.rawValue)),
          to: SpanLink(trace: TraceSketch.key.trace, span: SpanID(1)))
      }
      func requests(_ linked: SpanRecord, _ links: [SpanRecord]) -> Int64? {
        var analyser = TraceAnalyser()
        var findings: [Finding] = []
        analyser.analyse([linked] + links, key: TraceSketch.key, into: &findings)
        let series = Outcome(findings, names: [:]).window.series
        return series[.edge(NameID(9), NameID(2), .messagingSystem)]?.counters[.requests]
      }
      let numbers = UInt64(1)...20_000
      let works = numbers.map { record(.consumer, $0) }
      let sender = SpanRecord(
        id: SpanID(1), start: 0, end: 1, service: NameID(1), peer: NameID(9), kind: .producer,
        traits: QueueTests.queued)
      #expect(requests(sender, works + numbers.map { record(.client, $0) }) == -20_000)
      var poll = sender
      poll.kind = .client
      poll.service = NameID(2)
      poll.traits.insert(.receives)
      #expect(requests(poll, works) == nil)
    }
  }
}
