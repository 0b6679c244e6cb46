/// The values of the attributes Spangate reads, of one span or one resource. A key sent twice
/// keeps its last value.
@safe struct AttributeSlots {
  private var values: [AttributeValue]
  /// One bit a key: whether its slot holds a value of this span.
  private var present = AttributeKeySet()

  init() {
    precondition(AttributeKey.allCases.count <= 128, "one bit is kept for each attribute")
    values = Array(repeating: .empty, count: AttributeKey.allCases.count)
  }

  mutating func removeAll() { present = AttributeKeySet() }

  mutating func set(_ key: AttributeKey, _ value: AttributeValue) {
    present[key] = value.isPresent
    guard value.isPresent else { return }
    values[Int(key.rawValue)] = value
  }

  @inline(__always)
  func has(_ key: AttributeKey) -> Bool { present[key] }

  func has(_ first: AttributeKey, or second: AttributeKey) -> Bool { has(first) || has(second) }

  /// Whether any of the keys holds a value.
  func hasAny(of keys: AttributeKeySet) -> Bool { present.intersects(keys) }

  /// `AttributeValue.empty` where the key was not sent.
  @inline(__always)
  subscript(key: AttributeKey) -> AttributeValue {
    has(key) ? values[Int(key.rawValue)] : .empty
  }
}

/// A set of keys: one bit for each.
struct AttributeKeySet: Sendable {
  private var low: UInt64 = 0
  private var high: UInt64 = 0

  init(_ keys: AttributeKey...) {
    for key in keys { self[key] = true }
  }

  func intersects(_ other: AttributeKeySet) -> Bool {
    low & other.low | high & other.high != 0
  }

  @inline(__always)
  subscript(key: AttributeKey) -> Bool {
    get {
      let bit = UInt64(1) << UInt64(key.rawValue & 63)
      return (key.rawValue < 64 ? low : high) & bit != 0
    }
    set {
      let bit = UInt64(1) << UInt64(key.rawValue & 63)
      let word = newValue ? bit : 0
      if key.rawValue < 64 { low = low & ~bit | word } else { high = high & ~bit | word }
    }
  }
}
