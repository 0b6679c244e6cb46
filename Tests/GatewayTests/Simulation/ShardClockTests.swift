import Model
import Testing

@testable import Gateway

@Suite("Clocks in a shard")
struct ShardClockTests {
  private static let now = TraceGenerator.epoch

  /// A call from one host to another, whose clock is so far ahead.
  private func counters(ahead: Nanos, limit: Nanos) -> ShardCounters {
    var batch = SpanBatch()
    let trace = TraceID(high: 1, low: 2)
    batch.append(
      SpanRecord(
        id: SpanID(1), start: Self.now, end: Self.now + 100 * .millisecond, service: NameID(1),
        kind: .client, host: 1), trace: trace)
    batch.append(
      SpanRecord(
        id: SpanID(2), parent: SpanID(1), start: Self.now + 10 * .millisecond + ahead,
        end: Self.now + 90 * .millisecond + ahead, service: NameID(2), kind: .server, host: 2),
      trace: trace)
    var limits = TraceLimits()
    limits.clockSkewNanosMax = limit
    var shard = Shard(limits: limits)
    shard.fold(batch, sequence: 1, now: Self.now)
    shard.closeAll()
    #expect(shard.counters.skewAdjusted == 0, "only sealed traces are counted")
    shard.sealAll()
    return shard.counters
  }

  /// Scenario: a trace is sealed whose clocks agree, disagree by less than the limit and by more.
  /// Guarantees: its spans are counted once, as moved or as left alone; the limit is the configured one.
  @Test func counted() {
    let limit = Configuration().traceLimits(memoryBytes: 1 << 20).clockSkewNanosMax
    #expect(limit == .second)
    let agreeing = counters(ahead: 0, limit: limit)
    #expect(agreeing.skewAdjusted == 0 && agreeing.skewOverLimit == 0)
    let moved = counters(ahead: 900 * .millisecond, limit: limit)
    #expect(moved.skewAdjusted == 1 && moved.skewOverLimit == 0)
    let left = counters(ahead: 1_100 * .millisecond, limit: limit)
    #expect(left.skewAdjusted == 0 && left.skewOverLimit == 1)
    let off = counters(ahead: 900 * .millisecond, limit: 0)
    #expect(off.skewAdjusted == 0 && off.skewOverLimit == 0)
  }
}
