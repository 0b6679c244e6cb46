/// Reads the pieces of the protobuf wire format out of bytes nobody has checked.
///
/// Never reads past `end`, and never recurses.
/// - Errors: `DecodeError.malformedProtobuf`, with the byte it was noticed at.
/// - Source: protobuf.dev/programming-guides/encoding.
@safe struct WireReader {
  private let base: UnsafeRawBufferPointer
  private(set) var position: Int
  /// Where the message being read ends.
  var end: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    unsafe base = bytes
    position = 0
    end = bytes.count
  }

  var isAtEnd: Bool { position >= end }

  /// libprotobuf-c reads lengths and tags of at most this many bytes.
  private static let shortVarintBytesMax = 5
  private static let varintBytesMax = 10

  func malformed(_ reason: String) -> DecodeError {
    .malformedProtobuf(offset: position, reason: reason)
  }

  @inline(__always)
  mutating func readTag() throws(DecodeError) -> (number: UInt32, type: WireType) {
    let tag = try readShortVarint()
    guard tag >= 8 else { throw malformed("field number 0") }
    guard let type = WireType(rawValue: UInt8(truncatingIfNeeded: tag & 7)) else {
      throw malformed("wire type \(tag & 7), which does not exist,")
    }
    return (UInt32(truncatingIfNeeded: tag >> 3), type)
  }

  /// The length of what follows, which lies wholly before `end`.
  @inline(__always)
  mutating func readLength() throws(DecodeError) -> Int {
    let length = try readShortVarint()
    guard length <= UInt64(end - position) else {
      throw malformed("a length of \(length) that goes past the end of its message")
    }
    return Int(length)
  }

  mutating func skipVarint() throws(DecodeError) {
    let limit = min(end, position + WireReader.varintBytesMax)
    while position < limit {
      let byte = unsafe base[position]
      position += 1
      if byte < 0x80 { return }
    }
    throw malformed("a number that does not end")
  }

  mutating func skip(bytes: Int) throws(DecodeError) {
    guard bytes <= end - position else { throw malformed("a field that is cut off") }
    position += bytes
  }

  /// Skips a value. For a group, the field's `number` says which end belongs to it.
  mutating func skipValue(
    _ type: WireType, number: UInt32, levelsLeft: Int
  ) throws(DecodeError) {
    switch type {
    case .varint: try skipVarint()
    case .fixed64: try skip(bytes: 8)
    case .fixed32: try skip(bytes: 4)
    case .lengthDelimited: try skip(bytes: readLength())
    case .groupStart: try skipGroup(number, levelsMax: levelsLeft)
    case .groupEnd: throw malformed("the end of a group that never began")
    }
  }

  /// Skips the rest of a group, and the groups within it. `levelsMax` bounds their nesting.
  private mutating func skipGroup(_ number: UInt32, levelsMax: Int) throws(DecodeError) {
    var open = [number]
    while let innermost = open.last {
      guard open.count <= levelsMax else { throw malformed("groups that nest too deep") }
      guard !isAtEnd else { throw malformed("a group that does not end") }
      let (number, type) = try readTag()
      switch type {
      case .groupStart: open.append(number)
      case .groupEnd:
        guard number == innermost else { throw malformed("the end of another group") }
        open.removeLast()
      case .varint, .fixed64, .fixed32, .lengthDelimited:
        try skipValue(type, number: number, levelsLeft: 0)
      }
    }
  }

  @inline(__always)
  private mutating func readShortVarint() throws(DecodeError) -> UInt64 {
    if position < end {
      let byte = unsafe base[position]
      if byte < 0x80 {
        position += 1
        return UInt64(byte)
      }
    }
    return try readLongerVarint()
  }

  private mutating func readLongerVarint() throws(DecodeError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    let limit = min(end, position + WireReader.shortVarintBytesMax)
    while position < limit {
      let byte = unsafe base[position]
      position += 1
      value |= UInt64(byte & 0x7F) << shift
      guard byte >= 0x80 else {
        guard value <= UInt64(UInt32.max) else { throw malformed("a number out of range") }
        return value
      }
      shift += 7
    }
    throw malformed("a number that does not end")
  }
}
