import Glibc
import Model
import TestSupport
import Testing

@testable import Gateway

@Suite("Traces of any size and shape", .serialized)
struct TraceScaleTests {
  private let start = TraceGenerator.epoch

  /// Scenario: 50 000 spans of one trace trickle in over an hour, in random order.
  /// Guarantees: the trace is analysed as its age doubles: each span a few times, and not once for
  /// everything that comes after it; in the end the windows are those of the same spans at once.
  @Test func trickling() async {
    await onOwnThread {
      var random = SeededGenerator()
      let spans = TraceShape.bush.spans(50_000, from: start).shuffled(using: &random)
      var shard = Shard(limits: TraceLimits())
      var next = 0
      for second in 1...Nanos(3_600) {
        let due = spans.count * Int(second) / 3_600
        shard.fold(batch(spans[next..<due]), sequence: second, now: start + second * .second)
        shard.advance(to: start + second * .second)
        next = due
      }
      shard.closeAll()
      let ratio = Double(shard.counters.spansAnalysed) / Double(spans.count)
      print("trickling: each span is analysed \(ratio) times")
      #expect(ratio <= 6)
      #expect(shard.counters.late == 0 && shard.traceCount == 1)
      #expect(windows(of: shard).hasSameCounts(as: atOnce(spans)))
    }
  }

  /// Scenario: the spans of a trace come in bursts, so far apart that it is idle in between; or all
  /// but a few come at once, and those one by one.
  /// Guarantees: however often it was idle, each span is analysed a bounded number of times; a flush
  /// shows all of them; the first late spans are shown as soon as the trace is idle again.
  @Test(arguments: [1, 5_000]) func idleInBetween(first: Int) async {
    await onOwnThread {
      let spans = TraceShape.bush.spans(5_300, from: start)
      let bursts = 300
      let size = (spans.count - first) / bursts
      var shard = Shard(limits: TraceLimits())
      var now = start
      shard.fold(batch(spans[..<first]), sequence: 1, now: now)
      for burst in 0..<bursts {
        now += 12 * .second
        shard.advance(to: now)
        let begin = first + burst * size
        let end = burst == bursts - 1 ? spans.count : begin + size
        shard.fold(batch(spans[begin..<end]), sequence: 2, now: now)
        guard burst == 0 else { continue }
        now += 12 * .second
        shard.advance(to: now)
        #expect(windows(of: shard).hasSameCounts(as: atOnce(Array(spans[..<end]))))
      }
      shard.closeAll()
      let ratio = Double(shard.counters.spansAnalysed) / Double(spans.count)
      print("idle in between, \(first) at first: each span is analysed \(ratio) times")
      #expect(ratio <= 24)
      #expect(windows(of: shard).hasSameCounts(as: atOnce(spans)))
      shard.advance(to: now + 2 * .hour)
      #expect(shard.traceCount == 0)
      #expect(windows(of: shard).hasSameCounts(as: atOnce(spans)))
    }
  }

  /// Scenario: traces of each shape, small ones and one as large as issue and limits allow: 50 000
  /// spans, a chain 10 000 deep, a fan-out of 20 000; through services, queues and proxies.
  /// Guarantees: nothing is lost, nothing recurses, and a span of the large one costs at most twice as
  /// much as one of the small ones: time that grew with the square would be a thousandfold.
  @Test(arguments: TraceShape.allCases) func costOfASpan(shape: TraceShape) async {
    await onOwnThread {
      var random = SeededGenerator()
      let count = shape.countMax
      let large = shape.spans(count, from: start).shuffled(using: &random)
      let small = shape.spans(10, from: start).shuffled(using: &random)
      // The least of several runs in turn: what others do on the machine only ever adds.
      var smallCost = Double.infinity
      var largeCost = Double.infinity
      var sums = Window()
      for _ in 0..<3 {
        smallCost = min(smallCost, cost(of: small, times: 200).nanos)
        let large = cost(of: large, times: 1)
        largeCost = min(largeCost, large.nanos)
        sums = large.sums
      }
      print("\(shape): a span of 10 costs \(smallCost) ns, one of \(count) \(largeCost) ns")
      #expect(largeCost <= 2 * smallCost)
      #expect(sums.series[.coverage(.standard)]?.counters[.requests] == Int64(count))
      let calls = sums.series.filter { $0.key.kind == .edge }.values
      #expect(calls.reduce(0) { $0 + $1.counters[.requests] } == shape.calls(count))
      #expect(sums.series.keys.contains { $0.kind == .path })
    }
  }

  // MARK: Helpers

  private let key = TraceKey(tenant: .standard, trace: TraceID(high: 7, low: 7))

  private func batch(_ spans: some Sequence<SpanRecord>) -> SpanBatch {
    var batch = SpanBatch(tenant: key.tenant)
    for span in spans { batch.append(span, trace: key.trace) }
    return batch
  }

  private func closed(_ spans: [SpanRecord]) -> Shard {
    var shard = Shard(limits: TraceLimits())
    shard.fold(batch(spans), sequence: 1, now: start)
    shard.closeAll()
    return shard
  }

  private func windows(of shard: borrowing Shard) -> WindowSums {
    let snapshot = shard.snapshot()
    var sums = snapshot.overlay
    for generation in snapshot.generations { sums.merge(generation.sums) }
    return sums
  }

  private func atOnce(_ spans: [SpanRecord]) -> WindowSums { windows(of: closed(spans)) }

  /// Processor time of this thread for one span of a trace that is taken in, closed and sealed, in
  /// nanoseconds, and what the traces add up to. Not the clock's: others run on the same machine.
  private func cost(of spans: [SpanRecord], times: Int) -> (nanos: Double, sums: Window) {
    var shard = Shard(limits: TraceLimits())
    let began = processorNanos()
    for number in 0..<times {
      var batch = SpanBatch(tenant: .standard)
      let trace = TraceID(high: 9, low: UInt64(number + 1))
      for span in spans { batch.append(span, trace: trace) }
      shard.fold(batch, sequence: UInt64(number), now: start)
    }
    shard.closeAll()
    shard.sealAll()
    let nanos = Double(processorNanos() - began) / Double(spans.count * times)
    return (nanos, windows(of: shard).merged(from: 0, to: .max))
  }

  private func processorNanos() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}

/// A way in which spans hang together.
enum TraceShape: CaseIterable {
  /// Each below the one before.
  case chain
  /// All below the first.
  case fan
  /// Each below one of the hundred before it.
  case bush
  /// Senders and takers of messages, each below the one before, and all below the first.
  case queueChain, queueFan
  /// Proxies around each service of a chain.
  case proxyChain

  var countMax: Int {
    switch self {
    case .chain, .queueChain, .proxyChain: 10_000
    case .fan, .queueFan: 20_000
    case .bush: 50_000
    }
  }

  /// How many calls there are among so many spans.
  func calls(_ count: Int) -> Int64 {
    switch self {
    case .chain, .fan, .bush: Int64(count - 1)
    // From the sender to the queue, and from there to the taker.
    case .queueChain, .queueFan: Int64(count)
    case .proxyChain: Int64((count - 1) / 2)
    }
  }

  func spans(_ count: Int, from start: Nanos) -> [SpanRecord] {
    (0..<count).map { index in
      var span = SpanRecord(
        id: SpanID(UInt64(index + 1)), parent: SpanID(UInt64(parent(of: index) + 1)),
        start: start + Nanos(index), end: start + 9 * .second - Nanos(index),
        service: NameID(1), operation: NameID(3), kind: .server)
      change(&span, index)
      return span
    }
  }

  /// −1 for the root.
  private func parent(of index: Int) -> Int {
    switch self {
    case .chain, .queueChain, .proxyChain: index - 1
    case .fan, .queueFan: index == 0 ? -1 : 0
    case .bush: index == 0 ? -1 : max(0, index - 1 - index * 7_919 % 100)
    }
  }

  private func change(_ span: inout SpanRecord, _ index: Int) {
    switch self {
    case .chain, .fan, .bush:
      // Never the service of the parent.
      span.service = NameID(UInt64(100 + (self == .bush ? index : min(index, 1 + index % 50))))
      if self == .bush { span.service = NameID(UInt64(1_000 + index % 1_000)) }
      span.operation = NameID(span.service.raw + 5_000)
    case .queueChain:
      // Two by two: a sender, and who takes from its queue and sends on.
      span.kind = index % 2 == 0 ? .producer : .consumer
      span.service = NameID(UInt64(100 + (index + 1) / 2 % 50))
      span.peer = NameID(UInt64(90_000))
      span.traits = [.messaging, .namesQueue]
    case .queueFan:
      span.kind = index == 0 ? .producer : .consumer
      span.service = NameID(UInt64(index == 0 ? 99 : 100 + index % 50))
      span.peer = NameID(UInt64(90_000))
      span.traits = [.messaging, .namesQueue]
    case .proxyChain:
      // A proxy's way in and its way out, in turn.
      span.kind = index % 2 == 0 ? .server : .client
      span.service = NameID(UInt64(100 + index / 2 % 50))
      span.traits = index % 2 == 0 ? .proxy : [.proxy, .outboundProxy]
    }
  }
}
