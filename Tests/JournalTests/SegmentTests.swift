import Model
import Testing

@testable import Journal

@Suite struct SegmentTests {
  private func batch(_ spansCount: Int = 10) -> SpanBatch {
    var batch = SpanBatch()
    for number in 0..<spansCount {
      batch.append(
        SpanRecord(id: SpanID(UInt64(number) + 1), start: 1, end: 2, service: NameID(3)),
        trace: TraceID(high: 0, low: UInt64(number)))
    }
    return batch
  }

  /// Scenario: many groups over small segments; segments below a mark are deleted, then all.
  /// Guarantees: exactly whole segments below the mark go; the newest stays, so numbers go on.
  @Test func deletesWholeSegmentsBelowTheMark() throws {
    let directory = try TemporaryDirectory()
    let configuration = JournalConfiguration(
      directory: directory.path, segmentBytesMax: 1_000, durability: .os)
    do {
      var journal = try Journal(opening: configuration)
      for _ in 0..<50 {
        journal.append(batch()) { _ in nil }
        try journal.commit()
      }
      let before = try Contents.read(directory.path).contents.order
      try journal.deleteSegments(below: 20)
      let after = try Contents.read(directory.path).contents.order
      #expect(before == Array(0..<50))
      #expect(after.last == 49)
      #expect(after.first! <= 20 && after.first! > 10)
      #expect(journal.statistics.segments == (try directory.segments.count))
      #expect(
        journal.statistics.bytes
          == (try directory.segments.reduce(0) { try $0 + directory.bytes(of: $1).count }))
      try journal.deleteSegments(below: 50)
      #expect(try directory.segments.count == 1)
    }
    var journal = try Journal(opening: configuration)
    #expect(journal.nextSequence == 50)
    try journal.deleteSegments(below: 1_000)
    #expect(try directory.segments.count == 1)
    #expect(journal.append(batch()) { _ in nil } == 50)
    try journal.commit()
    try journal.deleteSegments(below: 50)
    #expect(try directory.segments == ["journal-00000000000000000050.log"])
  }

  /// Scenario: seals alone fill segments, and a run of the process commits nothing but seals.
  /// Guarantees: no two segments ask for one name; numbers ascend.
  @Test func segmentsWithoutBatchesHaveNamesOfTheirOwn() throws {
    let directory = try TemporaryDirectory()
    let configuration = JournalConfiguration(
      directory: directory.path, segmentBytesMax: 100, durability: .os)
    for run in 0..<3 as Range<UInt64> {
      var journal = try Journal(opening: configuration)
      for number in 0..<4 as Range<UInt64> {
        journal.appendSeal(checkpoint: run * 4 + number, traces: [])
        try journal.commit()
      }
    }
    let contents = try Contents.read(directory.path).contents
    #expect(contents.seals == Array(0..<12))
    var journal = try Journal(opening: configuration)
    let sequence = journal.append(batch()) { _ in nil }
    try journal.commit()
    #expect(try Contents.read(directory.path).contents.order == [sequence])
  }

  /// Scenario: the journal was lost while the store kept its mark.
  /// Guarantees: no batch gets a number below the mark.
  @Test func numbersBeginAtTheStoresMark() throws {
    let directory = try TemporaryDirectory()
    var journal = try Journal(
      opening: JournalConfiguration(directory: directory.path), sequenceMin: 700)
    #expect(journal.nextSequence == 700)
    #expect(journal.append(batch()) { _ in nil } == 700)
    try journal.commit()
    #expect(try directory.segments == ["journal-00000000000000000700.log"])
    try journal.deleteSegments(below: 701)
    #expect(try directory.segments.count == 1)
  }

  /// Scenario: nothing is appended.
  /// Guarantees: commit does nothing, no file appears.
  @Test func emptyGroupsLeaveNoTrace() throws {
    let directory = try TemporaryDirectory()
    var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
    try journal.commit()
    #expect(try directory.segments.isEmpty)
    #expect(journal.statistics == JournalStatistics())
  }

  /// Scenario: a second process opens the directory; then the first one ends.
  /// Guarantees: the second is refused with the directory's name; afterwards it may.
  @Test func oneWriterAtATime() throws {
    let directory = try TemporaryDirectory()
    let configuration = JournalConfiguration(directory: directory.path + "/journal")
    do {
      let first = try Journal(opening: configuration)
      do {
        _ = try Journal(opening: configuration)
        Issue.record("the second one opened")
      } catch {
        #expect(error == .inUse(directory: directory.path + "/journal"))
        #expect(error.message.contains(directory.path + "/journal"))
        #expect(error.message.contains("store.path"))
      }
      #expect(first.nextSequence == 0)
    }
    let second = try Journal(opening: configuration)
    #expect(second.nextSequence == 0)
  }

  /// Scenario: a segment of a newer format lies in the directory, by name in the middle.
  /// Guarantees: neither writing nor reading begins; the message names file and format.
  @Test func newerFormatsAreRefused() throws {
    let directory = try TemporaryDirectory()
    var header = SegmentHeader(firstSequence: 3, marker: 9)
    header.version = 2
    try directory.write(header.bytes + header.bytes, to: "journal-00000000000000000003.log")
    let other = SegmentHeader(firstSequence: 4, marker: 9)
    try directory.write(other.bytes + other.bytes, to: "journal-00000000000000000004.log")
    let expected = JournalError.futureVersion(
      path: directory.path + "/journal-00000000000000000003.log", version: 2)
    #expect(throws: expected) {
      try JournalReader.read(directory: directory.path, from: 0) { _ in }
    }
    do {
      _ = try Journal(opening: JournalConfiguration(directory: directory.path))
      Issue.record("it opened")
    } catch {
      #expect(error == expected)
      #expect("\(error)".contains("format 2"))
    }
    // The lock was given back.
    let storage = LinuxStorage()
    storage.close(try storage.lock(directory.path + "/lock"))
  }

  /// Scenario: files of other names, and one that counts past all numbers, lie beside the segments.
  /// Guarantees: they are not read, and numbering does not notice.
  @Test func otherFilesAreLeftAlone() throws {
    let directory = try TemporaryDirectory()
    for name in [
      "notes.txt", "journal-1.log", "journal-0000000000000000000x.log",
      "journal-18446744073709551615.log", "journal-99999999999999999999.log",
    ] {
      try directory.write([1, 2, 3], to: name)
    }
    let journal = try Journal(opening: JournalConfiguration(directory: directory.path))
    #expect(journal.nextSequence == 0)
    #expect(try Contents.read(directory.path).summary == JournalReadSummary())
  }

  /// Scenario: bytes and files as FORMAT.md has them.
  /// Guarantees: the format does not change unnoticed.
  @Test func formatIsAsDocumented() throws {
    #expect(
      SegmentName.path(in: "d", first: 12) == "d/journal-00000000000000000012.log")
    let header = SegmentHeader(firstSequence: 0x0102, marker: 0xA0B0_C0D0).bytes
    #expect(header.count == 32)
    #expect(Array(header[0..<8]) == Array("SPANGJNL".utf8))
    #expect(Array(header[8..<12]) == [1, 0, 0, 0])
    #expect(Array(header[12..<16]) == [0xD0, 0xC0, 0xB0, 0xA0])
    #expect(Array(header[16..<24]) == [2, 1, 0, 0, 0, 0, 0, 0])
    var group = GroupBuffer()
    let start = group.beginRecord(.batch, marker: 7)
    var encoder = RecordEncoder()
    let service = Name(tenant: .standard, kind: .service, text: "a")
    let span = SpanRecord(
      id: SpanID(0x0102_0304_0506_0708), start: 1_000, end: 1_300, service: service.id,
      kind: .server)
    encoder.encode(
      SpanBatch(traces: [TraceID(high: 1, low: 2)], spans: [span], names: [service.id]),
      sequence: 5, into: &group
    ) { _ in service }
    group.endRecord(start, marker: 7)
    let storage = LinuxStorage()
    let directory = try TemporaryDirectory()
    let descriptor = try storage.create(directory.path + "/record")
    try group.write(to: descriptor, storage)
    storage.close(descriptor)
    let bytes = try directory.bytes(of: "record")
    let id = withUnsafeBytes(of: service.id.raw.littleEndian) { Array($0) }
    let payload: [UInt8] =
      [5, 0, 0, 0, 0, 0, 0, 0, 0, 0xE8, 3, 0, 0, 0, 0, 0, 0, 1]
      + [0x20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]
      + [1, 2, 3, 4, 5, 6, 7, 8, 0, 0xAC, 2, 1, 0, 0, 0, 0]
      + [1, 1] + id + [1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x61]
    #expect(Array(bytes[0..<4]) == [7, 0, 0, 0])
    #expect(Array(bytes[8..<13]) == [UInt8(payload.count), 0, 0, 0, 1])
    #expect(Array(bytes[13...]) == payload)
  }
}
