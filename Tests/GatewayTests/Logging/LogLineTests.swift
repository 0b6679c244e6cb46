import Foundation
import Logging
import Testing

@testable import Gateway

private let noon: UInt64 = 1_795_435_201_123_000_000  // 2026-11-23T12:00:01.123Z

private func line(
  _ format: LogLineFormat, _ message: String, _ metadata: Logger.Metadata = [:],
  level: Logger.Level = .info
) -> String {
  let line = LogLine(level: level, label: "spangate", message: message, metadata: metadata)
  return String(decoding: format.bytes(of: line, at: noon), as: UTF8.self)
}

@Suite struct LogLineTests {
  /// Scenario: an event on a terminal.
  /// Guarantees: time, level, message, fields in order; values that need it in quotes.
  @Test func text() {
    #expect(
      line(.text, "listening", ["b": "two words", "a": "1", "c": ""])
        == "12:00:01.123 INFO     listening a=1 b=\"two words\" c=\"\"\n")
    #expect(line(.text, "oh", level: .critical) == "12:00:01.123 CRITICAL oh\n")
  }

  /// Scenario: an event in a pipe, with nested metadata and names the line itself uses.
  /// Guarantees: one JSON object a line that says the same.
  @Test func json() throws {
    let text = line(
      .json, "say \"hi\"\n\u{1}\\",
      ["spans": "3", "level": "own", "list": ["a", "b"], "map": ["k": "v"]])
    #expect(text.hasSuffix("\n"))
    #expect(text.dropLast().contains("\n") == false)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object["time"] as? String == "2026-11-23T12:00:01.123Z")
    #expect(object["level"] as? String == "info")
    #expect(object["logger"] as? String == "spangate")
    #expect(object["message"] as? String == "say \"hi\"\n\u{1}\\")
    #expect(object["spans"] as? String == "3")
    #expect(object["_level"] as? String == "own")
    #expect(object["list"] as? [String] == ["a", "b"])
    #expect(object["map"] as? [String: String] == ["k": "v"])
  }

  /// Scenario: a service named with terminal escapes, and a message of a megabyte.
  /// Guarantees: no control character is written; lines stay bounded and valid.
  @Test(arguments: [LogLineFormat.text, .json])
  func hostileText(format: LogLineFormat) throws {
    let text = line(
      format, "x\u{1B}[2Jy\u{9B}z\r\n",
      ["na\nme": "\u{7F}\u{0}", "long": "\(String(repeating: "é", count: 500_000))"])
    #expect(
      text.unicodeScalars.dropLast().allSatisfy {
        $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value)
      })
    #expect(text.utf8.count < 20_000)
    #expect(text.contains("…"))
    if format == .json { _ = try JSONSerialization.jsonObject(with: Data(text.utf8)) }
  }

  /// Scenario: metadata nested deeper and wider than anybody reads.
  /// Guarantees: still one bounded, valid JSON line.
  @Test func deepMetadata() throws {
    var value: Logger.MetadataValue = "end"
    for _ in 0..<50 { value = .array([value]) }
    var metadata: Logger.Metadata = ["deep": value]
    for index in 0..<200 { metadata["field\(index)"] = "1" }
    let text = line(.json, "m", metadata)
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(object.count == LogLineFormat.fieldsMax + 4)
  }

  /// Scenario: days around leap years and the ends of the calendar.
  /// Guarantees: the same as Foundation's formatter says.
  @Test func times() {
    #expect(LogClock.text(0) == "1970-01-01T00:00:00.000Z")
    #expect(LogClock.text(951_782_400_000_000_000) == "2000-02-29T00:00:00.000Z")
    #expect(LogClock.text(.max) == "2554-07-21T23:34:33.709Z")
    let formatter = Date.ISO8601FormatStyle()
    for day in stride(from: 0, to: 60_000, by: 37) {
      let seconds = Double(day) * 86_400 + 3_599
      let expected = Date(timeIntervalSince1970: seconds).formatted(formatter)
      let text = LogClock.text(UInt64(seconds) * 1_000_000_000)
      #expect(text == expected.dropLast() + ".000Z")
    }
    #expect(LogClock.now() > 1_700_000_000_000_000_000)
  }

  /// Scenario: `log.format` with and without a terminal.
  /// Guarantees: auto follows the terminal, the others do not.
  @Test func formatFollowsTheTerminal() {
    #expect(LogLineFormat(.auto, isTerminal: true) == .text)
    #expect(LogLineFormat(.auto, isTerminal: false) == .json)
    #expect(LogLineFormat(.text, isTerminal: false) == .text)
    #expect(LogLineFormat(.json, isTerminal: true) == .json)
  }
}
