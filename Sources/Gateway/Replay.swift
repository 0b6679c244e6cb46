import Journal
import Model
import NIOCore

/// Brings back what a journal holds and the store does not.
struct Replay: Sendable {
  private let directory: String
  private let mark: UInt64
  /// Traces the store holds: what stands in the journal of them must not count twice.
  private let stored: Set<TraceKey>
  /// The highest checkpoint number the journal mentions.
  let lastCheckpoint: UInt64

  /// Reads which traces were sealed, since a trace's seal stands behind its spans.
  /// - Parameters:
  ///   - mark: The sequence below which everything is in the store.
  ///   - checkpoint: The last checkpoint the store holds; seals of later ones never took effect.
  init(directory: String, from mark: UInt64, stored checkpoint: UInt64) throws {
    var traces = Set<TraceKey>()
    var last: UInt64 = 0
    try JournalReader.read(directory: directory, from: mark) { record in
      guard case .seal(let number, let sealed) = record else { return }
      last = max(last, number)
      if number <= checkpoint { traces.formUnion(sealed) }
    }
    self.directory = directory
    self.mark = mark
    stored = traces
    lastCheckpoint = last
  }

  /// How many batches are handed to the shards at a time: few enough not to weigh, enough not to wait
  /// for every one.
  private static let batchesAtOnce = 64

  /// Folds the journal's batches into the shards, a few at a time, so that no more of it is in
  /// memory than the shards keep. Blocks; not on an event loop.
  /// - Returns: how many spans were folded, and what the journal was like.
  func run(
    names: NameTable, now: Nanos, into shards: [ShardLoop]
  ) throws -> (spans: Int, journal: JournalReadSummary) {
    try shards.enumerated().forEach { index, shard in
      let keys = Array(
        stored.filter { Partition.shard(of: $0, among: shards.count) == index })
      try shard.replay([], sealed: keys).wait()
    }
    var waiting: [Mailbox.Letter] = []
    var spans = 0
    let summary = try JournalReader.read(directory: directory, from: mark) { record in
      guard case .batch(let sequence, let batch, let texts) = record else { return }
      for name in texts { names.restore(name, now: now) }
      let kept = removingStored(from: batch)
      spans += kept.sentCount
      if !kept.isEmpty { waiting.append(Mailbox.Letter(batch: kept, sequence: sequence)) }
      if waiting.count == Replay.batchesAtOnce { try Replay.hand(&waiting, to: shards) }
    }
    try Replay.hand(&waiting, to: shards)
    return (spans, summary)
  }

  private static func hand(_ letters: inout [Mailbox.Letter], to shards: [ShardLoop]) throws {
    var parts = [[Mailbox.Letter]](repeating: [], count: shards.count)
    for letter in letters {
      for part in Partition.split(letter.batch, over: shards.count) {
        parts[part.shard].append(Mailbox.Letter(batch: part.batch, sequence: letter.sequence))
      }
    }
    letters.removeAll(keepingCapacity: true)
    let folded = zip(shards, parts).map { $0.replay($1, sealed: []) }
    for result in folded { try result.wait() }
  }

  private func removingStored(from batch: SpanBatch) -> SpanBatch {
    guard !stored.isEmpty else { return batch }
    var kept = SpanBatch(tenant: batch.tenant)
    for index in 0..<batch.count {
      let key = TraceKey(tenant: batch.tenant, trace: batch.traces[index])
      if !stored.contains(key) { kept.append(batch.spans[index], trace: key.trace) }
    }
    return kept
  }
}
