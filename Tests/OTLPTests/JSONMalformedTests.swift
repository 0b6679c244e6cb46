import Model
import TestSupport
import Testing

@testable import OTLP

@Suite struct JSONMalformedTests {
  /// Scenario: documents that are not JSON, or not an object.
  /// Guarantees: 400 with the offset where it was noticed and what was expected there.
  @Test(arguments: [
    ("", 0, "ends too early"), ("   ", 3, "ends too early"), ("[]", 0, "an object expected"),
    ("null", 0, "an object expected"), ("{", 1, "ends too early"), ("{a:1}", 1, "a key in quotes"),
    (#"{"a" 1}"#, 5, "a colon expected"), (#"{"a":1 "b":2}"#, 7, "a comma or the end"),
    (#"{"a":1,}"#, 7, "a value expected after the comma"), (#"{"a":[1,]}"#, 8, "after the comma"),
    (#"{"a":}"#, 5, "a value expected"), (#"{"a":tru}"#, 5, "a value expected"),
    (#"{"a":nul}"#, 5, "a value expected"), (#"{"a":01}"#, 5, "not a number"),
    (#"{"a":-}"#, 5, "not a number"), (#"{"a":1.}"#, 5, "not a number"),
    (#"{"a":1e}"#, 5, "not a number"), (#"{"a":.5}"#, 5, "a value expected"),
    (#"{"a":+1}"#, 5, "a value expected"), (#"{"a":"\x"}"#, 6, "an unknown escape"),
    (#"{"a":"b\u12g4"}"#, 7, "four hexadecimal digits"),
    ("{\"a\":\"\u{1}\"}", 6, "a control character"),
    (#"{"a":"\"}"#, 9, "ends too early"), (#"{"\q":1}"#, 2, "an unknown escape"),
    (#"{"a":"\u00"}"#, 6, "four hexadecimal digits"), (#"{"a":[}"#, 6, "a value expected"),
    (#"{"a":{]}"#, 6, "a key in quotes"), (#"{"resourceSpans":{}}"#, 17, "an array expected"),
    (#"{"resourceSpans":[5]}"#, 18, "an object expected"), (#"{"a":1}x"#, 7, "after the end"),
    ("{\"a\":\u{7F}}", 5, "a value expected"), (#"{"a":"\u12"#, 10, "ends too early"),
  ]) func malformed(text: String, offset: Int, reason: String) throws {
    let error = try #require(SampleRequest.error(text))
    guard case .malformedJSON(let foundOffset, _, let foundReason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(foundOffset == offset)
    #expect(foundReason.contains(reason), "\(foundReason)")
    #expect(error.kind == .malformed && error.message.contains("at byte \(offset)"))
  }

  /// Scenario: a number of more digits than anybody means.
  /// Guarantees: refused, so that no later step has to read it.
  @Test func longNumber() {
    let digits = String(repeating: "1", count: 1025)
    let error = SampleRequest.error(#"{"a":\#(digits)}"#)
    #expect(error?.message.contains("more than 1024 characters") == true)
    #expect(SampleRequest.error(#"{"a":\#(digits.dropLast())}"#) == nil)
  }

  /// Scenario: errors in the middle of lists, behind strings that look like structure.
  /// Guarantees: the path counts elements and names keys, and does not look into strings.
  @Test func paths() {
    func path(_ text: String) -> String? {
      guard case .malformedJSON(_, let path, _)? = SampleRequest.error(text) else { return nil }
      return path
    }
    #expect(path(#"{"a":1,"b":["x",{"c":"{[,\"","d":[[],[1,2,?]]}]}"#) == "b[1].d[1][2]")
    #expect(path(#"{"a":{"b":1},?}"#) == "")
    #expect(path(#"{"a":[{"b":1},{?}]}"#) == "a[1]")
    let long = String(repeating: "k", count: 100)
    #expect(path(#"{"\#(long)":?}"#) == String(repeating: "k", count: 48))
    let resource = #"{"resourceSpans":[{"resource":{"attributes":[{"key":5}]}}]}"#
    #expect(path(resource) == "resourceSpans[0].resource.attributes[0].key")
    // The spans are read after the resource that follows them, and the path still holds.
    let revisited =
      #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":7}]}],"resource":{"x":[1]}}]}"#
    #expect(path(revisited) == "resourceSpans[0].scopeSpans[0].spans[0].name")
  }

  /// Scenario: a request cut after every one of its bytes.
  /// Guarantees: each is a 400 that says it ends too early; only the whole one is read.
  @Test func truncated() throws {
    var sample = SampleRequest()
    sample.spans[0].attributes = [("a\n", "é\"b"), ("n", 12.5), ("t", true), ("l", .array)]
    let bytes = Array(sample.json.utf8)
    for length in 0..<bytes.count {
      let error = #expect(throws: DecodeError.self) {
        _ = try SampleRequest.read(Array(bytes[0..<length]))
      }
      #expect(error?.message.contains("ends too early") == true, "\(length)")
    }
    #expect(try SampleRequest.read(bytes).batch.count == 1)
  }

  /// Scenario: requests with bytes changed, removed, doubled and spliced, by the seed.
  /// Guarantees: each is read or refused; none crashes, and what is read keeps the batch's rules.
  @Test func mutated() throws {
    var random = SeededGenerator()
    var sample = SampleRequest()
    sample.spans[0].attributes = [
      ("http.status_code", "503"), ("peer.service", "p\u{1}"), ("n", 1e300), ("t", true),
    ]
    sample.spans.append(SampleSpan(id: "1111111111111111", parent: "0102030405060708"))
    let original = Array(sample.json.utf8)
    let fragments = [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\ud800", "null", "1e999", "-",
      "18446744073709551616",
      "\"spans\":[", "\"resource\":{", "\u{FEFF}", "\u{0}", "true", "\"scopeSpans\":",
      "{\"low\":1}",
    ].map { Array($0.utf8) }
    var read = 0
    for _ in 0..<3000 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let length = min(Int.random(in: 0...12, using: &random), bytes.count - place)
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.removeSubrange(place..<place + length)
        case 2: bytes.insert(contentsOf: fragments.randomElement(using: &random)!, at: place)
        default: bytes.insert(contentsOf: bytes[place..<place + length], at: place)
        }
      }
      guard let request = try? SampleRequest.read(bytes) else { continue }
      read += 1
      #expect(request.batch.spans.count == request.batch.traces.count)
      for span in request.batch.spans {
        #expect(span.end >= span.start && !span.id.isZero && !span.service.isNone)
      }
    }
    #expect(read > 0 && read < 3000, "the mutations are too strong or too weak: \(read)")
  }
}
