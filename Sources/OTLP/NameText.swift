import Model

/// Builds the text of a name out of what a sender said: at most `bytesMax` bytes a part, valid
/// UTF-8, without the separator of `NodeIdentity`, without NUL and without secrets.
struct NameText {
  private let redaction: Redaction
  private(set) var bytes: [UInt8] = []
  /// How many parts were not valid UTF-8.
  private(set) var repairs = 0

  /// The longest part that is kept whole; longer ones are cut between characters.
  static let bytesMax = 256
  static let separator: UInt8 = 0x1F
  private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

  init(_ redaction: Redaction) { self.redaction = redaction }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    repairs = 0
  }

  mutating func appendSeparator() { bytes.append(NameText.separator) }

  mutating func append(_ part: [UInt8]) { bytes.append(contentsOf: part) }

  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  /// The value as text: numbers and truth values too, because versions come as both.
  mutating func append(_ value: AttributeValue) {
    switch value {
    case .string(let text): unsafe append(text)
    case .int(let number): bytes.append(contentsOf: String(number).utf8)
    case .double(let number):
      let text = Int64(exactly: number).map { String($0) } ?? String(number)
      bytes.append(contentsOf: text.utf8)
    case .bool(let truth): append(truth ? "true" : "false")
    case .bytes, .array, .keyValueList, .empty: break
    }
  }

  mutating func append(_ text: UnsafeRawBufferPointer) {
    if unsafe NameText.isPlain(text) {
      unsafe bytes.append(contentsOf: text)
    } else {
      unsafe appendCleaned(text)
    }
  }

  /// The same; an address of IPv6 in its one form, so that it is one name however it was written.
  mutating func appendAddress(_ text: UnsafeRawBufferPointer) {
    guard unsafe text.position(of: UInt8(ascii: ":")) != nil, let address = unsafe IPAddress(text)
    else { return unsafe append(text) }
    bytes.append(contentsOf: address.text.utf8)
  }

  /// The same; the name of a host in lower case, since the case says nothing. In paths it does.
  /// - Source: RFC 4343.
  mutating func appendHost(_ text: UnsafeRawBufferPointer) {
    let start = bytes.count
    unsafe appendAddress(text)
    guard unsafe text.position(of: UInt8(ascii: "/")) == nil else { return }
    for index in start..<bytes.count
    where bytes[index] >= UInt8(ascii: "A") && bytes[index] <= UInt8(ascii: "Z") {
      bytes[index] |= 0x20
    }
  }

  /// Short ASCII without the two bytes that are kept out, and without `?` and `@` (one behind the
  /// other in ASCII), where there may be secrets: what nearly all names are.
  private static func isPlain(_ text: UnsafeRawBufferPointer) -> Bool {
    guard text.count <= bytesMax else { return false }
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte >= 0x80 || byte == 0 || byte == separator { return false }
      if byte &- UInt8(ascii: "?") <= 1 { return false }
    }
    return true
  }

  private mutating func appendCleaned(_ text: UnsafeRawBufferPointer) {
    // Four times the room, so that what is removed leaves enough; and no more than that, because
    // a span's name may be megabytes.
    let head = unsafe NameText.head(text, bytesMax: NameText.bytesMax * 4)
    if let redacted = unsafe redaction.redacted(head) {
      unsafe redacted.withUnsafeBytes { unsafe appendRepaired($0) }
    } else {
      unsafe appendRepaired(head)
    }
  }

  private mutating func appendRepaired(_ head: UnsafeRawBufferPointer) {
    let string: String
    if let valid = unsafe String(validating: head, as: UTF8.self) {
      string = valid
    } else {
      repairs += 1
      string = unsafe String(decoding: head, as: UTF8.self)
    }
    var room = NameText.bytesMax
    for scalar in string.unicodeScalars where scalar.value != 0x1F {
      let encoded = scalar.value == 0 ? NameText.replacement : Array(scalar.utf8)
      room -= encoded.count
      if room < 0 { return }
      bytes.append(contentsOf: encoded)
    }
  }

  /// The first bytes, cut where a character begins.
  private static func head(
    _ text: UnsafeRawBufferPointer, bytesMax: Int
  ) -> UnsafeRawBufferPointer {
    guard text.count > bytesMax else { return unsafe text }
    var end = bytesMax
    while end > bytesMax - 3, unsafe text[end] & 0xC0 == 0x80 { end -= 1 }
    return unsafe text.part(0..<end)
  }
}
