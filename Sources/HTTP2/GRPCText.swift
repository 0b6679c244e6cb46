/// The textual forms gRPC gives to values in header fields.
/// - Source: gRPC's PROTOCOL-HTTP2.
public enum GRPCText {
  /// Nanoseconds of a `grpc-timeout` (1 to 8 digits and a unit of H, M, S, m, u, n); nil when
  /// malformed. Never overflows: 99999999H is about 11 400 years and saturates.
  public static func timeoutNanos(_ text: String) -> UInt64? {
    var bytes = Array(text.utf8)
    guard (2...9).contains(bytes.count), let unit = unitNanos(bytes.removeLast()) else {
      return nil
    }
    var value: UInt64 = 0
    for byte in bytes {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
    }
    let (nanos, overflow) = value.multipliedReportingOverflow(by: unit)
    return overflow ? .max : nanos
  }

  private static func unitNanos(_ unit: UInt8) -> UInt64? {
    switch unit {
    case UInt8(ascii: "H"): 3_600_000_000_000
    case UInt8(ascii: "M"): 60_000_000_000
    case UInt8(ascii: "S"): 1_000_000_000
    case UInt8(ascii: "m"): 1_000_000
    case UInt8(ascii: "u"): 1_000
    case UInt8(ascii: "n"): 1
    default: nil
    }
  }

  /// A `grpc-message`: UTF-8 with every byte but printable ASCII, and the percent sign itself,
  /// as %XX. So is a space at either end: RFC 9113 section 8.2.1 calls such a field malformed.
  public static func percentEncoded(_ message: String) -> String {
    let bytes = message.utf8
    let isPlain = bytes.allSatisfy { (0x20...0x7E).contains($0) && $0 != percent }
    guard !isPlain || bytes.first == space || bytes.last == space else { return message }
    var encoded: [UInt8] = []
    for (position, byte) in bytes.enumerated() {
      let isOuterSpace = byte == space && (position == 0 || position == bytes.count - 1)
      if (0x20...0x7E).contains(byte), byte != percent, !isOuterSpace {
        encoded.append(byte)
      } else {
        encoded.append(percent)
        encoded.append(hexadecimalDigits[Int(byte >> 4)])
        encoded.append(hexadecimalDigits[Int(byte & 15)])
      }
    }
    return String(decoding: encoded, as: UTF8.self)
  }

  /// The value of a `-bin` field: base64 without padding.
  public static func base64(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 4 + 2) / 3)
    var pending: UInt32 = 0
    var bits = 0
    for byte in bytes {
      pending = pending << 8 | UInt32(byte)
      bits += 8
      while bits >= 6 {
        bits -= 6
        text.append(base64Digits[Int(pending >> UInt32(bits) & 63)])
      }
    }
    if bits > 0 { text.append(base64Digits[Int(pending << UInt32(6 - bits) & 63)]) }
    return String(decoding: text, as: UTF8.self)
  }

  private static let percent = UInt8(ascii: "%")
  private static let space = UInt8(ascii: " ")
  private static let hexadecimalDigits = Array("0123456789ABCDEF".utf8)
  private static let base64Digits = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
