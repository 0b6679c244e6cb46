import Graph
import Journal
import Logging
import Markers
import Model
import NIOCore
import NIOPosix
import Query
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
  /// The traces that can be looked at.
  let exemplars: ExemplarStore
  private let traceLimits: TraceLimits
  private let clock: @Sendable () -> Nanos
  private let logger: Logger
  private let replay: Replay
  private let isDurable: Bool
  private let eventTime: EventTime

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
    let shares = configuration.memoryShares(shards: loops.count)
    names = NameTable(limits: configuration.nameLimits(shares))
    store = try TileStore(path: configuration.store.path, markers: MarkerMerging.rule)
    let stored = try store.committed
    eventTime = EventTime(
      stored: try store.newestWindow() ?? 0, finished: try store.finishedUntil(),
      settlesAfter: configuration.traces.idle)
    let journalConfiguration = configuration.journalConfiguration(shares)
    let journal = try Journal(opening: journalConfiguration, sequenceMin: stored.mark)
    replay = try Replay(
      directory: journalConfiguration.directory, from: stored.mark, stored: stored.checkpoint)
    let last = max(stored.checkpoint, replay.lastCheckpoint)
    isDurable = configuration.journal.durability != .none
    commits = CommitThread(journal: journal, isDurable: isDurable, names: names, logger: logger)
    let limits = configuration.traceLimits(
      memoryBytes: shares.traceBytesPerShard, exemplarBytes: shares.candidateBytesPerShard)
    traceLimits = limits
    exemplars = ExemplarStore(bytesMax: shares.exemplarBytes)
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
      commits: commits, shards: shards, events: EventMarkers(store: store, clock: clock),
      waitNanos: configuration.receiver.wait, requestBytesMax: shares.requestBytes, clock: clock)
    checkpointer = Checkpointer(
      shards: shards, commits: commits, store: checkpointStore(store), names: names,
      inference: try DeploymentInference(store: store, names: names), exemplars: exemplars,
      last: last, seriesMax: configuration.metrics.series, logger: logger)
  }

  /// Folds what the journal held into the shards. Before the first batch is accepted.
  func replayJournal() async throws {
    let replay = replay
    let shards = shards
    let names = names
    let now = clock()
    let (spans, journal) = try await NIOThreadPool.singleton.runIfActive {
      try replay.run(names: names, now: now, into: shards)
    }
    if journal.skippedRecords > 0 {
      logger.warning(
        "the journal is damaged: records were passed over, what could be read was kept",
        metadata: [
          "stretches": "\(journal.skippedRecords)", "bytes": "\(journal.skippedBytes)",
        ])
    }
    // How long ago the last spans of these traces came is not known: they stand as they are, so
    // that windows which were finished before the restart are not taken for quiet ones.
    for shard in shards { try await shard.closeAll() }
    if spans > 0 { logger.info("journal replayed", metadata: ["spans": "\(spans)"]) }
  }

  /// Closes every open trace, so that what was acknowledged before can be read after, and declares
  /// every window finished.
  func flush() async throws {
    for shard in shards { try await shard.closeAll() }
    let finished = eventTime.finish(through: try await newestEnd())
    // Kept, so that the same question has the same answer after a restart.
    guard let finished else { return }
    do {
      try await onStore { try $0.keep(finishedUntil: finished) }
    } catch {
      logger.warning(
        "what a flush finished could not be stored: a restart forgets it",
        metadata: ["error": "\(error)"])
    }
  }

  /// Present, Unix nanoseconds.
  var now: Nanos { clock() }

  /// Before this time all windows are finished; nil when nothing has been received yet.
  func finishedUntil() async throws -> Nanos? {
    eventTime.finishedUntil(newest: try await newestEnd(), now: clock())
  }

  private func newestEnd() async throws -> Nanos {
    var newest: Nanos = 0
    for shard in shards { newest = max(newest, try await shard.newestEnd()) }
    return newest
  }

  /// Stores what is sealed and ends the commit thread. What is not sealed stays in the journal;
  /// without one it is sealed now, because nothing else would keep it.
  func stop() async throws {
    for shard in shards { try await shard.stopTicking() }
    if !isDurable { for shard in shards { try await shard.sealAll() } }
    do {
      if try await mayStoreAtStop() { try await checkpointer.run() }
    } catch {
      logger.error(
        "the last checkpoint could not be stored; its spans stay in the journal",
        metadata: ["error": "\(error)"])
    }
    try await commits.stop()
  }

  /// Storing very many series takes longer than a supervisor waits for a process to end. They are in
  /// the journal: the next start replays them.
  private func mayStoreAtStop() async throws -> Bool {
    guard isDurable else { return true }
    var series = 0
    for shard in shards { series += try await shard.figures().sealedSeriesCount }
    return series <= Engine.seriesStoredAtStopMax
  }

  private static let seriesStoredAtStopMax = 50_000

  /// Everything known of `[from, to)`, widened to whole windows.
  /// - Errors: `QueryProblem` (503) when checkpoints pass faster than the store can be read.
  func graphInput(
    from: Nanos, to: Nanos, kinds: Set<SeriesKind> = SeriesKind.all
  ) async throws -> GraphInput {
    let input = try await rangeInput(from: from, to: to, kinds: kinds)
    guard let changed = ChangedHands(input) else { return input }
    let range = input.end.saturatingSubtracting(input.start)
    let nanos = ChangedHands.width(of: range, among: TileWidth.allCases.map(\.nanos))
    let width = TileWidth.allCases.first { $0.nanos == nanos } ?? .hour
    let stretches = try await windows(
      changed.selection, from: input.start, to: input.end, by: width)
    return changed.resolved(input, by: stretches.sums)
  }

  /// The same, whoever had an address when.
  private func rangeInput(
    from: Nanos, to: Nanos, kinds: Set<SeriesKind>
  ) async throws -> GraphInput {
    // The store is read first. Sums on their way into it stay with the shards until the next
    // checkpoint but one; a reader slower than that starts over.
    for _ in 0..<Engine.readsMax {
      let reading = try await read(from: from, to: to, kinds)
      var window = reading.window
      var revision = reading.checkpoint
      guard try await addRecent(to: &window, &revision, after: reading, kinds) else { continue }
      var ids = Set<NameID>()
      for key in window.series.keys { ids.formUnion(key.names) }
      return GraphInput(
        window: window, names: names.names(ids).merging(reading.names) { recent, _ in recent },
        start: reading.start, end: reading.end, revision: revision)
    }
    throw Engine.tooSlow
  }

  private static let readsMax = 5

  /// - Returns: false when the store was read too long ago for what the shards still hold.
  private func addRecent(
    to window: inout Window, _ revision: inout UInt64, after reading: StoreReading,
    _ kinds: Set<SeriesKind>
  ) async throws -> Bool {
    for shard in shards {
      let snapshot = try await shard.snapshot()
      revision &+= snapshot.revision
      guard
        let recent = snapshot.merged(
          from: reading.start, to: reading.end, after: reading.checkpoint, kinds: kinds)
      else { return false }
      window.merge(recent)
    }
    return true
  }

  /// The selected series of `[from, to)`, window by window.
  /// - Errors: as `graphInput`.
  func windows(
    _ selection: SeriesSelection, from: Nanos, to: Nanos, by width: TileWidth
  ) async throws -> (sums: WindowSums, names: [NameID: Name]) {
    let now = clock()
    for _ in 0..<Engine.readsMax {
      let reading = try await onStore {
        try $0.windows(selection, from: from, to: to, by: width, now: now)
      }
      var sums = reading.sums
      var isWhole = true
      for shard in shards where isWhole {
        let recent = try await shard.snapshot().windows(
          selection, from: reading.start, to: reading.end, by: width.nanos,
          after: reading.checkpoint)
        if let recent { sums.merge(recent) } else { isWhole = false }
      }
      guard isWhole else { continue }
      var ids = Set<NameID>()
      for window in sums.windows.values { ids.formUnion(window.series.keys.flatMap(\.names)) }
      return (sums, names.names(ids).merging(reading.names) { recent, _ in recent })
    }
    throw Engine.tooSlow
  }

  /// When versions of a service were seen in what the store may not have yet, however old.
  func recentSightings(of service: NameID) async throws -> [VersionSighting] {
    let selection = SeriesSelection([.version: .first([service.raw])])
    var sums = WindowSums()
    for shard in shards {
      let snapshot = try await shard.snapshot()
      sums.merge(snapshot.overlay.selected(selection, from: 0, to: .max))
      for generation in snapshot.generations {
        sums.merge(generation.sums.selected(selection, from: 0, to: .max))
      }
    }
    return sums.versionSightings
  }

  private static let tooSlow = QueryProblem.overloaded(
    "The store is read more slowly than it grows. Ask for a shorter range, or later.")

  /// All services of a tenant that are known, whether stored yet or not.
  func services(of tenant: TenantID) async throws -> [Name] {
    let stored = try await onStore { try $0.serviceNames(tenant: tenant) }
    let recent = names.services(tenant: tenant)
    let ids = Set(recent.map(\.id))
    return recent + stored.filter { !ids.contains($0.id) }
  }

  /// The texts behind ids, whether stored yet or not.
  func texts(of ids: Set<NameID>) async throws -> [NameID: String] {
    try await names(of: ids).mapValues(\.text)
  }

  private func names(of ids: Set<NameID>) async throws -> [NameID: Name] {
    let recent = names.names(ids)
    let missing = ids.subtracting(recent.keys).subtracting([.none])
    let stored = missing.isEmpty ? [:] : try await onStore { try $0.names(missing) }
    return recent.merging(stored) { recent, _ in recent }
  }

  /// A trace that still grows, or was kept as an example; nil for any other.
  func trace(_ key: TraceKey) async throws -> TraceView? {
    guard let (trace, isSealed) = try await spans(of: key) else { return nil }
    let names = try await names(of: TraceView.names(of: trace.spans))
    return try await NIOThreadPool.singleton.runIfActive { [traceLimits] in
      TraceView(trace, isSealed: isSealed, names: names, limits: traceLimits)
    }
  }

  private func spans(
    of key: TraceKey
  ) async throws -> (trace: ExemplarTrace, isSealed: Bool)? {
    if let kept = exemplars.trace(key) { return (kept, true) }
    let owner = shards[Partition.shard(of: key, among: shards.count)]
    return try await owner.trace(key)
  }

  private func read(
    from: Nanos, to: Nanos, _ kinds: Set<SeriesKind>
  ) async throws -> StoreReading {
    let now = clock()
    return try await onStore { try $0.read(from: from, to: to, kinds: kinds, now: now) }
  }

  /// Asks the store on a thread that may wait for the disk.
  func onStore<Value: Sendable>(
    _ body: @escaping @Sendable (TileStore) throws -> Value
  ) async throws -> Value {
    let store = store
    return try await NIOThreadPool.singleton.runIfActive { try body(store) }
  }
}
