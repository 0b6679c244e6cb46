// The nouns every stage exchanges. Nothing here knows a wire format, a disk or a socket, and this
// module imports nothing, so that each stage can be tested with values alone.

/// The 16-byte id of a trace, as two big-endian halves.
/// - Source: opentelemetry/proto/trace/v1/trace.proto, `Span.trace_id`.
public struct TraceID: Hashable, Sendable, Comparable {
  public var high: UInt64
  public var low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// All zero bytes: what the specification calls invalid.
  public var isZero: Bool { high == 0 && low == 0 }

  public static func < (a: TraceID, b: TraceID) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }
}

/// The 8-byte id of a span, big-endian. Zero is "none".
/// - Source: opentelemetry/proto/trace/v1/trace.proto, `Span.span_id`.
public struct SpanID: Hashable, Sendable, Comparable {
  public var raw: UInt64

  public init(_ raw: UInt64) { self.raw = raw }

  public static let none = SpanID(0)
  public var isZero: Bool { raw == 0 }

  public static func < (a: SpanID, b: SpanID) -> Bool { a.raw < b.raw }
}

/// Whose data it is. Tenant 0 is the default and the only one until tokens name others.
public struct TenantID: Hashable, Sendable {
  public var raw: UInt32
  public init(_ raw: UInt32) { self.raw = raw }
  public static let standard = TenantID(0)
}

/// A trace as every table keys it: ids come from clients, so two tenants may send the same one.
public struct TraceKey: Hashable, Sendable {
  public var tenant: TenantID
  public var trace: TraceID

  public init(tenant: TenantID, trace: TraceID) {
    self.tenant = tenant
    self.trace = trace
  }
}

extension TraceID: CustomStringConvertible {
  /// 32 lower-case hexadecimal digits.
  public var description: String { high.hexadecimal + low.hexadecimal }

  /// Reads 32 hexadecimal digits of either case; nil for anything else.
  public init?(hexadecimal text: String) {
    let digits = Array(text.utf8)
    guard digits.count == 32,
      let high = UInt64(hexadecimalDigits: digits[0..<16]),
      let low = UInt64(hexadecimalDigits: digits[16..<32])
    else { return nil }
    self.init(high: high, low: low)
  }
}

extension SpanID: CustomStringConvertible {
  /// 16 lower-case hexadecimal digits.
  public var description: String { raw.hexadecimal }
}

extension UInt64 {
  /// 16 lower-case hexadecimal digits, leading zeros kept.
  public var hexadecimal: String {
    unsafe String(unsafeUninitializedCapacity: 16) { digits in
      for index in 0..<16 {
        let nibble = UInt8(truncatingIfNeeded: self >> UInt64(60 - 4 * index)) & 0xF
        unsafe digits[index] =
          nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
      }
      return 16
    }
  }

  /// Reads ASCII hexadecimal digits (at most 16); nil for anything else.
  public init?(hexadecimalDigits digits: ArraySlice<UInt8>) {
    guard !digits.isEmpty, digits.count <= 16 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard let nibble = digit.hexadecimalValue else { return nil }
      value = value << 4 | UInt64(nibble)
    }
    self = value
  }
}

extension UInt8 {
  /// The value of an ASCII hexadecimal digit of either case; nil for any other byte.
  public var hexadecimalValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
