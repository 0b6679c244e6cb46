import Foundation
import Model
import Testing

@testable import Journal

@Suite struct FailureTests {
  private let directory: TemporaryDirectory
  private let storage = FaultyStorage()
  private let name = Name(tenant: .standard, kind: .service, text: "shop")

  init() throws { directory = try TemporaryDirectory() }

  private func opened(_ durability: Durability = .fsync) throws -> Journal {
    try Journal(
      opening: JournalConfiguration(directory: directory.path, durability: durability),
      storage: storage)
  }

  private func batch(_ number: UInt64, spansCount: Int = 20) -> SpanBatch {
    var batch = SpanBatch(names: [name.id])
    for position in 0..<spansCount {
      batch.append(
        SpanRecord(id: SpanID(number + 1), start: 10, end: 20, service: name.id),
        trace: TraceID(high: number, low: UInt64(position)))
    }
    return batch
  }

  /// Scenario: the disk is full after any number of bytes, in the first group or a later one.
  /// Guarantees: an error that says path, cause and remedy; nothing of the group is ever read; the
  /// next group goes to a new segment, with its names, under the same numbers.
  @Test(arguments: [false, true], stride(from: 0, through: 1_400, by: 100).map { $0 })
  func fullDiskRefusesTheWholeGroup(isFirst: Bool, freeBytes: Int) throws {
    var journal = try opened(.os)
    var expected: [UInt64: SpanBatch] = [:]
    if !isFirst {
      expected[journal.append(batch(0)) { _ in name }] = batch(0)
      try journal.commit()
    }
    storage.freeBytes = freeBytes
    let refused = journal.append(batch(1, spansCount: 40)) { _ in name }
    journal.append(batch(2, spansCount: 40)) { _ in name }
    journal.appendSeal(checkpoint: 1, traces: [])
    do {
      try journal.commit()
      Issue.record("the group fit")
    } catch {
      guard case .failed(.write, let path, ENOSPC) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(error.message.contains(path))
      #expect(error.message.contains("No space left on device"))
      #expect(error.message.contains("Free space"))
    }
    #expect(journal.nextSequence == refused)
    let meanwhile = try Contents.read(directory.path)
    #expect(meanwhile.contents.batches == expected)
    #expect(meanwhile.contents.seals == [])
    #expect(meanwhile.summary.tornBytes == 0)
    #expect(journal.statistics.failedCommits == 1)
    #expect(journal.statistics.abandonedSegments == 1)

    storage.freeBytes = .max
    expected[journal.append(batch(3)) { _ in name }] = batch(3)
    try journal.commit()
    let after = try Contents.read(directory.path).contents
    #expect(after.batches == expected)
    #expect(after.order.last == refused)
    #expect(after.names == [name.id: name])
    #expect(try directory.segments.count == (isFirst ? 1 : 2))
  }

  /// Scenario: a sync fails, of the file or of its directory.
  /// Guarantees: the group is refused and gone from the disk; the descriptor is never synced again.
  @Test(arguments: [FaultyStorage.Call.syncData, .syncDirectory])
  func failedSyncsAreNeverTriedAgain(call: FaultyStorage.Call) throws {
    var journal = try opened()
    if call == .syncData {
      journal.append(batch(0)) { _ in name }
      try journal.commit()
    }
    let committed = journal.nextSequence
    storage.faults[call] = (EIO, 1)
    journal.append(batch(1)) { _ in name }
    #expect(throws: JournalError.self) { try journal.commit() }
    #expect(try Contents.read(directory.path).contents.order == Array(0..<committed))
    journal.append(batch(2)) { _ in name }
    try journal.commit()
    let contents = try Contents.read(directory.path).contents
    #expect(contents.order == Array(0...committed))
    #expect(contents.batches[committed] == batch(2))
    #expect(storage.syncedDescriptorsAfterError == 0)
  }

  /// Scenario: refused data can for a while not be taken off the disk.
  /// Guarantees: groups are refused until it can; then all is as if nothing had been.
  @Test(arguments: [FaultyStorage.Call.truncate, .remove])
  func refusesUntilRefusedDataIsGone(call: FaultyStorage.Call) throws {
    var journal = try opened()
    var expected: [UInt64] = []
    if call == .truncate {
      expected.append(journal.append(batch(0)) { _ in name })
      try journal.commit()
    }
    storage.faults[.syncData] = (EIO, 1)
    storage.faults[call] = (EIO, 3)
    for _ in 0..<3 {
      journal.append(batch(1)) { _ in name }
      #expect(throws: JournalError.self) { try journal.commit() }
    }
    #expect(journal.statistics.failedCommits == 3)
    #expect(journal.statistics.failedRepairs >= 1)
    expected.append(journal.append(batch(2)) { _ in name })
    try journal.commit()
    let contents = try Contents.read(directory.path).contents
    #expect(contents.order == expected)
    #expect(contents.batches[expected.last!] == batch(2))
  }

  /// Scenario: after an error in a segment of seals alone, and in one that cannot be created.
  /// Guarantees: the next group finds a name of its own; committed seals stay.
  @Test func newSegmentsFindANameAfterErrors() throws {
    var journal = try opened()
    journal.appendSeal(checkpoint: 1, traces: [])
    try journal.commit()
    storage.faults[.write] = (EIO, 1)
    journal.appendSeal(checkpoint: 2, traces: [])
    #expect(throws: JournalError.self) { try journal.commit() }
    storage.faults[.create] = (EMFILE, 1)
    journal.appendSeal(checkpoint: 3, traces: [])
    do { try journal.commit() } catch {
      #expect(error.message.contains("ulimit -n"))
    }
    journal.appendSeal(checkpoint: 4, traces: [])
    try journal.commit()
    #expect(try Contents.read(directory.path).contents.seals == [1, 4])
    #expect(journal.statistics.abandonedSegments == 1)
  }

  /// Scenario: the operating system takes a few bytes of each write.
  /// Guarantees: everything is written; one sync a group, one of the directory a segment.
  @Test func shortWritesAreContinued() throws {
    var journal = try opened()
    storage.writeBytesMax = 7
    for number in 0..<3 as Range<UInt64> {
      journal.append(batch(number)) { _ in name }
      try journal.commit()
    }
    let (contents, summary) = try Contents.read(directory.path)
    #expect(contents.order == [0, 1, 2])
    #expect(summary.tornBytes == 0)
    #expect(storage.syncedFiles == 3)
    #expect(storage.syncedDirectories == 1)
  }

  /// Scenario: durability `os` and `none`.
  /// Guarantees: nothing is synced.
  @Test(arguments: [Durability.os, .none]) func syncsOnlyWhenAsked(durability: Durability) throws {
    var journal = try opened(durability)
    journal.append(batch(0)) { _ in name }
    try journal.commit()
    #expect(storage.syncedFiles + storage.syncedDirectories == 0)
  }

  /// Scenario: a segment below the mark cannot be deleted.
  /// Guarantees: the error says so; the next call deletes it.
  @Test func deletingIsTriedAgain() throws {
    var journal = try Journal(
      opening: JournalConfiguration(
        directory: directory.path, segmentBytesMax: 1, durability: .os), storage: storage)
    for number in 0..<3 as Range<UInt64> {
      journal.append(batch(number)) { _ in name }
      try journal.commit()
    }
    storage.faults[.remove] = (EPERM, 1)
    do {
      try journal.deleteSegments(below: 3)
      Issue.record("it was deleted")
    } catch {
      #expect(error.message.hasPrefix("Cannot delete \(directory.path)/journal-"))
      #expect(error.message.contains("user this process runs as"))
    }
    #expect(try directory.segments.count == 3)
    try journal.deleteSegments(below: 3)
    #expect(try directory.segments.count == 1)
  }

  /// Scenario: the directory cannot be listed, a segment cannot be read, while opening and reading.
  /// Guarantees: an error that names it; the lock is given back.
  @Test(arguments: [FaultyStorage.Call.list, .read, .truncate])
  func unreadableDirectoriesAreSaidSo(call: FaultyStorage.Call) throws {
    do {
      var journal = try opened()
      journal.append(batch(0)) { _ in name }
      try journal.commit()
    }
    let segment = try directory.segments[0]
    try directory.write(try directory.bytes(of: segment) + [1, 2], to: segment)
    for _ in 0..<2 {
      storage.faults[call] = (EIO, 1)
      do {
        _ = try opened()
        Issue.record("it opened")
      } catch let error as JournalError {
        #expect(error.message.contains(directory.path))
      }
    }
    if call != .truncate {
      storage.faults[call] = (EIO, 1)
      #expect(throws: JournalError.self) {
        try JournalReader.read(directory: directory.path, from: 0, storage: storage) { _ in }
      }
    }
    let journal = try opened()
    #expect(journal.nextSequence == 1)
    #expect(journal.statistics.truncatedBytes == 2)
  }

  /// Scenario: a directory that cannot be made, a file in its place, none to read; a full device.
  /// Guarantees: the real file system's errors arrive, each with a remedy of its own.
  @Test func realErrorsHaveRemedies() throws {
    try directory.write([1], to: "file")
    let cases: [(String, String)] = [
      (directory.path + "/a/b", "parent directory"), (directory.path + "/file", "move it away"),
    ]
    for (path, remedy) in cases {
      do {
        _ = try Journal(opening: JournalConfiguration(directory: path))
        Issue.record("it opened")
      } catch {
        #expect(error.message.contains(path) && error.message.contains(remedy))
      }
    }
    #expect(
      throws: JournalError.failed(.list, path: directory.path + "/none", code: ENOENT)
    ) { try JournalReader.read(directory: directory.path + "/none", from: 0) { _ in } }

    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    var group = GroupBuffer()
    group.append([1, 2, 3])
    #expect(throws: SystemError(code: ENOSPC)) { try group.write(to: full, LinuxStorage()) }
    #expect(throws: SystemError(code: EEXIST)) {
      try LinuxStorage().create(directory.path + "/file")
    }
    #expect(throws: SystemError(code: EBADF)) { try LinuxStorage().syncData(-1) }
    #expect(throws: SystemError(code: ENOENT)) {
      try LinuxStorage().size(directory.path + "/none")
    }
    #expect(throws: SystemError(code: ENOENT)) {
      try LinuxStorage().syncDirectory(directory.path + "/none")
    }
    #expect(throws: SystemError(code: EISDIR)) {
      try LinuxStorage().read(directory.path, bytesMax: 1)
    }
    #expect(throws: SystemError(code: EISDIR)) { try LinuxStorage().remove(directory.path) }
    for code in [EROFS, EFBIG, EIO] {
      #expect(!JournalError.failed(.sync, path: "p", code: code).message.isEmpty)
    }
  }
}
