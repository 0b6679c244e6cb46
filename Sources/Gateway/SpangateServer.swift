// The composition root: makes the parts, joins them, starts them in order and stops them in the
// reverse order. Nothing is decided here that a part could decide.

import Journal
public import Logging
import Model
import NIOCore
import NIOPosix
import OTLP
import Query
import Receive
import Store
import Synchronization

/// Where a gateway listens, as `host:port` with the real ports.
public struct ListeningAddresses: Sendable, Equatable {
  public var grpc: String
  public var http: String
  public var query: String

  public init(grpc: String, http: String, query: String) {
    self.grpc = grpc
    self.http = http
    self.query = query
  }
}

/// A gateway in one process on its embedded store.
public final class SpangateServer: Sendable {
  private let configuration: Configuration
  private let logger: Logger
  private let state = Mutex<Parts?>(nil)

  public init(configuration: Configuration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  /// Opens store and journal, replays what was not stored, then listens. The query port answers
  /// first, so that `/readyz` can say what it is waiting for.
  public func start() async throws -> ListeningAddresses {
    let parts = try await Parts(configuration: configuration, logger: logger)
    state.withLock { $0 = parts }
    return try await parts.start()
  }

  /// Answers what is open, stores what is sealed, and ends. What is not sealed stays in the journal.
  public func stop() async throws {
    guard let parts = state.withLock({ $0.take() }) else { return }
    try await parts.stop()
  }
}

/// Everything one running gateway is made of.
private final class Parts: Sendable {
  private let configuration: Configuration
  private let logger: Logger
  private let group: MultiThreadedEventLoopGroup
  private let names: NameTable
  private let store: TileStore
  private let commits: CommitThread
  private let shards: [ShardLoop]
  private let pipeline: CommitPipeline
  private let checkpointer: Checkpointer
  private let receiver: Receiver
  private let backend: GatewayBackend
  private let replay: Mutex<Replay?>
  private let tasks = Mutex<[Task<Void, Never>]>([])
  private let queryTask = Mutex<Task<Void, any Error>?>(nil)

  init(configuration: Configuration, logger: Logger) async throws {
    self.configuration = configuration
    self.logger = logger
    let clock = SystemClock.now
    let loops = configuration.workers == 0 ? System.coreCount : configuration.workers
    let shares = MemoryShares(
      limitBytes: configuration.limits.memory.bytes(on: .current), shards: loops)

    names = NameTable(limits: configuration.nameLimits)
    store = try TileStore(path: configuration.store.path)
    let stored = try store.committed
    let journal = try Journal(opening: configuration.journalConfiguration)
    let replay = try Replay(
      directory: configuration.journalConfiguration.directory, from: stored.mark,
      stored: stored.checkpoint, names: names, now: clock())
    let last = max(stored.checkpoint, replay.lastCheckpoint)
    self.replay = Mutex(replay)
    commits = CommitThread(journal: journal, names: names)

    group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    var shards: [ShardLoop] = []
    for loop in group.makeIterator() {
      let limits = configuration.traceLimits(memoryBytes: shares.traceBytesPerShard)
      let mailbox = Mailbox(spansMax: shares.mailboxSpansPerShard)
      shards.append(
        try await loop.submit {
          ShardLoop(
            shard: Shard(limits: limits, stored: stored.checkpoint, next: last + 1), loop: loop,
            mailbox: mailbox, clock: clock)
        }.get())
    }
    self.shards = shards
    pipeline = CommitPipeline(
      commits: commits, shards: shards, waitNanos: configuration.receiver.wait,
      requestBytesMax: shares.requestBytes, clock: clock)
    checkpointer = Checkpointer(
      shards: shards, commits: commits, store: DurableTiles(tiles: store), names: names, last: last,
      seriesMax: configuration.metrics.series, logger: logger)
    receiver = Receiver(
      configuration: configuration.receiverConfiguration, group: group, sink: pipeline,
      names: names, clock: clock, logger: logger)
    backend = GatewayBackend(
      shards: shards, store: store, names: names, checkpointer: checkpointer, pipeline: pipeline,
      receiver: receiver, commits: commits, clock: clock)
  }

  func start() async throws -> ListeningAddresses {
    do {
      let query = try await startQuery()
      try await replayJournal()
      for shard in shards { shard.startTicking() }
      let bound = try await receiver.start()
      startChores()
      receiver.setServing(true)
      backend.setReadiness(.ready)
      return ListeningAddresses(
        grpc: bound.grpc.description, http: bound.http.description, query: query)
    } catch {
      try await stop()
      throw error
    }
  }

  func stop() async throws {
    backend.setReadiness(.notReady("stopping"))
    receiver.setServing(false)
    await receiver.drain(within: configuration.shutdown.drain)
    for task in tasks.withLock({ $0 }) {
      task.cancel()
      await task.value
    }
    for shard in shards { try await shard.stopTicking() }
    try await checkpointer.run()
    try await commits.stop()
    if let query = queryTask.withLock({ $0.take() }) {
      query.cancel()
      _ = await query.result
    }
    try await group.shutdownGracefully()
  }

  private func startQuery() async throws -> String {
    let server = QueryServer(
      configuration: configuration.queryConfiguration, backend: backend, logger: logger)
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let task = Task {
      defer { announce.finish() }
      try await server.run { port in announce.yield(port) }
    }
    for await port in ports {
      queryTask.withLock { $0 = task }
      return ListenAddress(host: configuration.query.address.host, port: port).description
    }
    try await task.value
    throw CancellationError()
  }

  private func replayJournal() async throws {
    guard let replay = replay.withLock({ $0.take() }) else { return }
    for (index, shard) in shards.enumerated() {
      let part = replay.part(of: index, among: shards.count)
      try await shard.replay(part.letters, sealed: part.sealed)
    }
    if replay.spanCount > 0 {
      logger.info("journal replayed", metadata: ["spans": "\(replay.spanCount)"])
    }
  }

  /// How often sealed sums are stored, and how often what is too old is deleted.
  private static let checkpointInterval = Duration.seconds(2)
  private static let expiryInterval = Duration.seconds(600)

  private func startChores() {
    let checkpointer = checkpointer
    let store = store
    let retention = configuration.store.retention
    repeating(every: Parts.checkpointInterval, named: "storing a checkpoint") {
      try await checkpointer.run()
    }
    repeating(every: Parts.expiryInterval, named: "deleting what is too old") {
      try store.deleteExpired(now: SystemClock.now(), retention: retention)
      try store.deleteUnusedNames()
    }
  }

  /// A chore that fails is logged and tried again the next time: ingest and queries go on.
  private func repeating(
    every interval: Duration, named name: String, _ chore: @escaping @Sendable () async throws -> Void
  ) {
    let logger = logger
    let task = Task {
      while true {
        do {
          try await Task.sleep(for: interval)
        } catch {
          return
        }
        do {
          try await chore()
        } catch {
          logger.error("\(name) failed; it is tried again", metadata: ["error": "\(error)"])
        }
      }
    }
    tasks.withLock { $0.append(task) }
  }
}
