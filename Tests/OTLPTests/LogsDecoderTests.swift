import COTLP
import CProtobufC
import Model
import TestSupport
import Testing

@testable import OTLP

/// Requests of logs as hostile as requests of traces can be.
@Suite struct LogsDecoderTests {
  private func scan(
    _ body: [UInt8], limits: DecodeLimits = DecodeLimits()
  ) throws(DecodeError) -> WireScan.Summary {
    let result = body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in
        var scan = WireScan(limits: limits, schema: .logs)
        return try scan.scan(bytes)
      }
    }
    return try result.get()
  }

  private func bytesUnpacked(_ body: [UInt8]) -> Int? {
    let arena = Arena(bytesMax: 64 << 20)
    let request = opentelemetry__proto__collector__logs__v1__export_logs_service_request__unpack(
      arena.protobufAllocator, body.count, body)
    return request == nil ? nil : arena.bytesUsed
  }

  private func error(
    _ body: [UInt8], _ encoding: OTLPEncoding = .protobuf, limits: DecodeLimits = DecodeLimits()
  ) -> DecodeError? {
    do throws(DecodeError) {
      _ = try SampleLog.decode(body, encoding, limits: limits)
      return nil
    } catch { return error }
  }

  private var sample: [UInt8] {
    SampleLog(
      traceID: "0102030405060708090A0B0C0D0E0F10",
      attributes: [
        ("response_code", 503), ("upstream_cluster", "b"), ("duration", 1.5), ("x", .array),
        ("y", .keyValueList), ("z", true), ("w", .empty),
      ], members: [("bytes_sent", 1)], count: 3
    ).protobuf + ProtobufBuilder { $0.group(77) { $0.field(1, bytes: [7, 7]) } }.bytes
  }

  /// Scenario: the schema read from the generated descriptors.
  /// Guarantees: it counts log records, and knows no field of old.
  @Test func schemaFollowsTheDefinitions() {
    let schema = WireSchema.logs
    #expect(schema.messages[schema.spanRow].name == "LogRecord")
    #expect(schema.resourceSpansRow == -1)
    #expect(schema.field(6, of: schema.spanRow).elementBytes == 8)
    #expect(schema.field(5, of: schema.spanRow).isMerged)
  }

  /// Scenario: a valid request, and what unpacking it takes.
  /// Guarantees: the pre-scan's figure is exact.
  @Test func estimateIsExact() throws {
    let summary = try scan(sample)
    #expect(summary.spans == 3)
    #expect(bytesUnpacked(summary.cleaned ?? sample) == summary.memoryBytes)
  }

  /// Scenario: a valid request, changed at random, and random bytes.
  /// Guarantees: never a crash; what passes the pre-scan unpacks into the memory it said.
  @Test func mutationsNeverCrash() throws {
    var random = SeededGenerator()
    let valid = sample
    var passed = 0
    for _ in 0..<3000 {
      var body = valid
      for _ in 0..<(1 + random.below(3)) where !body.isEmpty {
        let index = random.below(body.count)
        switch random.below(4) {
        case 0: body[index] ^= 1 << UInt8(random.below(8))
        case 1: body[index] = UInt8(random.below(256))
        case 2: body.removeSubrange(index..<min(body.count, index + 5))
        default: body.removeSubrange(index...)
        }
      }
      do throws(DecodeError) {
        let summary = try scan(body)
        passed += 1
        if !summary.mergesMessages {
          let unpacked = bytesUnpacked(summary.cleaned ?? body)
          #expect(unpacked == summary.memoryBytes, "seed \(random.seed)")
        }
        let decoded = try SampleLog.decode(body)
        let rejected = decoded.rejections.rejectedSpans
        let told =
          decoded.batch.count + decoded.events.count + decoded.ignored.values.reduce(0, +)
          + rejected
        #expect(told == summary.spans, "seed \(random.seed)")
      } catch {
        #expect(!error.message(.logs).isEmpty)
      }
    }
    #expect(passed > 100 && passed < 2900)
  }

  /// Scenario: a body nested 100 000 deep, in both forms; more records than allowed; more memory.
  /// Guarantees: each is refused as what it is, on a small stack.
  @Test func limits() {
    var value: [UInt8] = []
    var levels: [[UInt8]] = []
    var count = 0
    for _ in 0..<100_000 {
      for number: UInt32 in [1, 5] {
        let level = ProtobufBuilder {
          $0.tag(number, 2)
          $0.varint(UInt64(count))
        }.bytes
        levels.append(level)
        count += level.count
      }
    }
    for level in levels.reversed() { value += level }
    let body = ProtobufBuilder {
      $0.field(1) { $0.field(2) { $0.field(2) { $0.field(5, bytes: value) } } }
    }
    #expect(error(body.bytes) == .tooDeep(levelsMax: 64))
    let open = String(repeating: #"{"kvlistValue":{"values":[{"key":"a","value":"#, count: 50_000)
    let json = #"{"resourceLogs":[{"resource":{},"scopeLogs":[{"logRecords":[{"body":"# + open
    #expect(error(Array(json.utf8), .json) == .tooDeep(levelsMax: 64))
    var limits = DecodeLimits()
    limits.spansPerRequestMax = 2
    #expect(error(sample, limits: limits) == .tooManySpans(countMax: 2))
    #expect(DecodeError.tooManySpans(countMax: 2).message(.logs).contains("2 log records"))
    let three = Array(SampleLog(count: 3).json.utf8)
    #expect(error(three, .json, limits: limits) == .tooManySpans(countMax: 2))
    limits = DecodeLimits()
    limits.memoryBytesMax = 1000
    #expect(error(sample, limits: limits)?.kind == .tooLarge)
  }

  /// Scenario: bytes that are no request of logs.
  /// Guarantees: refused with a message that names the right one.
  @Test func malformed() {
    #expect(error([0xFF])?.message(.logs).contains("protobuf ExportLogsServiceRequest") == true)
    let json = error(Array(#"{"resourceLogs":7}"#.utf8), .json)
    #expect(json?.message(.logs).contains("JSON ExportLogsServiceRequest") == true)
  }

  /// Scenario: JSON with keys in another order, given twice, null, unknown, and a document of traces.
  /// Guarantees: the last of a key counts, also for what was passed over; what is not known is skipped;
  /// a document with nothing else is accepted with a warning.
  @Test func documents() throws {
    func decode(_ text: String) throws -> DecodedRequest {
      try SampleLog.decode(Array(text.utf8), .json)
    }
    let attributes =
      #"[{"key":"response_code","value":{"intValue":200}},"#
      + #"{"value":{"stringValue":"b"},"key":"upstream_cluster"}]"#
    let record =
      #"{"x":{},"attributes":\#(attributes),"timeUnixNano":\#(Sample.start),"body":null}"#
    let scopes = #""scopeLogs":[{"logRecords":[null,\#(record)]}]"#
    let resource =
      #""resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]}"#
    let twice = try decode(
      #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{}]}],\#(scopes),\#(resource)}]}"#)
    #expect(twice.batch.count == 1 && twice.ignored.isEmpty)
    let again = try decode(#"{"resourceLogs":[{}],"resourceLogs":[{\#(resource),\#(scopes)}]}"#)
    #expect(again.batch.traces == twice.batch.traces)
    let traces = try decode(#"{"resourceSpans":[]}"#)
    #expect(traces.rejections.message?.contains("has the key resourceLogs") == true)
  }

  /// Scenario: answers about log records, in both forms.
  /// Guarantees: the words and the fields of logs.
  @Test func answers() {
    let rejections = Rejections(rejectedSpans: 3, message: "why", counts: [.noTimestamps: 3])
    let json = String(decoding: ExportResponse.encoded(rejections, .json, .logs), as: UTF8.self)
    #expect(json == #"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"why"}}"#)
    let packed = ExportResponse.encoded(rejections, .protobuf, .logs)
    packed.withUnsafeBufferPointer { bytes in
      let response =
        opentelemetry__proto__collector__logs__v1__export_logs_service_response__unpack(
          nil, bytes.count, bytes.baseAddress)
      #expect(response?.pointee.partial_success?.pointee.rejected_log_records == 3)
      opentelemetry__proto__collector__logs__v1__export_logs_service_response__free_unpacked(
        response, nil)
    }
    #expect(ExportResponse.encoded(Rejections(), .protobuf, .logs).isEmpty)
  }
}
