import Model
import Synchronization

/// Durable batches on their way to one shard, in the order of their sequence. Bounded in spans;
/// room is reserved before a batch is written to the journal, so what is durable always fits.
final class Mailbox: Sendable {
  struct Letter: Sendable {
    var batch: SpanBatch
    var sequence: UInt64
  }

  private struct State: ~Copyable {
    var letters: [Letter] = []
    /// A drain is on its way: nobody needs to schedule another.
    var isScheduled = false
  }

  private let spansMax: Int
  private let reserved = Atomic<Int>(0)
  private let isClosed = Atomic<Bool>(false)
  private let state = Mutex(State())

  init(spansMax: Int) { self.spansMax = spansMax }

  /// Reserves room for so many spans. A batch larger than the whole mailbox fits an empty one.
  func reserve(_ spans: Int) -> Bool {
    if isClosed.load(ordering: .relaxed) { return false }
    var current = reserved.load(ordering: .relaxed)
    while current == 0 || current + spans <= spansMax {
      let (exchanged, original) = reserved.weakCompareExchange(
        expected: current, desired: current + spans, ordering: .relaxed)
      if exchanged { return true }
      current = original
    }
    return false
  }

  /// Gives out no more room, or does so again. What was reserved stays so.
  func close(_ isClosed: Bool) { self.isClosed.store(isClosed, ordering: .relaxed) }

  func release(_ spans: Int) { reserved.subtract(spans, ordering: .relaxed) }

  var spansReserved: Int { reserved.load(ordering: .relaxed) }

  /// Puts letters in for which room was reserved.
  /// - Returns: whether the caller must schedule a drain.
  func put(_ letters: [Letter]) -> Bool {
    state.withLock { state in
      state.letters.append(contentsOf: letters)
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
  }

  /// Takes everything out. The room stays reserved until the owner has folded it and releases it.
  func takeAll() -> [Letter] {
    state.withLock { state in
      state.isScheduled = false
      var taken: [Letter] = []
      swap(&taken, &state.letters)
      return taken
    }
  }
}
