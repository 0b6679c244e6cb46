/// The values of the attributes Spangate reads, of one span or one resource. A key sent twice
/// keeps its last value.
@safe struct AttributeSlots {
  private var values: [AttributeValue]
  /// One bit a key: whether its slot holds a value of this span.
  private var present: UInt64 = 0

  init() {
    precondition(AttributeKey.allCases.count <= 64, "one bit is kept for each attribute")
    values = Array(repeating: .empty, count: AttributeKey.allCases.count)
  }

  mutating func removeAll() { present = 0 }

  mutating func set(_ key: AttributeKey, _ value: AttributeValue) {
    let bit = UInt64(1) << UInt64(key.rawValue)
    guard value.isPresent else {
      present &= ~bit
      return
    }
    present |= bit
    values[Int(key.rawValue)] = value
  }

  @inline(__always)
  func has(_ key: AttributeKey) -> Bool { present & (1 << UInt64(key.rawValue)) != 0 }

  func has(_ first: AttributeKey, or second: AttributeKey) -> Bool { has(first) || has(second) }

  /// `AttributeValue.empty` where the key was not sent.
  @inline(__always)
  subscript(key: AttributeKey) -> AttributeValue {
    has(key) ? values[Int(key.rawValue)] : .empty
  }

  /// The first of the keys that holds text.
  func text(_ keys: AttributeKey...) -> UnsafeRawBufferPointer? {
    for key in keys where has(key) {
      if let text = unsafe self[key].text { return unsafe text }
    }
    return nil
  }
}
