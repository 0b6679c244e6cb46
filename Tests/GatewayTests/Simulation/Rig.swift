import Foundation
import Graph
import Logging
import Model
import NIOCore
import NIOPosix
import Receive
import Store
import Synchronization

@testable import Gateway

/// A gateway without doors on a directory of its own, whose clock a test owns.
final class Rig: Sendable {
  let engine: Engine
  let group: MultiThreadedEventLoopGroup
  let clock: SharedClock

  init(
    directory: URL, shards: Int = 2, time start: Nanos = TraceGenerator.epoch,
    durability: JournalDurability = .os,
    checkpointStore: @escaping (TileStore) -> any CheckpointStore = DurableTiles.init
  ) async throws {
    var configuration = Configuration()
    configuration.store.path = directory.path
    configuration.journal.durability = durability
    configuration.store.retention = 100_000 * .day
    group = MultiThreadedEventLoopGroup(numberOfThreads: shards)
    let clock = SharedClock(start)
    self.clock = clock
    engine = try await Engine(
      configuration: configuration, group: group, logger: Logger(label: "test"),
      clock: { clock.now }, checkpointStore: checkpointStore)
    try await engine.replayJournal()
  }

  func send(_ batch: SpanBatch) async -> Admission {
    await withCheckedContinuation { continuation in
      let loop = group.next()
      loop.execute { [engine] in
        engine.pipeline.accept(batch, from: loop) { continuation.resume(returning: $0) }
      }
    }
  }

  /// Lets time pass for the shards.
  func pass(_ nanos: Nanos) async throws {
    clock.advance(by: nanos)
    for shard in engine.shards { try await shard.advance() }
  }

  /// Everything the gateway knows, as sums of one window.
  func everything() async throws -> Window {
    try await engine.flush()
    let epoch = TraceGenerator.epoch
    return try await engine.graphInput(from: epoch - .hour, to: epoch + .hour)
      .window
  }

  func stop() async throws {
    try await engine.stop()
    try await group.shutdownGracefully()
  }
}

final class SharedClock: Sendable {
  private let time: Mutex<Nanos>
  init(_ start: Nanos) { time = Mutex(start) }
  var now: Nanos { time.withLock { $0 } }
  func advance(by nanos: Nanos) { time.withLock { $0 += nanos } }
}
