/// Finds YAML anchors and aliases before the text is parsed.
///
/// A few nested ones stand for billions of nodes, and a configuration needs none. The scan works on
/// lines and may take a starred word inside quotes for an alias: the error says how to write it.
enum AliasScan {
  /// The first line, counted from 1, with `&name` or `*name` where a value or key may begin.
  static func firstLine(in text: String) -> Int? {
    var line = 1
    var previous = UInt8(ascii: "\n")
    var isComment = false
    var lineHasQuote = false
    var isBlankSoFar = true
    var bytes = text.utf8.makeIterator()
    var next = bytes.next()
    while let byte = next {
      next = bytes.next()
      switch byte {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        if byte != UInt8(ascii: "\r") || next != UInt8(ascii: "\n") { line += 1 }
        (isComment, lineHasQuote, isBlankSoFar) = (false, false, true)
      case UInt8(ascii: "#") where isBlankSoFar || (isSpace(previous) && !lineHasQuote):
        isComment = true
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        lineHasQuote = true
      case UInt8(ascii: "&"), UInt8(ascii: "*"):
        let isName = next.map { !isSpace($0) } ?? false
        if !isComment, isName, beginsToken(after: previous) { return line }
      default:
        break
      }
      if !isSpace(byte) { isBlankSoFar = false }
      previous = byte
    }
    return nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
      || byte == UInt8(ascii: "\r")
  }

  private static func beginsToken(after byte: UInt8) -> Bool {
    isSpace(byte) || "[{,:-?".utf8.contains(byte)
  }
}
