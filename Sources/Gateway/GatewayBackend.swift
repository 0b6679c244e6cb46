import Graph
import Journal
import Model
import NIOPosix
import Query
import Receive
import Store
import Synchronization
import Windows

/// Answers queries from the store and the shards together.
final class GatewayBackend: QueryBackend {
  private let shards: [ShardLoop]
  private let store: TileStore
  private let names: NameTable
  private let checkpointer: Checkpointer
  private let pipeline: CommitPipeline
  private let receiver: Receiver
  private let commits: CommitThread
  private let clock: @Sendable () -> Nanos
  private let state = Mutex(Readiness.notReady("replaying the journal"))

  init(
    shards: [ShardLoop], store: TileStore, names: NameTable, checkpointer: Checkpointer,
    pipeline: CommitPipeline, receiver: Receiver, commits: CommitThread,
    clock: @escaping @Sendable () -> Nanos
  ) {
    self.shards = shards
    self.store = store
    self.names = names
    self.checkpointer = checkpointer
    self.pipeline = pipeline
    self.receiver = receiver
    self.commits = commits
    self.clock = clock
  }

  var now: Nanos { clock() }
  var readiness: Readiness { state.withLock { $0 } }

  func setReadiness(_ readiness: Readiness) { state.withLock { $0 = readiness } }

  /// Closes every open trace, so that what was acknowledged before can be read after.
  func flush() async throws {
    for shard in shards { try await shard.closeAll() }
  }

  func graphInput(tenant: TenantID, from: Nanos, to: Nanos) async throws -> GraphInput {
    // The store is read first. Sums on their way into it stay with the shards until the next
    // checkpoint but one; a reader slower than that starts over.
    while true {
      let reading = try await read(from: from, to: to)
      var window = reading.window
      var revision = reading.checkpoint
      var isCurrent = true
      for shard in shards {
        let snapshot = try await shard.snapshot()
        revision &+= snapshot.revision
        guard
          let recent = snapshot.merged(
            from: reading.start, to: reading.end, after: reading.checkpoint)
        else {
          isCurrent = false
          break
        }
        window.merge(recent)
      }
      guard isCurrent else { continue }
      return GraphInput(
        window: window, names: names(of: window, stored: reading.names), start: reading.start,
        end: reading.end, revision: revision, overflows: names.overflowsByLabel)
    }
  }

  private func read(from: Nanos, to: Nanos) async throws -> StoreReading {
    let store = store
    let now = clock()
    return try await NIOThreadPool.singleton.runIfActive {
      try store.read(from: from, to: to, now: now, kinds: nil)
    }
  }

  private func names(of window: Window, stored: [NameID: Name]) -> [NameID: Name] {
    var ids = Set<NameID>()
    for key in window.series.keys { ids.formUnion(key.names) }
    return names.names(ids).merging(stored) { recent, _ in recent }
  }

  func metrics() async -> MetricsSnapshot {
    await GatewayMetrics.collect(
      shards: shards, checkpointer: checkpointer, pipeline: pipeline, receiver: receiver,
      commits: commits, names: names)
  }
}
