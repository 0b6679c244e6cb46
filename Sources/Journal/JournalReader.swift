internal import Glibc
internal import Model

/// Reads what a journal holds, in the order it was written. Needs no lock: it may run beside the
/// process that writes, and then sees the groups written so far.
public struct JournalReader {
  /// Calls `body` with every seal and every batch from sequence number `mark` on. Damaged records
  /// are passed over and counted.
  /// - Errors: `JournalError` when the directory or a file cannot be read or is of a newer
  ///   version, and whatever `body` throws.
  @discardableResult
  public static func read(
    directory: String, from mark: UInt64 = 0, _ body: (JournalRecord) throws -> Void
  ) throws -> JournalReadSummary {
    try read(directory: directory, from: mark, storage: LinuxStorage(), body)
  }

  /// Whether a directory is one a journal was opened in: it holds segments, or nothing but the
  /// lock.
  /// - Errors: `JournalError` when the directory cannot be listed.
  public static func isJournal(_ directory: String) throws(JournalError) -> Bool {
    let storage = LinuxStorage()
    guard try SegmentFile.all(in: directory, storage).isEmpty else { return true }
    do {
      return Set(try storage.list(directory)).subtracting([".", ".."]) == [JournalOpening.lockName]
    } catch {
      throw JournalError.failed(.list, path: directory, code: error.code)
    }
  }

  static func read(
    directory: String, from mark: UInt64, storage: any JournalStorage,
    _ body: (JournalRecord) throws -> Void
  ) throws -> JournalReadSummary {
    var reader = JournalReader(mark: mark)
    let files = try SegmentFile.all(in: directory, storage)
    for file in files { try file.checkVersion(storage) }
    for (position, file) in files.enumerated() {
      let isLast = position == files.count - 1
      let end = isLast ? UInt64.max : files[position + 1].first
      if !isLast, end <= mark { continue }
      guard let bytes = try file.readIfPresent(storage) else { continue }
      try reader.read(bytes, first: file.first, end: end, isLast: isLast, body)
    }
    return reader.summary
  }

  private let mark: UInt64
  private var summary = JournalReadSummary()

  private init(mark: UInt64) { self.mark = mark }

  private mutating func read(
    _ bytes: [UInt8], first: UInt64, end: UInt64, isLast: Bool,
    _ body: (JournalRecord) throws -> Void
  ) throws {
    summary.segments += 1
    guard let header = SegmentHeader(segment: bytes), header.firstSequence == first else {
      // No record can be told from its surroundings without a header.
      summary.skippedRecords += 1
      summary.skippedBytes += bytes.count
      return
    }
    var scanner = SegmentScanner(bytes, header: header)
    var names: [Name] = []
    var possible = first..<max(first, end)
    while let found = scanner.next() {
      guard let record = JournalReader.decode(found) else {
        summary.skippedRecords += 1
        continue
      }
      try deliver(record, &possible, &names, body)
    }
    summary.skippedRecords += scanner.skippedRecords
    summary.skippedBytes += scanner.skippedBytes
    if isLast {
      summary.tornBytes += scanner.tailBytes
    } else {
      summary.skippedBytes += scanner.tailBytes
    }
  }

  /// - Parameters:
  ///   - possible: The sequence numbers a batch may have here: above the last one's, and below
  ///     those of the next segment, which begins where the committed ones of this end.
  ///   - names: Those of batches below the mark, which later batches rely on.
  private mutating func deliver(
    _ record: JournalRecord, _ possible: inout Range<UInt64>, _ names: inout [Name],
    _ body: (JournalRecord) throws -> Void
  ) throws {
    switch record {
    case .seal:
      summary.seals += 1
      try body(record)
    case .batch(let sequence, let batch, let defined):
      guard possible.contains(sequence) else {
        summary.skippedRecords += 1
        return
      }
      possible = sequence + 1..<possible.upperBound
      summary.nextSequence = sequence + 1
      names += defined
      guard sequence >= mark else { return }
      summary.batches += 1
      summary.spans += batch.sentCount
      try body(.batch(sequence: sequence, batch, names: names))
      names.removeAll()
    }
  }

  private static func decode(_ record: SegmentScanner.Record) -> JournalRecord? {
    do { return try RecordDecoder.decode(record.type, record.payload) } catch { return nil }
  }
}

/// What reading a journal met.
public struct JournalReadSummary: Equatable, Sendable {
  public var segments = 0
  /// Batches, spans and seals handed to the caller.
  public var batches = 0
  public var spans = 0
  public var seals = 0
  /// Stretches of damage (each one record or more) that were passed over, and their bytes.
  public var skippedRecords = 0
  public var skippedBytes = 0
  /// Bytes at the very end that make no whole record: a group that was being written.
  public var tornBytes = 0
  /// One more than the number of the last batch met; 0 without any.
  public var nextSequence: UInt64 = 0

  public init() {}
}

extension SegmentFile {
  /// The file's bytes; nil when it was deleted since the directory was listed.
  fileprivate func readIfPresent(
    _ storage: any JournalStorage
  ) throws(JournalError) -> [UInt8]? {
    do {
      return try storage.read(path, bytesMax: .max)
    } catch {
      if error.code == ENOENT { return nil }
      throw JournalError.failed(.read, path: path, code: error.code)
    }
  }
}
