// The composition root: makes the parts, joins them, starts them in order and stops them in the
// reverse order. Nothing is decided here that a part could decide.

import Access
public import Logging
import Model
import NIOCore
import NIOPosix
import Outgoing
import Query
import Receive
import Store
import Synchronization

/// Where a gateway listens, as `host:port` with the real ports.
public struct ListeningAddresses: Sendable, Equatable {
  public var grpc: String
  public var http: String
  public var query: String
  /// The port for OTLP/gRPC has a certificate.
  public var isGRPCSecure = false

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
    do {
      let addresses = try await parts.start()
      state.withLock { $0 = parts }
      return addresses
    } catch {
      try await parts.stop()
      throw error
    }
  }

  /// Reads certificates and tokens again from their files. What cannot be used changes nothing.
  public func reload() async {
    await state.withLock { $0 }?.reload()
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
  private let doors: Doors
  private let engine: Engine
  private let receiver: Receiver
  private let backend: GatewayBackend
  private let reviews: DeploymentReviews?
  private let queryServer: QueryServer
  private let chores = Mutex<[Task<Void, Never>]>([])
  private let queryTask = Mutex<Task<Void, any Error>?>(nil)

  init(configuration: Configuration, logger: Logger) async throws {
    self.configuration = configuration
    self.logger = logger
    let clock = SystemClock.now
    let queryConfiguration = try configuration.queryConfiguration()
    let app = try configuration.githubApp()
    doors = try Doors(configuration: configuration, clock: clock, logger: logger)
    let loops = configuration.workers == 0 ? System.coreCount : configuration.workers
    group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
    engine = try await Engine(
      configuration: configuration, group: group, logger: logger, clock: clock)
    receiver = Receiver(
      configuration: configuration.receiverConfiguration(configuration.memoryShares(shards: loops)),
      security: doors.receiver, group: group, sink: engine.pipeline,
      names: engine.names, clock: clock, logger: logger)
    let http = OutgoingHTTP(
      group: group, privateAddresses: configuration.outgoing.privateAddresses)
    reviews = app.map { app in
      DeploymentReviews(
        configuration: configuration.github,
        reviewer: GitHubReviewer(
          address: configuration.github.api, app: app, send: { try await http.send($0) }),
        file: ReviewFile(directory: configuration.store.path), logger: logger, clock: clock)
    }
    backend = GatewayBackend(
      engine: engine, receiver: receiver, doors: doors, configuration: configuration,
      reviews: reviews, clock: clock)
    queryServer = QueryServer(
      configuration: queryConfiguration, backend: backend, tls: doors.query,
      tokens: doors.tokens, logger: logger)
  }

  func start() async throws -> ListeningAddresses {
    let query = try await startQuery()
    try await engine.replayJournal()
    for shard in engine.shards { shard.startTicking() }
    let bound = try await receiver.start()
    startChores()
    receiver.setServing(true)
    backend.setReadiness(.ready)
    var addresses = ListeningAddresses(
      grpc: bound.grpc.description, http: bound.http.description, query: query)
    addresses.isGRPCSecure = doors.receiver.grpc != nil
    return addresses
  }

  func reload() async {
    do {
      try await doors.reload(isAsked: true)
    } catch {
      logger.error("files could not be read again", metadata: ["error": "\(error)"])
    }
  }

  func stop() async throws {
    backend.setReadiness(.notReady("stopping"))
    receiver.setServing(false)
    await receiver.drain(within: configuration.drainSeconds)
    await backend.closeIntake()
    for chore in chores.withLock({ $0 }) {
      chore.cancel()
      await chore.value
    }
    try await engine.stop()
    if let query = queryTask.withLock({ $0.take() }) {
      await queryServer.stop(within: configuration.drainSeconds)
      try await query.value
    }
    try await group.shutdownGracefully()
  }

  private func startQuery() async throws -> String {
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let server = queryServer
    let task = Task {
      defer { announce.finish() }
      try await server.run { port in announce.yield(port) }
    }
    for await port in ports {
      queryTask.withLock { $0 = task }
      return ListenAddress(host: configuration.query.address.host, port: port).description
    }
    // The stream ended without a port: what `run` threw says why.
    try await task.value
    throw CancellationError()
  }

  /// How often sealed sums are stored, and how often what is too old is deleted.
  private static let checkpointInterval = Duration.seconds(2)
  private static let expiryInterval = Duration.seconds(600)
  private static let reviewInterval = Duration.seconds(1)

  private func startChores() {
    let engine = engine
    let retention = configuration.store.retention
    let doors = doors
    if doors.haveFiles {
      repeating(every: Doors.lookInterval, named: "looking for new certificates and tokens") {
        try await doors.reload(isAsked: false)
      }
    }
    repeating(every: Parts.checkpointInterval, named: "storing a checkpoint") {
      try await engine.checkpointer.run()
    }
    repeating(every: Parts.expiryInterval, named: "deleting what is too old") {
      try await NIOThreadPool.singleton.runIfActive {
        try engine.store.deleteExpired(now: SystemClock.now(), retention: retention)
        try engine.store.deleteUnusedNames()
      }
    }
    if let reviews {
      let backend = backend
      repeating(every: Parts.reviewInterval, named: "answering GitHub") {
        try await reviews.work { request in
          let decision = try await GateDecision(request, by: backend)
          return DeploymentReviews.Opinion(verdict: decision.verdict, comment: decision.comment)
        }
      }
    }
  }

  /// A chore that fails is logged and tried again the next time: ingest and queries go on.
  private func repeating(
    every interval: Duration, named name: String,
    _ chore: @escaping @Sendable () async throws -> Void
  ) {
    let logger = logger
    let task = Task {
      while !Task.isCancelled {
        do {
          try await Task.sleep(for: interval)
          try await chore()
        } catch is CancellationError {
          return
        } catch {
          logger.error("\(name) failed; it is tried again", metadata: ["error": "\(error)"])
        }
      }
    }
    chores.withLock { $0.append(task) }
  }
}
