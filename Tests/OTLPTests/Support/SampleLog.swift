import Model

@testable import OTLP

/// A log record in a test's words, in a request of its own, and the two ways to send it.
struct SampleLog {
  var resource: [(String, SampleValue)] = [("service.name", "checkout")]
  var time = Sample.start
  var observedTime: Nanos = 0
  var traceID = ""
  var attributes: [(String, SampleValue)] = []
  /// The members of a body that is a list of keys and values.
  var members: [(String, SampleValue)] = []
  /// A body that is text.
  var text: String?
  /// How often the record is in the request.
  var count = 1

  var protobuf: [UInt8] {
    ProtobufBuilder { request in
      request.field(1) { resourceLogs in
        resourceLogs.field(1) { message in
          for (key, value) in resource { message.attribute(1, key) { value.write(to: &$0) } }
        }
        resourceLogs.field(2) { scope in
          for _ in 0..<count { scope.field(2) { write(to: &$0) } }
        }
      }
    }.bytes
  }

  private func write(to record: inout ProtobufBuilder) {
    record.field(1, fixed64: time)
    record.field(2, varint: 9)
    record.field(3, text: "INFO")
    if let text { record.field(5) { $0.field(1, text: text) } }
    if !members.isEmpty {
      record.field(5) { body in
        body.field(6) { list in
          for (key, value) in members { list.attribute(1, key) { value.write(to: &$0) } }
        }
      }
    }
    for (key, value) in attributes { record.attribute(6, key) { value.write(to: &$0) } }
    if !traceID.isEmpty { record.field(9, bytes: KeptBytes.bytes(hexadecimal: traceID)) }
    record.field(11, fixed64: observedTime)
  }

  var json: String {
    let record =
      #"{"timeUnixNano":"\#(time)","observedTimeUnixNano":"\#(observedTime)","severityNumber":9,"#
      + #""traceId":"\#(traceID)",\#(body)"attributes":\#(SampleLog.list(attributes))}"#
    let records = Array(repeating: record, count: count).joined(separator: ",")
    return #"{"resourceLogs":[{"resource":{"attributes":\#(SampleLog.list(resource))},"#
      + #""scopeLogs":[{"scope":{"name":"test"},"logRecords":[\#(records)]}]}]}"#
  }

  private var body: String {
    if let text { return #""body":{"stringValue":\#(SampleRequest.quoted(text))},"# }
    if members.isEmpty { return "" }
    return #""body":{"kvlistValue":{"values":\#(SampleLog.list(members))}},"#
  }

  private static func list(_ attributes: [(String, SampleValue)]) -> String {
    let members = attributes.map {
      #"{"key":\#(SampleRequest.quoted($0.0)),"value":\#($0.1.json)}"#
    }
    return "[" + members.joined(separator: ",") + "]"
  }

  /// Decodes the request, in the form asked for.
  func decode(
    _ encoding: OTLPEncoding = .protobuf, names: NameTable = NameTable(),
    limits: DecodeLimits = DecodeLimits(), rules: DecodeRules = DecodeRules()
  ) throws(DecodeError) -> DecodedRequest {
    try SampleLog.decode(
      encoding == .protobuf ? protobuf : Array(json.utf8), encoding, names: names, limits: limits,
      rules: rules)
  }

  static func decode(
    _ body: [UInt8], _ encoding: OTLPEncoding = .protobuf, names: NameTable = NameTable(),
    limits: DecodeLimits = DecodeLimits(), rules: DecodeRules = DecodeRules()
  ) throws(DecodeError) -> DecodedRequest {
    let decoder = OTLPDecoder(names: names, limits: limits, rules: rules)
    let result = body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in
        try decoder.decode(bytes, .logs, encoding: encoding, tenant: .standard, now: Sample.now)
      }
    }
    return try result.get()
  }
}
