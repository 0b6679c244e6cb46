/// Text made safe for one line of a log.
enum LogText {
  /// As a JSON string: quotes, backslashes and control characters escaped.
  static func appendQuoted(_ piece: String, bytesMax: Int, to text: inout String) {
    text += "\""
    appendEscaped(piece, bytesMax: bytesMax, quotes: true, to: &text)
    text += "\""
  }

  /// Control characters escaped as JSON does it, so that no name moves a terminal's cursor.
  static func appendEscaped(
    _ piece: String, bytesMax: Int, quotes: Bool, to text: inout String
  ) {
    var left = bytesMax
    for scalar in piece.unicodeScalars {
      left -= UTF8.width(scalar)
      if left < 0 {
        text += "…"
        return
      }
      switch scalar {
      case "\"" where quotes: text += "\\\""
      case "\\" where quotes: text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
  }
}
