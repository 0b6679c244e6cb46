/// The values of attributes that users chose by their keys, of one span or one resource. A key sent
/// twice keeps its last value. Without chosen keys an attribute costs one comparison.
@safe struct ChosenAttributes {
  private let keys: [[UInt8]]
  private var values: [AttributeValue]
  /// One bit a key: whether it was sent.
  private var present: UInt32 = 0
  /// One bit for each length a key has.
  private let lengths: UInt64

  /// - Parameter keys: without repeats; those beyond 32 are not looked at.
  init(_ keys: [String] = []) {
    self.keys = keys.prefix(32).map { Array($0.utf8) }
    values = Array(repeating: .empty, count: self.keys.count)
    lengths = self.keys.reduce(into: 0) { $0 |= ChosenAttributes.bit(ofLength: $1.count) }
  }

  private static func bit(ofLength count: Int) -> UInt64 { 1 << UInt64(min(count, 63)) }

  /// None of them was sent.
  var isEmpty: Bool { present == 0 }

  mutating func removeAll() { present = 0 }

  @inline(__always)
  mutating func note(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    if lengths & ChosenAttributes.bit(ofLength: key.count) != 0 { unsafe take(key, value) }
  }

  private mutating func take(_ key: UnsafeRawBufferPointer, _ value: AttributeValue) {
    for index in keys.indices where unsafe key.equals(keys[index]) {
      if value.isPresent {
        present |= 1 << UInt32(index)
        values[index] = value
      } else {
        present &= ~(1 << UInt32(index))
      }
      return
    }
  }

  /// The value of the key with this number; `AttributeValue.empty` where it was not sent.
  subscript(index: Int) -> AttributeValue {
    present & 1 << UInt32(index) == 0 ? .empty : values[index]
  }

  /// The first that is text, in the order of the keys.
  var firstText: UnsafeRawBufferPointer? {
    guard present != 0 else { return nil }
    for index in keys.indices { if let text = unsafe self[index].text { return unsafe text } }
    return nil
  }
}
