import Testing

@testable import OTLP

@Suite struct ExportResponseTests {
  private func json(_ rejections: Rejections) -> String {
    String(decoding: ExportResponse.encoded(rejections, .json), as: UTF8.self)
  }

  /// Scenario: everything was accepted.
  /// Guarantees: partial_success stays unset: no bytes, or an empty object.
  @Test func fullSuccessIsEmpty() {
    #expect(ExportResponse.encoded(Rejections(), .protobuf).isEmpty)
    #expect(json(Rejections()) == "{}")
  }

  /// Scenario: spans were left out.
  /// Guarantees: count and message in both forms; the count is text in JSON.
  @Test func rejectionsAreTold() {
    let rejections = Rejections(rejectedSpans: 300, message: "why", counts: [.noTimestamps: 300])
    let expected = ProtobufBuilder {
      $0.field(1) {
        $0.field(1, varint: 300)
        $0.field(2, text: "why")
      }
    }.bytes
    #expect(ExportResponse.encoded(rejections, .protobuf) == expected)
    #expect(
      json(rejections) == #"{"partialSuccess":{"rejectedSpans":"300","errorMessage":"why"}}"#)
  }

  /// Scenario: nothing was left out, but there is a warning.
  /// Guarantees: a count of 0 with the message.
  @Test func warningsAreTold() {
    let warning = Rejections(rejectedSpans: 0, message: "careful")
    let expected = ProtobufBuilder { $0.field(1) { $0.field(2, text: "careful") } }.bytes
    #expect(ExportResponse.encoded(warning, .protobuf) == expected)
    #expect(
      json(warning) == #"{"partialSuccess":{"rejectedSpans":"0","errorMessage":"careful"}}"#)
  }

  /// Scenario: a message of 10 MB of characters that JSON escapes as six bytes, and of emoji.
  /// Guarantees: the answer stays under 4 MiB in both forms, and is valid UTF-8.
  @Test(arguments: ["\u{1}", "😀"])
  func answersAreBounded(character: String) {
    let count = 10_000_000 / character.utf8.count
    let rejections = Rejections(
      rejectedSpans: 1, message: "x" + String(repeating: character, count: count))
    for encoding in [OTLPEncoding.protobuf, .json] {
      let bytes = ExportResponse.encoded(rejections, encoding)
      #expect(bytes.count > 500_000 && bytes.count <= ExportResponse.bytesMax)
      let repaired = String(decoding: bytes.drop { $0 != UInt8(ascii: "x") }, as: UTF8.self)
      #expect(!repaired.contains("\u{FFFD}"))
    }
  }
}
