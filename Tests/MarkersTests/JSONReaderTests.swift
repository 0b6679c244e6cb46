import Markers
import TestSupport
import Testing

private func read(_ text: String) throws -> JSONValue { try JSONReader.read(Array(text.utf8)) }

@Suite struct JSONReaderTests {
  /// Scenario: JSON of every kind.
  /// Guarantees: every value is what it says, whole numbers exactly.
  @Test func values() throws {
    let text = #" {"a": [1, -2.5, 1e3, true, false, null, "x"], "b": {}, "a2": 9007199254740993} "#
    #expect(
      try read(text)
        == .object([
          "a": .array([
            .integer(1), .number(-2.5), .number(1_000), .boolean(true), .boolean(false), .null,
            .text("x"),
          ]), "b": .object([:]), "a2": .integer(9_007_199_254_740_993),
        ]))
    #expect(
      try read(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83dx""#)
        == .text("\"\\/\u{8}\u{C}\n\r\té😀\u{FFFD}x"))
    #expect(try read(#"{"a": 1, "a": 2}"#) == .object(["a": .integer(2)]))
  }

  /// Scenario: text that is no JSON.
  /// Guarantees: refused, with the place.
  @Test(
    arguments: [
      ("", "line 1, column 1"), ("{", "column 2"), ("{\n \"a\" 1}", "line 2, column 6"),
      ("[1,]", "column 4"), ("[1 2]", "column 4"), ("{\"a\":1,}", "column 8"), ("nul", "column 1"),
      ("01", "column 1"), ("1.", "column 1"), ("+1", "column 1"), ("1e999", "column 1"),
      ("\"a", "column 3"), ("\"\\x\"", "column 3"), ("\"\\u12g4\"", "column 4"),
      ("{} x", "column 4"),
      ("\"a\nb\"", "column 3"), ("payload=%7B%7D", "column 1"),
    ])
  func wrong(text: String, place: String) {
    let failure = #expect(throws: JSONReader.Failure.self) { try read(text) }
    #expect(failure?.message.contains(place) == true, "\(failure?.message ?? "")")
  }

  /// Scenario: more depth and more values than there may be, bytes that are no UTF-8.
  /// Guarantees: refused at the limit and not before it.
  @Test func limits() throws {
    let depth = JSONReader.depthMax
    let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(throws: Never.self) { try read(deep) }
    #expect(throws: JSONReader.Failure.self) { try read("[" + deep + "]") }
    #expect(throws: JSONReader.Failure.self) { try read(String(repeating: "[", count: 1_000_000)) }
    let many = Array(repeating: "1", count: JSONReader.valuesMax).joined(separator: ",")
    #expect(throws: JSONReader.Failure.self) { try read("[\(many)]") }
    #expect(throws: JSONReader.Failure.self) { try JSONReader.read([0x22, 0xFF, 0x22]) }
  }

  /// Scenario: random bytes of those JSON is made of.
  /// Guarantees: never a crash.
  @Test func random() {
    var generator = SeededGenerator()
    let alphabet = Array("{}[]\",:\\u0123eE+-.truefalsn \n\u{1}é".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<generator.below(24)).map { _ in alphabet[generator.below(alphabet.count)] }
      _ = try? JSONReader.read(bytes)
    }
  }
}
