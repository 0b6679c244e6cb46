import Model
import Testing

@testable import OTLP

/// Links of spans, in both forms of a request.
@Suite struct LinkTests {
  private static let whole = (trace: "0102030405060708090A0B0C0D0E0F10", span: "0102030405060708")

  private func links(_ span: SampleSpan) throws -> [UInt16] {
    let request = SampleRequest(spans: [span])
    let read = [try request.read(), try Sample.decode(request.protobuf)]
    return try read.map { try #require($0.batch.spans.first).links }
  }

  private func taker(_ links: [(trace: String, span: String)], dropped: Int = 0) -> SampleSpan {
    var span = SampleSpan(kind: 5, links: links)
    span.droppedLinks = dropped
    return span
  }

  /// Scenario: links of spans of each kind, and of a client that receives.
  /// Guarantees: only spans that take messages carry how many there are.
  @Test func kinds() throws {
    for kind: Int64 in 1...5 {
      let span = SampleSpan(kind: kind, links: [Self.whole, Self.whole])
      #expect(try links(span) == (kind == 5 ? [2, 2] : [0, 0]))
    }
    var span = SampleSpan(kind: 3, links: [Self.whole])
    span.attributes = [("messaging.system", "kafka"), ("messaging.operation.type", "receive")]
    #expect(try links(span) == [1, 1])
  }

  /// Scenario: links with ids that are missing, zero, or of another length.
  /// Guarantees: they count for nothing, and the span is kept.
  @Test func brokenLinks() throws {
    let zero = String(repeating: "0", count: 32)
    #expect(
      try links(
        taker([
          Self.whole, (zero, Self.whole.span), (Self.whole.trace, String(zero.prefix(16))),
          ("", Self.whole.span), (Self.whole.trace, ""), ("01", Self.whole.span),
        ])) == [1, 1])
  }

  /// Scenario: more links than are looked at, more than the field holds, and dropped ones.
  /// Guarantees: all are counted, those behind the first 128 unseen, up to 65 535.
  @Test func manyLinks() throws {
    let broken = (trace: "", span: "")
    let limit = SpanFields.linksReadMax
    let full = Array(repeating: Self.whole, count: limit)
    #expect(try links(taker(full)) == [128, 128])
    #expect(try links(taker(full + [broken, broken])) == [130, 130])
    #expect(try links(taker(Array(repeating: broken, count: limit + 5))) == [5, 5])
    #expect(try links(taker(full, dropped: 372)) == [500, 500])
    #expect(try links(taker(full, dropped: Int(UInt32.max))) == [.max, .max])
    #expect(try links(taker(Array(repeating: Self.whole, count: 70_000))) == [.max, .max])
  }

  /// Scenario: JSON with the list twice, with nulls, numbers and unknown keys in it, or none at all.
  /// Guarantees: the last list counts; what is no link is none.
  @Test func wildJSON() throws {
    func links(_ members: String) throws -> UInt16? {
      let span = JSONReaderTests.span("0102030405060708", #","kind":5,"# + members)
      return try SampleRequest.read(JSONReaderTests.request(span)).batch.spans.first?.links
    }
    let link =
      #"{"x":[1],"spanId":"0102030405060708","traceId":"0102030405060708090a0b0c0d0e0f10"}"#
    #expect(try links(#""links":[\#(link),\#(link)],"links":[\#(link),null,7,"x",[],{}]"#) == 1)
    #expect(try links(#""links":"x""#) == 0 && links(#""links":{"a":1}"#) == 0)
    #expect(try links(#""links":[{"spanId":5,"traceId":null}],"droppedLinksCount":"3""#) == 3)
    #expect(throws: DecodeError.self) { try links(#""links":[{"spanId":"\q"}]"#) }
  }
}
