/// Finds export requests in a protobuf file, by the outermost layer of the wire format alone.
/// - Source: opentelemetry/proto/trace/v1/trace.proto, `TracesData.resource_spans` (field 1, which
///   `ExportTraceServiceRequest` shares); the Collector's file exporter puts the length of each
///   message before it, in four bytes, big-endian.
enum ProtobufMessages {
  /// The ranges of the messages; nil when the bytes are neither.
  static func ranges(in bytes: [UInt8], pieceBytes: Int) -> [Range<Int>]? {
    if let ends = recordEnds(in: bytes, 0..<bytes.count) {
      return pieces(ends, pieceBytes: pieceBytes)
    }
    return prefixed(bytes)
  }

  /// Where each record of field 1 ends; nil when there is anything else.
  private static func recordEnds(in bytes: [UInt8], _ range: Range<Int>) -> [Int]? {
    var ends: [Int] = []
    var position = range.lowerBound
    while position < range.upperBound {
      guard bytes[position] == 0x0A,
        let (length, start) = varint(bytes, position + 1, range.upperBound),
        length <= UInt64(range.upperBound - start)
      else { return nil }
      position = start + Int(length)
      ends.append(position)
    }
    return ends
  }

  /// A message may be cut between any two records: each part is a message.
  private static func pieces(_ ends: [Int], pieceBytes: Int) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    var last = 0
    for end in ends {
      if end - start > pieceBytes, last > start {
        pieces.append(start..<last)
        start = last
      }
      last = end
    }
    if last > start { pieces.append(start..<last) }
    return pieces
  }

  private static func prefixed(_ bytes: [UInt8]) -> [Range<Int>]? {
    var ranges: [Range<Int>] = []
    var position = 0
    while position < bytes.count {
      guard bytes.count - position >= 4 else { return nil }
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let start = position + 4
      guard length <= bytes.count - start,
        recordEnds(in: bytes, start..<start + length) != nil
      else { return nil }
      if length > 0 { ranges.append(start..<start + length) }
      position = start + length
    }
    return ranges
  }

  private static func varint(_ bytes: [UInt8], _ start: Int, _ end: Int) -> (UInt64, Int)? {
    var value: UInt64 = 0
    var position = start
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      guard position < end else { return nil }
      value |= UInt64(bytes[position] & 0x7F) << shift
      position += 1
      if bytes[position - 1] & 0x80 == 0 { return (value, position) }
    }
    return nil
  }
}
