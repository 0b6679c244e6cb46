import Model
import TestSupport
import Testing

@testable import Windows

@Suite struct ShardWindowsTests {
  private let node = SeriesKey.node(NameID(1))

  private func requests(_ count: Int64, window: Nanos = 0) -> [Finding] {
    var finding = Finding(window: window * windowNanos, key: node)
    finding.counters[.requests] = count
    return [finding]
  }

  private func read(
    _ snapshot: WindowsSnapshot, from start: Nanos = 0, to end: Nanos = .max,
    after checkpoint: UInt64 = 0
  ) -> Int64? {
    snapshot.merged(from: start, to: end, after: checkpoint)
      .map { $0.series[node]?.counters[.requests] ?? 0 }
  }

  /// Scenario: findings stand, are taken back, stand anew, and are sealed.
  /// Guarantees: readers see at each moment what holds then; only what was sealed is to be stored.
  @Test func standRetractSeal() {
    var windows = ShardWindows()
    #expect(read(windows.snapshot()) == 0)
    var isStored = !windows.hasUnstoredSums
    #expect(isStored)
    windows.stand(requests(3))
    #expect(read(windows.snapshot()) == 3)
    isStored = !windows.hasUnstoredSums
    #expect(isStored)
    windows.retract(requests(3))
    #expect(read(windows.snapshot()) == 0 && windows.snapshot().overlay.isEmpty)
    windows.stand(requests(5))
    windows.retract(requests(5))
    windows.seal(requests(5))
    #expect(read(windows.snapshot()) == 5)
    isStored = !windows.hasUnstoredSums
    #expect(!isStored)
    #expect(windows.snapshot().overlay.isEmpty)
  }

  /// Scenario: a snapshot is taken, then things change.
  /// Guarantees: the snapshot does not; its revision is smaller than the next one's.
  @Test func snapshotsAreOfOneMoment() {
    var windows = ShardWindows()
    var revisions = [windows.snapshot().revision]
    windows.stand(requests(1))
    let snapshot = windows.snapshot()
    revisions.append(snapshot.revision)
    windows.retract(requests(1))
    revisions.append(windows.snapshot().revision)
    windows.seal(requests(7))
    revisions.append(windows.snapshot().revision)
    #expect(read(snapshot) == 1)
    #expect(Set(revisions).count == 4 && revisions == revisions.sorted())
  }

  /// Scenario: a checkpoint begins while more is sealed, and is committed.
  /// Guarantees: it holds what was sealed before it began; readers of a store before, at and after
  /// the commit see everything exactly once.
  @Test func checkpoint() {
    var windows = ShardWindows()
    windows.stand(requests(1))
    windows.seal(requests(10))
    let stored = windows.beginCheckpoint(1)
    #expect(stored.windows[0]?.series[node]?.counters[.requests] == 10)
    var isStored = !windows.hasUnstoredSums
    #expect(isStored)
    windows.seal(requests(100))
    isStored = !windows.hasUnstoredSums
    #expect(!isStored)

    // Before the commit, and after it for a store read at either side.
    #expect(read(windows.snapshot(), after: 0) == 111)
    #expect(read(windows.snapshot(), after: 1) == 101)
    windows.drop(through: 1)
    #expect(read(windows.snapshot(), after: 1) == 101)
    #expect(windows.beginCheckpoint(2).windows[0]?.series[node]?.counters[.requests] == 100)
    #expect(read(windows.snapshot(), after: 1) == 101)
    #expect(read(windows.snapshot(), after: 2) == 1)
  }

  /// Scenario: the store was read before a commit, and the generation is gone from the snapshot.
  /// Guarantees: nil, never a sum with a part missing.
  @Test func storeReadTooLongAgo() {
    var windows = ShardWindows()
    for number in UInt64(1)...4 {
      windows.seal(requests(1))
      _ = windows.beginCheckpoint(number)
    }
    windows.drop(through: 2)
    windows.drop(through: 1)
    let snapshot = windows.snapshot()
    #expect(read(snapshot, after: 0) == nil && read(snapshot, after: 1) == nil)
    #expect(read(snapshot, after: 2) == 2)
    #expect(read(snapshot, after: 3) == 1)
    #expect(read(snapshot, after: 4) == 0)
  }

  /// Scenario: a trace stands in a snapshot, and is sealed and stored before the store is read.
  /// Guarantees: nil, never the trace counted twice.
  @Test func snapshotOlderThanTheStore() {
    var windows = ShardWindows()
    windows.stand(requests(1))
    let old = windows.snapshot()
    windows.retract(requests(1))
    windows.seal(requests(1))
    _ = windows.beginCheckpoint(1)
    #expect(read(old, after: 0) == 1)
    #expect(read(old, after: 1) == nil)
    #expect(read(windows.snapshot(), after: 1) == 0)
  }

  /// Scenario: a gateway starts on a store that holds checkpoints.
  /// Guarantees: it goes on with the number given, and needs a store read at the last one stored.
  @Test func startingOnAStore() {
    var windows = ShardWindows(stored: 7, next: 9)
    windows.seal(requests(2))
    #expect(read(windows.snapshot(), after: 6) == nil)
    #expect(read(windows.snapshot(), after: 7) == 2)
    let isStored = !windows.beginCheckpoint(9).isEmpty
    #expect(isStored)
    #expect(read(windows.snapshot(), after: 9) == 0)
  }

  /// Scenario: a range is read.
  /// Guarantees: windows that begin in [start, end), of the overlay and of every generation.
  @Test func ranges() {
    var windows = ShardWindows()
    windows.seal(requests(1, window: 0) + requests(2, window: 1) + requests(4, window: 2))
    _ = windows.beginCheckpoint(1)
    windows.seal(requests(8, window: 1))
    windows.stand(requests(16, window: 1) + requests(32, window: 2))
    let snapshot = windows.snapshot()
    #expect(read(snapshot, from: windowNanos, to: 2 * windowNanos) == 26)
    #expect(read(snapshot, from: 0, to: windowNanos) == 1)
    #expect(read(snapshot, from: 3 * windowNanos) == 0)
  }

  /// Scenario: random decisions of a shard: traces stand, grow, are sealed; checkpoints begin and
  /// are committed; readers read the store, then the snapshot.
  /// Guarantees: store and snapshot together are always the sum of all that was sent.
  @Test func nothingIsLostOrCountedTwice() {
    var random = SeededGenerator()
    var windows = ShardWindows()
    var store = WindowSums()
    var committed: UInt64 = 0
    var begun: UInt64 = 0
    var pending: [WindowSums] = []
    var standing: [[Finding]] = []
    var sent = WindowSums()
    for _ in 0..<3000 {
      switch random.below(6) {
      case 0, 1:
        let findings = random.findings()
        windows.stand(findings)
        standing.append(findings)
        sent.add(findings)
      case 2 where !standing.isEmpty:
        let place = random.below(standing.count)
        let more = random.findings()
        windows.retract(standing[place])
        standing[place] += more
        windows.stand(standing[place])
        sent.add(more)
      case 3 where !standing.isEmpty:
        let findings = standing.remove(at: random.below(standing.count))
        windows.retract(findings)
        windows.seal(findings)
      case 4 where windows.hasUnstoredSums:
        begun += 1
        pending.append(windows.beginCheckpoint(begun))
      case 5 where !pending.isEmpty:
        store.merge(pending.removeFirst())
        committed += 1
        if random.once(in: 2) { windows.drop(through: committed) }
      default: break
      }
      let merged = windows.snapshot().merged(from: 0, to: .max, after: committed)
      var sum = store.merged(from: 0, to: .max)
      if let merged { sum.merge(merged) }
      let isWhole = merged != nil && sum.hasSameCounts(as: sent.merged(from: 0, to: .max))
      #expect(isWhole)
    }
  }

  /// Scenario: findings stand, are sealed, on their way to the store and there; selected series are
  /// read window by window, in stretches of one window and of several.
  /// Guarantees: what the store lacks, each in the stretch its window begins in; nothing where a
  /// merged reading is refused.
  @Test func windowByWindow() throws {
    var random = SeededGenerator()
    var windows = ShardWindows()
    let generations = (0..<3).map { _ in random.findings() }
    let standing = random.findings()
    for (index, findings) in generations.enumerated() {
      windows.seal(findings)
      if index < 2 { _ = windows.beginCheckpoint(UInt64(index + 1)) }
    }
    windows.stand(standing)
    windows.drop(through: 1)
    let snapshot = windows.snapshot()
    let selection = SeriesSelection([.node: .first([1, 2])])
    for (from, to) in [(0, 40), (10, 30), (20, 20), (30, 10)] as [(Nanos, Nanos)] {
      for width in [windowNanos, 2 * windowNanos] {
        func read(after checkpoint: UInt64) -> WindowSums? {
          snapshot.windows(
            selection, from: from * .second, to: to * .second, by: width, after: checkpoint)
        }
        for checkpoint in [1, 2] as [UInt64] {
          var expected = WindowSums()
          let missing = generations[Int(checkpoint)...].flatMap { $0 } + standing
          for var finding in missing
          where selection.contains(finding.key) && finding.window >= from * .second
            && finding.window < to * .second
          {
            finding.window = finding.window.floored(to: width)
            expected.add(finding)
          }
          #expect(try #require(read(after: checkpoint)).hasSameCounts(as: expected))
        }
        #expect(read(after: 0) == nil && read(after: 3) == nil)
      }
    }
  }

  /// Scenario: a checkpoint that does not follow the last, or a generation still being filled is
  /// dropped.
  /// Guarantees: programming errors that stop, before sums are lost.
  @Test func misuseStops() async {
    await #expect(processExitsWith: .failure) {
      var windows = ShardWindows()
      _ = windows.beginCheckpoint(2)
    }
    await #expect(processExitsWith: .failure) {
      var windows = ShardWindows()
      windows.drop(through: 1)
    }
    await #expect(processExitsWith: .failure) {
      _ = ShardWindows(stored: 3, next: 3)
    }
  }
}

extension SeededGenerator {
  mutating func findings() -> [Finding] {
    (0..<(1 + below(3))).map { _ in
      var finding = Finding(
        window: UInt64(below(4)) * windowNanos, key: .node(NameID(UInt64(1 + below(3)))),
        latency: anyMagnitude())
      finding.counters[.requests] = 1
      return finding
    }
  }
}
