/// Reads a JSON document from its bytes, value by value, without building one in memory and without
/// recursion: what the caller does not ask for is skipped (and still checked).
/// - Errors: `DecodeError.malformedJSON` with the byte offset and the path to it, `DecodeError.tooDeep`.
/// - Source: RFC 8259. Also tolerated: a byte order mark before the document.
@safe struct JSONScanner: ~Copyable {
  private let body: UnsafeRawBufferPointer
  private let end: Int
  private let depthMax: Int
  private(set) var position = 0
  /// How many objects and arrays are open.
  private(set) var depth = 0
  /// Whether the innermost open object or array had no member yet.
  private var isAtFirstMember = false
  /// Text that had escapes, until `forgetTexts`.
  var texts = JSONTextArena()

  init(_ body: UnsafeRawBufferPointer, depthMax: Int) {
    unsafe self.body = body
    end = body.count
    self.depthMax = depthMax
    if unsafe body.hasPrefix("\u{FEFF}") { position = 3 }
  }

  // MARK: What comes next

  enum Token {
    case object, array, string, number, literal, other, end
  }

  /// The kind of the next value, with the white space before it consumed.
  mutating func peek() -> Token {
    skipWhitespace()
    guard position < end else { return .end }
    return switch unsafe body[position] {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
    case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"): .literal
    default: .other
    }
  }

  /// Consumes `null`, if that is what comes next.
  mutating func null() throws(DecodeError) -> Bool {
    guard peek() == .literal, unsafe body[position] == UInt8(ascii: "n") else { return false }
    try literal("null")
    return true
  }

  mutating func boolean() throws(DecodeError) -> Bool {
    guard peek() == .literal, unsafe body[position] != UInt8(ascii: "n") else {
      throw failure("true or false expected")
    }
    let isTrue = unsafe body[position] == UInt8(ascii: "t")
    try literal(isTrue ? "true" : "false")
    return isTrue
  }

  mutating func finishDocument() throws(DecodeError) {
    if peek() != .end { throw failure("text after the end of the document") }
  }

  // MARK: Objects and arrays

  mutating func beginObject() throws(DecodeError) {
    try begin(.object, "an object expected")
  }

  mutating func beginArray() throws(DecodeError) {
    try begin(.array, "an array expected")
  }

  /// The next key of the open object, its colon consumed; nil when the object ended.
  mutating func nextKey() throws(DecodeError) -> UnsafeRawBufferPointer? {
    guard try nextMember(closing: UInt8(ascii: "}")) else { return nil }
    guard peek() == .string else { throw failure("a key in quotes expected") }
    let key = try unsafe string()
    skipWhitespace()
    guard try byte("a colon expected") == UInt8(ascii: ":") else {
      throw failure("a colon expected")
    }
    position += 1
    return unsafe key
  }

  /// Whether the open array has another element; when not, it was closed.
  mutating func nextElement() throws(DecodeError) -> Bool {
    try nextMember(closing: UInt8(ascii: "]"))
  }

  private mutating func begin(_ token: Token, _ reason: String) throws(DecodeError) {
    guard peek() == token else { throw failure(reason) }
    guard depth < depthMax else { throw .tooDeep(levelsMax: depthMax) }
    depth += 1
    position += 1
    isAtFirstMember = true
  }

  private mutating func nextMember(closing: UInt8) throws(DecodeError) -> Bool {
    skipWhitespace()
    let isFirst = isAtFirstMember
    isAtFirstMember = false
    let next = try byte("the document ends too early")
    if next == closing {
      position += 1
      depth -= 1
      return false
    }
    if isFirst { return true }
    guard next == UInt8(ascii: ",") else { throw failure("a comma or the end expected") }
    position += 1
    skipWhitespace()
    if try byte("the document ends too early") == closing {
      throw failure("a value expected after the comma")
    }
    return true
  }

  // MARK: Skipping and returning

  /// Reads over one value of any shape.
  mutating func skipValue() throws(DecodeError) {
    var isArray: [Bool] = []
    repeat {
      if let innermost = isArray.last {
        let hasMore = innermost ? try nextElement() : try skipKey()
        guard hasMore else {
          isArray.removeLast()
          continue
        }
      }
      switch peek() {
      case .object:
        try beginObject()
        isArray.append(false)
      case .array:
        try beginArray()
        isArray.append(true)
      case .string: try skipString()
      case .number: _ = try unsafe number()
      case .literal: try skipLiteral()
      case .other, .end: throw failure("a value expected")
      }
    } while !isArray.isEmpty
  }

  private mutating func skipKey() throws(DecodeError) -> Bool { try unsafe nextKey() != nil }

  private mutating func skipLiteral() throws(DecodeError) {
    if try !null() { _ = try boolean() }
  }

  /// Goes back to a value that was skipped.
  /// - Returns: where to come back to with `endRevisit`.
  mutating func beginRevisit(_ earlier: Int) -> Int {
    let here = position
    position = earlier
    return here
  }

  /// Comes back from a revisit: to behind the end of an object or an array.
  mutating func endRevisit(_ here: Int) {
    position = here
    isAtFirstMember = false
  }

  // MARK: Bytes

  mutating func skipWhitespace() {
    while position < end {
      switch unsafe body[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func literal(_ text: StaticString) throws(DecodeError) {
    guard unsafe body.part(from: position).hasPrefix(text) else {
      let isCut = end - position < text.utf8CodeUnitCount
      throw failure("a value expected", at: isCut ? end : position)
    }
    position += text.utf8CodeUnitCount
  }

  private func byte(_ reason: String) throws(DecodeError) -> UInt8 {
    guard position < end else { throw failure(reason) }
    return unsafe body[position]
  }

  /// An error here, or at `offset`, with the path to it.
  func failure(_ reason: String, at offset: Int? = nil) -> DecodeError {
    let offset = offset ?? position
    if offset >= end {
      return .malformedJSON(offset: end, path: "", reason: "the document ends too early")
    }
    return unsafe .malformedJSON(
      offset: offset, path: JSONPath.text(to: offset, in: body), reason: reason)
  }
}

// MARK: Text and numbers

extension JSONScanner {
  /// The next string, its escapes resolved. Stays readable until `forgetTexts`.
  mutating func string() throws(DecodeError) -> UnsafeRawBufferPointer {
    let (raw, hasEscapes) = try unsafe rawString()
    if !hasEscapes { return unsafe raw }
    let start = position - 1 - raw.count
    do {
      return try unsafe texts.unescaped(raw)
    } catch { throw failure(error.reason, at: start + error.index) }
  }

  private mutating func skipString() throws(DecodeError) {
    let (raw, hasEscapes) = try unsafe rawString()
    guard hasEscapes else { return }
    do {
      try unsafe JSONEscapes.check(raw)
    } catch { throw failure(error.reason, at: position - 1 - raw.count + error.index) }
  }

  /// What stands between the quotes, and whether there is a backslash in it.
  private mutating func rawString() throws(DecodeError) -> (UnsafeRawBufferPointer, Bool) {
    guard peek() == .string else { throw failure("a string expected") }
    let start = position + 1
    var index = start
    var hasEscapes = false
    while index < end {
      let byte = unsafe body[index]
      if byte == UInt8(ascii: "\"") {
        position = index + 1
        return unsafe (body.part(start..<index), hasEscapes)
      }
      if byte < 0x20 { throw failure("a control character in a string, not escaped", at: index) }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        index += 1
      }
      index += 1
    }
    throw failure("the document ends too early", at: end)
  }

  /// Longer numbers are refused: nothing that is meant has so many digits.
  static var numberBytesMax: Int { 1024 }

  /// The text of the next number, checked against the grammar.
  mutating func number() throws(DecodeError) -> UnsafeRawBufferPointer {
    guard peek() == .number else { throw failure("a number expected") }
    let start = position
    if unsafe body[position] == UInt8(ascii: "-") { position += 1 }
    let wholeDigits = skipDigits()
    let hasLeadingZero = unsafe wholeDigits > 1 && body[position - wholeDigits] == UInt8(ascii: "0")
    if wholeDigits == 0 || hasLeadingZero { throw notANumber(start) }
    if skip(UInt8(ascii: "."), or: UInt8(ascii: ".")), skipDigits() == 0 {
      throw notANumber(start)
    }
    if skip(UInt8(ascii: "e"), or: UInt8(ascii: "E")) {
      _ = skip(UInt8(ascii: "+"), or: UInt8(ascii: "-"))
      if skipDigits() == 0 { throw notANumber(start) }
    }
    guard position - start <= JSONScanner.numberBytesMax else {
      throw failure("a number of more than \(JSONScanner.numberBytesMax) characters", at: start)
    }
    return unsafe body.part(start..<position)
  }

  private func notANumber(_ start: Int) -> DecodeError {
    failure("not a number", at: position < end ? start : end)
  }

  private mutating func skipDigits() -> Int {
    let start = position
    while position < end,
      unsafe (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(body[position])
    {
      position += 1
    }
    return position - start
  }

  private mutating func skip(_ first: UInt8, or second: UInt8) -> Bool {
    guard position < end else { return false }
    guard unsafe body[position] == first || body[position] == second else { return false }
    position += 1
    return true
  }
}
