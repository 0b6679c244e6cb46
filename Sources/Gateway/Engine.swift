import Graph
import Journal
import Logging
import Markers
import Model
import NIOCore
import NIOPosix
import Store
import Synchronization
import Windows

/// A gateway without its doors: everything between a decoded batch and a merged window. The server
/// puts listeners before it and the query API behind it; tests drive it as it is.
final class Engine: Sendable {
  let names: NameTable
  let shards: [ShardLoop]
  let pipeline: CommitPipeline
  let commits: CommitThread
  let checkpointer: Checkpointer
  let store: TileStore
  private let clock: @Sendable () -> Nanos
  private let logger: Logger
  private let replay: Mutex<Replay?>
  private let isDurable: Bool

  /// Opens store and journal, and reads what the journal still holds.
  /// - Parameters:
  ///   - group: each of its loops gets one shard.
  ///   - checkpointStore: what stands between checkpoints and the store; tests put faults there.
  init(
    configuration: Configuration, group: any EventLoopGroup, logger: Logger,
    clock: @escaping @Sendable () -> Nanos,
    checkpointStore: (TileStore) -> any CheckpointStore = DurableTiles.init
  ) async throws {
    self.clock = clock
    self.logger = logger
    let loops = Array(group.makeIterator())
    let shares = MemoryShares(
      limitBytes: configuration.limits.memory.bytes(on: .read()), shards: loops.count)
    names = NameTable(limits: configuration.nameLimits)
    store = try TileStore(path: configuration.store.path, markers: MarkerMerging.rule)
    let stored = try store.committed
    let journal = try Journal(
      opening: configuration.journalConfiguration, sequenceMin: stored.mark)
    let replay = try Replay(
      directory: configuration.journalConfiguration.directory, from: stored.mark,
      stored: stored.checkpoint, names: names, now: clock())
    let last = max(stored.checkpoint, replay.lastCheckpoint)
    self.replay = Mutex(replay)
    isDurable = configuration.journal.durability != .none
    commits = CommitThread(journal: journal, isDurable: isDurable, names: names)
    let limits = configuration.traceLimits(memoryBytes: shares.traceBytesPerShard)
    var shards: [ShardLoop] = []
    for loop in loops {
      shards.append(
        try await loop.submit {
          ShardLoop(
            shard: Shard(limits: limits, stored: stored.checkpoint, next: last + 1), loop: loop,
            mailbox: Mailbox(spansMax: shares.mailboxSpansPerShard), clock: clock)
        }.get())
    }
    self.shards = shards
    pipeline = CommitPipeline(
      commits: commits, shards: shards, waitNanos: configuration.receiver.wait,
      requestBytesMax: shares.requestBytes, clock: clock)
    checkpointer = Checkpointer(
      shards: shards, commits: commits, store: checkpointStore(store), names: names,
      inference: try DeploymentInference(store: store, names: names), last: last,
      seriesMax: configuration.metrics.series, logger: logger)
  }

  /// Folds what the journal held into the shards. Before the first batch is accepted.
  func replayJournal() async throws {
    guard let replay = replay.withLock({ $0.take() }) else { return }
    for (index, shard) in shards.enumerated() {
      let part = replay.part(of: index, among: shards.count)
      try await shard.replay(part.letters, sealed: part.sealed)
    }
    if replay.spanCount > 0 {
      logger.info("journal replayed", metadata: ["spans": "\(replay.spanCount)"])
    }
  }

  /// Closes every open trace, so that what was acknowledged before can be read after.
  func flush() async throws {
    for shard in shards { try await shard.closeAll() }
  }

  /// Stores what is sealed and ends the commit thread. What is not sealed stays in the journal;
  /// without one it is sealed now, because nothing else would keep it.
  func stop() async throws {
    for shard in shards { try await shard.stopTicking() }
    if !isDurable { for shard in shards { try await shard.sealAll() } }
    do {
      try await checkpointer.run()
    } catch {
      logger.error(
        "the last checkpoint could not be stored; its spans stay in the journal",
        metadata: ["error": "\(error)"])
    }
    try await commits.stop()
  }

  /// Everything known of `[from, to)`, widened to whole windows.
  func graphInput(tenant: TenantID, from: Nanos, to: Nanos) async throws -> GraphInput {
    // The store is read first. Sums on their way into it stay with the shards until the next
    // checkpoint but one; a reader slower than that starts over.
    while true {
      let reading = try await read(from: from, to: to)
      var window = reading.window
      var revision = reading.checkpoint
      guard try await addRecent(to: &window, &revision, after: reading) else { continue }
      var ids = Set<NameID>()
      for key in window.series.keys { ids.formUnion(key.names) }
      return GraphInput(
        window: window, names: names.names(ids).merging(reading.names) { recent, _ in recent },
        start: reading.start, end: reading.end, revision: revision,
        overflows: names.overflowsByLabel)
    }
  }

  /// - Returns: false when the store was read too long ago for what the shards still hold.
  private func addRecent(
    to window: inout Window, _ revision: inout UInt64, after reading: StoreReading
  ) async throws -> Bool {
    for shard in shards {
      let snapshot = try await shard.snapshot()
      revision &+= snapshot.revision
      guard
        let recent = snapshot.merged(
          from: reading.start, to: reading.end, after: reading.checkpoint)
      else { return false }
      window.merge(recent)
    }
    return true
  }

  private func read(from: Nanos, to: Nanos) async throws -> StoreReading {
    let now = clock()
    return try await onStore { try $0.read(from: from, to: to, kinds: nil, now: now) }
  }

  /// Asks the store on a thread that may wait for the disk.
  func onStore<Value: Sendable>(
    _ body: @escaping @Sendable (TileStore) throws -> Value
  ) async throws -> Value {
    let store = store
    return try await NIOThreadPool.singleton.runIfActive { try body(store) }
  }
}
