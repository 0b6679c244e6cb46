import Model
import NIOCore
import Windows

/// A shard and the event loop that owns it: drains the mailbox, keeps time, answers readers.
final class ShardLoop: Sendable {
  let loop: any EventLoop
  let mailbox: Mailbox
  private let clock: @Sendable () -> Nanos
  private let owned: NIOLoopBound<Owned>

  /// Everything that only the loop may touch.
  private final class Owned {
    var shard: Shard
    /// Every batch of this shard below this sequence was folded.
    var foldedBelow: UInt64 = 0
    var ticking: RepeatedTask?

    init(shard: consuming Shard) { self.shard = shard }
  }

  /// Must be called on the loop.
  init(
    shard: consuming Shard, loop: any EventLoop, mailbox: Mailbox,
    clock: @escaping @Sendable () -> Nanos
  ) {
    self.loop = loop
    self.mailbox = mailbox
    self.clock = clock
    owned = NIOLoopBound(Owned(shard: shard), eventLoop: loop)
  }

  /// How often idle traces are looked for.
  private static let tickInterval = TimeAmount.milliseconds(250)

  func startTicking() {
    loop.execute { [self] in
      owned.value.ticking = loop.scheduleRepeatedTask(
        initialDelay: ShardLoop.tickInterval, delay: ShardLoop.tickInterval
      ) { [self] _ in
        drain()
        owned.value.shard.advance(to: clock())
        closeWhenOverfull()
      }
    }
  }

  private func closeWhenOverfull() { mailbox.close(owned.value.shard.isOverfull) }

  func stopTicking() async throws {
    try await onLoop { owned in
      owned.ticking?.cancel()
      owned.ticking = nil
    }
  }

  /// Puts letters in for which room was reserved, and sees to it that they are folded.
  func deliver(_ letters: [Mailbox.Letter]) {
    if mailbox.put(letters) { loop.execute { [self] in drain() } }
  }

  /// Folds what is in the mailbox. On the loop only.
  private func drain() {
    let letters = mailbox.takeAll()
    guard !letters.isEmpty else { return }
    let now = clock()
    var spans = 0
    for letter in letters {
      owned.value.shard.fold(letter.batch, sequence: letter.sequence, now: now)
      owned.value.foldedBelow = letter.sequence + 1
      spans += letter.batch.count
    }
    mailbox.release(spans)
    closeWhenOverfull()
  }

  /// Runs on the loop, after everything delivered so far was folded.
  private func onLoop<Result: Sendable>(
    _ body: @escaping @Sendable (Owned) throws -> Result
  ) async throws -> Result {
    try await loop.submit { [self] in
      drain()
      return try body(owned.value)
    }.get()
  }

  func snapshot() async throws -> WindowsSnapshot {
    try await onLoop { $0.shard.snapshot() }
  }

  /// The latest end of all spans folded so far.
  func newestEnd() async throws -> Nanos { try await onLoop { $0.shard.newestEnd } }

  /// Lets the shard look at the clock now, instead of at the next tick.
  func advance() async throws {
    let now = clock()
    try await onLoop { $0.shard.advance(to: now) }
  }

  func closeAll() async throws { try await onLoop { $0.shard.closeAll() } }

  func sealAll() async throws { try await onLoop { $0.shard.sealAll() } }

  func figures() async throws -> ShardFigures {
    try await onLoop {
      ShardFigures(
        counters: $0.shard.counters, traceCount: $0.shard.traceCount, bytes: $0.shard.bytes,
        sealedSeriesCount: $0.shard.sealedSeriesCount,
        candidateBytes: $0.shard.candidateFigures.bytes,
        candidatesDropped: $0.shard.candidateFigures.dropped)
    }
  }

  func trace(_ key: TraceKey) async throws -> (trace: ExemplarTrace, isSealed: Bool)? {
    try await onLoop { $0.shard.trace(key) }
  }

  func hasUnstoredSums() async throws -> Bool {
    try await onLoop { $0.shard.hasUnstoredSums }
  }

  /// - Parameter delivered: every batch below this sequence was put into the mailboxes.
  func beginCheckpoint(_ number: UInt64, delivered: UInt64) async throws -> ShardCheckpoint {
    try await onLoop { owned in
      owned.shard.beginCheckpoint(number, folded: max(delivered, owned.foldedBelow))
    }
  }

  func dropGenerations(through checkpoint: UInt64) async throws {
    try await onLoop { [self] in
      $0.shard.dropGenerations(through: checkpoint)
      closeWhenOverfull()
    }
  }

  /// Folds what a journal held at start, before any batch is delivered.
  func replay(_ letters: [Mailbox.Letter], sealed: [TraceKey]) -> EventLoopFuture<Void> {
    let now = clock()
    return loop.submit { [self] in
      for key in sealed { owned.value.shard.rememberSealed(key) }
      for letter in letters {
        owned.value.shard.fold(letter.batch, sequence: letter.sequence, now: now)
        owned.value.foldedBelow = letter.sequence + 1
      }
    }
  }
}

/// A shard's figures for `/metrics`.
struct ShardFigures: Sendable {
  var counters: ShardCounters
  var traceCount: Int
  var bytes: Int
  /// Series of sealed sums that wait for the store.
  var sealedSeriesCount: Int
  /// Of sealed traces that may turn out to be examples: what they take, and how many found no room.
  var candidateBytes = 0
  var candidatesDropped: UInt64 = 0
}
