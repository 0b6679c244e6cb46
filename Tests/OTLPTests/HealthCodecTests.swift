import Testing

@testable import OTLP

@Suite struct HealthCodecTests {
  private func decode(_ bytes: [UInt8]) -> String? {
    bytes.withUnsafeBytes { HealthCodec.decodeRequest($0) }
  }

  /// Scenario: a request without a service, with one, with a NUL in it, with unknown fields.
  /// Guarantees: the service asked for, whole.
  @Test func requestsAreRead() {
    #expect(decode([]) == "")
    let name = "opentelemetry.proto.collector.trace.v1.TraceService"
    #expect(decode(ProtobufBuilder { $0.field(1, text: name) }.bytes) == name)
    #expect(decode(ProtobufBuilder { $0.field(1, text: "a\u{0}b") }.bytes) == "a\u{0}b")
    let unknown = ProtobufBuilder {
      $0.field(9, varint: 1)
      $0.field(1, text: "s")
    }
    #expect(decode(unknown.bytes) == "s")
  }

  /// Scenario: bytes that are no request, and more bytes than any name has.
  /// Guarantees: nil.
  @Test func badRequestsAreRefused() {
    #expect(decode([0x0A, 0x05]) == nil)
    #expect(decode([0x08, 0x01]) == nil)
    #expect(
      decode(ProtobufBuilder { $0.field(1, bytes: [UInt8](repeating: 65, count: 5000)) }.bytes)
        == nil)
  }

  /// Scenario: each status.
  /// Guarantees: its number in field 1; nothing for 0, which is the default.
  @Test func responsesAreWritten() {
    #expect(HealthCodec.encodeResponse(.unknown).isEmpty)
    #expect(HealthCodec.encodeResponse(.serving) == [0x08, 1])
    #expect(HealthCodec.encodeResponse(.notServing) == [0x08, 2])
    #expect(HealthCodec.encodeResponse(.serviceUnknown) == [0x08, 3])
  }
}
