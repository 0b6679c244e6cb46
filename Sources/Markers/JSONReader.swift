/// Reads JSON into values.
/// - Shape: bytes → `JSONValue`, or what is wrong and where. Of a key given twice the last counts.
/// - Source: RFC 8259.
public struct JSONReader {
  /// Objects and arrays inside each other.
  public static let depthMax = 64
  /// Values in one document.
  public static let valuesMax = 100_000

  public struct Failure: Error, Equatable, Sendable {
    /// For a person, with the place: `line 3, column 7: a comma is missing`.
    public var message: String
  }

  private let bytes: [UInt8]
  private var position = 0
  private var valuesLeft = JSONReader.valuesMax

  public static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
    var reader = JSONReader(bytes)
    let value = try reader.value(depth: 0)
    reader.skipBlanks()
    guard reader.position == bytes.count else { throw reader.failure("more follows the value") }
    return value
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next,
      byte == 0x20 || (0x09...0x0D).contains(byte) && byte != 0x0B && byte != 0x0C
    {
      position += 1
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    skipBlanks()
    guard valuesLeft > 0 else { throw failure("more than \(JSONReader.valuesMax) values") }
    valuesLeft -= 1
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .text(try string())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw failure("a value is missing")
    default: return try number()
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Failure) -> JSONValue {
    guard bytes[position...].starts(with: word.utf8) else { throw failure("no JSON value") }
    position += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(Failure) -> JSONValue {
    try enter(depth)
    var members: [String: JSONValue] = [:]
    skipBlanks()
    if take("}") { return .object(members) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw failure("a key in quotes is missing") }
      let key = try string()
      skipBlanks()
      guard take(":") else { throw failure("a colon is missing") }
      members[key] = try value(depth: depth)
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("a comma or the end of the object is missing") }
    }
  }

  private mutating func array(depth: Int) throws(Failure) -> JSONValue {
    try enter(depth)
    var elements: [JSONValue] = []
    skipBlanks()
    if take("]") { return .array(elements) }
    while true {
      elements.append(try value(depth: depth))
      skipBlanks()
      if take("]") { return .array(elements) }
      guard take(",") else { throw failure("a comma or the end of the array is missing") }
    }
  }

  private mutating func enter(_ depth: Int) throws(Failure) {
    guard depth <= JSONReader.depthMax else {
      throw failure("more than \(JSONReader.depthMax) objects and arrays inside each other")
    }
    position += 1
  }

  private mutating func number() throws(Failure) -> JSONValue {
    let start = position
    while let byte = next, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) {
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    let isJSON = text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    guard isJSON, let number = Double(text), number.isFinite else {
      position = start
      throw failure("no JSON value")
    }
    return Int64(text).map(JSONValue.integer) ?? .number(number)
  }

  private mutating func string() throws(Failure) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw failure("the text before is no UTF-8")
        }
        return valid
      case UInt8(ascii: "\\"): try escape(&text)
      case 0..<0x20:
        position -= 1
        throw failure("a control character in a text is not escaped")
      default: text.append(byte)
      }
    }
    throw failure("a text does not end")
  }

  private mutating func escape(_ text: inout [UInt8]) throws(Failure) {
    let byte = next
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte ?? 0)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text += Array(String(Character(try scalar())).utf8)
    default:
      position -= 1
      throw failure("an unknown escape")
    }
  }

  /// After `\u`. Half a pair that stands alone is read as U+FFFD.
  private mutating func scalar() throws(Failure) -> Unicode.Scalar {
    let first = try hexadecimal()
    guard (0xD800...0xDBFF).contains(first), bytes[position...].starts(with: "\\u".utf8) else {
      return Unicode.Scalar(first) ?? "\u{FFFD}"
    }
    position += 2
    let second = try hexadecimal()
    guard (0xDC00...0xDFFF).contains(second) else {
      // The second is a character of its own: it is read again.
      position -= 6
      return "\u{FFFD}"
    }
    return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4,
      digits.allSatisfy({ $0 < 0x80 && Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits are missing") }
    position += 4
    return value
  }

  private func failure(_ what: String) -> Failure {
    let read = bytes.prefix(position)
    let line = read.count { $0 == 0x0A } + 1
    let column = position - ((read.lastIndex(of: 0x0A) ?? -1) + 1) + 1
    return Failure(message: "line \(line), column \(column): \(what)")
  }
}
