import Foundation
import Model
import Receive
import Store
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// The store, with a copy of the whole data directory taken before or after one commit: what a
/// process killed at that moment would leave behind.
private final class CopyingStore: CheckpointStore {
  private let tiles: TileStore
  private let takeCopy: @Sendable () throws -> Void
  private let commitsBeforeCopy: Atomic<Int>
  private let isCopyAfterCommit: Bool

  init(
    _ tiles: TileStore, atCommit commit: Int, after: Bool,
    takeCopy: @escaping @Sendable () throws -> Void
  ) {
    self.tiles = tiles
    self.takeCopy = takeCopy
    commitsBeforeCopy = Atomic(commit)
    isCopyAfterCommit = after
  }

  func commit(_ content: CheckpointContent) throws {
    let isMoment = commitsBeforeCopy.subtract(1, ordering: .relaxed).newValue == 0
    if isMoment, !isCopyAfterCommit { try takeCopy() }
    try tiles.commit(content)
    if isMoment, isCopyAfterCommit { try takeCopy() }
  }
}

/// A store whose first commits fail, as on a full disk.
private final class FailingStore: CheckpointStore {
  struct DiskFull: Error {}
  private let tiles: TileStore
  private let failuresLeft: Atomic<Int>

  init(_ tiles: TileStore, failures: Int) {
    self.tiles = tiles
    failuresLeft = Atomic(failures)
  }

  func commit(_ content: CheckpointContent) throws {
    if failuresLeft.subtract(1, ordering: .relaxed).oldValue > 0 { throw DiskFull() }
    try tiles.commit(content)
  }
}

@Suite("Acknowledged spans survive, and count once")
struct CrashTests {
  private func withDirectory(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "spangate-crash-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory)
  }

  private func expected(_ batches: [SpanBatch]) -> Window {
    var shard = Shard(limits: TraceLimits())
    for (index, batch) in batches.enumerated() {
      shard.fold(batch, sequence: UInt64(index + 1), now: TraceGenerator.epoch)
    }
    shard.closeAll()
    return shard.snapshot().merged(from: 0, to: .max, after: 0) ?? Window()
  }

  /// Scenario: batches are acknowledged while traces close, seal and are stored; the process dies
  /// just before, or just after, one of the store's transactions; a new one starts on what is left.
  /// Guarantees: every span acknowledged by then is counted, each once.
  @Test(arguments: [1, 2, 3], [false, true])
  func killedAroundACheckpoint(commit: Int, after: Bool) async throws {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    var random = SeededGenerator(seed: seed &+ 1)
    let rounds = (0..<4).map { _ in generator.traces(30).batches(using: &random) }
    try await withDirectory { root in
      let live = root.appending(path: "live")
      let left = root.appending(path: "left")
      let acknowledged = Mutex<[SpanBatch]>([])
      let atTheCopy = Mutex<[SpanBatch]>([])
      let rig = try await Rig(directory: live) { tiles in
        CopyingStore(tiles, atCommit: commit, after: after) {
          try FileManager.default.copyItem(at: live, to: left)
          atTheCopy.withLock { $0 = acknowledged.withLock { $0 } }
        }
      }
      for batches in rounds {
        for batch in batches {
          #expect(await rig.send(batch) == .accepted)
          acknowledged.withLock { $0.append(batch) }
        }
        try await rig.pass(12 * .second)
        try await rig.pass(61 * .second)
        try await rig.engine.checkpointer.run()
      }
      #expect(try await rig.everything().hasSameCounts(as: expected(rounds.flatMap { $0 })))
      try await rig.stop()

      let survivor = try await Rig(directory: left)
      let kept = atTheCopy.withLock { $0 }
      #expect(!kept.isEmpty)
      #expect(try await survivor.everything().hasSameCounts(as: expected(kept)))
      try await survivor.stop()
    }
  }

  /// Scenario: stopped in order with open, closed and sealed traces; started again, twice, with
  /// another number of shards.
  /// Guarantees: the same counts before and after.
  @Test func restartsChangeNothing() async throws {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    var random = SeededGenerator(seed: seed &+ 1)
    let early = generator.traces(30).batches(using: &random)
    let late = generator.traces(30).batches(using: &random)
    try await withDirectory { directory in
      let first = try await Rig(directory: directory, shards: 2)
      for batch in early { #expect(await first.send(batch) == .accepted) }
      try await first.pass(12 * .second)
      try await first.pass(61 * .second)
      for batch in late { #expect(await first.send(batch) == .accepted) }
      try await first.stop()
      let all = expected(early + late)
      for shards in [1, 3] {
        let next = try await Rig(directory: directory, shards: shards)
        #expect(try await next.everything().hasSameCounts(as: all))
        try await next.stop()
      }
    }
  }

  /// Scenario: a gateway without a journal is stopped in order, and started again.
  /// Guarantees: what it had is in the store, and no journal was written.
  @Test func withoutAJournalStoppingStoresEverything() async throws {
    var generator = TraceGenerator(seed: 21)
    var random = SeededGenerator(seed: 22)
    let batches = generator.traces(20).batches(using: &random)
    try await withDirectory { directory in
      let first = try await Rig(directory: directory, durability: .none)
      for batch in batches { #expect(await first.send(batch) == .accepted) }
      #expect(try await first.engine.commits.statistics().bytes == 0)
      try await first.stop()
      let second = try await Rig(directory: directory, durability: .none)
      #expect(try await second.everything().hasSameCounts(as: expected(batches)))
      try await second.stop()
    }
  }

  /// Scenario: the store fails for a while.
  /// Guarantees: queries still show everything, and when the store works again nothing is counted
  /// twice or lost.
  @Test func aFailingStoreLosesNothing() async throws {
    let seed = SeededGenerator().seed
    var generator = TraceGenerator(seed: seed)
    var random = SeededGenerator(seed: seed &+ 1)
    let batches = generator.traces(40).batches(using: &random)
    try await withDirectory { directory in
      let rig = try await Rig(directory: directory) { FailingStore($0, failures: 2) }
      for batch in batches { #expect(await rig.send(batch) == .accepted) }
      try await rig.pass(12 * .second)
      try await rig.pass(61 * .second)
      for attempt in 0..<3 {
        if attempt < 2 {
          await #expect(throws: FailingStore.DiskFull.self) {
            try await rig.engine.checkpointer.run()
          }
        } else {
          try await rig.engine.checkpointer.run()
        }
        #expect(try await rig.everything().hasSameCounts(as: expected(batches)))
      }
      #expect(try rig.engine.store.committed.checkpoint == 1)
      try await rig.stop()
    }
  }

  /// Scenario: everything is sealed and stored, nothing new comes, and the checkpointer runs again.
  /// Guarantees: no stored sums stay in memory, so shards that were overfull take in spans again;
  /// the graph is the same.
  @Test func storedSumsDoNotStayInMemory() async throws {
    var generator = TraceGenerator(seed: 31)
    var random = SeededGenerator(seed: 32)
    let batches = generator.traces(20).batches(using: &random)
    try await withDirectory { directory in
      let rig = try await Rig(directory: directory)
      for batch in batches { _ = await rig.send(batch) }
      try await rig.pass(12 * .second)
      try await rig.pass(61 * .second)
      try await rig.engine.checkpointer.run()
      try await rig.engine.checkpointer.run()
      for shard in rig.engine.shards {
        #expect(try await shard.figures().sealedSeriesCount == 0)
      }
      #expect(try await rig.everything().hasSameCounts(as: expected(batches)))
      try await rig.stop()
    }
  }

  /// Scenario: the edges of sealed traces, as `/metrics` reads them, while checkpoints go by.
  /// Guarantees: they never fall, and end as the graph's edges.
  @Test func countersNeverFall() async throws {
    var generator = TraceGenerator(seed: 11)
    var random = SeededGenerator(seed: 12)
    try await withDirectory { directory in
      let rig = try await Rig(directory: directory)
      var before: Int64 = 0
      for _ in 0..<3 {
        for batch in generator.traces(20).batches(using: &random) { _ = await rig.send(batch) }
        try await rig.pass(12 * .second)
        try await rig.pass(61 * .second)
        try await rig.engine.checkpointer.run()
        let edges = await rig.engine.checkpointer.sealedEdges.series.values
        let calls = edges.reduce(0) { $0 + $1.counters[.requests] }
        #expect(calls > before)
        before = calls
      }
      let graph = try await rig.everything()
      let calls = graph.series.filter { $0.key.kind == .edge }.values
        .reduce(0) { $0 + $1.counters[.requests] }
      #expect(calls == before)
      try await rig.stop()
    }
  }

  /// Scenario: mailboxes are full and stay full.
  /// Guarantees: a request waits as long as configured, is refused with a reason and a delay, and
  /// nothing of it is kept.
  @Test func aFullMailboxRefusesAfterTheWait() async throws {
    var generator = TraceGenerator(seed: 3)
    var random = SeededGenerator(seed: 4)
    let batch = generator.traces(1).batches(using: &random)[0]
    try await withDirectory { directory in
      let rig = try await Rig(directory: directory, shards: 1)
      let mailbox = rig.engine.shards[0].mailbox
      #expect(mailbox.reserve(Int.max / 2))
      async let answer = rig.send(batch)
      try await Task.sleep(for: .milliseconds(30))
      rig.clock.advance(by: .second)
      guard case .refused(let reason, let delay) = await answer else {
        Issue.record("a full mailbox accepted a batch")
        return
      }
      #expect(reason.contains("busy") && delay >= 1)
      mailbox.release(Int.max / 2)
      #expect(try await rig.everything().isEmpty)
      #expect(await rig.send(batch) == .accepted)
      #expect(try await !rig.everything().isEmpty)
      try await rig.stop()
    }
  }
}
