/// Writes the JSON of small replies: objects of fields, with commas where they belong.
struct ReplyJSON {
  private(set) var bytes: [UInt8] = []
  private var needsComma = false

  mutating func open() {
    separate()
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
  }

  mutating func close() {
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  mutating func field(_ name: String, number: Int) {
    key(name)
    bytes.append(contentsOf: String(number).utf8)
    needsComma = true
  }

  mutating func field(_ name: String, text: String) {
    key(name)
    append(quoted: text)
    needsComma = true
  }

  mutating func object(_ name: String, _ content: (inout ReplyJSON) -> Void) {
    key(name)
    needsComma = false
    open()
    content(&self)
    close()
  }

  mutating func array(_ name: String, _ content: (inout ReplyJSON) -> Void) {
    key(name)
    bytes.append(UInt8(ascii: "["))
    needsComma = false
    content(&self)
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  private mutating func key(_ name: String) {
    separate()
    append(quoted: name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  private mutating func append(quoted text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
      case 0..<0x20: bytes += "\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}

extension String {
  /// The longest beginning of whole Unicode scalars that takes at most `bytesMax` bytes; all of it
  /// where that is enough.
  func cut(toUTF8Bytes bytesMax: Int) -> String {
    guard utf8.count > bytesMax else { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: max(0, bytesMax))
    // A byte 10xxxxxx is in the middle of a scalar.
    while end > utf8.startIndex, utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}
