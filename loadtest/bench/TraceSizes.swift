import Gateway
import Model

/// Spans of one trace of any size: each below one of the hundred before it, in a thousand services.
enum TraceSizes {
  static let sizes = [10, 100, 1_000, 10_000, 50_000]

  static func batch(trace: UInt64, spans count: Int) -> SpanBatch {
    var batch = SpanBatch(tenant: .standard)
    for index in 0..<count { batch.append(span(index), trace: TraceID(high: 1, low: trace)) }
    return batch
  }

  private static func span(_ index: Int) -> SpanRecord {
    let parent = index == 0 ? 0 : max(1, index - index * 7_919 % 100)
    let service = NameID(UInt64(1_000 + index % 1_000))
    return SpanRecord(
      // Ids come in no order.
      id: id(index + 1), parent: parent == 0 ? .none : id(parent),
      start: Workload.epoch + Nanos(index), end: Workload.epoch + 9 * .second - Nanos(index),
      service: service, operation: NameID(service.raw + 5_000), kind: .server)
  }

  private static func id(_ number: Int) -> SpanID {
    SpanID(UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
  }

  /// Traces of one size are taken in, closed and sealed.
  static func atOnce(traces: Int, spans count: Int) -> UInt64 {
    var shard = Shard(limits: TraceLimits())
    for trace in 0..<traces {
      let batch = batch(trace: UInt64(trace + 1), spans: count)
      shard.fold(batch, sequence: UInt64(trace + 1), now: Workload.epoch)
    }
    shard.closeAll()
    shard.sealAll()
    return shard.counters.spansAnalysed
  }

  /// One trace whose spans come over an hour.
  static func trickling(spans count: Int) -> UInt64 {
    var shard = Shard(limits: TraceLimits())
    let all = batch(trace: 1, spans: count)
    var next = 0
    for second in 1...3_600 {
      var batch = SpanBatch(tenant: .standard)
      while next < count * second / 3_600 {
        batch.append(all.spans[next], trace: all.traces[next])
        next += 1
      }
      let now = Workload.epoch + Nanos(second) * .second
      shard.fold(batch, sequence: UInt64(second), now: now)
      shard.advance(to: now)
    }
    shard.closeAll()
    shard.sealAll()
    return shard.counters.spansAnalysed
  }
}
