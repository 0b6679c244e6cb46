import Journal
import Logging
import Model
import NIOPosix
import Query
import Store
import Synchronization

/// Where checkpoints go. The store; in tests, the store with faults around it.
protocol CheckpointStore: Sendable {
  /// Makes a checkpoint durable, all of it or nothing. Blocks.
  func commit(_ content: CheckpointContent) throws
}

/// The store, as the checkpointer needs it.
struct DurableTiles: CheckpointStore {
  let tiles: TileStore

  func commit(_ content: CheckpointContent) throws { try tiles.commit(content) }
}

/// Moves sealed sums from the shards into the store, one checkpoint after another.
///
/// A checkpoint is one store transaction: the sums, the deployments and scalings they show, and the
/// mark below which every journalled batch belongs to sealed traces. The ids of its traces are journalled before, so that after a crash
/// between the two the replay counts each span once, whichever of them was reached.
actor Checkpointer {
  private let shards: [ShardLoop]
  private let commits: CommitThread
  private let store: any CheckpointStore
  private let names: NameTable
  private let logger: Logger
  private var inference: DeploymentInference
  private var last: UInt64
  /// A checkpoint that was begun and could not be stored yet: it is tried again before the next.
  private var unfinished: Pending?
  private var cumulative: SealedEdges
  private let exemplars: ExemplarStore
  private var examples: SealedExamples

  private struct Pending {
    var number: UInt64
    var sums: WindowSums
    var sealed: [TraceKey]
    var mark: UInt64
    var isJournalled = false
    /// nil until its sums have been observed.
    var changes: DeploymentInference.Changes?
  }

  init(
    shards: [ShardLoop], commits: CommitThread, store: any CheckpointStore, names: NameTable,
    inference: DeploymentInference, exemplars: ExemplarStore, last: UInt64, seriesMax: Int,
    logger: Logger
  ) {
    self.shards = shards
    self.commits = commits
    self.store = store
    self.names = names
    self.inference = inference
    self.logger = logger
    self.last = last
    cumulative = SealedEdges(seriesMax: seriesMax)
    self.exemplars = exemplars
    examples = SealedExamples(store: exemplars)
  }

  /// Edges of all traces sealed since the start: what counters that never fall are read from.
  var sealedEdges: Window { cumulative.window }

  /// Spans of these traces that are ends of edges, and those without a partner, by reason.
  var sealedPaired: Int64 { cumulative.paired }
  var sealedUnpaired: [UnpairedReason: Int64] { cumulative.unpaired }

  /// Calls of these edges in traces that are kept, for whoever reads the counters.
  var edgeExemplars: [SeriesKey: EdgeExemplars] { examples.edges }

  /// Stores what was sealed since the last checkpoint; nothing when nothing was.
  func run() async throws {
    if unfinished == nil {
      guard try await hasUnstoredSums() else { return try await dropStored() }
      unfinished = try await begin(last + 1)
    }
    guard let pending = unfinished else { return }
    try await finish(pending)
  }

  /// With nothing new to store, what the store holds need not wait in memory for a later checkpoint:
  /// shards that take in nothing because it is too much would wait for it for ever.
  private func dropStored() async throws {
    for shard in shards { try await shard.dropGenerations(through: last) }
  }

  private func hasUnstoredSums() async throws -> Bool {
    for shard in shards where try await shard.hasUnstoredSums() { return true }
    return false
  }

  private func begin(_ number: UInt64) async throws -> Pending {
    let delivered = commits.sequenceNext
    var candidates: [ExemplarTrace] = []
    var pending = Pending(number: number, sums: WindowSums(), sealed: [], mark: delivered)
    for shard in shards {
      let part = try await shard.beginCheckpoint(number, delivered: delivered)
      pending.sums.merge(part.sums)
      pending.sealed += part.sealed
      pending.mark = min(pending.mark, part.mark)
      candidates += part.candidates
    }
    cumulative.add(pending.sums)
    let places = pending.sums.exemplarPlaces(among: Set(candidates.map(\.key.trace)))
    let kept = exemplars.keep(candidates, places: places)
    examples.add(kept, shown: cumulative.window)
    return pending
  }

  private func finish(_ checkpoint: Pending) async throws {
    if !checkpoint.isJournalled {
      try await commits.commitSeal(checkpoint: checkpoint.number, traces: checkpoint.sealed)
      unfinished?.isJournalled = true
    }
    let changes = try await changes(in: checkpoint)
    let content = CheckpointContent(
      number: checkpoint.number, mark: checkpoint.mark, sums: checkpoint.sums,
      names: names(of: checkpoint.sums), inferred: changes.markers,
      retracted: changes.retracted)
    let store = store
    try await NIOThreadPool.singleton.runIfActive { try store.commit(content) }
    unfinished = nil
    last = checkpoint.number
    for shard in shards { try await shard.dropGenerations(through: checkpoint.number - 1) }
    try await commits.deleteSegments(below: checkpoint.mark)
    logger.debug(
      "checkpoint stored",
      metadata: [
        "checkpoint": "\(checkpoint.number)", "traces": "\(checkpoint.sealed.count)",
        "journal_mark": "\(checkpoint.mark)",
      ])
  }

  /// Observed once, however often storing the checkpoint is tried.
  private func changes(in checkpoint: Pending) async throws -> DeploymentInference.Changes {
    if let changes = checkpoint.changes { return changes }
    var observing = inference
    let changes = try await observing.observe(checkpoint.sums)
    inference = observing
    unfinished?.changes = changes
    return changes
  }

  private func names(of sums: WindowSums) -> [Name] {
    var ids = Set<NameID>()
    for window in sums.windows.values {
      for key in window.series.keys { ids.formUnion(key.names) }
    }
    return Array(names.names(ids).values)
  }
}
