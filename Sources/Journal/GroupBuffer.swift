/// The bytes of one group, written at once. Keeps its memory from group to group.
struct GroupBuffer: Sendable {
  /// A buffer that grew beyond this is given back after its group.
  static let keptBytesMax = 8 << 20
  /// marker · check · length · type.
  static let recordHeaderBytes = 13

  private var storage: [UInt8] = []
  private(set) var count = 0

  mutating func removeAll() {
    count = 0
    if storage.count > GroupBuffer.keptBytesMax { storage = [] }
  }

  mutating func append(_ bytes: [UInt8]) {
    fill(bytesMax: bytes.count) { cursor in
      for byte in bytes { cursor.put(byte) }
    }
  }

  /// Lets `body` write at most `bytesMax` bytes at the end.
  mutating func fill(bytesMax: Int, _ body: (inout ByteCursor) -> Void) {
    if storage.count - count < bytesMax {
      let added = max(bytesMax, storage.count, 64 << 10)
      storage.append(contentsOf: repeatElement(0, count: added))
    }
    let start = count
    count += unsafe storage.withUnsafeMutableBytes { all in
      var cursor = unsafe ByteCursor(
        UnsafeMutableRawBufferPointer(rebasing: all[start..<start + bytesMax]))
      body(&cursor)
      return cursor.count
    }
  }

  /// Leaves room for a record's header; returns where the record begins.
  mutating func beginRecord(_ type: RecordType, marker: UInt32) -> Int {
    let start = count
    fill(bytesMax: GroupBuffer.recordHeaderBytes) { cursor in
      cursor.put(fixed: marker)
      cursor.put(fixed: UInt64(0))
      cursor.put(type.rawValue)
    }
    return start
  }

  /// Fills in length and check of the record that began at `start`.
  mutating func endRecord(_ start: Int, marker: UInt32) {
    let length = count - start - GroupBuffer.recordHeaderBytes
    precondition(length <= UInt32.max, "a record cannot be longer than 4 GiB")
    let end = count
    unsafe storage.withUnsafeMutableBytes { all in
      unsafe all.storeBytes(
        of: UInt32(length).littleEndian, toByteOffset: start + 8, as: UInt32.self)
      let checked = unsafe UnsafeRawBufferPointer(rebasing: all[start + 8..<end])
      let check = unsafe CRC32C.checksum(checked, seed: marker)
      unsafe all.storeBytes(of: check.littleEndian, toByteOffset: start + 4, as: UInt32.self)
    }
  }

  /// Writes everything: a write may take less than it is given.
  func write(to descriptor: Int32, _ files: any JournalStorage) throws(SystemError) {
    var offset = 0
    while offset < count {
      offset += try files.write(storage[offset..<count], to: descriptor)
    }
  }
}

/// Writes numbers into memory that somebody else owns and made large enough. Checked by the byte.
@safe struct ByteCursor {
  private let memory: UnsafeMutableRawBufferPointer
  private let capacity: Int
  private(set) var count = 0

  init(_ memory: UnsafeMutableRawBufferPointer) {
    unsafe self.memory = unsafe memory
    capacity = memory.count
  }

  @inline(__always)
  mutating func put(_ value: UInt8) {
    precondition(count < capacity, "more is written than was made room for")
    unsafe memory.storeBytes(of: value, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  /// Little-endian.
  @inline(__always)
  mutating func put<Value: FixedWidthInteger & BitwiseCopyable>(fixed value: Value) {
    let size = Value.bitWidth / 8
    precondition(capacity &- count >= size, "more is written than was made room for")
    unsafe memory.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
    count &+= size
  }

  /// LEB128.
  @inline(__always)
  mutating func put(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      put(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    put(UInt8(truncatingIfNeeded: rest))
  }

  /// Zigzag, then LEB128.
  @inline(__always)
  mutating func put(signed value: Int64) {
    put(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
  }
}
