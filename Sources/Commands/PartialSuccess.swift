import Foundation
import Model
import OTLP

/// What an export response says about spans that were left out.
/// - Source: opentelemetry/proto/collector/trace/v1/trace_service.proto,
///   `ExportTraceServiceResponse.partial_success`.
struct PartialSuccess: Equatable {
  var rejectedSpans = 0
  var message = ""

  /// Reads a response. One that cannot be read says nothing: the status said it was taken.
  init(_ body: [UInt8], _ encoding: OTLPEncoding) {
    switch encoding {
    case .json: readJSON(body)
    case .protobuf: readProtobuf(body)
    }
  }

  /// Integers of 64 bits are strings in JSON, but not with every sender.
  private mutating func readJSON(_ body: [UInt8]) {
    let root: [String: Any]?
    do {
      root = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]
    } catch {
      return
    }
    guard let partial = root?["partialSuccess"] as? [String: Any] else { return }
    let count = partial["rejectedSpans"]
    rejectedSpans = max(0, (count as? Int) ?? (count as? String).flatMap { Int($0) } ?? 0)
    message = partial["errorMessage"] as? String ?? ""
  }

  private mutating func readProtobuf(_ body: [UInt8]) {
    guard let partial = WireFields(body).bytes(1) else { return }
    let fields = WireFields(partial)
    rejectedSpans = Int(clamping: fields.varint(1) ?? 0)
    message = fields.text(2) ?? ""
  }
}

/// The fields of one protobuf message, as far as they can be read: the last of each number counts.
struct WireFields {
  private var varints: [UInt64: UInt64] = [:]
  private var lengths: [UInt64: [UInt8]] = [:]

  init(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes)
    do {
      while !reader.isAtEnd { try read(&reader) }
    } catch {
      // What was read so far is what there is.
    }
  }

  func varint(_ field: UInt64) -> UInt64? { varints[field] }
  func bytes(_ field: UInt64) -> [UInt8]? { lengths[field] }
  func text(_ field: UInt64) -> String? {
    lengths[field].map { String(decoding: $0, as: UTF8.self) }
  }

  private mutating func read(_ reader: inout ByteReader) throws(MalformedBytes) {
    let tag = try reader.readVarint()
    switch tag & 7 {
    case 0: varints[tag >> 3] = try reader.readVarint()
    case 1: _ = try reader.readFixed64()
    case 2:
      var bytes: [UInt8] = []
      for _ in 0..<(try reader.readCount()) { bytes.append(try reader.readByte()) }
      lengths[tag >> 3] = bytes
    case 5: _ = try reader.readFixed32()
    default: throw MalformedBytes()
    }
  }
}
