import Model
import TestSupport
import Testing

@testable import Journal

@Suite struct DamageTests {
  private static let name = "journal-00000000000000000000.log"

  /// A log of one segment: its bytes, its contents, and where each record ends.
  private struct Sample {
    var bytes: [UInt8]
    var contents: Contents
    var ends: [Int]

    init(_ test: String, records: Int = 5) throws {
      let directory = try TemporaryDirectory()
      var maker = BatchMaker(SeededGenerator(test), namesCount: 1)
      do {
        var journal = try Journal(
          opening: JournalConfiguration(directory: directory.path, durability: .os))
        for number in 0..<records {
          if number % 3 == 2 {
            journal.appendSeal(
              checkpoint: UInt64(number), traces: maker.traces(countMax: 2))
          } else {
            journal.append(maker.batch(spansMax: 3)) { maker.names[$0] }
          }
          try journal.commit()
        }
      }
      bytes = try directory.bytes(of: DamageTests.name)
      contents = try Contents.read(directory.path).contents
      let header = try #require(SegmentHeader(segment: bytes))
      var scanner = SegmentScanner(bytes, header: header)
      var ends: [Int] = []
      while let record = scanner.next() { ends.append(record.end) }
      #expect(ends.count == records)
      self.ends = ends
    }

    /// The records numbered so that one list holds batches and seals in order.
    func records(_ contents: Contents) -> [String] {
      contents.order.map { "batch \($0) \(contents.batches[$0]!)" }
        + zip(contents.seals, contents.sealed).map { "seal \($0) \($1)" }
    }
  }

  /// Scenario: the log is cut at every byte, read, opened for writing, and written to.
  /// Guarantees: all whole records before the cut are read and none invented; the tail is cut off
  /// and counted; what is written afterwards is read too, under new numbers.
  @Test func everyCutLeavesTheWholeRecords() throws {
    let sample = try Sample("everyCutLeavesTheWholeRecords")
    let directory = try TemporaryDirectory()
    for cut in 0...sample.bytes.count {
      for old in try directory.segments {
        try LinuxStorage().remove("\(directory.path)/\(old)")
      }
      try directory.write(sample.bytes[..<cut], to: DamageTests.name)
      let whole = sample.ends.filter { $0 <= cut }
      let (read, summary) = try Contents.read(directory.path)
      #expect(read.order.count + read.seals.count == whole.count, "cut at \(cut)")
      #expect(read.batches.allSatisfy { sample.contents.batches[$0] == $1 })
      #expect(read.seals == Array(sample.contents.seals.prefix(read.seals.count)))
      let isHeaderWhole = cut >= SegmentHeader.bytesCount
      let intact = max(whole.last ?? 0, min(cut, 2 * SegmentHeader.bytesCount))
      #expect(summary.tornBytes == (isHeaderWhole ? cut - intact : 0))

      var journal = try Journal(
        opening: JournalConfiguration(directory: directory.path, durability: .os))
      #expect(journal.statistics.truncatedBytes == summary.tornBytes)
      #expect(try directory.bytes(of: DamageTests.name).count == (isHeaderWhole ? intact : cut))
      let sequence = journal.append(SpanBatch(tenant: TenantID(99))) { _ in nil }
      #expect(sequence > read.order.last ?? 0)
      try journal.commit()
      let (again, _) = try Contents.read(directory.path)
      #expect(again.order == read.order + [sequence])
    }
  }

  /// Scenario: each byte of the log in turn is damaged, in one bit or in all.
  /// Guarantees: never a crash; every record but the one that was hit is read, equal, and the
  /// damage is counted (one header copy may be lost without any harm).
  @Test(arguments: [0x01, 0x80, 0xFF] as [UInt8]) func everyFlippedByteCostsOneRecord(
    mask: UInt8
  ) throws {
    let sample = try Sample("everyFlippedByteCostsOneRecord")
    let directory = try TemporaryDirectory()
    let all = sample.records(sample.contents)
    for position in sample.bytes.indices {
      var bytes = sample.bytes
      bytes[position] ^= mask
      try directory.write(bytes, to: DamageTests.name)
      let (read, summary) = try Contents.read(directory.path)
      let records = sample.records(read)
      if position < 2 * SegmentHeader.bytesCount {
        #expect(records == all)
        #expect(summary.skippedRecords == 0)
      } else {
        #expect(records.count == all.count - 1, "byte \(position)")
        #expect(Set(records).isSubset(of: all))
        let isLast = position >= sample.ends[sample.ends.count - 2]
        #expect(summary.skippedRecords == (isLast ? 0 : 1))
        #expect((summary.tornBytes > 0) == isLast)
      }
    }
  }

  /// Scenario: random stretches are overwritten with random bytes, removed, or doubled.
  /// Guarantees: reading and opening never fail; what is read was written, at most once each batch.
  @Test func randomDamageInventsNothing() throws {
    let sample = try Sample("randomDamageInventsNothing", records: 12)
    var generator = SeededGenerator("randomDamageInventsNothing")
    let directory = try TemporaryDirectory()
    for _ in 0..<300 {
      var bytes = sample.bytes
      let start = Int.random(in: 0..<bytes.count, using: &generator)
      let end = min(bytes.count, start + Int.random(in: 1...200, using: &generator))
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: for index in start..<end { bytes[index] = .random(in: 0...255, using: &generator) }
      case 1: bytes.removeSubrange(start..<end)
      default: bytes.insert(contentsOf: bytes[start..<end], at: end)
      }
      try directory.write(bytes, to: DamageTests.name)
      let read = try Contents.read(directory.path).contents
      #expect(read.batches.allSatisfy { sample.contents.batches[$0] == $1 })
      #expect(Set(read.order).count == read.order.count)
      let journal = try Journal(
        opening: JournalConfiguration(directory: directory.path, durability: .os))
      #expect(journal.nextSequence > read.order.last ?? 0)
    }
  }

  /// Scenario: both copies of a segment's header are gone, in the newest segment and in an older
  /// one. Guarantees: the segment is passed over and counted; the other segments are read; its
  /// number is not given again; it goes when the mark has passed it.
  @Test func segmentsWithoutHeaderArePassedOver() throws {
    let directory = try TemporaryDirectory()
    let configuration = JournalConfiguration(
      directory: directory.path, segmentBytesMax: 1, durability: .os)
    do {
      var journal = try Journal(opening: configuration)
      for _ in 0..<3 {
        journal.append(SpanBatch(tenant: TenantID(1))) { _ in nil }
        try journal.commit()
      }
    }
    for damaged in [0, 2] {
      let name = try directory.segments[damaged]
      var bytes = try directory.bytes(of: name)
      for index in 0..<2 * SegmentHeader.bytesCount { bytes[index] ^= 0x55 }
      try directory.write(bytes, to: name)
    }
    let (read, summary) = try Contents.read(directory.path)
    #expect(read.order == [1])
    #expect(summary.skippedRecords == 2)
    var journal = try Journal(opening: configuration)
    #expect(journal.nextSequence == 3)
    #expect(journal.statistics.skippedRecords == 1)
    journal.append(SpanBatch()) { _ in nil }
    try journal.commit()
    try journal.deleteSegments(below: 3)
    #expect(try directory.segments == ["journal-00000000000000000003.log"])
  }

  /// Scenario: a segment bears the header of another; a batch's number lies beyond its segment.
  /// Guarantees: neither is read as something it is not.
  @Test func whatDoesNotBelongIsPassedOver() throws {
    let directory = try TemporaryDirectory()
    let configuration = JournalConfiguration(
      directory: directory.path, segmentBytesMax: 1 << 20, durability: .os)
    do {
      var journal = try Journal(opening: configuration)
      for _ in 0..<3 { journal.append(SpanBatch()) { _ in nil } }
      try journal.commit()
    }
    // Numbers 1 and 2 of the first segment were never committed: the next one begins at 1.
    let bytes = try directory.bytes(of: DamageTests.name)
    let next = SegmentHeader(firstSequence: 1, marker: 5)
    try directory.write(next.bytes + next.bytes, to: "journal-00000000000000000001.log")
    try directory.write(bytes, to: "journal-00000000000000000009.log")
    let (read, summary) = try Contents.read(directory.path)
    #expect(read.order == [0])
    #expect(summary.skippedRecords == 3)
  }

  /// Scenario: records whose check fits but whose payload is cut, too long, or of an unknown kind.
  /// Guarantees: each is passed over and counted; the next one is read.
  @Test func impossiblePayloadsArePassedOver() throws {
    var group = GroupBuffer()
    let header = SegmentHeader(firstSequence: 0, marker: 77)
    group.append(header.bytes + header.bytes)
    let sane: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    let span: [UInt8] = [0x20] + [UInt8](repeating: 1, count: 24) + [0, 0]
    let start = Array(sane[0..<17]) + [1]
    let impossible: [[UInt8]] = [
      [], [1, 2, 3], sane + [0], Array(sane.dropLast()),
      Array(sane[0..<17]) + [5, 0, 0, 0],
      start + [0x00] + span.dropFirst() + [0, 0, 0, 0, 0, 0, 0, 0],
      start + [0x21] + span.dropFirst() + [0, 0, 0, 0, 0, 0, 0, 0],
      start + span + [1, 0, 0, 0, 0, 0, 0, 0], start + span + [0, 0, 0, 0, 0, 0, 1, 0],
      start + span + [0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1] + [UInt8](repeating: 0, count: 9),
      start + span + [0, 0, 0, 0, 0, 1, 1] + [UInt8](repeating: 9, count: 8) + [1, 1, 0, 99],
      start + [0xA0] + span.dropFirst() + [0xFF, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0],
    ]
    for payload in impossible {
      let record = group.beginRecord(.batch, marker: 77)
      group.append(payload)
      group.endRecord(record, marker: 77)
    }
    let seal = group.beginRecord(.seal, marker: 77)
    group.append([1, 0, 0, 0, 0, 0, 0, 0, 9])
    group.endRecord(seal, marker: 77)
    let good = group.beginRecord(.batch, marker: 77)
    group.append(sane)
    group.endRecord(good, marker: 77)

    let directory = try TemporaryDirectory()
    let storage = LinuxStorage()
    let descriptor = try storage.create("\(directory.path)/\(DamageTests.name)")
    try group.write(to: descriptor, storage)
    storage.close(descriptor)
    let (read, summary) = try Contents.read(directory.path)
    #expect(read.batches == [0: SpanBatch()])
    #expect(summary.skippedRecords == impossible.count + 1)
    #expect(throws: MalformedBytes.self) { try RecordDecoder.decode(200, []) }
    let journal = try Journal(opening: JournalConfiguration(directory: directory.path))
    #expect(journal.statistics.truncatedBytes == 0)
  }
}
