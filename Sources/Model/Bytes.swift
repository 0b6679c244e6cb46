/// Writes the compact serial form: little-endian fixed integers and LEB128 varints.
public struct ByteWriter: Sendable {
  public private(set) var bytes: [UInt8] = []

  public init() {}

  public mutating func write(_ value: UInt8) { bytes.append(value) }

  public mutating func write(fixed value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  public mutating func write(fixed value: UInt32) {
    for shift in stride(from: 0, to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift)))
    }
  }

  public mutating func write(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Zigzag: small magnitudes of either sign stay short.
  public mutating func write(signed value: Int64) {
    write(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  public mutating func write(text: String) {
    write(varint: UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  public mutating func write(_ raw: UnsafeRawBufferPointer) { unsafe bytes.append(contentsOf: raw) }

  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}

/// Reads what `ByteWriter` wrote. Every read may fail: the bytes may come from a damaged disk.
public struct ByteReader: Sendable {
  private let bytes: ArraySlice<UInt8>
  private var position: Int

  public init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  public init(_ bytes: [UInt8]) { self.init(bytes[...]) }

  public var remaining: Int { bytes.endIndex - position }
  public var isAtEnd: Bool { remaining == 0 }

  public mutating func readByte() throws(MalformedBytes) -> UInt8 {
    guard remaining >= 1 else { throw MalformedBytes() }
    defer { position += 1 }
    return bytes[position]
  }

  public mutating func readFixed64() throws(MalformedBytes) -> UInt64 {
    guard remaining >= 8 else { throw MalformedBytes() }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += 8
    return value
  }

  public mutating func readFixed32() throws(MalformedBytes) -> UInt32 {
    guard remaining >= 4 else { throw MalformedBytes() }
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(bytes[position + index]) << UInt32(8 * index) }
    position += 4
    return value
  }

  public mutating func readVarint() throws(MalformedBytes) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let byte = try readByte()
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw MalformedBytes()
  }

  public mutating func readSigned() throws(MalformedBytes) -> Int64 {
    let value = try readVarint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// A count of things that each take at least one byte: never more than bytes are left.
  public mutating func readCount() throws(MalformedBytes) -> Int {
    let value = try readVarint()
    guard value <= UInt64(remaining) else { throw MalformedBytes() }
    return Int(value)
  }

  public mutating func readText() throws(MalformedBytes) -> String {
    let count = try readCount()
    defer { position += count }
    return String(decoding: bytes[position..<position + count], as: UTF8.self)
  }
}

/// The bytes end early or hold a value that cannot be.
public struct MalformedBytes: Error, Equatable, Sendable {
  public init() {}
}
