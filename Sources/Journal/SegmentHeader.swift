internal import Model

/// What a segment begins with, twice: either copy is enough to read the rest.
struct SegmentHeader: Equatable, Sendable {
  /// The format this version writes, and the newest it reads.
  static let version: UInt32 = 1
  static let magic = Array("SPANGJNL".utf8)
  /// The length of one copy.
  static let bytesCount = 32

  var version = SegmentHeader.version
  /// The number of the segment's first batch, as its name has it.
  var firstSequence: UInt64
  /// What each record of this segment begins with. Random, so that no sender can make bytes that
  /// look like a record where reading resumes after damage.
  var marker: UInt32

  init(firstSequence: UInt64, marker: UInt32) {
    self.firstSequence = firstSequence
    self.marker = marker
  }

  var bytes: [UInt8] {
    var writer = ByteWriter()
    for byte in SegmentHeader.magic { writer.write(byte) }
    writer.write(fixed: version)
    writer.write(fixed: marker)
    writer.write(fixed: firstSequence)
    writer.write(fixed: UInt32(0))
    writer.write(fixed: SegmentHeader.check(writer.bytes[...]))
    return writer.bytes
  }

  /// Reads the first intact copy; nil when both are damaged.
  init?(segment: [UInt8]) {
    for copy in 0..<2 {
      let start = copy * SegmentHeader.bytesCount
      guard segment.count >= start + SegmentHeader.bytesCount else { return nil }
      if let header = SegmentHeader(copy: segment[start..<start + SegmentHeader.bytesCount]) {
        self = header
        return
      }
    }
    return nil
  }

  private init?(copy: ArraySlice<UInt8>) {
    guard copy.starts(with: SegmentHeader.magic) else { return nil }
    var reader = ByteReader(copy.dropFirst(SegmentHeader.magic.count))
    do {
      version = try reader.readFixed32()
      marker = try reader.readFixed32()
      firstSequence = try reader.readFixed64()
      _ = try reader.readFixed32()
      guard try reader.readFixed32() == SegmentHeader.check(copy.dropLast(4)) else { return nil }
    } catch {
      return nil
    }
  }

  private static func check(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    unsafe bytes.withUnsafeBytes { unsafe CRC32C.checksum($0) }
  }
}

/// The names of segments: `journal-` and the number of the first batch in 20 digits, so that they
/// sort.
enum SegmentName {
  static let prefix = "journal-"
  static let suffix = ".log"
  static let digitsCount = 20

  static func path(in directory: String, first: UInt64) -> String {
    let digits = String(first)
    let zeros = String(repeating: "0", count: digitsCount - digits.count)
    return "\(directory)/\(prefix)\(zeros)\(digits)\(suffix)"
  }

  /// The first sequence number a file name tells; nil for a file that is no segment.
  static func first(of name: String) -> UInt64? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    let digits = name.utf8.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
    guard digits.count == digitsCount,
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    // No journal ever counts this far; a file named so by hand must not make the count overflow.
    return UInt64(String(decoding: digits, as: UTF8.self)).flatMap {
      $0 > UInt64.max / 2 ? nil : $0
    }
  }
}
