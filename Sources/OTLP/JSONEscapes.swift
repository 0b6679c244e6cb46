import Model

/// The escapes of JSON strings.
/// - Source: RFC 8259, section 7.
enum JSONEscapes {
  /// What is wrong with an escape, and where in the text.
  struct Malformed: Error {
    var reason: String
    var index: Int
  }

  /// Checks every escape of a text without resolving it.
  static func check(_ raw: UnsafeRawBufferPointer) throws(Malformed) {
    var index = 0
    while let backslash = unsafe raw.position(of: UInt8(ascii: "\\"), from: index) {
      index = backslash
      _ = try unsafe scalar(raw, &index)
    }
  }

  /// Resolves the escapes of a text into `output`, which has as many bytes as the text (an
  /// escape is never shorter than what it stands for).
  /// - Returns: how many bytes were written.
  static func resolve(
    _ raw: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(Malformed) -> Int {
    var written = 0
    var index = 0
    while index < raw.count {
      let byte = unsafe raw[index]
      if byte != UInt8(ascii: "\\") {
        unsafe output[written] = byte
        written += 1
        index += 1
        continue
      }
      for code in try unsafe scalar(raw, &index).utf8 {
        unsafe output[written] = code
        written += 1
      }
    }
    return written
  }

  /// The character that the escape at `index` stands for; a surrogate without its other half is
  /// U+FFFD.
  private static func scalar(
    _ raw: UnsafeRawBufferPointer, _ index: inout Int
  ) throws(Malformed) -> Unicode.Scalar {
    let start = index
    guard index + 1 < raw.count else {
      throw Malformed(reason: "an escape cut short", index: start)
    }
    let letter = unsafe raw[index + 1]
    index += 2
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let unit = unsafe unit(raw, index) else {
        throw Malformed(reason: "\\u without four hexadecimal digits", index: start)
      }
      index += 4
      return unsafe scalar(unit, raw, &index)
    default: throw Malformed(reason: "an unknown escape", index: start)
    }
  }

  /// The character of a UTF-16 unit, together with the low half that may follow it.
  private static func scalar(
    _ unit: UInt16, _ raw: UnsafeRawBufferPointer, _ index: inout Int
  ) -> Unicode.Scalar {
    if let scalar = Unicode.Scalar(unit) { return scalar }
    guard UTF16.isLeadSurrogate(unit), index + 1 < raw.count,
      unsafe raw[index] == UInt8(ascii: "\\"), unsafe raw[index + 1] == UInt8(ascii: "u"),
      let low = unsafe JSONEscapes.unit(raw, index + 2), UTF16.isTrailSurrogate(low)
    else { return "\u{FFFD}" }
    index += 6
    let code = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
    return Unicode.Scalar(code) ?? "\u{FFFD}"
  }

  private static func unit(_ raw: UnsafeRawBufferPointer, _ index: Int) -> UInt16? {
    guard index + 4 <= raw.count else { return nil }
    var value: UInt16 = 0
    for offset in 0..<4 {
      guard let nibble = unsafe raw[index + offset].hexadecimalValue else { return nil }
      value = value << 4 | UInt16(nibble)
    }
    return value
  }
}
