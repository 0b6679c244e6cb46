// The journal makes accepted batches outlive the process: one append-only log in segments, written
// by the commit thread alone. What is appended gathers in memory as one group; `commit` writes the
// group with one write, syncs it as configured, and only then may its batches be acknowledged.
//
// Three rules make the rest simple:
// - A group lies in one segment, and each segment can be read alone: it carries the texts of its
//   names.
// - Refused data does not stay: after an error the segment is cut back to what was committed and
//   never written again, because after a failed sync nobody knows which of its pages are on disk.
// - The newest segment is never deleted, so that sequence numbers continue after a restart.
//
// FORMAT.md describes every byte.

public import Model

/// The write-ahead log of accepted batches. Used by one thread; holds the directory's lock.
public struct Journal: ~Copyable, Sendable {
  private let configuration: JournalConfiguration
  private let storage: any JournalStorage
  private let lock: Int32

  /// Segments nothing is appended to any more, ascending.
  private var closed: [ClosedSegment]
  private var current: OpenSegment?
  private var group = GroupBuffer()
  private var encoder = RecordEncoder()
  /// The segment the group begins, when there is none to append to.
  private var begun: SegmentHeader?
  /// What an earlier error left on disk and could not yet be taken back.
  private var repair: Repair?
  private var counters: JournalStatistics

  /// The number the next batch gets. Numbers ascend, over restarts too; a few may never be used.
  public private(set) var nextSequence: UInt64
  /// What `nextSequence` was after the last group that became durable.
  private var committedSequence: UInt64

  /// Opens the journal for writing: makes the directory, takes its lock, cuts off a torn tail.
  /// Damage is counted and passed over; it never keeps the journal from opening.
  /// - Parameter sequenceMin: No batch gets a lower number: the mark of the store, so that a
  ///   journal that was lost does not number its batches below it.
  public init(
    opening configuration: JournalConfiguration, sequenceMin: UInt64 = 0
  ) throws(JournalError) {
    try self.init(opening: configuration, sequenceMin: sequenceMin, storage: LinuxStorage())
  }

  init(
    opening configuration: JournalConfiguration, sequenceMin: UInt64 = 0,
    storage: any JournalStorage
  ) throws(JournalError) {
    let found = try JournalOpening(configuration.directory, storage)
    lock = found.lock
    self.configuration = configuration
    self.storage = storage
    closed = found.segments
    counters = JournalStatistics()
    counters.skippedRecords = found.skippedRecords
    counters.truncatedBytes = found.truncatedBytes
    nextSequence = max(found.nextSequence, sequenceMin)
    committedSequence = nextSequence
  }

  deinit {
    if let current { storage.close(current.descriptor) }
    storage.close(lock)
  }

  /// Adds a batch to the group; it counts only once `commit` returned.
  /// - Parameter names: The text behind an id; asked for names this segment does not hold yet.
  /// - Returns: The batch's sequence number.
  @discardableResult
  public mutating func append(_ batch: borrowing SpanBatch, names: (NameID) -> Name?) -> UInt64 {
    let marker = beginGroup()
    let sequence = nextSequence
    let record = group.beginRecord(.batch, marker: marker)
    encoder.encode(batch, sequence: sequence, into: &group, define: names)
    group.endRecord(record, marker: marker)
    nextSequence = sequence &+ 1
    return sequence
  }

  /// Adds to the group that the sums of these traces are part of a checkpoint: once that checkpoint
  /// is in the store, their spans are not to be replayed.
  public mutating func appendSeal(checkpoint: UInt64, traces: [TraceKey]) {
    let marker = beginGroup()
    let record = group.beginRecord(.seal, marker: marker)
    encoder.encodeSeal(checkpoint: checkpoint, traces: traces, into: &group)
    group.endRecord(record, marker: marker)
  }

  /// Bytes that wait for `commit`.
  public var pendingBytes: Int { group.count }

  /// Makes the group durable. After an error nothing of it counts, its sequence numbers are given
  /// again, and the next call tries with a new segment.
  /// - Errors: `JournalError.failed` with path, cause and remedy.
  public mutating func commit() throws(JournalError) {
    guard group.count > 0 else { return }
    do {
      try takeBackRefusedData()
      try writeGroup()
    } catch {
      abandonGroup()
      counters.failedCommits += 1
      throw error
    }
    endGroup()
    committedSequence = nextSequence
    if let segment = current, segment.bytes >= configuration.segmentBytesMax { retire(segment) }
  }

  /// Deletes the segments of which every batch has a sequence number below `mark`, except the
  /// newest.
  public mutating func deleteSegments(below mark: UInt64) throws(JournalError) {
    let keepMin = current == nil ? 1 : 0
    while closed.count > keepMin, closed[0].end <= mark {
      try remove(closed[0].path)
      closed.removeFirst()
    }
  }

  public var statistics: JournalStatistics {
    var now = counters
    now.segments = closed.count + (current == nil ? 0 : 1)
    now.bytes = closed.reduce(current?.bytes ?? 0) { $0 + $1.bytes }
    return now
  }
}

// The way of a group.

extension Journal {
  /// The marker of the segment the group goes to; begins one when there is none.
  private mutating func beginGroup() -> UInt32 {
    if let current { return current.marker }
    if let begun { return begun.marker }
    let header = SegmentHeader(firstSequence: nextSequence, marker: .random(in: 1...UInt32.max))
    begun = header
    group.append(header.bytes)
    group.append(header.bytes)
    return header.marker
  }

  private mutating func writeGroup() throws(JournalError) {
    if let begun { current = try createSegment(begun) }
    guard let segment = current else { return }
    do {
      try group.write(to: segment.descriptor, storage)
    } catch {
      throw JournalError.failed(.write, path: segment.path, code: error.code)
    }
    if configuration.durability == .fsync { try sync(segment, isNew: begun != nil) }
  }

  private func createSegment(_ header: SegmentHeader) throws(JournalError) -> OpenSegment {
    let path = SegmentName.path(in: configuration.directory, first: header.firstSequence)
    do {
      let descriptor = try storage.create(path)
      return OpenSegment(
        descriptor: descriptor, path: path, first: header.firstSequence, marker: header.marker)
    } catch {
      throw JournalError.failed(.create, path: path, code: error.code)
    }
  }

  private func sync(_ segment: OpenSegment, isNew: Bool) throws(JournalError) {
    do {
      try storage.syncData(segment.descriptor)
    } catch {
      throw JournalError.failed(.sync, path: segment.path, code: error.code)
    }
    guard isNew else { return }
    do {
      try storage.syncDirectory(configuration.directory)
    } catch {
      throw JournalError.failed(.sync, path: configuration.directory, code: error.code)
    }
  }

  private mutating func endGroup() {
    current?.bytes += group.count
    encoder.groupCommitted()
    group.removeAll()
    begun = nil
  }

  /// Nothing is appended to the segment any more. One without batches would lend its name to the
  /// next, so a number is skipped.
  private mutating func retire(_ segment: OpenSegment) {
    storage.close(segment.descriptor)
    closed.append(
      ClosedSegment(
        path: segment.path, first: segment.first, end: committedSequence, bytes: segment.bytes))
    if committedSequence == segment.first { committedSequence += 1 }
    nextSequence = committedSequence
    current = nil
    encoder.segmentEnded()
  }

  private mutating func abandonGroup() {
    group.removeAll()
    encoder.groupDropped()
    begun = nil
    nextSequence = committedSequence
    guard let segment = current else { return }
    if segment.bytes > 0 {
      repair = .truncate(path: segment.path, length: segment.bytes)
      retire(segment)
    } else {
      repair = .remove(path: segment.path)
      storage.close(segment.descriptor)
      current = nil
    }
    counters.abandonedSegments += 1
    // An error here is not lost: the next commit tries again, and refuses as long as it fails.
    do { try takeBackRefusedData() } catch { counters.failedRepairs += 1 }
  }

  private mutating func takeBackRefusedData() throws(JournalError) {
    switch repair {
    case .none: return
    case .remove(let path): try remove(path)
    case .truncate(let path, let length):
      do {
        try storage.truncate(path, to: length)
      } catch {
        throw JournalError.failed(.truncate, path: path, code: error.code)
      }
    }
    repair = nil
  }

  private func remove(_ path: String) throws(JournalError) {
    do {
      try storage.remove(path)
    } catch {
      throw JournalError.failed(.remove, path: path, code: error.code)
    }
  }
}

/// A segment that is complete.
struct ClosedSegment: Equatable, Sendable {
  var path: String
  var first: UInt64
  /// One more than the number of its last batch.
  var end: UInt64
  var bytes: Int
}

/// The segment groups are appended to.
struct OpenSegment: Sendable {
  var descriptor: Int32
  var path: String
  var first: UInt64
  var marker: UInt32
  /// Committed bytes: where the next group begins.
  var bytes = 0

}

/// How data that was refused is taken off the disk again.
enum Repair: Equatable, Sendable {
  case truncate(path: String, length: Int)
  case remove(path: String)
}
