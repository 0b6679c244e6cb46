import Model
import Testing

@testable import OTLP

/// Links of spans, in both forms of a request.
@Suite struct LinkTests {
  private static let whole = (trace: "0102030405060708090A0B0C0D0E0F10", span: "0102030405060708")
  private static let other = (trace: whole.trace, span: "0102030405060709")

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
  /// Guarantees: only spans that send or take messages carry how many there are, the same one once; not
  /// those that only create one. Senders do not count a link to themselves, of which nobody is told.
  @Test func kinds() throws {
    for kind: Int64 in 1...5 {
      let span = SampleSpan(kind: kind, links: [Self.whole, Self.other, Self.whole])
      #expect(try links(span) == (kind == 5 ? [2, 2] : kind == 4 ? [1, 1] : [0, 0]))
    }
    var creation = SampleSpan(kind: 4, links: [Self.whole])
    creation.attributes = [("messaging.operation.type", "create")]
    #expect(try links(creation) == [0, 0])
    var span = SampleSpan(kind: 3, links: [Self.whole])
    span.attributes = [("messaging.system", "kafka"), ("messaging.operation.type", "receive")]
    #expect(try links(span) == [1, 1])
    span.links = [Self.other]
    let link = try #require(try SampleRequest(spans: [span]).read().batch.spans.last)
    #expect(link.traits.contains(.linkOfPoll) && !link.traits.contains(.linkOfSending))
    span.attributes = [("rpc.system", "grpc")]
    #expect(try links(span) == [0, 0])
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
    let full = (0..<limit).map { (Self.whole.trace, SpanID(UInt64(0xB0 + $0)).description) }
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

  /// Scenario: spans that take messages and others, with links to two traces, one of them twice, and
  /// to themselves.
  /// Guarantees: each link to another span is told once to the trace it names, by both forms alike; the
  /// sender sent one span.
  @Test func recordsOfLinks() throws {
    let other = (trace: "0102030405060708090A0B0C0D0E0FFF", span: "0102030405060709")
    for kind: Int64 in 1...5 {
      var span = SampleSpan(kind: kind, status: 2)
      span.attributes = [("messaging.system", "kafka"), ("messaging.destination.name", "orders")]
      span.links = [Self.whole, other, other, (span.trace, "00000000000000AA")]
      let request = SampleRequest(spans: [span])
      let batch = try request.read().batch
      let sent = try #require(batch.spans.first)
      #expect(try Sample.decode(request.protobuf).batch == batch)
      #expect(batch.sentCount == 1 && sent.kind != .link)
      let links = batch.spans.dropFirst()
      #expect(links.allSatisfy { $0.kind == .link && $0.isError && $0.unreadLinks == 0 })
      #expect(
        batch.traces.dropFirst().map(\.description)
          == [other.trace, span.trace].map { $0.lowercased() })
      #expect(links.map(\.parent) == [SpanID(0x0102_0304_0506_0709), SpanID(0xAA)])
      for link in links {
        #expect((link.start, link.end) == (sent.start, sent.end))
        #expect(link.service == sent.service && link.weight == sent.weight)
        #expect(link.isLink(outOf: batch.traces[0]) && !link.isLink(outOf: batch.traces[1]))
        #expect(link.linkingSpan(in: batch.traces[0]) == sent.id)
        #expect(link.takesMessages == (kind == 5))
        #expect(link.peer == (kind >= 3 ? sent.peer : .none))
        #expect(link.traits.contains(.linkOfSending) == (kind == 3 || kind == 4))
        #expect(!link.traits.contains(.linkOfPoll))
      }
      #expect(links.map(\.standsForSending) == [kind == 3 || kind == 4, false])
    }
  }

  /// Scenario: a client that settles messages, with links to them.
  /// Guarantees: they are told to nobody: it neither sends nor takes.
  @Test func settlingTellsNothing() throws {
    var span = SampleSpan(kind: 3, links: [Self.whole])
    span.attributes = [("messaging.system", "kafka"), ("messaging.operation.type", "settle")]
    span.droppedLinks = 3
    #expect(try SampleRequest(spans: [span]).read().batch.count == 1)
  }

  /// Scenario: more links than are followed of a span, and of a request, and dropped ones.
  /// Guarantees: those beyond are one record of the span's own trace, which says how many they are.
  @Test func unreadLinks() throws {
    let limit = SpanFields.linksReadMax
    let many = (0..<limit + 7).map { (Self.whole.trace, SpanID(UInt64(0xB0 + $0)).description) }
    var span = taker(many, dropped: 5)
    span.trace = "0102030405060708090A0B0C0D0E0FFF"
    var batch = try SampleRequest(spans: [span]).read().batch
    #expect(batch.count == 1 + limit + 1 && batch.spans.last?.unreadLinks == 12)
    #expect(batch.traces.last == batch.traces.first && batch.spans.last?.kind == .link)
    var limits = DecodeLimits()
    limits.linksPerRequestMax = 2
    batch = try Sample.decode(SampleRequest(spans: [span, span]).protobuf, limits: limits).batch
    #expect(batch.spans.map(\.unreadLinks) == [0, 0, 0, 138, 0, 140])
  }
}
