/// Whole numbers in decimal text, exact over all 64 bits: `1697982593201336000`, `1.0`, `1e9`.
///
/// A way through `Double` would round what is beyond 2^53, which every timestamp is.
struct WholeNumber: Equatable {
  var isNegative = false
  var magnitude: UInt64 = 0

  var unsigned: UInt64? { isNegative && magnitude != 0 ? nil : magnitude }

  var signed: Int64? {
    if !isNegative { return Int64(exactly: magnitude) }
    return magnitude <= UInt64(Int64.max) + 1 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
  }

  /// Reads `-`, digits, a fraction, an exponent; nil for other text, for fractions that are not
  /// zero, and for what is beyond 64 bits.
  init?(_ text: UnsafeRawBufferPointer) {
    var digits = DecimalDigits()
    var index = 0
    if unsafe !text.isEmpty, unsafe text[0] == UInt8(ascii: "-") {
      isNegative = true
      index = 1
    }
    let wholeStart = index
    while let digit = unsafe WholeNumber.digit(text, index) {
      guard digits.append(digit) else { return nil }
      index += 1
    }
    guard index > wholeStart else { return nil }
    var fractionDigits = 0
    if index < text.count, unsafe text[index] == UInt8(ascii: ".") {
      index += 1
      let start = index
      while let digit = unsafe WholeNumber.digit(text, index) {
        guard digits.append(digit) else { return nil }
        index += 1
      }
      fractionDigits = index - start
    }
    guard let exponent = unsafe WholeNumber.exponent(text, &index), index == text.count,
      let value = digits.scaled(by: exponent - fractionDigits)
    else { return nil }
    magnitude = value
  }

  private static func digit(_ text: UnsafeRawBufferPointer, _ index: Int) -> UInt8? {
    guard index < text.count else { return nil }
    let value = unsafe text[index] &- UInt8(ascii: "0")
    return value <= 9 ? value : nil
  }

  /// The exponent at `index`, 0 where there is none; nil where it has no digits. Clamped: what is
  /// beyond a thousand is out of range whatever the digits are.
  private static func exponent(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Int? {
    guard index < text.count, unsafe text[index] | 0x20 == UInt8(ascii: "e") else {
      return 0
    }
    index += 1
    var isNegative = false
    if index < text.count,
      unsafe text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+")
    {
      isNegative = unsafe text[index] == UInt8(ascii: "-")
      index += 1
    }
    let start = index
    var value = 0
    while let digit = unsafe digit(text, index) {
      value = min(value * 10 + Int(digit), 1_000_000)
      index += 1
    }
    guard index > start else { return nil }
    return isNegative ? -value : value
  }
}

/// Decimal digits as they come, with trailing zeros kept apart so that `1.50000` stays small.
private struct DecimalDigits {
  private var value: UInt64 = 0
  private var trailingZeros = 0

  /// False when the number is beyond 64 bits.
  mutating func append(_ digit: UInt8) -> Bool {
    if digit == 0 {
      if value != 0 { trailingZeros += 1 }
      return true
    }
    guard let shifted = DecimalDigits.multiply(value, tenTo: trailingZeros + 1) else {
      return false
    }
    let (sum, overflow) = shifted.addingReportingOverflow(UInt64(digit))
    value = sum
    trailingZeros = 0
    return !overflow
  }

  func scaled(by exponent: Int) -> UInt64? {
    if value == 0 { return 0 }
    let power = exponent + trailingZeros
    return power < 0 ? nil : DecimalDigits.multiply(value, tenTo: power)
  }

  private static func multiply(_ value: UInt64, tenTo power: Int) -> UInt64? {
    if value == 0 { return 0 }
    var product = value
    for _ in 0..<power {
      let (next, overflow) = product.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      product = next
    }
    return product
  }
}
