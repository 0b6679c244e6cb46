import Journal
import Model

/// What a journal held at start: the batches not yet in the store, and what must not count twice.
struct Replay: Sendable {
  /// Batches whose traces may not be in the store, with their sequences, spans of stored traces
  /// left out.
  private(set) var letters: [Mailbox.Letter] = []
  /// Traces the store holds: what still arrives for them is late.
  private(set) var sealed: [TraceKey] = []
  /// The highest checkpoint number the journal mentions.
  private(set) var lastCheckpoint: UInt64 = 0
  private(set) var spanCount = 0

  /// Reads the journal twice: a trace's seal stands behind its spans, and decides about them.
  init(
    directory: String, from mark: UInt64, stored: UInt64, names: NameTable, now: Nanos
  ) throws {
    var storedTraces = Set<TraceKey>()
    try JournalReader.read(directory: directory, from: mark) { record in
      guard case .seal(let checkpoint, let traces) = record else { return }
      lastCheckpoint = max(lastCheckpoint, checkpoint)
      if checkpoint <= stored { storedTraces.formUnion(traces) }
    }
    try JournalReader.read(directory: directory, from: mark) { record in
      guard case .batch(let sequence, let batch, let texts) = record else { return }
      for name in texts { names.restore(name, now: now) }
      let kept = Replay.removing(storedTraces, from: batch)
      guard !kept.isEmpty else { return }
      letters.append(Mailbox.Letter(batch: kept, sequence: sequence))
      spanCount += kept.count
    }
    sealed = Array(storedTraces)
  }

  private static func removing(_ traces: Set<TraceKey>, from batch: SpanBatch) -> SpanBatch {
    guard !traces.isEmpty else { return batch }
    var kept = SpanBatch(tenant: batch.tenant)
    for index in 0..<batch.count {
      let key = TraceKey(tenant: batch.tenant, trace: batch.traces[index])
      if !traces.contains(key) { kept.append(batch.spans[index], trace: key.trace) }
    }
    return kept
  }

  /// The part of one shard of `count`.
  func part(of shard: Int, among count: Int) -> (letters: [Mailbox.Letter], sealed: [TraceKey]) {
    var mine: [Mailbox.Letter] = []
    for letter in letters {
      for part in Partition.split(letter.batch, over: count) where part.shard == shard {
        mine.append(Mailbox.Letter(batch: part.batch, sequence: letter.sequence))
      }
    }
    return (mine, sealed.filter { Partition.shard(of: $0, among: count) == shard })
  }
}
