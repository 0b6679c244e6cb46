import Model
import Testing

@testable import Gateway

@Suite("Links in a shard")
struct ShardLinkTests {
  private static let sender = SpanLink(trace: TraceID(high: 1, low: 1), span: SpanID(5))
  private static let own = TraceID(high: 2, low: 2)

  private static func span(_ id: SpanID, _ kind: SpanKind, _ service: UInt64) -> SpanRecord {
    SpanRecord(
      id: id, start: TraceGenerator.epoch, end: TraceGenerator.epoch + .millisecond,
      service: NameID(service), peer: NameID(9), kind: kind, traits: [.messaging, .namesQueue],
      links: kind == .consumer ? 1 : 0)
  }

  private static let sent = span(sender.span, .producer, 1)
  private static let taken = span(SpanID(6), .consumer, 2)
  private static let link = SpanRecord(linkOf: taken, in: own, to: sender)
  private static let edge = SeriesKey.edge(NameID(9), NameID(2), .messagingSystem)

  private func fold(
    _ records: [(SpanRecord, TraceID)], into shard: inout Shard, now: Nanos = TraceGenerator.epoch
  ) {
    var batch = SpanBatch()
    for (record, trace) in records { batch.append(record, trace: trace) }
    shard.fold(batch, sequence: 1, now: now)
  }

  private func window(of shard: borrowing Shard) -> Window {
    shard.snapshot().merged(from: 0, to: .max, after: 0) ?? Window()
  }

  /// Scenario: a link comes long before the trace it names, or long after, while that is not sealed.
  /// Guarantees: the same graph, with the time in the queue; at first the link leads nowhere.
  @Test(arguments: [true, false]) func eitherComesFirst(linkFirst: Bool) {
    var shard = Shard(limits: TraceLimits())
    fold([(Self.taken, Self.own)], into: &shard)
    if linkFirst {
      fold([(Self.link, Self.sender.trace)], into: &shard)
      shard.closeAll()
      let missing = SeriesKey.unpaired(.standard, .linkTargetMissing)
      #expect(window(of: shard).series[missing]?.counters[.requests] == 1)
      #expect(window(of: shard).series[.node(NameID(9))]?.counters[.requests] == 1)
      fold([(Self.sent, Self.sender.trace)], into: &shard)
    } else {
      fold([(Self.sent, Self.sender.trace)], into: &shard)
      shard.closeAll()
      fold([(Self.link, Self.sender.trace)], into: &shard)
    }
    shard.closeAll()
    let series = window(of: shard).series
    #expect(series[Self.edge]?.counters[.requests] == 1)
    #expect(series[Self.edge]?.ownTime.weight == Int64(SpanRecord.weightOne))
    #expect(series[.node(NameID(9))]?.counters[.requests] == 1)
    #expect(series.keys.allSatisfy { $0.kind != .unpaired })
  }

  /// Scenario: a link comes when the trace it names is sealed, twice.
  /// Guarantees: it is counted as late and changes nothing else; the taker's edge is there. It waits for
  /// others of the message for as long as a trace is remembered.
  @Test func lateLinks() {
    var shard = Shard(limits: TraceLimits())
    fold([(Self.sent, Self.sender.trace)], into: &shard)
    shard.sealAll()
    fold([(Self.taken, Self.own)], into: &shard)
    for _ in 0..<2 { fold([(Self.link, Self.sender.trace)], into: &shard) }
    shard.closeAll()
    let series = window(of: shard).series
    #expect(shard.counters.late == 2 && shard.traceCount == 2)
    #expect(series[.coverage(.standard)]?.counters[.late] == 2)
    #expect(series[.coverage(.standard)]?.counters[.requests] == 2)
    #expect(series[Self.edge]?.counters[.requests] == 1)
    #expect(series[.node(NameID(9))]?.counters[.requests] == 1)
  }

  /// Scenario: a poll and the work on its message are in traces of their own; their links come while the
  /// sender's trace is held, or when it was sealed long ago, with the polls before the work or behind it,
  /// each twice, and traces are closed in between.
  /// Guarantees: the message reaches its taker once; when all is sealed nothing is left of what was taken
  /// back but in the poll's figures.
  @Test(arguments: [false, true], [false, true])
  func pollAndWorkApart(isSealed: Bool, workFirst: Bool) {
    var shard = Shard(limits: TraceLimits())
    fold([(Self.sent, Self.sender.trace)], into: &shard)
    if isSealed { shard.sealAll() } else { shard.closeAll() }
    let pollTrace = TraceID(high: 4, low: 4)
    var poll = Self.span(SpanID(7), .client, 2)
    poll.traits.insert(.receives)
    poll.links = 1
    let parts = [
      [
        (poll, pollTrace),
        (SpanRecord(linkOf: poll, in: pollTrace, to: Self.sender), Self.sender.trace),
      ], [(Self.taken, Self.own), (Self.link, Self.sender.trace)],
    ]
    for part in workFirst ? parts.reversed() : parts {
      for _ in 0..<2 { fold(part, into: &shard) }
      shard.closeAll()
      #expect(window(of: shard).series[Self.edge]?.counters[.requests] == 1)
    }
    shard.sealAll()
    let series = window(of: shard).series
    let edge = series[Self.edge] ?? Sums()
    #expect(edge.counters[.requests] == 1 && edge.counters[.requestsAdjusted] == 256)
    #expect(edge.latency.weight == 256 && edge.ownTime.weight == (isSealed ? 0 : 256))
    #expect(series[.node(NameID(9))]?.counters[.requests] == 1)
    #expect(shard.counters.late == (isSealed ? 4 : 0) && shard.traceCount == 0)
  }

  /// Scenario: a message is created in one trace and sent in another, whose link comes before the first
  /// trace, or behind it, or when that is sealed.
  /// Guarantees: it leaves its sender once.
  @Test(arguments: 0..<3) func createdAndSentApart(order: Int) {
    var shard = Shard(limits: TraceLimits())
    var created = Self.sent
    created.traits.insert(.creates)
    var sent = Self.span(SpanID(8), .producer, 1)
    sent.links = 1
    let creation = [(created, Self.sender.trace)]
    let sending = [
      (sent, Self.own),
      (SpanRecord(linkOf: sent, in: Self.own, to: Self.sender, isFirst: true), Self.sender.trace),
    ]
    fold(order == 0 ? sending : creation, into: &shard)
    shard.closeAll()
    if order == 2 { shard.sealAll() }
    fold(order == 0 ? creation : sending, into: &shard)
    shard.closeAll()
    let series = window(of: shard).series
    let edge = SeriesKey.edge(NameID(1), NameID(9), .messagingSystem)
    #expect(series[edge]?.counters[.requests] == 1)
    #expect(series[.node(NameID(9))]?.counters[.requests] == 1)
  }

  /// Scenario: traces are looked up, one with a link to it and one of which there are only links.
  /// Guarantees: the first is shown without the link, also when it is sealed; the second is none.
  @Test func linksAreNotShown() {
    var limits = TraceLimits()
    limits.exemplarBytesMax = 1 << 20
    var shard = Shard(limits: limits)
    let missing = TraceID(high: 3, low: 3)
    fold(
      [(Self.sent, Self.sender.trace), (Self.link, Self.sender.trace), (Self.link, missing)],
      into: &shard)
    func spans(_ shard: inout Shard, _ trace: TraceID) -> [SpanRecord]? {
      shard.trace(TraceKey(tenant: .standard, trace: trace))?.trace.spans
    }
    #expect(spans(&shard, Self.sender.trace) == [Self.sent])
    #expect(spans(&shard, missing) == nil)
    shard.sealAll()
    #expect(spans(&shard, Self.sender.trace) == [Self.sent])
    #expect(spans(&shard, missing) == nil)
  }
}
