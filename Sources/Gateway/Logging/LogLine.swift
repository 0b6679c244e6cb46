import Logging

/// One event as it is written.
struct LogLine {
  var level: Logger.Level
  /// Which logger it came from.
  var label: String
  var message: String
  var metadata: Logger.Metadata
}

/// How an event becomes a line.
public enum LogLineFormat: Sendable, Equatable {
  /// `12:00:01.123 INFO  message key=value`
  case text
  /// `{"time":"…","level":"info","logger":"…","message":"…","key":"value"}`
  case json

  public init(_ format: LogFormat, isTerminal: Bool) {
    switch format {
    case .auto: self = isTerminal ? .text : .json
    case .text: self = .text
    case .json: self = .json
    }
  }

  /// The longest piece of text of a line; what is longer is cut and ends in `…`.
  static let pieceBytesMax = 8_192
  /// Fields beyond this many are left out.
  static let fieldsMax = 64

  /// The line with its line feed. Fields are in alphabetical order.
  /// - Units: `time` in Unix nanoseconds.
  func bytes(of line: LogLine, at time: UInt64) -> [UInt8] {
    var text = ""
    switch self {
    case .text: LogLineFormat.appendText(line, at: time, to: &text)
    case .json: LogLineFormat.appendJSON(line, at: time, to: &text)
    }
    text += "\n"
    return Array(text.utf8)
  }

  private static func fields(of line: LogLine) -> [(key: String, value: Logger.MetadataValue)] {
    line.metadata.sorted { $0.key < $1.key }.prefix(fieldsMax).map { ($0.key, $0.value) }
  }
}

extension LogLineFormat {
  private static func appendText(_ line: LogLine, at time: UInt64, to text: inout String) {
    text += LogClock.text(time).dropFirst(11).dropLast()
    let level = line.level.rawValue.uppercased()
    text += " " + level + String(repeating: " ", count: max(0, 8 - level.utf8.count)) + " "
    appendPrintable(line.message, to: &text)
    for (key, value) in fields(of: line) {
      text += " "
      appendPrintable(key, to: &text)
      text += "="
      appendTextValue("\(value)", to: &text)
    }
  }

  /// In quotes where a reader could not tell where it ends.
  private static func appendTextValue(_ value: String, to text: inout String) {
    let isPlain = value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != 0x7F }
    if isPlain, !value.isEmpty {
      appendPrintable(value, to: &text)
    } else {
      LogText.appendQuoted(value, bytesMax: pieceBytesMax, to: &text)
    }
  }

  private static func appendPrintable(_ piece: String, to text: inout String) {
    LogText.appendEscaped(piece, bytesMax: pieceBytesMax, quotes: false, to: &text)
  }
}

extension LogLineFormat {
  /// Keys of the line itself; a field of the same name gets an underscore in front.
  private static let reserved: Set<String> = ["time", "level", "logger", "message"]

  private static func appendJSON(_ line: LogLine, at time: UInt64, to text: inout String) {
    text += "{\"time\":\"\(LogClock.text(time))\",\"level\":\"\(line.level.rawValue)\""
    appendMember("logger", .string(line.label), to: &text)
    appendMember("message", .string(line.message), to: &text)
    for (key, value) in fields(of: line) {
      appendMember(reserved.contains(key) ? "_" + key : key, value, to: &text)
    }
    text += "}"
  }

  private static func appendMember(
    _ key: String, _ value: Logger.MetadataValue, to text: inout String
  ) {
    text += ","
    LogText.appendQuoted(key, bytesMax: pieceBytesMax, to: &text)
    text += ":"
    appendJSONValue(value, depth: 0, to: &text)
  }

  private static func appendJSONValue(
    _ value: Logger.MetadataValue, depth: Int, to text: inout String
  ) {
    switch value {
    case .array(let values) where depth < 4:
      text += "["
      for (index, value) in values.prefix(fieldsMax).enumerated() {
        if index > 0 { text += "," }
        appendJSONValue(value, depth: depth + 1, to: &text)
      }
      text += "]"
    case .dictionary(let members) where depth < 4:
      text += "{"
      for (index, member) in members.sorted(by: { $0.key < $1.key }).prefix(fieldsMax).enumerated()
      {
        if index > 0 { text += "," }
        LogText.appendQuoted(member.key, bytesMax: pieceBytesMax, to: &text)
        text += ":"
        appendJSONValue(member.value, depth: depth + 1, to: &text)
      }
      text += "}"
    default:
      LogText.appendQuoted("\(value)", bytesMax: pieceBytesMax, to: &text)
    }
  }
}
