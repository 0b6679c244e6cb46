import Model
import OTLP

/// The time every test runs at, unless it says otherwise.
let testNow: Nanos = 1_700_000_000 * .second

/// Writes protobuf by hand, so that tests do not lean on what they test.
struct ProtobufWriter {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func number(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  mutating func fixed(_ field: UInt64, _ value: UInt64) {
    varint(field << 3 | 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  mutating func data(_ field: UInt64, _ value: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func text(_ field: UInt64, _ value: String) { data(field, Array(value.utf8)) }

  static func message(_ build: (inout ProtobufWriter) -> Void) -> [UInt8] {
    var writer = ProtobufWriter()
    build(&writer)
    return writer.bytes
  }
}

/// The fields of one protobuf message, read by hand.
struct ProtobufFields {
  private(set) var numbers: [UInt64: UInt64] = [:]
  private(set) var data: [UInt64: [[UInt8]]] = [:]

  /// Nil when the bytes are no message.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    func varint() -> UInt64? {
      var value: UInt64 = 0
      var shift: UInt64 = 0
      while let byte = rest.popFirst(), shift < 64 {
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return value }
        shift += 7
      }
      return nil
    }
    while !rest.isEmpty {
      guard let key = varint() else { return nil }
      switch key & 7 {
      case 0:
        guard let value = varint() else { return nil }
        numbers[key >> 3] = value
      case 2:
        guard let count = varint(), count <= UInt64(rest.count) else { return nil }
        data[key >> 3, default: []].append(Array(rest.prefix(Int(count))))
        rest = rest.dropFirst(Int(count))
      default: return nil
      }
    }
  }

  func text(_ field: UInt64) -> String? {
    data[field]?.first.map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Requests to send.
enum Payload {
  /// An ExportTraceServiceRequest.
  /// - Parameter badSpans: how many of the spans have a trace id of 15 bytes.
  static func protobuf(spans: Int, badSpans: Int = 0, padding: Int = 0, now: Nanos = testNow)
    -> [UInt8]
  {
    ProtobufWriter.message { request in
      let resource = ProtobufWriter.message { $0.data(1, attribute("service.name", "checkout")) }
      let scope = ProtobufWriter.message { scope in
        for index in 0..<spans {
          scope.data(2, span(index, isBad: index < badSpans, padding: padding, now: now))
        }
      }
      request.data(
        1,
        ProtobufWriter.message {
          $0.data(1, resource)
          $0.data(2, scope)
        })
    }
  }

  private static func span(_ index: Int, isBad: Bool, padding: Int, now: Nanos) -> [UInt8] {
    ProtobufWriter.message { span in
      var trace = [UInt8](repeating: 7, count: isBad ? 15 : 16)
      trace[0] = UInt8(truncatingIfNeeded: index)
      trace[1] = UInt8(truncatingIfNeeded: index >> 8)
      span.data(1, trace)
      span.data(
        2,
        [
          1, 2, 3, 4, 5, 6, UInt8(truncatingIfNeeded: index >> 8),
          UInt8(truncatingIfNeeded: index) | 1,
        ])
      span.text(5, "GET /cart")
      span.number(6, 2)
      span.fixed(7, now - 2 * .second)
      span.fixed(8, now - .second)
      if padding > 0 {
        span.data(9, attribute("padding", String(repeating: "x", count: padding)))
      }
    }
  }

  private static func attribute(_ key: String, _ value: String) -> [UInt8] {
    ProtobufWriter.message { pair in
      pair.text(1, key)
      pair.data(2, ProtobufWriter.message { $0.text(1, value) })
    }
  }

  static func json(spans: Int) -> [UInt8] {
    let list = (0..<spans).map { index in
      """
      {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b1\(index % 90 + 10)",\
      "name":"GET /cart","kind":2,"startTimeUnixNano":"\(testNow - 2 * .second)",\
      "endTimeUnixNano":"\(testNow - .second)"}
      """
    }
    return Array(
      """
      {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name",\
      "value":{"stringValue":"checkout"}}]},"scopeSpans":[{"spans":[\(list.joined(separator: ","))]}]}]}
      """.utf8)
  }

  /// An ExportLogsServiceRequest of events of Kubernetes, and of records of an access log.
  static func events(_ count: Int, records: Int = 0) -> [UInt8] {
    let resource = #"{"key":"k8s.object.kind","value":{"stringValue":"Deployment"}}"#
    let event =
      #"{"timeUnixNano":"1","body":{"stringValue":"Scaled up"},"attributes":["#
      + #"{"key":"k8s.event.reason","value":{"stringValue":"ScalingReplicaSet"}}]}"#
    let record =
      #"{"timeUnixNano":"\#(testNow - .second)","attributes":["#
      + #"{"key":"response_code","value":{"intValue":"200"}}]}"#
    let records =
      Array(repeating: event, count: count) + Array(repeating: record, count: records)
    return Array(
      (#"{"resourceLogs":[{"resource":{"attributes":[\#(resource)]},"scopeLogs":[{"logRecords":["#
        + records.joined(separator: ",") + "]}]}]}").utf8)
  }

  /// An ExportLogsServiceRequest of access log records, of other logs, and of records without a time.
  static func logs(records: Int, others: Int = 0, badRecords: Int = 0) -> [UInt8] {
    let record = { (index: Int, time: UInt64) -> [UInt8] in
      ProtobufWriter.message { record in
        record.fixed(1, time)
        record.data(6, attribute("response_code", "200"))
        record.data(6, attribute("upstream_cluster", "payment"))
        record.data(6, attribute("request_id", "\(index)"))
      }
    }
    let other = ProtobufWriter.message { record in
      record.data(5, ProtobufWriter.message { $0.text(1, "started") })
    }
    return ProtobufWriter.message { request in
      let resource = ProtobufWriter.message { $0.data(1, attribute("service.name", "checkout")) }
      let scope = ProtobufWriter.message { scope in
        for index in 0..<records { scope.data(2, record(index, testNow - .second)) }
        for index in 0..<badRecords { scope.data(2, record(index, 0)) }
        for _ in 0..<others { scope.data(2, other) }
      }
      request.data(
        1,
        ProtobufWriter.message {
          $0.data(1, resource)
          $0.data(2, scope)
        })
    }
  }

  static func jsonLogs(records: Int) -> [UInt8] {
    let list = (0..<records).map { index in
      """
      {"timeUnixNano":"\(testNow - .second)","attributes":[\
      {"key":"response_code","value":{"intValue":200}},\
      {"key":"request_id","value":{"stringValue":"\(index)"}}]}
      """
    }
    return Array(
      #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(list.joined(separator: ","))]}]}]}"#.utf8)
  }

  /// One gzip member.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] { Gzip.deflate(bytes) }

  static func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    try bytes.withUnsafeBytes { try Gzip.inflate($0, bytesMax: 8 << 20) }
  }
}
