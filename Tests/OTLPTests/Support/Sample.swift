import Model

@testable import OTLP

/// The times and ids the tests of this module share.
enum Sample {
  /// 2023-11-14T22:13:20Z.
  static let now: Nanos = 1_700_000_000 * .second
  static let start: Nanos = now - 2 * .second
  static let end: Nanos = now - .second
  static let traceBytes: [UInt8] = Array(1...16)
  static let trace = TraceID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)

  static func bytes(of id: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: id >> UInt64(56 - 8 * $0)) }
  }

  /// Decodes one protobuf body with a decoder of its own.
  static func decode(
    _ body: [UInt8], limits: DecodeLimits = DecodeLimits(), names: NameTable = NameTable()
  ) throws(DecodeError) -> DecodedRequest {
    try decode(body, with: OTLPDecoder(names: names, limits: limits))
  }

  static func decode(
    _ body: [UInt8], with decoder: OTLPDecoder, encoding: OTLPEncoding = .protobuf
  ) throws(DecodeError) -> DecodedRequest {
    let result = body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in
        try decoder.decode(bytes, encoding: encoding, tenant: .standard, now: now)
      }
    }
    return try result.get()
  }

  /// The error decoding ends with; nil when it succeeds.
  static func error(_ body: [UInt8], limits: DecodeLimits = DecodeLimits()) -> DecodeError? {
    do throws(DecodeError) {
      _ = try decode(body, limits: limits)
      return nil
    } catch { return error }
  }

  /// What the pre-scan says of a body.
  static func scan(
    _ body: [UInt8], limits: DecodeLimits = DecodeLimits()
  ) throws(DecodeError) -> WireScan.Summary {
    let result = body.withUnsafeBytes { bytes in
      Result { () throws(DecodeError) in
        var scan = WireScan(limits: limits)
        return try scan.scan(bytes)
      }
    }
    return try result.get()
  }
}
