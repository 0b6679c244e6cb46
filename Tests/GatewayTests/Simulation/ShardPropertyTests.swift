import Model
import TestSupport
import Testing

@testable import Gateway

@Suite("What always holds in a shard")
struct ShardPropertyTests {
  /// All windows of a shard, without the count of copies, which repetition changes by intent.
  private func windows(of shard: borrowing Shard) -> WindowSums {
    let snapshot = shard.snapshot()
    var sums = snapshot.overlay
    for generation in snapshot.generations { sums.merge(generation.sums) }
    return sums.withoutDuplicates
  }

  private func folded(
    _ batches: [SpanBatch], limits: TraceLimits = TraceLimits(), step: Nanos = .millisecond,
    isSealed: Bool = false
  ) -> WindowSums {
    var shard = Shard(limits: limits)
    var now = TraceGenerator.epoch
    for (index, batch) in batches.enumerated() {
      now += step
      shard.fold(batch, sequence: UInt64(index + 1), now: now)
      shard.advance(to: now)
    }
    shard.closeAll()
    if isSealed { shard.sealAll() }
    return windows(of: shard)
  }

  /// Scenario: the same spans in random orders, split into random batches, some sent twice.
  /// Guarantees: the same windows, to the last count, with the same examples, where no trace takes back
  /// what another one counted: whose example that was it does not know.
  @Test(arguments: [true, false]) func orderSplitAndRepetitionDoNotMatter(hasPolls: Bool) {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    generator.hasPolls = hasPolls
    let sent = generator.traces(60)
    var random = SeededGenerator(seed: seed &+ 1)
    let expected = folded(sent.batches(using: &random))
    #expect(!expected.isEmpty)
    for _ in 0..<8 {
      var shuffled = sent + sent.filter { _ in Int.random(in: 0..<4, using: &random) == 0 }
      shuffled.shuffle(using: &random)
      let again = folded(shuffled.batches(using: &random))
      #expect(again.hasSameCounts(as: expected))
      #expect(hasPolls || again.examples == expected.examples)
    }
  }

  /// Scenario: batches arrive so slowly that traces are closed in between, opened again by what
  /// follows, and looked at while they grow.
  /// Guarantees: findings are taken back exactly; the windows equal those of one swift delivery, with
  /// the same examples once all is sealed, of few traces at once; examples again without polls.
  @Test(arguments: [true, false]) func lateSpansCorrectTheGraph(hasPolls: Bool) {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    generator.hasPolls = hasPolls
    var sent = generator.traces(40)
    var random = SeededGenerator(seed: seed &+ 1)
    let expected = folded(sent.batches(using: &random))
    sent.shuffle(using: &random)
    var limits = TraceLimits()
    limits.idleNanos = 2 * .second
    limits.maxAgeNanos = 5 * .second
    limits.rememberNanos = 1_000 * .second
    let slowly = sent.batches(using: &random)
    let slow = folded(slowly, limits: limits, step: 900 * .millisecond)
    #expect(slow.hasSameCounts(as: expected))
    let sealed = folded(slowly, limits: limits, step: 900 * .millisecond, isSealed: true)
    #expect(sealed.hasSameCounts(as: expected))
    guard !hasPolls else { return }
    #expect(sealed.examples == expected.examples)
    for _ in 0..<20 {
      let few = generator.traces(Exemplars.heldMax)
      let swift = folded(few.batches(using: &random)).examples
      let batches = few.shuffled(using: &random).batches(using: &random)
      #expect(folded(batches, limits: limits, step: 3 * .second).examples == swift)
    }
  }

  /// Scenario: one shard takes everything; then eight share it by partition.
  /// Guarantees: the sum of the eight equals the one, in its examples too where there are no polls.
  @Test(arguments: [2, 3, 8], [true, false])
  func shardsShareWithoutLoss(count: Int, hasPolls: Bool) {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    generator.hasPolls = hasPolls
    var random = SeededGenerator(seed: seed &+ 1)
    let batches = generator.traces(80).batches(using: &random)
    let expected = folded(batches)
    var sum = WindowSums()
    for shard in 0..<count {
      let share = batches.flatMap { batch in
        Partition.split(batch, over: count).filter { $0.shard == shard }.map(\.batch)
      }
      sum.merge(folded(share))
    }
    #expect(sum.hasSameCounts(as: expected))
    #expect(hasPolls || sum.examples == expected.examples)
  }

  /// Scenario: sealed at once, or left standing.
  /// Guarantees: sealing moves findings and changes none.
  @Test func sealingChangesNoCount() {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    var random = SeededGenerator(seed: seed &+ 1)
    let batches = generator.traces(40).batches(using: &random)
    let expected = folded(batches)
    var shard = Shard(limits: TraceLimits())
    for (index, batch) in batches.enumerated() {
      shard.fold(batch, sequence: UInt64(index + 1), now: TraceGenerator.epoch)
    }
    shard.closeAll()
    shard.sealAll()
    #expect(shard.snapshot().overlay.isEmpty)
    let sealed = windows(of: shard)
    #expect(sealed.hasSameCounts(as: expected) && sealed.examples == expected.examples)
    #expect(shard.traceCount == 0)
  }

  /// Scenario: a flood of traces into a shard with little memory; some traces huge, many repeated.
  /// Guarantees: what the shard holds never exceeds its limit after a batch, every span is counted
  /// as folded or late, and the traces sealed for memory are counted.
  @Test func memoryStaysBelowItsLimit() {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    generator.spansPerTraceMax = 300
    var random = SeededGenerator(seed: seed &+ 1)
    var limits = TraceLimits()
    limits.bytesMax = 200_000
    limits.spansPerTraceMax = 250
    var shard = Shard(limits: limits)
    var sent = generator.traces(150)
    sent += sent.filter { _ in Bool.random(using: &random) }
    sent.shuffle(using: &random)
    var now = TraceGenerator.epoch
    for (index, batch) in sent.batches(using: &random).enumerated() {
      now += 100 * .millisecond
      shard.fold(batch, sequence: UInt64(index + 1), now: now)
      shard.advance(to: now)
      #expect(shard.bytes <= limits.bytesMax)
    }
    let counters = shard.counters
    #expect(counters.spans + counters.late == UInt64(sent.count))
    #expect(counters.tracesSealedForMemory > 0)
  }

  /// Scenario: a trace is sealed, then one more of its spans arrives.
  /// Guarantees: it is counted as late and makes no edge.
  @Test func spansOfSealedTracesAreLate() {
    var generator = TraceGenerator(seed: 7)
    let sent = generator.trace()
    var random = SeededGenerator(seed: 8)
    var shard = Shard(limits: TraceLimits())
    for batch in sent.batches(using: &random) {
      shard.fold(batch, sequence: 1, now: TraceGenerator.epoch)
    }
    shard.advance(to: TraceGenerator.epoch + 11 * .second)
    shard.advance(to: TraceGenerator.epoch + 72 * .second)
    #expect(shard.traceCount == 0)
    let before = windows(of: shard)
    shard.fold(sent.batches(using: &random)[0], sequence: 2, now: TraceGenerator.epoch)
    #expect(shard.counters.late > 0)
    #expect(windows(of: shard).withoutLate.hasSameCounts(as: before))
  }
}

extension WindowSums {
  /// The traces shown as examples, by window and series.
  var examples: [Nanos: [SeriesKey: [TraceID]]] {
    windows.mapValues { window in
      window.series.mapValues(\.exemplars.traces).filter { !$0.value.isEmpty }
    }.filter { !$0.value.isEmpty }
  }

  var withoutDuplicates: WindowSums { without(.duplicates) }
  var withoutLate: WindowSums { without(.late) }

  private func without(_ field: Counters.Field) -> WindowSums {
    var result = WindowSums()
    for (start, window) in windows {
      for (key, sums) in window.series {
        var kept = sums
        kept.counters[field] = 0
        if !kept.isZero { result.merge(kept, at: key, window: start) }
      }
    }
    return result
  }
}
