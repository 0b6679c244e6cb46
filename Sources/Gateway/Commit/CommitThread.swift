import Journal
import Logging
import Model
import NIOCore
import NIOPosix
import Receive
import Synchronization

/// The one thread that writes the journal. While it syncs one group, the next gathers behind it: the
/// slower the disk, the larger the groups, with no timer in between.
final class CommitThread: Sendable {
  /// A batch on its way into the journal, and what is to happen then.
  struct Entry: Sendable {
    var batch: SpanBatch
    /// Called on the commit thread, in the order of the sequences.
    var committed: @Sendable (_ result: Result<UInt64, JournalError>) -> Admission
    /// The loop that waits for the answer, and what is called there with it.
    var loop: any EventLoop
    var answer: @Sendable (Admission) -> Void
  }

  private struct Queue: ~Copyable {
    var entries: [Entry] = []
    var isScheduled = false
  }

  /// A reference, so that stopping can let go of it: the journal's lock ends with it.
  private final class Owned {
    var journal: Journal
    init(_ journal: consuming Journal) { self.journal = journal }
  }

  private let owned: Mutex<Owned?>
  private let queue = Mutex(Queue())
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let names: NameTable
  private let logger: Logger
  /// False when nothing is to survive the process: then batches are only numbered.
  private let isDurable: Bool
  private let unwritten: Atomic<UInt64>
  /// Every batch below this sequence was handed to `committed`.
  private let committedBelow: Atomic<UInt64>

  init(journal: consuming Journal, isDurable: Bool = true, names: NameTable, logger: Logger) {
    self.logger = logger
    committedBelow = Atomic(journal.nextSequence)
    unwritten = Atomic(journal.nextSequence)
    self.isDurable = isDurable
    owned = Mutex(Owned(journal))
    self.names = names
    thread.start()
  }

  /// Every batch below this sequence was committed and handed on.
  var sequenceNext: UInt64 { committedBelow.load(ordering: .acquiring) }

  func submit(_ entry: Entry) {
    let mustSchedule = queue.withLock { queue in
      queue.entries.append(entry)
      defer { queue.isScheduled = true }
      return !queue.isScheduled
    }
    if mustSchedule { thread.submit { _ in self.commitQueued() } }
  }

  /// Makes the ids of sealed traces durable, so that a replay knows what a checkpoint holds.
  func commitSeal(checkpoint: UInt64, traces: [TraceKey]) async throws {
    guard isDurable else { return }
    try await run { journal in
      journal.appendSeal(checkpoint: checkpoint, traces: traces)
      try journal.commit()
    }
  }

  func deleteSegments(below mark: UInt64) async throws {
    try await run { try $0.deleteSegments(below: mark) }
  }

  func statistics() async throws -> JournalStatistics {
    try await run { $0.statistics }
  }

  /// Ends the thread once everything submitted is committed, and closes the journal.
  func stop() async throws {
    try await thread.shutdownGracefully()
    owned.withLock { $0 = nil }
  }

  private func run<Value: Sendable>(
    _ body: @escaping @Sendable (inout Journal) throws -> Value
  ) async throws -> Value {
    try await thread.runIfActive { [self] in
      try owned.withLock { owned in
        guard let owned else { throw ChannelError.alreadyClosed }
        return try body(&owned.journal)
      }
    }
  }

  private func commitQueued() {
    let entries = queue.withLock { queue in
      queue.isScheduled = false
      var taken: [Entry] = []
      swap(&taken, &queue.entries)
      return taken
    }
    guard !entries.isEmpty else { return }
    let outcome = owned.withLock { owned in owned.map { write(entries, to: &$0.journal) } }
    guard let outcome else { preconditionFailure("a batch was accepted after the journal closed") }
    switch outcome {
    case .success(let sequences):
      answer(entries, zip(entries, sequences).map { $0.committed(.success($1)) })
      committedBelow.store(sequences[sequences.count - 1] + 1, ordering: .releasing)
    case .failure(let error):
      logger.error(
        "a group of requests could not be made durable and was refused",
        metadata: ["error": "\(error.message)", "requests": "\(entries.count)"])
      answer(entries, entries.map { $0.committed(.failure(error)) })
    }
  }

  /// One hop to each loop for the whole group: all its answers then leave in one turn.
  private func answer(_ entries: [Entry], _ admissions: [Admission]) {
    var indices: [ObjectIdentifier: [Int]] = [:]
    for (index, entry) in entries.enumerated() {
      indices[ObjectIdentifier(entry.loop), default: []].append(index)
    }
    for group in indices.values {
      entries[group[0]].loop.execute {
        for index in group { entries[index].answer(admissions[index]) }
      }
    }
  }

  /// - Returns: the sequence of each entry.
  private func write(
    _ entries: [Entry], to journal: inout Journal
  ) -> Result<[UInt64], JournalError> {
    guard isDurable else {
      return .success(
        entries.map { _ in unwritten.add(1, ordering: .relaxed).oldValue })
    }
    let sequences = entries.map { journal.append($0.batch, names: names.name) }
    do throws(JournalError) {
      try journal.commit()
      return .success(sequences)
    } catch {
      return .failure(error)
    }
  }
}
