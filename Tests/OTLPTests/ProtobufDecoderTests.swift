import Model
import Testing

@testable import OTLP

@Suite struct ProtobufDecoderTests {
  private func only(_ body: [UInt8]) throws -> SpanRecord {
    let decoded = try Sample.decode(body)
    #expect(decoded.rejections.rejectedSpans == 0)
    return try #require(decoded.batch.spans.first)
  }

  private func text(_ id: NameID, in names: NameTable) -> String? { names.name(id)?.text }

  /// Scenario: a span with every field, attributes of every type, an event, a link and a status.
  /// Guarantees: each field arrives where it belongs.
  @Test func everyFieldIsRead() throws {
    let names = NameTable()
    let body = ProtobufBuilder {
      $0.resourceSpans {
        $0.field(1) {
          $0.field(1, text: "library")
          $0.attribute(3, "k", text: "v")
        }
        $0.span(parent: Sample.bytes(of: 9)) {
          $0.field(3, text: "ot=th:8")
          $0.attribute(9, "list") { $0.field(5) { $0.field(1) { $0.field(3, varint: 1) } } }
          $0.field(10, varint: 3)
          $0.field(11) {
            $0.field(1, fixed64: 5)
            $0.field(2, text: "event")
          }
          $0.field(12, varint: 4)
          $0.field(13) {
            $0.field(1, bytes: Sample.traceBytes)
            $0.field(6, fixed32: 0x301)
          }
          $0.field(15) {
            $0.field(2, text: "broke")
            $0.field(3, varint: 2)
          }
          $0.field(16, fixed32: 0xFFFF_FFFF)
        }
        $0.field(3, text: "https://opentelemetry.io/schemas/1.38.0")
      }
    }.bytes
    let decoded = try Sample.decode(body, names: names)
    let span = try #require(decoded.batch.spans.first)
    #expect(decoded.rejections == Rejections())
    #expect(decoded.batch.traces == [Sample.trace])
    #expect(span.id == SpanID(0x0102_0304_0506_0708))
    #expect(span.parent == SpanID(9))
    #expect(span.start == Sample.start && span.end == Sample.end)
    #expect(span.kind == .server)
    #expect(span.isError)
    #expect(span.weight == 2 * SpanRecord.weightOne)
    #expect(text(span.operation, in: names) == "GET /")
    #expect(text(span.service, in: names) == NodeIdentity(name: "checkout").text)
  }

  /// Scenario: a body of no bytes, and bodies with empty messages at each level.
  /// Guarantees: success, with no span and nothing to say.
  @Test(arguments: [[], [0x0A, 0x00], [0x0A, 0x02, 0x12, 0x00], [0x0A, 0x02, 0x0A, 0x00]])
  func emptyRequestsSucceed(body: [UInt8]) throws {
    let decoded = try Sample.decode(body)
    #expect(decoded.batch.isEmpty)
    #expect(decoded.rejections == Rejections())
    #expect(ExportResponse.encoded(decoded.rejections, .protobuf).isEmpty)
  }

  /// Scenario: unknown fields of every wire type, groups among them, at every level; groups hold
  /// groups, lengths above 127 and bytes that look like the fields around them.
  /// Guarantees: they are ignored, and the fields before and after them are read.
  @Test func unknownFieldsAndGroupsAreIgnored() throws {
    func unknown(_ builder: inout ProtobufBuilder) {
      builder.field(900, varint: .max)
      builder.field(901, fixed64: 1)
      builder.field(902, bytes: [1, 2, 3])
      builder.field(903, fixed32: 1)
      builder.group(904)
      builder.group(905) {
        $0.field(1, bytes: [UInt8](repeating: 0x0A, count: 300))
        $0.group(905) { $0.field(2, varint: 7) }
        $0.field(3, fixed64: 1)
        $0.field(4, fixed32: 1)
      }
      builder.group(20) { $0.field(1, bytes: [UInt8](repeating: 1, count: 121)) }
    }
    let body = ProtobufBuilder {
      unknown(&$0)
      $0.field(1) {
        unknown(&$0)
        $0.field(1) {
          unknown(&$0)
          $0.attribute(1, "service.name") {
            unknown(&$0)
            $0.field(1, text: "late")
            unknown(&$0)
          }
        }
        $0.field(2) {
          unknown(&$0)
          $0.span(id: 7) { unknown(&$0) }
          $0.span(id: 8)
        }
      }
      unknown(&$0)
    }.bytes
    let names = NameTable()
    let decoded = try Sample.decode(body, names: names)
    #expect(decoded.batch.spans.map(\.id) == [SpanID(7), SpanID(8)])
    #expect(text(decoded.batch.spans[0].service, in: names) == NodeIdentity(name: "late").text)
    let summary = try Sample.scan(body)
    #expect(summary.cleaned?.count == body.count)
    #expect(try Sample.scan(try #require(summary.cleaned)).memoryBytes == summary.memoryBytes)
  }

  /// Scenario: spans in field 1000 of ResourceSpans, beside a span of today.
  /// Guarantees: they are counted as rejected, with what to do; the other one is accepted.
  @Test func deprecatedSpansAreReported() throws {
    let body = ProtobufBuilder {
      $0.field(1) {
        $0.field(1000) {
          $0.field(1) { $0.field(1, text: "library") }
          $0.span(id: 1)
          $0.span(id: 2)
        }
        $0.field(2) { $0.span(id: 3) }
      }
    }.bytes
    let decoded = try Sample.decode(body)
    #expect(decoded.batch.spans.map(\.id) == [SpanID(3)])
    #expect(decoded.rejections.counts == [.deprecatedInstrumentationLibrarySpans: 2])
    #expect(decoded.rejections.rejectedSpans == 2)
    #expect(decoded.rejections.message?.contains("update the exporter") == true)
  }

  /// Scenario: a field 1000 of ResourceSpans that is no message.
  /// Guarantees: the body is refused: it cannot be told how many spans were lost.
  @Test func damagedDeprecatedSpansAreRefused() {
    let body = ProtobufBuilder { $0.field(1) { $0.field(1000, bytes: [0x12, 0x05]) } }.bytes
    #expect(Sample.error(body)?.kind == .malformed)
  }

  /// Scenario: attribute values of all eight cases, the empty one, and nested ones.
  /// Guarantees: all are accepted.
  @Test func everyAttributeValueIsAccepted() throws {
    let body = ProtobufBuilder.request {
      $0.attribute(9, "text", text: "x")
      $0.attribute(9, "bool") { $0.field(2, varint: 1) }
      $0.attribute(9, "int") { $0.field(3, varint: UInt64(bitPattern: -1)) }
      $0.attribute(9, "double") { $0.field(4, fixed64: Double.nan.bitPattern) }
      $0.attribute(9, "array") { $0.field(5) { $0.field(1) { $0.field(5) { _ in } } } }
      $0.attribute(9, "list") { $0.field(6) { $0.attribute(1, "k", text: "v") } }
      $0.attribute(9, "bytes") { $0.field(7, bytes: [0xFF, 0x00]) }
      $0.attribute(9, "empty") { _ in }
      $0.field(9) { $0.field(1, text: "no value at all") }
      $0.field(9) { _ in }
    }
    let decoded = try Sample.decode(body)
    #expect(decoded.batch.count == 1)
    #expect(decoded.rejections == Rejections())
  }

  /// Scenario: an error told by attributes of each type a sender may use for it.
  /// Guarantees: the value reaches the rules whatever its type.
  @Test func attributeTypesReachTheRules() throws {
    let text = try only(.init(ProtobufBuilder.request { $0.attribute(9, "error", text: "true") }))
    let bool = try only(
      ProtobufBuilder.request { $0.attribute(9, "error") { $0.field(2, varint: 1) } })
    let int = try only(
      ProtobufBuilder.request {
        $0.attribute(9, "http.response.status_code") { $0.field(3, varint: 503) }
      })
    let double = try only(
      ProtobufBuilder.request {
        $0.attribute(9, "http.response.status_code") { $0.field(4, fixed64: 503.0.bitPattern) }
      })
    let bytes = try only(
      ProtobufBuilder.request { $0.attribute(9, "error") { $0.field(7, bytes: [1]) } })
    #expect(text.isError && bool.isError && int.isError && double.isError)
    #expect(!bytes.isError)
  }

  /// Scenario: keys and values that are indexes into a table of strings.
  /// Guarantees: the span is accepted, the attribute is read as absent, and a warning says so.
  @Test func stringIndexesAreWarnedAbout() throws {
    let body = ProtobufBuilder.request {
      $0.attribute(9, "error") { $0.field(8, varint: 3) }
      $0.field(9) {
        $0.field(2) { $0.field(1, text: "v") }
        $0.field(3, varint: 5)
      }
    }
    let decoded = try Sample.decode(body)
    #expect(decoded.batch.spans.map(\.isError) == [false])
    #expect(decoded.rejections.rejectedSpans == 0)
    #expect(decoded.rejections.message?.contains("2 attribute keys or values") == true)
  }

  /// Scenario: a oneof and an attribute key sent twice; a string, a number and a time sent twice.
  /// Guarantees: the last one counts.
  @Test func lastOneWins() throws {
    let names = NameTable()
    let body = ProtobufBuilder {
      $0.resourceSpans {
        $0.span(name: "first") {
          $0.attribute(9, "http.response.status_code") {
            $0.field(1, text: "200")
            $0.field(5) { $0.field(1) { _ in } }
            $0.field(3, varint: 503)
          }
          $0.attribute(9, "error", text: "true")
          $0.attribute(9, "error", text: "false")
          $0.field(5, text: "second")
          $0.field(6, varint: 1)
          $0.field(6, varint: 3)
          $0.field(8, fixed64: Sample.now)
        }
      }
    }.bytes
    let decoded = try Sample.decode(body, names: names)
    let span = try #require(decoded.batch.spans.first)
    #expect(text(span.operation, in: names) == "second")
    #expect(span.kind == .client)
    #expect(span.end == Sample.now)
    #expect(span.isError)
  }

  /// Scenario: a resource and an attribute value sent in two parts, a status sent twice.
  /// Guarantees: attributes of both parts count, of the value and the status the last one.
  @Test func messagesSentTwiceAreMerged() throws {
    let names = NameTable()
    let body = ProtobufBuilder {
      $0.field(1) {
        $0.field(1) { $0.attribute(1, "service.name", text: "a") }
        $0.field(1) { $0.attribute(1, "service.version", text: "v2") }
        $0.field(2) {
          $0.span {
            $0.field(9) {
              $0.field(1, text: "http.response.status_code")
              $0.field(2) { $0.field(1, text: "200") }
              $0.field(2) { $0.field(3, varint: 503) }
            }
            $0.field(15) { $0.field(3, varint: 1) }
            $0.field(15) { $0.field(3, varint: 2) }
          }
        }
      }
    }.bytes
    let decoded = try Sample.decode(body, names: names)
    let span = try #require(decoded.batch.spans.first)
    #expect(span.isError)
    #expect(text(span.version, in: names) == "v2")
    #expect(text(span.service, in: names) == NodeIdentity(name: "a").text)
    #expect(try Sample.scan(body).mergesMessages)
  }

  /// Scenario: what libprotobuf-c cannot merge: two attribute values that are both empty; and parts
  /// of a resource that each grow the merged list until the memory allowed is gone.
  /// Guarantees: refused cleanly, the first as malformed, the second as too large.
  @Test func whatCannotBeMergedIsRefused() {
    let empty = ProtobufBuilder.request {
      $0.field(9) {
        $0.field(2) { _ in }
        $0.field(2) { _ in }
      }
    }
    #expect(Sample.error(empty)?.message.contains("cannot be merged") == true)
    let growing = ProtobufBuilder {
      $0.field(1) { for _ in 0..<2000 { $0.field(1) { $0.field(1) { _ in } } } }
    }.bytes
    var limits = DecodeLimits()
    limits.memoryBytesMax = 4 << 20
    #expect(Sample.error(growing, limits: limits)?.kind == .tooLarge)
  }

  /// Scenario: a name with a NUL in the middle, and one that is not UTF-8.
  /// Guarantees: the first is kept whole; the second is repaired, with a warning.
  @Test func textSurvives() throws {
    let names = NameTable()
    let body = ProtobufBuilder {
      $0.resourceSpans {
        $0.span(id: 1, name: "ab\u{0}cd")
        $0.span(id: 2) { $0.field(5, bytes: [0xFF, 0x41]) }
      }
    }.bytes
    let decoded = try Sample.decode(body, names: names)
    let operations = decoded.batch.spans.map { text($0.operation, in: names) ?? "" }
    #expect(operations.first?.hasPrefix("ab") == true)
    #expect(operations.first?.hasSuffix("cd") == true)
    #expect(operations.last == "\u{FFFD}A")
    #expect(decoded.rejections.rejectedSpans == 0)
    #expect(decoded.rejections.message?.contains("UTF-8") == true)
  }

  /// Scenario: ids of wrong lengths and zero ids, beside a good span.
  /// Guarantees: each bad one is rejected by its own reason, and the good one is accepted.
  @Test func badIdentifiersAreRejectedOneByOne() throws {
    let body = ProtobufBuilder {
      $0.resourceSpans {
        $0.span { $0.field(1, bytes: [UInt8](repeating: 1, count: 15)) }
        $0.span { $0.field(1, bytes: [UInt8](repeating: 0, count: 16)) }
        $0.span { $0.field(1, bytes: []) }
        $0.span { $0.field(2, bytes: [1, 2, 3, 4]) }
        $0.span { $0.field(2, bytes: [UInt8](repeating: 0, count: 8)) }
        $0.span(parent: [1])
        $0.span(id: 42)
      }
    }.bytes
    let decoded = try Sample.decode(body)
    #expect(decoded.batch.spans.map(\.id) == [SpanID(42)])
    #expect(
      decoded.rejections.counts
        == [.invalidTraceID: 3, .invalidSpanID: 2, .invalidParentSpanID: 1])
  }

  /// Scenario: a parent id that is absent, empty, or eight zero bytes.
  /// Guarantees: a root.
  @Test(arguments: [nil, [], [UInt8](repeating: 0, count: 8)])
  func rootsAreTold(parent: [UInt8]?) throws {
    let span = try only(
      ProtobufBuilder { $0.resourceSpans { $0.span(parent: parent) } }.bytes)
    #expect(span.parent == .none)
  }

  /// Scenario: kinds of 0, 6, negative and beyond 32 bits.
  /// Guarantees: read as internal.
  @Test(arguments: [0, 6, UInt64(bitPattern: -1), 1 << 40])
  func unknownKindsAreInternal(kind: UInt64) throws {
    #expect(try only(ProtobufBuilder.request { $0.field(6, varint: kind) }).kind == .internal)
  }

  /// Scenario: ends of 0, before the start, at the ends of the range; starts of 0.
  /// Guarantees: never a trap; zero duration at the start, or rejection by reason.
  @Test func timesAreJudged() throws {
    let none = try only(ProtobufBuilder.request { $0.field(8, fixed64: 0) })
    #expect(none.start == Sample.start && none.end == Sample.start)
    let before = try only(ProtobufBuilder.request { $0.field(8, fixed64: 1) })
    #expect(before.durationNanos == 0 && before.start == Sample.start)
    let rejected = ProtobufBuilder {
      $0.resourceSpans {
        $0.span(start: 0, end: 0)
        $0.span(end: .max)
        $0.span(start: .max, end: .max)
        $0.span(start: 1, end: 2)
        $0.span(start: .max, end: 0)
      }
    }.bytes
    let decoded = try Sample.decode(rejected)
    #expect(decoded.batch.isEmpty)
    #expect(
      decoded.rejections.counts
        == [.noTimestamps: 1, .endInTheFuture: 3, .endBeforeRetention: 1])
  }

  /// Scenario: a span with 500 attributes, 500 events and 500 links, and a tracestate of 2 KB.
  /// Guarantees: accepted: the SDKs' defaults of 128 are not limits.
  @Test func manyPartsAreAccepted() throws {
    let body = ProtobufBuilder.request {
      for index in 0..<500 {
        $0.attribute(9, "key\(index)", text: "value")
        $0.field(11) { $0.field(2, text: "event\(index)") }
        $0.field(13) { $0.field(1, bytes: Sample.traceBytes) }
      }
      $0.field(3, text: String(repeating: "a", count: 2048))
    }
    #expect(try Sample.decode(body).batch.sentCount == 1)
  }

  /// Scenario: a resource without service.name, and a ResourceSpans without resource.
  /// Guarantees: both count for `unknown_service`.
  @Test func namelessServicesAreNamed() throws {
    let names = NameTable()
    let body = ProtobufBuilder {
      $0.field(1) { $0.field(2) { $0.span(id: 1) } }
      $0.field(1) {
        $0.field(1) { _ in }
        $0.field(2) { $0.span(id: 2) }
      }
    }.bytes
    let services = try Sample.decode(body, names: names).batch.spans.map(\.service)
    #expect(services.count == 2 && services[0] == services[1])
    #expect(text(services[0], in: names) == NodeIdentity(name: "unknown_service").text)
  }

  /// Scenario: one decoder reads a bad body, an exploding one, and a good one.
  /// Guarantees: nothing of the bad ones is left, and the same good body gives the same batch.
  @Test func decoderRecovers() throws {
    var limits = DecodeLimits()
    limits.memoryBytesMax = 1 << 20
    limits.requestBytesMax = 100_000
    let decoder = OTLPDecoder(names: NameTable(), limits: limits)
    let good = ProtobufBuilder.request()
    let first = try Sample.decode(good, with: decoder)
    #expect(throws: DecodeError.self) { try Sample.decode([0x0A, 0x05], with: decoder) }
    let empty = (0..<40_000).flatMap { _ in [0x12, 0x00] as [UInt8] }
    #expect(throws: DecodeError.self) { try Sample.decode(empty, with: decoder) }
    #expect(throws: DecodeError.bodyTooLarge(bytesMax: 100_000)) {
      try Sample.decode([UInt8](repeating: 0, count: 100_001), with: decoder)
    }
    #expect(throws: DecodeError.self) { try Sample.decode([0x7B], with: decoder, encoding: .json) }
    #expect(try Sample.decode(good, with: decoder).batch == first.batch)
  }
}
