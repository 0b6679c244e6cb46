import Model
import TestSupport
import Testing

@testable import Journal

@Suite struct RoundTripTests {
  /// Scenario: random batches and seals are committed in random groups over small segments, in
  /// several runs of the process, with every durability.
  /// Guarantees: what is read back is equal, in order, with the texts of all names, once each
  /// segment.
  @Test(arguments: Durability.allCases) func readsWhatWasWritten(durability: Durability) throws {
    let directory = try TemporaryDirectory()
    var maker = BatchMaker(SeededGenerator("readsWhatWasWritten"))
    var expected = Contents()
    for _ in 0..<4 {
      var journal = try Journal(
        opening: JournalConfiguration(
          directory: directory.path, segmentBytesMax: 20_000, durability: durability))
      for _ in 0..<20 {
        for _ in 0..<Int.random(in: 0...3, using: &maker.generator) {
          let batch = maker.batch(spansMax: 30)
          let sequence = journal.append(batch) { maker.names[$0] }
          expected.batches[sequence] = batch
          expected.order.append(sequence)
          for name in batch.names { expected.names[name] = maker.names[name] }
        }
        if Bool.random(using: &maker.generator) {
          let traces = maker.traces(countMax: 5)
          let checkpoint = UInt64.random(in: 0...UInt64.max, using: &maker.generator)
          journal.appendSeal(checkpoint: checkpoint, traces: traces)
          expected.seals.append(checkpoint)
          expected.sealed.append(traces)
        }
        try journal.commit()
      }
    }
    let (contents, summary) = try Contents.read(directory.path)
    #expect(contents == expected)
    #expect(expected.order == expected.order.sorted())
    #expect(summary.batches == expected.batches.count)
    #expect(summary.seals == expected.seals.count)
    #expect(summary.spans == expected.batches.values.reduce(0) { $0 + $1.sentCount })
    #expect(summary.skippedRecords == 0)
    #expect(summary.tornBytes == 0)
    #expect(summary.segments == (try directory.segments.count))
    #expect(summary.nextSequence == expected.order.last.map { $0 + 1 })
  }

  /// Scenario: a batch of 1 000 spans by Envoy-like senders: ten spans a trace, all fields in use.
  /// Guarantees: its record takes at most 80 bytes a span.
  @Test func recordsAreCompact() throws {
    let directory = try TemporaryDirectory()
    var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
    let names = (1...1_000).map { NameID($0 &* 0x9E37_79B9_7F4A_7C15) }
    var batch = SpanBatch(names: names)
    for position in 0..<1_000 {
      let start = 1_700_000_000_000_000_000 + UInt64(position) * 1_000_003
      batch.append(
        SpanRecord(
          id: SpanID(UInt64(position) + 1), parent: SpanID(7), start: start,
          end: start + 12_345_678, service: names[position % 20], version: names[20],
          instance: names[21 + position % 30], operation: names[position], peer: names[51],
          kind: .server, traits: .proxy),
        trace: TraceID(high: UInt64(position / 10), low: 9))
    }
    journal.append(batch) { _ in nil }
    try journal.commit()
    #expect(journal.statistics.bytes < 80 * 1_000)
  }

  /// Scenario: the traits' field of spans as earlier versions wrote it, with and without an address,
  /// and as this one does, with and without links and with traits that came later.
  /// Guarantees: the old bits mean what they meant; nothing is lost; what has no room is refused.
  @Test func traitsField() {
    let old = TraitsField(rawValue: 0xFFFF)
    #expect(old.traits?.rawValue == 0xFFFF && !old.hasAddress && !old.hasLinks)
    let withAddress = TraitsField(rawValue: 1 << 16 | 3)
    #expect(withAddress.traits == [.error, .proxy] && withAddress.hasAddress)
    for bit in 0..<UInt32(32) {
      var span = SpanRecord(id: SpanID(1), start: 5, end: 6, service: NameID(1))
      span.traits = SpanTraits(rawValue: 1 << bit)
      var field = TraitsField(span, isSameProcess: false)
      #expect(field.traits == span.traits && !field.hasAddress && !field.hasLinks)
      span.links = 3
      span.peerAddress = NameID(4)
      field = TraitsField(span, isSameProcess: false)
      #expect(field.traits == span.traits && field.hasAddress && field.hasLinks)
    }
    #expect(TraitsField(rawValue: 1 << 36).traits == nil)
  }

  /// Scenario: a batch refers to a name it does not list, and to one whose text nobody has.
  /// Guarantees: it is read back equal; the missing text is asked for again with the next batch.
  @Test func namesWithoutTextAreAskedForAgain() throws {
    let directory = try TemporaryDirectory()
    let service = Name(tenant: .standard, kind: .service, text: "late")
    let span = SpanRecord(id: SpanID(1), start: 5, end: 6, service: service.id)
    let batch = SpanBatch(traces: [TraceID(high: 1, low: 1)], spans: [span])
    do {
      var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
      var asked = 0
      journal.append(batch) { _ in
        asked += 1
        return nil
      }
      journal.append(batch) { _ in
        asked += 1
        return service
      }
      journal.append(batch) { _ in
        asked += 1
        return service
      }
      try journal.commit()
      #expect(asked == 2)
    }
    let (contents, _) = try Contents.read(directory.path)
    #expect(contents.order == [0, 1, 2])
    #expect(contents.batches.values.allSatisfy { $0 == batch })
    #expect(contents.names == [service.id: service])
  }

  /// Scenario: a name whose bytes were no valid UTF-8: its id is not that of its repaired text.
  /// Guarantees: the id survives.
  @Test func idsOfRepairedTextsSurvive() throws {
    let directory = try TemporaryDirectory()
    var name = Name(tenant: .standard, kind: .service, text: "caf\u{FFFD}")
    name.id = NameID(42)
    let span = SpanRecord(id: SpanID(1), start: 5, end: 6, service: name.id)
    do {
      var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
      journal.append(
        SpanBatch(traces: [TraceID(high: 0, low: 1)], spans: [span], names: [name.id])
      ) { _ in name }
      try journal.commit()
    }
    #expect(try Contents.read(directory.path).contents.names == [NameID(42): name])
  }

  /// Scenario: reading begins at a mark in the middle of a segment.
  /// Guarantees: exactly the batches from the mark on, with the texts that earlier ones brought.
  @Test func readsFromAMark() throws {
    let directory = try TemporaryDirectory()
    var maker = BatchMaker(SeededGenerator("readsFromAMark"))
    do {
      var journal = try Journal(
        opening: JournalConfiguration(directory: directory.path, segmentBytesMax: 6_000))
      for _ in 0..<30 {
        journal.append(maker.batch(spansMax: 20)) { maker.names[$0] }
        try journal.commit()
      }
    }
    let all = try Contents.read(directory.path).contents
    for mark in [0, 1, 7, 29, 30, 1_000] as [UInt64] {
      let some = try Contents.read(directory.path, from: mark).contents
      #expect(some.order == all.order.filter { $0 >= mark })
      for batch in some.batches.values {
        for name in batch.names { #expect(some.names[name] == maker.names[name]) }
      }
    }
  }

  /// Scenario: the caller's closure throws.
  /// Guarantees: reading stops with that error.
  @Test func errorsOfTheCallerEndReading() throws {
    struct Enough: Error {}
    let directory = try TemporaryDirectory()
    var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
    journal.append(SpanBatch()) { _ in nil }
    try journal.commit()
    #expect(throws: Enough.self) {
      try JournalReader.read(directory: directory.path, from: 0) { _ in throw Enough() }
    }
  }

  /// Scenario: one group larger than the memory that is kept, after which a small one.
  /// Guarantees: both are read back; bytes pending are those of the group.
  @Test func largeGroupsAreWrittenWhole() throws {
    let directory = try TemporaryDirectory()
    var journal = try Journal(
      opening: JournalConfiguration(directory: directory.path, durability: .os))
    let traces = (0..<520_000).map {
      TraceKey(tenant: .standard, trace: TraceID(high: 0, low: UInt64($0)))
    }
    journal.appendSeal(checkpoint: 1, traces: traces)
    #expect(journal.pendingBytes > 8 << 20)
    try journal.commit()
    #expect(journal.pendingBytes == 0)
    journal.appendSeal(checkpoint: 2, traces: [])
    try journal.commit()
    let contents = try Contents.read(directory.path).contents
    #expect(contents.seals == [1, 2])
    #expect(contents.sealed[0].count == traces.count)
  }

  /// Scenario: spans with and without a peer's address, each with no traits, one, and all.
  /// Guarantees: read back equal; an address takes no trait's place, and a span without one no room.
  @Test func addressesOfFailedCalls() throws {
    let addresses = [NameID.none, NameID(77)]
    var sizes: [Int] = []
    for address in addresses {
      let directory = try TemporaryDirectory()
      var batch = SpanBatch()
      for (index, traits) in [SpanTraits(), .error, SpanTraits(rawValue: .max)].enumerated() {
        batch.append(
          SpanRecord(
            id: SpanID(UInt64(index + 1)), start: 5, end: 9, service: NameID(3),
            operation: NameID(4), peer: NameID(5), peerAddress: address, kind: .client,
            traits: traits), trace: TraceID(high: 1, low: 2))
      }
      batch.names = [NameID(3), NameID(4), NameID(5), NameID(77)]
      var journal = try Journal(opening: JournalConfiguration(directory: directory.path))
      journal.append(batch) { _ in nil }
      sizes.append(journal.pendingBytes)
      try journal.commit()
      #expect(try Contents.read(directory.path).contents.batches.values.first == batch)
    }
    // One byte a span for the number of the name; a field of traits where there was none takes
    // three, a field of one byte two more, one of three bytes none.
    #expect(sizes[1] - sizes[0] == 3 * 1 + 3 + 2)
  }
}
