import TestSupport
import Testing

@testable import Model

@Suite struct SumsTests {
  /// Scenario: random sums are written and read.
  /// Guarantees: they are equal, byte for byte the same when written again, and nothing is left
  /// over.
  @Test func serialFormIsReadAsItIsWritten() throws {
    var random = SeededGenerator()
    for size in [0, 1, 2, 5, 40] {
      for _ in 0..<30 {
        let sums = random.sums(size)
        var reader = ByteReader(sums.bytes)
        let read = try Sums(from: &reader)
        #expect(read == sums && reader.isAtEnd)
        #expect(read.bytes == sums.bytes)
      }
    }
  }

  /// Scenario: random sums are added to others as they are, and from their serial form.
  /// Guarantees: the same sums, down to the examples.
  @Test func mergingTheSerialFormIsMerging() throws {
    var random = SeededGenerator()
    for size in [0, 1, 3, 30] {
      for _ in 0..<30 {
        let added = random.sums(size)
        var expected = random.sums(random.below(20))
        var sums = expected
        expected.merge(added)
        var reader = ByteReader(added.bytes)
        try sums.merge(from: &reader)
        #expect(sums == expected && reader.isAtEnd)
      }
    }
  }

  /// Scenario: several sums stand one after the other in one buffer, which begins in the middle.
  /// Guarantees: each is read to its end and no further.
  @Test func sumsFollowOneAnother() throws {
    var random = SeededGenerator()
    let all = (0..<10).map { _ in random.sums(4) }
    var writer = ByteWriter()
    writer.write(UInt8(0xEE))
    for sums in all { sums.write(to: &writer) }
    var reader = ByteReader(writer.bytes[1...])
    for sums in all { #expect(try Sums(from: &reader) == sums) }
    #expect(reader.isAtEnd)
  }

  /// Scenario: the bytes end early, at every place.
  /// Guarantees: an error, never a crash and never sums.
  @Test func everyTruncationIsAnError() {
    var random = SeededGenerator()
    for size in [1, 3, 20] {
      let bytes = random.sums(size).bytes
      for count in 0..<bytes.count {
        var reader = ByteReader(bytes[..<count])
        #expect(throws: MalformedBytes.self) { try Sums(from: &reader) }
      }
    }
  }

  /// Scenario: every bit is flipped, and every byte replaced by every extreme.
  /// Guarantees: an error or other sums whose own form can be read again; never a crash.
  @Test func everyFlippedBitIsSurvived() throws {
    var random = SeededGenerator()
    let bytes = random.sums(12).bytes
    for position in bytes.indices {
      let flips = (0..<8).map { bytes[position] ^ (1 << $0) } + [0x00, 0x7F, 0x80, 0xFF]
      for byte in flips {
        var damaged = bytes
        damaged[position] = byte
        var reader = ByteReader(damaged)
        guard let sums = try? Sums(from: &reader) else { continue }
        var again = ByteReader(sums.bytes)
        #expect(try Sums(from: &again) == sums)
      }
    }
  }

  /// Scenario: random bytes.
  /// Guarantees: no crash, and no memory taken for counts that cannot be.
  @Test func randomBytesAreSurvived() {
    var random = SeededGenerator()
    for _ in 0..<5000 {
      var bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      if !bytes.isEmpty { bytes[0] = 1 }
      var reader = ByteReader(bytes)
      _ = try? Sums(from: &reader)
    }
  }

  /// Scenario: another version, and counters this version does not know.
  /// Guarantees: both are refused: what follows would be read as something else.
  @Test func unknownFormIsRefused() {
    for bytes: [UInt8] in [[2, 0, 0, 0, 0, 0], [1, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0, 0]] {
      var reader = ByteReader(bytes)
      #expect(throws: MalformedBytes.self) { try Sums(from: &reader) }
    }
  }

  /// Scenario: fixed sums.
  /// Guarantees: their form does not change silently, because disks hold it.
  @Test func serialFormIsStable() {
    var sums = Sums()
    sums.counters[.requests] = 1
    sums.counters[.late] = -2
    sums.latency.add(1000, weight: 256)
    sums.latency.add(2000, weight: 256)
    sums.exemplars.offer(TraceID(high: 1, low: 2))
    #expect(
      sums.bytes == [
        1, 0x81, 0x10, 2, 3,
        2, 0, 0xB8, 0x17, 1, 0x80, 0x04, 32, 0x80, 0x04,
        0, 0, 1,
        1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
      ])
    var path = Sums()
    path.counters[.criticalPathNanos] = 3
    path.counters[.retryNanos] = 1
    path.wholes.add(1000, weight: 256)
    #expect(path.bytes == [1, 0x80, 0x84, 0x06, 6, 2, 0, 0, 0, 1, 0, 0xE8, 0x07, 1, 0x80, 0x04, 0])
    var sampled = Sums()
    sampled.squaredWeightExcess = -1
    #expect(
      sampled.bytes == [1, 0x80, 0x80, 0x08, 1] + Array(repeating: 0xFF, count: 9) + [
        1, 0, 0, 0, 0,
      ]
    )
  }

  /// Scenario: requests that were not sampled, requests that each stand for 2^24, and what is no
  /// request; some are taken back.
  /// Guarantees: the first and the last add nothing; the squares of the others are exact far beyond
  /// 64 bits, and gone when they are taken back.
  @Test func squaresOfWeights() {
    func request(weight: Int64, count: Int64 = 1) -> Finding {
      var finding = Finding(window: 0, key: .node(NameID(1)), weight: weight)
      finding.counters[.requests] = count
      finding.counters[.requestsAdjusted] = weight &* count
      return finding
    }
    var sums = Sums()
    for _ in 0..<1_000 { sums.add(request(weight: 256)) }
    sums.add(request(weight: 0))
    #expect(sums.squaredWeightExcess == 0)
    let greatest = Int64(UInt32.max)
    for _ in 0..<1_000 { sums.add(request(weight: greatest)) }
    sums.add(request(weight: 512, count: 3))
    let square = Int128(greatest) * Int128(greatest)
    #expect(square * 1_000 > Int128(Int64.max))
    #expect(sums.squaredWeightExcess == 1_000 * (square - 65_536) + 3 * (4 - 1) * 65_536)
    for _ in 0..<1_000 { sums.add(request(weight: greatest), sign: -1) }
    #expect(sums.squaredWeightExcess == 3 * 3 * 65_536)
    var other = Sums()
    other.merge(sums, sign: -1)
    other.merge(sums)
    #expect(other.isZero)
  }

  /// Scenario: findings are added and taken away.
  /// Guarantees: nothing is left; exemplars are offered by what is added and go with what is taken
  /// away.
  @Test func findingsAreTakenBack() {
    var random = SeededGenerator()
    let findings = (0..<50).map { _ in random.finding() }
    var sums = Sums()
    #expect(sums.isZero)
    for finding in findings { sums.add(finding) }
    #expect(!sums.isZero && !sums.exemplars.traces.isEmpty)
    for finding in findings.shuffled(using: &random) { sums.add(finding, sign: -1) }
    #expect(sums.isZero && sums.hasSameCounts(as: Sums()) && sums == Sums())
    var untouched = Sums()
    untouched.add(findings[0], sign: -1)
    #expect(untouched.exemplars.traces.isEmpty)
  }
}

@Suite struct BytesTests {
  /// Scenario: integers of every magnitude, and texts, in one buffer.
  /// Guarantees: each is read as it was written.
  @Test func everythingIsReadAsItIsWritten() throws {
    var random = SeededGenerator()
    for _ in 0..<500 {
      let value = random.anyMagnitude()
      let signed = Int64(bitPattern: random.next()) >> Int64(random.below(64))
      let text = String(
        (0..<random.below(9)).map { _ in "aé→😀\u{0}".randomElement(using: &random)! })
      var writer = ByteWriter()
      writer.write(UInt8(truncatingIfNeeded: value))
      writer.write(fixed: value)
      writer.write(fixed: UInt32(truncatingIfNeeded: value))
      writer.write(varint: value)
      writer.write(signed: signed)
      writer.write(text: text)
      var reader = ByteReader(writer.bytes)
      #expect(reader.remaining == writer.bytes.count)
      #expect(try reader.readByte() == UInt8(truncatingIfNeeded: value))
      #expect(try reader.readFixed64() == value)
      #expect(try reader.readFixed32() == UInt32(truncatingIfNeeded: value))
      #expect(try reader.readVarint() == value)
      #expect(try reader.readSigned() == signed)
      #expect(try reader.readText() == text)
      #expect(reader.isAtEnd)
      writer.removeAll()
      #expect(writer.bytes.isEmpty)
    }
    for signed in [Int64.min, -1, 0, 1, .max] {
      var writer = ByteWriter()
      writer.write(signed: signed)
      var reader = ByteReader(writer.bytes)
      #expect(try reader.readSigned() == signed)
    }
  }

  /// Scenario: every read at the end of the bytes.
  /// Guarantees: an error, and the position stays where it was for the fixed ones.
  @Test func readingBeyondTheEnd() {
    var reader = ByteReader([0x80])
    #expect(throws: MalformedBytes.self) { try reader.readFixed64() }
    #expect(throws: MalformedBytes.self) { try reader.readFixed32() }
    #expect(reader.remaining == 1)
    #expect(throws: MalformedBytes.self) { try reader.readVarint() }
    #expect(throws: MalformedBytes.self) { try reader.readByte() }
    #expect(throws: MalformedBytes.self) { try reader.readSigned() }
    #expect(throws: MalformedBytes.self) { try reader.readText() }
  }

  /// Scenario: a varint without end, and a count of more things than bytes are left.
  /// Guarantees: errors, so that no memory is reserved on a claim.
  @Test func claimsAreChecked() {
    var endless = ByteReader(Array(repeating: 0xFF, count: 20))
    #expect(throws: MalformedBytes.self) { try endless.readVarint() }
    var greedy = ByteReader([3, 1, 2])
    #expect(throws: MalformedBytes.self) { try greedy.readCount() }
    var huge = ByteReader([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01])
    #expect(throws: MalformedBytes.self) { try huge.readText() }
  }
}
