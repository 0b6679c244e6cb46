import Model
import Testing

@testable import OTLP

@Suite struct WireScanTests {
  private func reason(_ body: [UInt8]) -> String? {
    guard case .malformedProtobuf(_, let reason) = Sample.error(body) else { return nil }
    return reason
  }

  /// Scenario: bodies that are no protobuf, or end in the middle of it.
  /// Guarantees: each is refused as malformed with a reason that names what is wrong.
  @Test(
    arguments: [
      ([0x00, 0x00], "field number 0"),
      ([0x0F], "wire type 7"),
      ([0x0E, 0x00], "wire type 6"),
      ([0x0A, 0x05, 0x00], "past the end"),
      ([0x0A], "does not end"),
      ([0x80], "does not end"),
      ([0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "does not end"),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "out of range"),
      ([0x78, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], "does not end"),
      ([0x79, 0x00], "cut off"),
      ([0x7D, 0x00], "cut off"),
      ([0x7C], "never began"),
      ([0x7B], "group that does not end"),
      ([0x7B, 0x74], "the end of another group"),
      ([0x08, 0x00], "field 1 of ExportTraceServiceRequest with wire type 0"),
      ([0x0B, 0x0C], "field 1 of ExportTraceServiceRequest with wire type 3"),
    ] as [([UInt8], String)])
  func malformedBytesAreRefused(body: [UInt8], words: String) throws {
    #expect(try #require(reason(body)).contains(words))
    let error = try #require(Sample.error(body))
    #expect(error.kind == .malformed)
    #expect(error.message.contains("byte"))
  }

  /// Scenario: a length inside a message that its own message cannot hold, though the body could.
  /// Guarantees: refused: a sub-message ends where its parent ends.
  @Test func lengthsStayWithinTheirMessage() throws {
    let body: [UInt8] = [0x0A, 0x02, 0x0A, 0x03, 0x0A, 0x01, 0x00]
    #expect(try #require(reason(body)).contains("past the end"))
  }

  /// Scenario: an attribute value nested to the limit and one level beyond it.
  /// Guarantees: the first is accepted, the second is refused as too deep.
  @Test func depthIsLimited() {
    var limits = DecodeLimits()
    limits.depthMax = 12
    // Request, ResourceSpans, ScopeSpans, Span, KeyValue, AnyValue; then two levels for each array.
    #expect(Sample.error(nested(arrays: 3), limits: limits) == nil)
    #expect(Sample.error(nested(arrays: 4), limits: limits) == .tooDeep(levelsMax: 12))
  }

  /// Scenario: an AnyValue nested 100 000 arrays deep, which overflows the stack of a parser that
  /// recurses (2 MiB of stack are gone at 2 000).
  /// Guarantees: refused with a clear message, on a small stack.
  @Test func nestedBombIsRefused() throws {
    let error = Sample.error(nested(arrays: 100_000))
    #expect(error == .tooDeep(levelsMax: 64))
    #expect(error?.kind == .malformed)
    #expect(error?.message.contains("64 levels") == true)
  }

  /// Scenario: groups nested 100 000 deep in an unknown field.
  /// Guarantees: refused, without recursion.
  @Test func nestedGroupsAreRefused() {
    let body = [UInt8](repeating: 0x7B, count: 100_000) + [UInt8](repeating: 0x7C, count: 100_000)
    let words = reason(body)
    #expect(words?.contains("nest too deep") == true)
  }

  /// Scenario: 2 MB of empty spans, which become 240 MB, where less memory is allowed.
  /// Guarantees: refused before anything is allocated; the message has both figures.
  @Test func emptySpansAreRefused() {
    let body = emptySpans(1_000_000)
    var limits = DecodeLimits()
    limits.memoryBytesMax = 128 << 20
    let error = Sample.error(body, limits: limits)
    guard case .memoryTooLarge(let bytes, _) = error else {
      Issue.record("not refused for its memory")
      return
    }
    #expect(bytes > 240_000_000 && bytes < 256 << 20)
    #expect(error?.kind == .tooLarge)
    #expect(error?.message.contains("\(bytes)") == true)
  }

  /// Scenario: empty spans, where exactly as much memory is allowed as they take.
  /// Guarantees: the request is read, and every one of them is rejected by itself.
  @Test func emptySpansAreRejectedOneByOne() throws {
    let body = emptySpans(50_000)
    var limits = DecodeLimits()
    limits.memoryBytesMax = try Sample.scan(body).memoryBytes
    let decoded = try Sample.decode(body, limits: limits)
    #expect(decoded.batch.isEmpty)
    #expect(decoded.rejections.counts == [.invalidTraceID: 50_000])
  }

  /// Scenario: 400 KB of unknown two-byte fields at the top of the body.
  /// Guarantees: they are ignored, within the memory the limit allows.
  @Test func unknownFieldsAreBounded() throws {
    let body = (0..<200_000).flatMap { _ in [0x12, 0x00] as [UInt8] }
    let needed = try Sample.scan(body).memoryBytes
    #expect(needed < 60 * body.count)
    let decoded = try Sample.decode(body)
    #expect(decoded.rejections == Rejections())
    var limits = DecodeLimits()
    limits.memoryBytesMax = 4 << 20
    let error = Sample.error(body, limits: limits)
    #expect(error?.kind == .tooLarge)
  }

  /// Scenario: one span more than the limit.
  /// Guarantees: refused as too large.
  @Test func spansAreLimited() {
    var limits = DecodeLimits()
    limits.spansPerRequestMax = 2
    let two = ProtobufBuilder { $0.resourceSpans { for id in 1...2 { $0.span(id: UInt64(id)) } } }
    let three = ProtobufBuilder { $0.resourceSpans { for id in 1...3 { $0.span(id: UInt64(id)) } } }
    #expect(Sample.error(two.bytes, limits: limits) == nil)
    #expect(Sample.error(three.bytes, limits: limits) == .tooManySpans(countMax: 2))
  }

  /// Scenario: the schema read from the generated descriptors.
  /// Guarantees: it holds every message of a request, and knows spans and groups of them by row.
  @Test func schemaFollowsTheDefinitions() {
    let schema = WireSchema.request
    #expect(schema.messages.count == 14)
    #expect(schema.messages[schema.spanRow].name == "Span")
    #expect(schema.messages[schema.resourceSpansRow].name == "ResourceSpans")
    #expect(schema.field(9, of: schema.spanRow).elementBytes == 8)
    #expect(schema.field(15, of: schema.spanRow).isMerged)
    #expect(!schema.field(17, of: schema.spanRow).isKnown)
    #expect(!schema.field(1000, of: schema.resourceSpansRow).isKnown)
  }

  private func emptySpans(_ count: Int) -> [UInt8] {
    let spans = (0..<count).flatMap { _ in [0x12, 0x00] as [UInt8] }
    return ProtobufBuilder { $0.field(1) { $0.field(2, bytes: spans) } }.bytes
  }

  private func nested(arrays: Int) -> [UInt8] {
    // From the inside out, each level with the lengths of all within it.
    var value: [UInt8] = []
    var levels: [[UInt8]] = []
    var count = 0
    for _ in 0..<arrays {
      let inner = ProtobufBuilder {
        $0.tag(1, 2)
        $0.varint(UInt64(count))
      }.bytes
      count += inner.count
      let outer = ProtobufBuilder {
        $0.tag(5, 2)
        $0.varint(UInt64(count))
      }.bytes
      count += outer.count
      levels.append(outer + inner)
    }
    for level in levels.reversed() { value += level }
    return ProtobufBuilder.request { $0.attribute(9, "deep") { $0.raw(value) } }
  }
}
