import Model
import TestSupport
import Testing

@testable import Analyse

/// How many messages there are, whatever spans senders and takers make of them.
@Suite struct MessageCountTests {
  /// Which spans tell of the sending.
  enum Sending: CaseIterable {
    case send, createBesideSend, createBelowSend, createAboveSend, createLinkedBySend, create
    /// The sending is in a trace of its own, and names the queue, or only its system.
    case createSentElsewhere, createSentElsewhereUnnamed

    var isLinked: Bool {
      switch self {
      case .createLinkedBySend, .createSentElsewhere, .createSentElsewhereUnnamed: true
      case .send, .createBesideSend, .createBelowSend, .createAboveSend, .create: false
      }
    }
  }

  /// Which spans tell of the taking.
  enum Taking: CaseIterable {
    case receive, process, processBelowReceive, besideInOneRequest, bothBelowSender
    /// The poll of all in a trace of its own, or below the first sender; the work on each elsewhere.
    case pollElsewhere, pollBelowFirstSender
    /// One poll a message below its sender, the work on it in a trace of its own.
    case workElsewhere
    /// The poll of all in a trace of its own, the work in others, with a link to the poll alone.
    case workLinkedToPoll
  }

  /// Whether takers are below the span whose context the message has, or link to it.
  enum Join: CaseIterable { case parent, links }

  /// - Returns: of each message the span whose context it has.
  private static func send(
    _ sending: Sending, _ count: Int, into traces: inout LinkedTraces
  ) -> [LinkedTraces.Place] {
    let root = traces.span(1, "a", .server, 0, 20)
    func create(under parent: LinkedTraces.Place, until: Nanos) -> LinkedTraces.Place {
      traces.span(1, "a", .producer, under: parent, 1, until, queue: "orders", traits: .creates)
    }
    func creations(under parent: LinkedTraces.Place) -> [LinkedTraces.Place] {
      (0..<count).map { _ in create(under: parent, until: 4) }
    }
    switch sending {
    case .send:
      return (0..<count).map { _ in
        traces.span(1, "a", .producer, under: root, 5, 10, queue: "orders")
      }
    case .createBesideSend:
      let made = creations(under: root)
      traces.span(1, "a", .client, under: root, 5, 10, queue: "orders")
      return made
    case .createBelowSend:
      return creations(under: traces.span(1, "a", .client, under: root, 0, 10, queue: "orders"))
    case .createAboveSend:
      return (0..<count).map { _ in
        let made = create(under: root, until: 12)
        traces.span(1, "a", .client, under: made, 5, 10, queue: "orders")
        return made
      }
    case .createLinkedBySend:
      let made = creations(under: root)
      let flush = traces.span(1, "a", .internal, 0, 11)
      traces.span(1, "a", .client, under: flush, 5, 10, system: "kafka", links: made)
      return made
    case .create: return (0..<count).map { _ in create(under: root, until: 10) }
    case .createSentElsewhere, .createSentElsewhereUnnamed:
      // Each in a trace of its own, the first below the request.
      let made = (0..<UInt64(count)).map { index in
        index == 0
          ? create(under: root, until: 4)
          : traces.span(
            100 + index, "a", .producer, 1, 4, queue: "orders", traits: .creates)
      }
      let flush = traces.span(50, "a", .internal, 0, 11)
      let isNamed = sending == .createSentElsewhere
      traces.span(
        50, "a", .client, under: flush, 5, 10, queue: isNamed ? "orders" : nil, system: "kafka",
        links: made)
      return made
    }
  }

  private static func take(
    _ sent: [LinkedTraces.Place], _ taking: Taking, _ join: Join, into traces: inout LinkedTraces
  ) {
    func receive(_ messages: [LinkedTraces.Place], under parent: LinkedTraces.Place?)
      -> LinkedTraces.Place
    {
      traces.span(
        parent?.trace ?? 9, "b", .client, under: parent, 30, 40, queue: "orders",
        traits: .receives, links: join == .links ? messages : [])
    }
    func process(_ message: LinkedTraces.Place, under parent: LinkedTraces.Place?) {
      traces.span(
        parent?.trace ?? 9, "b", .consumer, under: parent, 40, 50, queue: "orders",
        links: join == .links ? [message] : [])
    }
    func poll(under parent: LinkedTraces.Place?, links: [LinkedTraces.Place]) -> LinkedTraces.Place
    {
      traces.span(
        parent?.trace ?? 8, "b", .client, under: parent, 30, 40, queue: "orders",
        traits: .receives, links: links)
    }
    func work(_ place: Int, links: [LinkedTraces.Place]) {
      traces.span(20 + UInt64(place), "b", .consumer, 40, 50, queue: "orders", links: links)
    }
    switch taking {
    case .pollElsewhere, .pollBelowFirstSender:
      _ = poll(under: taking == .pollElsewhere ? nil : sent[0], links: sent)
      for (place, message) in sent.enumerated() {
        if join == .parent {
          process(message, under: message)
        } else {
          work(place, links: [message])
        }
      }
      return
    case .workElsewhere:
      for (place, message) in sent.enumerated() {
        _ = poll(under: message, links: join == .links ? [message] : [])
        work(place, links: [message])
      }
      return
    case .workLinkedToPoll:
      let poll = poll(under: nil, links: join == .links ? sent : [])
      for place in sent.indices { work(place, links: [poll]) }
      return
    case .receive, .process, .processBelowReceive, .besideInOneRequest, .bothBelowSender: break
    }
    // With links, one poll takes them all; by parentage each is taken by itself.
    for messages in join == .links && taking != .bothBelowSender ? [sent] : sent.map({ [$0] }) {
      let above = join == .parent || taking == .bothBelowSender ? messages[0] : nil
      switch taking {
      case .receive: _ = receive(messages, under: above)
      case .process: for message in messages { process(message, under: above) }
      case .processBelowReceive:
        let poll = receive(messages, under: above)
        for message in messages { process(message, under: poll) }
      case .besideInOneRequest:
        let loop = traces.span(above?.trace ?? 9, "b", .internal, under: above, 30, 60)
        _ = receive(messages, under: loop)
        for message in messages { process(message, under: loop) }
      case .bothBelowSender:
        _ = receive(messages, under: above)
        for message in messages { process(message, under: above) }
      case .pollElsewhere, .pollBelowFirstSender, .workElsewhere, .workLinkedToPoll: break
      }
    }
  }

  static let shapes = Sending.allCases.flatMap { sending in
    Taking.allCases.flatMap { taking in
      Join.allCases.map { (sending, taking, $0) }
        // A poll without links and not below a sender takes from nobody knows whom.
        .filter { taking != .workLinkedToPoll || $0.2 == .links }
    }
  }

  /// Scenario: one message and three, with all the spans that conventions allow for who makes and sends
  /// them, for who receives them and works on them, and for how these are joined.
  /// Guarantees: they leave their sender once and reach their taker once, the queue counts them once,
  /// and each was there from the end of its sending until it was received.
  @Test(arguments: shapes, [1, 3]) func eachOnce(
    shape: (sending: Sending, taking: Taking, join: Join), count: Int
  ) {
    var traces = LinkedTraces()
    let sent = MessageCountTests.send(shape.sending, count, into: &traces)
    MessageCountTests.take(sent, shape.taking, shape.join, into: &traces)
    var random = SeededGenerator()
    for outcome in [traces.analysed(), traces.analysed(spanBySpan: &random)] {
      #expect(
        outcome.edges == [
          "a→orders messaging_system \(count)/0", "orders→b messaging_system \(count)/0",
        ])
      let queue = outcome.node("orders").counters
      #expect(queue[.requests] == Int64(count) && queue[.requestsAdjusted] == Int64(count) * 256)
      let isReceived = shape.taking != .process
      let taken = outcome.edge("orders", "b", .messagingSystem)
      #expect(taken.ownTime == .of(isReceived ? 20 : 30, weight: Int64(count) * 256))
      #expect(taken.latency.weight == Int64(count) * 256)
      #expect(taken.squaredWeightExcess == 0)
      let told =
        (shape.sending.isLinked ? count : 0) + (shape.taking == .workLinkedToPoll ? count : 0)
      #expect(
        outcome.unpaired.filter { !$0.hasPrefix("wraps_another_client") }
          == (told > 0 ? ["link_adds_nothing \(told)"] : []))
      let requests = outcome.node("b").counters[.requests]
      if shape.taking == .bothBelowSender { #expect(requests == Int64(count)) }
      let sending = outcome.edge("a", "orders", .messagingSystem)
      #expect(sending.latency.weight == Int64(count) * 256)
      if shape.sending == .createSentElsewhere { #expect(sending.clientLatency == sending.latency) }
    }
  }

  /// Scenario: the same, with traces that say only a part of it: each trace but the first may never come.
  /// Guarantees: nothing counts more often than there are messages, and what is left of a message
  /// counts; nothing is taken back that was not counted.
  @Test(arguments: shapes, [1, 3]) func oneTraceMissing(
    shape: (sending: Sending, taking: Taking, join: Join), count: Int
  ) {
    var all = LinkedTraces()
    let sent = MessageCountTests.send(shape.sending, count, into: &all)
    MessageCountTests.take(sent, shape.taking, shape.join, into: &all)
    for trace in all.traces.keys where trace != 1 {
      let outcome = all.without(trace).analysed()
      let isOfSenders = trace == 50 || sent.contains { $0.trace == trace }
      let taken = outcome.edge("orders", "b", .messagingSystem).counters
      #expect((0...Int64(count)).contains(taken[.requests]))
      // One trace has the sendings, or the polls, or the work on one message.
      let isOnlyTaker = trace == 9 || isOfSenders
      if !isOnlyTaker { #expect(taken[.requests] == Int64(count)) }
      let told = outcome.edge("a", "orders", .messagingSystem).counters
      if trace == 50 || !isOfSenders {
        #expect(told[.requests] == Int64(count))
        // A link to a poll nobody sent could as well be one to a sender.
        let isUnknown = shape.taking == .workLinkedToPoll && trace == 8
        #expect(
          outcome.node("orders").counters[.requests] == Int64(isUnknown ? 2 * count : count))
      }
      for (key, sums) in outcome.window.series where [.edge, .node].contains(key.kind) {
        #expect(sums.counters[.requests] >= 0 && sums.counters[.requestsAdjusted] >= 0)
        #expect(sums.latency.weight >= 0 && sums.ownTime.weight >= 0)
      }
    }
  }

  /// Scenario: two messages are created and then sent one by one, in two rounds; in between one for
  /// another queue that nobody sends.
  /// Guarantees: each span that sends counts one message; what nobody sends counts by itself.
  @Test func sentOneByOne() {
    var traces = LinkedTraces()
    let root = traces.span(1, "a", .server, 0, 100)
    for round in [Nanos(0), 50] {
      for start in [round + 1, round + 3] {
        traces.span(
          1, "a", .producer, under: root, start, start + 1, queue: "orders", traits: .creates)
      }
      for start in [round + 10, round + 20] {
        traces.span(1, "a", .client, under: root, start, start + 5, queue: "orders")
      }
      traces.span(
        1, "a", .producer, under: root, round + 30, round + 32, queue: "other", traits: .creates)
    }
    let outcome = traces.analysed()
    #expect(
      outcome.edges == ["a→orders messaging_system 4/0", "a→other messaging_system 2/0"])
    #expect(outcome.unpaired == ["wraps_another_client 4"])
    #expect(outcome.edge("a", "orders", .messagingSystem).latency == .of(5, 5, 5, 5))
  }

  /// Scenario: the sending of two created messages fails in a span that names no queue, or succeeds
  /// around a client's call of the broker.
  /// Guarantees: both messages failed, at the queue the creations name; the call is one besides.
  @Test(arguments: [true, false]) func sendingOfTwo(fails: Bool) {
    var traces = LinkedTraces()
    let root = traces.span(1, "a", .server, 0, 100)
    let made = (0..<2).map { _ in
      traces.span(1, "a", .producer, under: root, 1, 4, queue: "orders", traits: .creates)
    }
    let send = traces.span(
      1, "a", .client, under: root, 5, 10, queue: fails ? nil : "orders", system: "kafka",
      traits: fails ? .error : [], links: made)
    if !fails {
      let call = traces.span(1, "a", .client, under: send, 6, 9)
      traces.span(1, "broker", .server, under: call, 7, 8)
    }
    let outcome = traces.analysed()
    #expect(
      outcome.edges
        == (fails
          ? ["a→orders messaging_system 2/2"]
          : ["a→broker 1/0", "a→orders messaging_system 2/0"]))
    #expect(outcome.node("orders").counters[.requests] == 2)
    #expect(outcome.node("orders").counters[.errors] == (fails ? 2 : 0))
    #expect(outcome.node("a").counters[.criticalPathNanos] == Int64(95 * Nanos.millisecond))
  }

  /// Scenario: below one sender one service polls and works, twice, another one polls alone, and a
  /// third polls three messages by links, of which it works on the one below this sender.
  /// Guarantees: one message for each work, one for the poll without any, and three for the batch; work is
  /// the only request.
  @Test func takersBelowOneSender() {
    var traces = LinkedTraces()
    let sent = (1...3).map { traces.span($0, "a", .producer, 0, 10, queue: "orders") }
    func take(_ service: String, works: Bool, links: [LinkedTraces.Place] = []) {
      traces.span(
        1, service, .client, under: sent[0], 30, 40, queue: "orders", traits: .receives,
        links: links)
      guard works else { return }
      traces.span(1, service, .consumer, under: sent[0], 40, 50, queue: "orders")
    }
    take("b", works: true)
    take("b", works: true)
    take("c", works: false)
    take("d", works: true, links: sent)
    let outcome = traces.analysed()
    #expect(
      outcome.edges == [
        "a→orders messaging_system 3/0", "orders→b messaging_system 2/0",
        "orders→c messaging_system 1/0", "orders→d messaging_system 3/0",
      ])
    #expect(outcome.nodes == ["a 3/0", "b 2/0", "c 1/0", "d 2/0", "orders 3/0"])
    #expect(outcome.edge("orders", "b", .messagingSystem).ownTime == .of(20, 20))
    #expect(outcome.unpaired.isEmpty)
  }

  /// Scenario: 70 000 messages are created for one sending, and 20 000 each with a sending beside it,
  /// in one request each.
  /// Guarantees: it ends quickly; one sending counts no more messages than a taker can have links.
  @Test(.timeLimit(.minutes(3))) func manyCreations() {
    func requests(creations: UInt64, sendings: UInt64) -> Int64? {
      var spans = [SpanRecord(id: SpanID(1), start: 0, end: 1_000_000, service: NameID(1))]
      for index in 0..<(creations + sendings) {
        let creates = index < creations
        // Each creation is followed by its sending, where there are as many of them.
        let start = creates ? 2 * index : 2 * (index - creations) + (sendings > 1 ? 1 : 500_000)
        spans.append(
          SpanRecord(
            id: SpanID(index + 2), parent: SpanID(1), start: start, end: start + 1,
            service: NameID(1), peer: NameID(9), kind: creates ? .producer : .client,
            traits: creates ? QueueTests.queued.union(.creates) : QueueTests.queued))
      }
      var analyser = TraceAnalyser()
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let series = Outcome(findings, names: [:]).window.series
      return series[.edge(NameID(1), NameID(9), .messagingSystem)]?.counters[.requests]
    }
    #expect(requests(creations: 70_000, sendings: 1) == 65_535)
    #expect(requests(creations: 20_000, sendings: 20_000) == 20_000)
  }
}
