/// Where in a document a byte is, in words: `resourceSpans[0].scopeSpans[0].spans[2].name`.
///
/// Found by reading the document again up to that byte, so that reading it the first time need not
/// keep track. All that comes before the byte is known to be well-formed.
enum JSONPath {
  private enum Level {
    case object(key: String?)
    case array(index: Int)
  }

  /// The longest key that is shown whole.
  static let keyBytesMax = 48

  static func text(to offset: Int, in body: UnsafeRawBufferPointer) -> String {
    var levels: [Level] = []
    var index = 0
    while index < min(offset, body.count) {
      switch unsafe body[index] {
      case UInt8(ascii: "{"): levels.append(.object(key: nil))
      case UInt8(ascii: "["): levels.append(.array(index: 0))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
      case UInt8(ascii: ","): advance(&levels)
      case UInt8(ascii: "\""):
        let end = unsafe endOfString(body, index + 1)
        if case .object(key: nil)? = levels.last {
          let shown = min(end, index + 1 + keyBytesMax)
          let key = unsafe String(decoding: body.part(index + 1..<shown), as: UTF8.self)
          levels[levels.count - 1] = .object(key: key)
        }
        index = end
      default: break
      }
      index += 1
    }
    return words(levels)
  }

  private static func advance(_ levels: inout [Level]) {
    switch levels.popLast() {
    case .object: levels.append(.object(key: nil))
    case .array(let index): levels.append(.array(index: index + 1))
    case nil: break
    }
  }

  /// The position of the closing quote, or the end.
  private static func endOfString(_ body: UnsafeRawBufferPointer, _ start: Int) -> Int {
    var index = start
    while index < body.count, unsafe body[index] != UInt8(ascii: "\"") {
      index += unsafe body[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(index, body.count)
  }

  private static func words(_ levels: [Level]) -> String {
    var path = ""
    for level in levels {
      switch level {
      case .object(let key?): path += path.isEmpty ? key : "." + key
      case .array(let index): path += "[\(index)]"
      case .object(key: nil): break
      }
    }
    return path
  }
}
