internal import Glibc

/// What a directory holds when the journal opens it, after a torn tail was cut off.
struct JournalOpening {
  static let lockName = "lock"

  /// The descriptor that holds the lock.
  let lock: Int32
  private(set) var segments: [ClosedSegment] = []
  private(set) var nextSequence: UInt64 = 0
  private(set) var skippedRecords = 0
  private(set) var truncatedBytes = 0

  /// Makes the directory and takes its lock.
  private static func lock(
    _ directory: String, _ storage: any JournalStorage
  ) throws(JournalError) -> Int32 {
    do {
      try storage.makeDirectory(directory)
    } catch {
      throw JournalError.failed(.makeDirectory, path: directory, code: error.code)
    }
    let path = "\(directory)/\(lockName)"
    do {
      return try storage.lock(path)
    } catch {
      if error.code == EWOULDBLOCK { throw JournalError.inUse(directory: directory) }
      throw JournalError.failed(.lock, path: path, code: error.code)
    }
  }

  init(_ directory: String, _ storage: any JournalStorage) throws(JournalError) {
    lock = try JournalOpening.lock(directory, storage)
    do {
      try scan(directory, storage)
    } catch {
      storage.close(lock)
      throw error
    }
  }

  /// Only the newest segment is read: the others end where the next one begins.
  private mutating func scan(
    _ directory: String, _ storage: any JournalStorage
  ) throws(JournalError) {
    let files = try SegmentFile.all(in: directory, storage)
    for (position, file) in files.enumerated() {
      try file.checkVersion(storage)
      let isNewest = position == files.count - 1
      if isNewest {
        try openNewest(file, storage)
      } else {
        let bytes = try file.size(storage)
        segments.append(
          ClosedSegment(
            path: file.path, first: file.first, end: files[position + 1].first, bytes: bytes))
      }
    }
  }

  private mutating func openNewest(
    _ file: SegmentFile, _ storage: any JournalStorage
  ) throws(JournalError) {
    let bytes = try file.read(storage)
    var segment = ClosedSegment(
      path: file.path, first: file.first, end: file.first, bytes: bytes.count)
    if let header = SegmentHeader(segment: bytes), header.firstSequence == file.first {
      var scanner = SegmentScanner(bytes, header: header)
      while let record = scanner.next() { segment.end = max(segment.end, record.sequenceEnd) }
      skippedRecords = scanner.skippedRecords
      truncatedBytes = scanner.tailBytes
      segment.bytes = scanner.intactEnd
      if truncatedBytes > 0 { try file.truncate(to: segment.bytes, storage) }
    } else {
      skippedRecords = 1
    }
    segments.append(segment)
    // A segment without batches would lend its name to the next one: skip a number.
    nextSequence = segment.end == segment.first ? segment.first &+ 1 : segment.end
  }
}

extension SegmentScanner.Record {
  /// One more than the number of a batch; 0 for anything else.
  var sequenceEnd: UInt64 {
    guard type == RecordType.batch.rawValue else { return 0 }
    do { return try RecordDecoder.sequence(of: payload) &+ 1 } catch { return 0 }
  }
}
