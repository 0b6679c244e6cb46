/// An exact decimal number as people write it, such as `1.5`: digits and how many of them stand
/// after the point. Floating point would turn 0.1 s into 99 999 999.99 ns.
struct ScaledNumber {
  private var digits: UInt64
  private var fractionDigits: Int

  /// Reads an unsigned number of up to 18 digits; nil for anything else.
  init?(_ text: some StringProtocol) {
    digits = 0
    fractionDigits = 0
    var pointSeen = false
    var count = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: "."), !pointSeen, count > 0 {
        pointSeen = true
      } else if (0x30...0x39).contains(byte), count < 18 {
        digits = digits * 10 + UInt64(byte - 0x30)
        count += 1
        if pointSeen { fractionDigits += 1 }
      } else {
        return nil
      }
    }
    guard count > 0, !pointSeen || fractionDigits > 0 else { return nil }
  }

  /// The number times `unit`, rounded down; nil when it does not fit 63 bits.
  func times(_ unit: UInt64) -> UInt64? {
    let divisor = (0..<fractionDigits).reduce(UInt64(1)) { power, _ in power * 10 }
    let product = digits.multipliedFullWidth(by: unit)
    guard product.high < divisor else { return nil }
    let quotient = divisor.dividingFullWidth(product).quotient
    return quotient <= UInt64(Int64.max) ? quotient : nil
  }
}
