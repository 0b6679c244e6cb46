/// Finds the attribute a key names, by its length and then by its first and last eight bytes, so
/// that a key nobody reads (most are) costs a comparison or two.
struct AttributeKeyTable: Sendable {
  private struct Entry {
    var head: UInt64
    var tail: UInt64
    var key: AttributeKey
  }

  /// Sorted by length; those of length n are `entries[starts[n]..<starts[n + 1]]`.
  private let entries: [Entry]
  private let starts: [Int]

  init() {
    let keys = AttributeKey.allCases.sorted {
      $0.text.utf8CodeUnitCount < $1.text.utf8CodeUnitCount
    }
    let lengthMax = keys.last.map { $0.text.utf8CodeUnitCount } ?? 0
    entries = keys.map { key in
      key.text.withUTF8Buffer { text in
        let bytes = UnsafeRawBufferPointer(text)
        return unsafe Entry(
          head: AttributeKeyTable.head(bytes), tail: AttributeKeyTable.tail(bytes), key: key)
      }
    }
    starts = (0...lengthMax + 1).map { length in
      keys.count { $0.text.utf8CodeUnitCount < length }
    }
  }

  func find(_ key: UnsafeRawBufferPointer) -> AttributeKey? {
    guard key.count + 1 < starts.count else { return nil }
    let candidates = starts[key.count]..<starts[key.count + 1]
    if candidates.isEmpty { return nil }
    let head = unsafe AttributeKeyTable.head(key)
    let tail = unsafe AttributeKeyTable.tail(key)
    for index in candidates where entries[index].head == head && entries[index].tail == tail {
      let found = entries[index].key
      // Only keys of over 16 bytes have a middle that head and tail do not hold.
      if unsafe key.count <= 16 || key.equals(found.text) { return found }
    }
    return nil
  }

  private static func head(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    if bytes.count >= 8 { return unsafe bytes.loadUnaligned(as: UInt64.self) }
    var word: UInt64 = 0
    for index in 0..<bytes.count { word = unsafe word << 8 | UInt64(bytes[index]) }
    return word
  }

  private static func tail(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard bytes.count >= 8 else { return 0 }
    return unsafe bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
  }
}
