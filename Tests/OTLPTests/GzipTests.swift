import TestSupport
import Testing

@testable import OTLP

@Suite struct GzipTests {
  private func inflate(_ body: [UInt8], bytesMax: Int = 1 << 20) throws(DecodeError) -> [UInt8] {
    let result = body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in try Gzip.inflate(bytes, bytesMax: bytesMax) }
    }
    return try result.get()
  }

  private func fault(_ body: [UInt8]) -> GzipFault? {
    do throws(DecodeError) {
      _ = try inflate(body)
      return nil
    } catch .malformedGzip(let fault) { return fault } catch { return nil }
  }

  private func noise(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(seed: 7)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Scenario: bodies of no byte, a few, exactly a step of 64 KiB, and several steps.
  /// Guarantees: what was packed comes out.
  @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 131_072, 300_000])
  func roundTrip(count: Int) throws {
    let body = noise(count)
    #expect(try inflate(Gzip.deflate(body)) == body)
    let zeros = [UInt8](repeating: 0, count: count)
    #expect(try inflate(Gzip.deflate(zeros)) == zeros)
  }

  /// Scenario: several members, one of them empty.
  /// Guarantees: their contents, one after the other.
  @Test func membersAreJoined() throws {
    let body = Gzip.deflate([1, 2]) + Gzip.deflate([]) + Gzip.deflate([3])
    #expect(try inflate(body) == [1, 2, 3])
  }

  /// Scenario: a header with a file name, an extra field and a comment.
  /// Guarantees: they are skipped.
  @Test func headersMayBeLong() throws {
    var body = Gzip.deflate([7, 8, 9])
    body[3] = 0x04 | 0x08 | 0x10
    body.insert(contentsOf: [2, 0, 0xAA, 0xBB] + Array("name\u{0}comment\u{0}".utf8), at: 10)
    #expect(try inflate(body) == [7, 8, 9])
  }

  /// Scenario: a stream cut at every byte, in a member and between the two of them.
  /// Guarantees: truncated, except where a member ends.
  @Test func truncationIsSeen() {
    let first = Gzip.deflate(noise(300))
    let body = first + Gzip.deflate([1])
    for count in 0..<body.count where count != first.count {
      #expect(fault(Array(body[..<count])) == .truncated, "cut at \(count)")
    }
    #expect(fault(first) == nil)
  }

  /// Scenario: bytes after the last member, a zero among them.
  /// Guarantees: trailing garbage.
  @Test(arguments: [[0], [0x1F, 0x00], [0x41, 0x42], [0x8B]] as [[UInt8]])
  func garbageIsSeen(garbage: [UInt8]) {
    #expect(fault(Gzip.deflate([1, 2, 3]) + garbage) == .trailingGarbage)
  }

  /// Scenario: a wrong checksum, and a wrong length.
  /// Guarantees: both are told apart from a damaged stream.
  @Test func checksumsAreChecked() {
    let body = Gzip.deflate(noise(100))
    for offset in [8, 4] {
      var damaged = body
      damaged[body.count - offset] ^= 1
      #expect(fault(damaged) == .checksumMismatch)
    }
    var damaged = body
    damaged[10] = 0x07
    #expect(fault(damaged) == .notGzip)
    #expect(fault([0x28, 0xB5, 0x2F, 0xFD, 0x00]) == .notGzip)
    #expect(fault(Array("{\"resourceSpans\":[]}".utf8)) == .notGzip)
  }

  /// Scenario: 100 MB of zeros in 100 KB, and bodies at the limit and one byte over it.
  /// Guarantees: refused as too large soon after the limit; at the limit accepted.
  @Test func bombsAreDefused() throws {
    let bomb = Gzip.deflate([UInt8](repeating: 0, count: 100_000_000))
    #expect(bomb.count < 200_000)
    #expect(throws: DecodeError.bodyTooLarge(bytesMax: 1_000_000)) {
      try inflate(bomb, bytesMax: 1_000_000)
    }
    let body = Gzip.deflate([UInt8](repeating: 0, count: 70_000))
    #expect(try inflate(body, bytesMax: 70_000).count == 70_000)
    #expect(throws: DecodeError.bodyTooLarge(bytesMax: 69_999)) {
      try inflate(body, bytesMax: 69_999)
    }
  }

  /// Scenario: a packed request, changed at random.
  /// Guarantees: never a crash, never more than the limit, never other bytes than the body's.
  @Test func mutationsNeverCrash() {
    var random = SeededGenerator()
    let body = Array(repeating: ProtobufBuilder.request(), count: 20).flatMap { $0 }
    let packed = Gzip.deflate(body)
    for _ in 0..<2000 {
      var damaged = packed
      damaged[Int.random(in: 10..<packed.count, using: &random)] ^=
        1 << UInt8.random(in: 0..<8, using: &random)
      guard let unpacked = try? inflate(damaged, bytesMax: 100_000) else { continue }
      #expect(unpacked == body, "seed \(random.seed)")
    }
  }
}
