import Model

/// Ids in OTLP/JSON: hexadecimal, of either case.
/// - Source: OTLP specification, "JSON Protobuf Encoding".
enum JSONHexadecimal {
  static func traceID(_ text: UnsafeRawBufferPointer) -> Result<TraceID, RejectionReason> {
    if text.count == 32, let high = unsafe word(text.part(0..<16)),
      let low = unsafe word(text.part(16..<32))
    {
      return .success(TraceID(high: high, low: low))
    }
    return .failure(unsafe isBase64(text, ofBytes: 16) ? .base64ID : .invalidTraceID)
  }

  static func spanID(_ text: UnsafeRawBufferPointer) -> Result<SpanID, RejectionReason> {
    unsafe spanID(text, or: .invalidSpanID)
  }

  /// Empty for a root.
  static func parentID(_ text: UnsafeRawBufferPointer) -> Result<SpanID, RejectionReason> {
    unsafe text.isEmpty ? .success(.none) : spanID(text, or: .invalidParentSpanID)
  }

  private static func spanID(
    _ text: UnsafeRawBufferPointer, or reason: RejectionReason
  ) -> Result<SpanID, RejectionReason> {
    if text.count == 16, let raw = unsafe word(text) { return .success(SpanID(raw)) }
    return .failure(unsafe isBase64(text, ofBytes: 8) ? .base64ID : reason)
  }

  private static func word(_ digits: UnsafeRawBufferPointer) -> UInt64? {
    var value: UInt64 = 0
    for index in 0..<digits.count {
      guard let nibble = unsafe digits[index].hexadecimalValue else { return nil }
      value = value << 4 | UInt64(nibble)
    }
    return value
  }

  /// Whether the text has the length and the letters of so many bytes in base64, padded or not:
  /// what a generic protobuf-to-JSON library makes of an id.
  private static func isBase64(_ text: UnsafeRawBufferPointer, ofBytes count: Int) -> Bool {
    let letters = (count * 8 + 5) / 6
    let padded = (count + 2) / 3 * 4
    guard text.count == letters || text.count == padded else { return false }
    for index in 0..<letters where unsafe !isBase64Letter(text[index]) { return false }
    for index in letters..<text.count where unsafe text[index] != UInt8(ascii: "=") { return false }
    return true
  }

  private static func isBase64Letter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
