import Model

@testable import OTLP

/// A span in a test's words, which can be handed to a builder or written as JSON.
struct SampleSpan {
  var trace = "0102030405060708090A0B0C0D0E0F10"
  var id = "0102030405060708"
  var parent = ""
  var name = "GET /"
  var kind: Int64 = 2
  var start = Sample.start
  var end = Sample.end
  var status: Int64 = 0
  var traceState = ""
  var attributes: [(String, SampleValue)] = []
  /// The hexadecimal trace and span ids of its links.
  var links: [(trace: String, span: String)] = []
  var droppedLinks = 0
}

/// An attribute's value in a test's words.
enum SampleValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, Sendable
{
  case string(String), int(Int64), double(Double), bool(Bool), array, keyValueList, empty
  /// A list of keys and values that has some.
  case members([(String, SampleValue)])

  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int64) { self = .int(value) }
  init(floatLiteral value: Double) { self = .double(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }

  var json: String {
    switch self {
    case .string(let text): #"{"stringValue":\#(SampleRequest.quoted(text))}"#
    case .int(let number): #"{"intValue":"\#(number)"}"#
    case .double(let number): #"{"doubleValue":\#(number)}"#
    case .bool(let truth): #"{"boolValue":\#(truth)}"#
    case .array: #"{"arrayValue":{"values":[{"stringValue":"a"}]}}"#
    case .keyValueList: #"{"kvlistValue":{"values":[]}}"#
    case .members(let members):
      #"{"kvlistValue":{"values":\#(SampleRequest.list(members))}}"#
    case .empty: "{}"
    }
  }
}

/// One resource with its spans, and the two ways to read it.
struct SampleRequest {
  var resource: [(String, SampleValue)] = [("service.name", "checkout")]
  var spans = [SampleSpan()]

  // MARK: As JSON

  var json: String {
    #"{"resourceSpans":[{"resource":{"attributes":\#(SampleRequest.list(resource))},"#
      + #""scopeSpans":[{"scope":{"name":"test"},"spans":["#
      + spans.map(SampleRequest.text).joined(separator: ",") + "]}]}]}"
  }

  private static func text(_ span: SampleSpan) -> String {
    let parent = span.parent.isEmpty ? "" : #""parentSpanId":"\#(span.parent)","#
    return #"{"traceId":"\#(span.trace)","spanId":"\#(span.id)",\#(parent)"#
      + #""traceState":\#(quoted(span.traceState)),"name":\#(quoted(span.name)),"#
      + #""kind":\#(span.kind),"startTimeUnixNano":"\#(span.start)","#
      + #""endTimeUnixNano":"\#(span.end)","attributes":\#(list(span.attributes)),"#
      + #""links":[\#(span.links.map(text).joined(separator: ","))],"#
      + #""droppedLinksCount":\#(span.droppedLinks),"status":{"code":\#(span.status)}}"#
  }

  private static func text(_ link: (trace: String, span: String)) -> String {
    #"{"traceId":"\#(link.trace)","spanId":"\#(link.span)"}"#
  }

  static func list(_ attributes: [(String, SampleValue)]) -> String {
    let members = attributes.map { #"{"key":\#(quoted($0.0)),"value":\#($0.1.json)}"# }
    return "[" + members.joined(separator: ",") + "]"
  }

  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  // MARK: Read

  /// Reads the JSON of this request.
  func read(
    limits: DecodeLimits = DecodeLimits(), names: NameTable = NameTable(), now: Nanos = Sample.now
  ) throws(DecodeError) -> DecodedRequest {
    try SampleRequest.read(json, limits: limits, names: names, now: now)
  }

  /// Reads any JSON document.
  static func read(
    _ text: String, limits: DecodeLimits = DecodeLimits(), names: NameTable = NameTable(),
    now: Nanos = Sample.now
  ) throws(DecodeError) -> DecodedRequest {
    try read(Array(text.utf8), limits: limits, names: names, now: now)
  }

  static func read(
    _ bytes: [UInt8], limits: DecodeLimits = DecodeLimits(), names: NameTable = NameTable(),
    now: Nanos = Sample.now
  ) throws(DecodeError) -> DecodedRequest {
    let result = bytes.withUnsafeBytes { body in
      Result { () throws(DecodeError) in
        var builder = SpanBuilder(names: names, limits: limits)
        builder.begin(tenant: .standard, now: now)
        try OTLPJSONReader.read(body, into: &builder, limits: limits)
        return builder.finish()
      }
    }
    return try result.get()
  }

  /// The error reading a document ends with; nil when it succeeds.
  static func error(
    _ text: String, limits: DecodeLimits = DecodeLimits()
  ) -> DecodeError? {
    do throws(DecodeError) {
      _ = try read(text, limits: limits)
      return nil
    } catch { return error }
  }

  /// Hands this request to a builder, call by call.
  func build(
    limits: DecodeLimits = DecodeLimits(), names: NameTable = NameTable(), now: Nanos = Sample.now
  ) -> DecodedRequest {
    var builder = SpanBuilder(names: names, limits: limits)
    return build(with: &builder, now: now)
  }

  func build(with builder: inout SpanBuilder, now: Nanos = Sample.now) -> DecodedRequest {
    builder.begin(tenant: .standard, now: now)
    hand(to: &builder)
    return builder.finish()
  }

  /// The calls of one resource and its spans.
  func hand(to builder: inout SpanBuilder) {
    let bytes = KeptBytes()
    builder.beginResource()
    for (key, value) in resource {
      builder.resourceAttribute(key: bytes.keep(key), value: bytes.keep(value))
    }
    builder.endResource()
    for span in spans {
      builder.beginSpan()
      builder.traceID(bytes.keep(hexadecimal: span.trace))
      builder.spanID(bytes.keep(hexadecimal: span.id))
      builder.parentSpanID(bytes.keep(hexadecimal: span.parent))
      builder.name(bytes.keep(span.name))
      builder.kind(span.kind)
      builder.start(span.start)
      builder.end(span.end)
      builder.status(code: span.status)
      builder.traceState(bytes.keep(span.traceState))
      for (key, value) in span.attributes {
        builder.spanAttribute(key: bytes.keep(key), value: bytes.keep(value))
      }
      builder.endSpan()
    }
    // The builder looks at the bytes until here.
    withExtendedLifetime(bytes) {}
  }
}

/// Keeps bytes in place for as long as a builder may look at them.
final class KeptBytes {
  private var kept: [UnsafeMutableRawBufferPointer] = []

  func keep(bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    buffer.copyBytes(from: bytes)
    kept.append(buffer)
    return UnsafeRawBufferPointer(buffer)
  }

  func keep(_ text: String) -> UnsafeRawBufferPointer { keep(bytes: Array(text.utf8)) }

  func keep(hexadecimal text: String) -> UnsafeRawBufferPointer {
    keep(bytes: KeptBytes.bytes(hexadecimal: text))
  }

  /// The bytes a text of hexadecimal digits stands for; an odd digit at the end counts as a byte.
  static func bytes(hexadecimal text: String) -> [UInt8] {
    let digits = text.utf8.map { $0.hexadecimalValue ?? 0 }
    return stride(from: 0, to: digits.count, by: 2).map {
      $0 + 1 < digits.count ? digits[$0] << 4 | digits[$0 + 1] : digits[$0]
    }
  }

  func keep(_ value: SampleValue) -> AttributeValue {
    switch value {
    case .string(let text): .string(keep(text))
    case .int(let number): .int(number)
    case .double(let number): .double(number)
    case .bool(let truth): .bool(truth)
    case .array: .array(keep("a"))
    case .keyValueList, .members: .keyValueList
    case .empty: .empty
    }
  }

  deinit { for buffer in kept { buffer.deallocate() } }
}
