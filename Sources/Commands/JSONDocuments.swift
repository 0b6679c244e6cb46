/// Finds the JSON objects that follow each other in a text: one document, one a line, or the
/// elements of one array. Only brackets and strings are looked at; what is wrong inside is for the
/// decoder to say.
enum JSONDocuments {
  /// - Shape: bytes → the ranges of the outermost objects. What stands between them is given as a
  ///   range of its own unless it is blank, so that it is not passed over in silence.
  static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var position = skipBlanks(bytes, from: 0)
    let isArray = position < bytes.count && bytes[position] == UInt8(ascii: "[")
    if isArray { position += 1 }
    while true {
      position = skipBlanks(bytes, from: position, commas: isArray)
      guard position < bytes.count else { return ranges }
      if isArray, bytes[position] == UInt8(ascii: "]") {
        position += 1
        let rest = skipBlanks(bytes, from: position)
        if rest < bytes.count { ranges.append(rest..<bytes.count) }
        return ranges
      }
      let end =
        bytes[position] == UInt8(ascii: "{")
        ? endOfObject(bytes, from: position) : endOfLine(bytes, from: position)
      ranges.append(position..<end)
      position = end
    }
  }

  /// The index behind the bracket that closes the object, or the end of the bytes.
  private static func endOfObject(_ bytes: [UInt8], from start: Int) -> Int {
    var depth = 0
    var isString = false
    var position = start
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\\") where isString: position += 1
      case UInt8(ascii: "\""): isString.toggle()
      case UInt8(ascii: "{") where !isString: depth += 1
      case UInt8(ascii: "}") where !isString:
        depth -= 1
        if depth == 0 { return position + 1 }
      default: break
      }
      position += 1
    }
    return bytes.count
  }

  private static func endOfLine(_ bytes: [UInt8], from start: Int) -> Int {
    bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
  }

  /// Blanks, line ends, and a byte order mark at the very start.
  static func skipBlanks(_ bytes: [UInt8], from start: Int, commas: Bool = false) -> Int {
    var position = start
    if start == 0, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: ",") where commas: position += 1
      default: return position
      }
    }
    return position
  }
}
