import Model
import Testing

@testable import OTLP

@Suite struct JSONReaderTests {
  /// A span as JSON, without anything that is not needed.
  static func span(_ id: String = "0102030405060708", _ more: String = "") -> String {
    #"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"\#(id)","#
      + #""endTimeUnixNano":"\#(Sample.end)"\#(more)}"#
  }

  static func request(_ spans: String) -> String {
    #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(spans)]}]}]}"#
  }

  static let service =
    #""resource":{"attributes":[{"key":"service.name","value":"#
    + #"{"stringValue":"a"}}]}"#

  /// Scenario: a request without anything in it, at each level it can end at.
  /// Guarantees: it is accepted and there is nothing to say.
  @Test(arguments: [
    "{}", #"{"resourceSpans":[]}"#, #"{"resourceSpans":[{}]}"#, #"{"resourceSpans":null}"#,
    #"{"resourceSpans":[{"scopeSpans":[{}]}]}"#, #"{"resourceSpans":[{"scopeSpans":null}]}"#,
    #"{"resourceSpans":[null,{"resource":null,"scopeSpans":[null,{"spans":[null]}]}]}"#,
    #"{"resourceSpans":[{"scopeSpans":[{"spans":null}],"instrumentationLibrarySpans":null}]}"#,
  ]) func empty(document: String) throws {
    let request = try SampleRequest.read(document)
    #expect(request.batch == SpanBatch())
    #expect(request.rejections == Rejections())
  }

  /// Scenario: the resource stands before its spans, after them, twice, and the scopes twice.
  /// Guarantees: the order of keys means nothing and the last of several counts.
  @Test func keyOrder() throws {
    let scope = #""scopeSpans":[{"spans":[\#(Self.span())]}]"#
    let other = #""scopeSpans":[{"spans":[\#(Self.span("1111111111111111"))]}]"#
    let wrong = Self.service.replacing(#""a""#, with: #""wrong""#)
    let names = NameTable()
    let expected = try SampleRequest.read(
      #"{"resourceSpans":[{\#(Self.service),\#(scope)}]}"#, names: names
    ).batch
    #expect(names.name(expected.spans[0].service)?.text == NodeIdentity(name: "a").text)
    for members in [
      "\(scope),\(Self.service)", "\(wrong),\(scope),\(Self.service)",
      "\(other),\(Self.service),\(scope)", "\(Self.service),\(other),\(scope)",
      "\(Self.service),\(scope),\"scopeSpans\":null,\"resource\":null",
    ] {
      let batch = try SampleRequest.read(
        #"{"resourceSpans":[{\#(members)}]}"#, names: names
      ).batch
      #expect(batch.spans == expected.spans, "\(members)")
      #expect(batch.traces == expected.traces)
    }
  }

  /// Scenario: resourceSpans, spans, and fields of a span are given twice.
  /// Guarantees: the last one counts, rejections of the first are taken back too.
  @Test func duplicateKeys() throws {
    let bad = Self.span("00")
    let inner = #"{"scopeSpans":[{"spans":[\#(bad)],"spans":[\#(Self.span())]}]}"#
    let request = try SampleRequest.read(
      #"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(bad)]}]}],"resourceSpans":[\#(inner)]}"#)
    #expect(request.batch.count == 1)
    #expect(request.rejections == Rejections())
    let fields =
      #","name":"first","name":"last","kind":"SPAN_KIND_CLIENT","kind":3,"spanId":"","#
      + #""spanId":"2222222222222222","status":{"code":2},"status":{},"#
      + #""attributes":[{"key":"error","value":{"boolValue":true}}],"attributes":[]"#
    let names = NameTable()
    let batch = try SampleRequest.read(
      Self.request(Self.span("1111111111111111", fields)), names: names
    ).batch
    let span = try #require(batch.spans.first)
    #expect(span.id == SpanID(0x2222_2222_2222_2222))
    #expect(names.name(span.operation)?.text == "last")
    #expect(span.kind == .client)
    #expect(span.traits == [])
  }

  /// Scenario: every field of a span is null.
  /// Guarantees: null means absent: the span is rejected for its ids, or root, internal, UNSET.
  @Test func nulls() throws {
    let nulls = [
      "parentSpanId", "traceState", "name", "kind", "startTimeUnixNano", "status", "attributes",
      "events", "links", "flags",
    ].map { #","\#($0)":null"# }.joined()
    let request = try SampleRequest.read(Self.request(Self.span("0102030405060708", nulls)))
    let span = try #require(request.batch.spans.first)
    #expect(span.parent == .none && span.kind == .internal && span.operation == .none)
    #expect(span.start == Sample.end && span.end == Sample.end)
    let attributes =
      #"{"attributes":[null,{"key":null,"value":{"stringValue":"x"}},{"key":"error","value":null},"#
      + #"{"key":"error","value":{"boolValue":null}}],"traceId":null}"#
    let rejected = try SampleRequest.read(Self.request(attributes)).rejections
    #expect(rejected.counts == [.invalidTraceID: 1])
  }

  /// Scenario: unknown fields of every shape at every level, some with the names of known ones.
  /// Guarantees: they are ignored and nothing is said.
  @Test func unknownFields() throws {
    let unknown =
      #""new":{"spans":[1,-2.5e-3,[[],{}],{"a":{"b":[true,false,null,"\u00e9\"\\"]}}]},"x":[]"#
    let text =
      #"{\#(unknown),"resourceSpans":[{\#(unknown),"schemaUrl":"u","resource":{\#(unknown),"#
      + #""attributes":[{\#(unknown),"value":{\#(unknown),"stringValue":"a"},"key":"service.name"}]},"#
      + #""scopeSpans":[{\#(unknown),"spans":[\#(Self.span("0102030405060708", "," + unknown))]}]}]}"#
    let names = NameTable()
    let request = try SampleRequest.read(text, names: names)
    #expect(request.batch.count == 1)
    #expect(request.rejections.message == nil)
    #expect(names.name(request.batch.spans[0].service)?.text == NodeIdentity(name: "a").text)
  }

  /// Scenario: a body in snake_case, which OTLP/JSON does not have, and one with other keys.
  /// Guarantees: accepted, with a warning that names the keys, at most eight, cut to a length.
  @Test func unknownTopLevelKeys() throws {
    let snake = try SampleRequest.read(#"{"resource_spans":[{"scope_spans":[]}]}"#)
    #expect(snake.batch.isEmpty && snake.rejections.rejectedSpans == 0)
    #expect(
      snake.rejections.message
        == "unknown top-level key resource_spans: nothing was read "
        + "(OTLP/JSON has the key resourceSpans, in lowerCamelCase)")
    let keys = (0..<20).map { "\"key\($0)\(String(repeating: "x", count: 100))\":1" }
    let many = try SampleRequest.read("{" + keys.joined(separator: ",") + "}")
    let message = try #require(many.rejections.message)
    #expect(message.contains("keys key0") && message.contains("key7"))
    #expect(!message.contains("key8") && message.utf8.count < 1000)
  }

  /// Scenario: a byte order mark and white space around the document.
  /// Guarantees: they are tolerated; a second document behind it is not.
  @Test func around() throws {
    let text = "\u{FEFF} \r\n\t" + Self.request(Self.span()) + " \n"
    #expect(try SampleRequest.read(text).batch.count == 1)
    let error = SampleRequest.error("{}{}")
    #expect(
      error == .malformedJSON(offset: 2, path: "", reason: "text after the end of the document"))
  }

  /// Scenario: objects and arrays nested as deep as the limit, and one deeper; and a million deep.
  /// Guarantees: the limit is exact, over it the request is refused without recursion.
  @Test func depth() {
    var limits = DecodeLimits()
    limits.depthMax = 10
    func nested(_ depth: Int) -> String {
      #"{"x":"# + String(repeating: "[", count: depth - 1)
        + String(repeating: "]", count: depth - 1) + "}"
    }
    #expect(SampleRequest.error(nested(10), limits: limits) == nil)
    #expect(SampleRequest.error(nested(11), limits: limits) == .tooDeep(levelsMax: 10))
    #expect(SampleRequest.error(nested(1_000_000)) == .tooDeep(levelsMax: 64))
    let objects = String(repeating: #"{"a":"#, count: 100_000)
    #expect(SampleRequest.error(objects) == .tooDeep(levelsMax: 64))
  }

  /// Scenario: more spans than one request may hold, none of them readable.
  /// Guarantees: the request is refused; as many as allowed are read.
  @Test func spanLimit() {
    var limits = DecodeLimits()
    limits.spansPerRequestMax = 3
    let four = Self.request("{},{},{},{}")
    #expect(SampleRequest.error(four, limits: limits) == .tooManySpans(countMax: 3))
    #expect(SampleRequest.error(Self.request("{},{},{}"), limits: limits) == nil)
  }

  /// Scenario: spans in the layout before OTLP 0.15, beside spans of today.
  /// Guarantees: they are counted and their loss is said.
  @Test func deprecatedLayout() throws {
    let old = #""instrumentationLibrarySpans":[null,{"spans":[{},{"a":[1]}],"x":1},{"spans":null}]"#
    let new = #""scopeSpans":[{"spans":[\#(Self.span())]}]"#
    for members in ["\(old),\(new)", "\(new),\(old)", "\(old),\(Self.service),\(new)"] {
      let request = try SampleRequest.read(#"{"resourceSpans":[{\#(members)}]}"#)
      #expect(request.batch.count == 1)
      #expect(request.rejections.counts == [.deprecatedInstrumentationLibrarySpans: 2])
    }
  }
}
