/// Why a whole request was refused. Bad single spans are not errors: see `Rejections`.
public enum DecodeError: Error, Equatable, Sendable {
  /// The bytes are not the protobuf message they should be.
  case protobuf(reason: String, offset: Int)
  /// The bytes are not the JSON document they should be.
  /// `path` names the field as `resourceSpans[0].scopeSpans[0].spans[2].startTimeUnixNano`.
  case json(reason: String, offset: Int, path: String)
  /// Messages, objects or arrays nest deeper than the limit.
  case tooDeep(depthMax: Int, offset: Int)
  /// The `Content-Encoding: gzip` of the body is broken.
  case gzip(GzipFault)
  /// The body is larger than the limit, after decompression.
  case requestTooLarge(bytesMax: Int)
  /// Decoding would take more memory than one request may have.
  case memoryExceeded(bytesMax: Int)
  /// The request holds more spans than the limit.
  case tooManySpans(spansMax: Int)

  /// What a gzip stream can have wrong.
  public enum GzipFault: Equatable, Sendable {
    case notGzip
    case truncated
    case trailingBytes
    case checksum
    case corrupt
  }

  /// How a transport answers.
  public enum Kind: Equatable, Sendable {
    /// INVALID_ARGUMENT, or HTTP 400.
    case malformed
    /// RESOURCE_EXHAUSTED without RetryInfo, or HTTP 413: sending it again cannot help.
    case tooLarge
  }

  public var kind: Kind {
    switch self {
    case .protobuf, .json, .tooDeep, .gzip: .malformed
    case .requestTooLarge, .memoryExceeded, .tooManySpans: .tooLarge
    }
  }

  /// What happened, where, and what to do, for the person who runs the exporter.
  public var message: String {
    switch self {
    case .protobuf(let reason, let offset):
      "not an OTLP protobuf request: \(reason) at byte \(offset) "
        + "(send an ExportTraceServiceRequest as application/x-protobuf or over gRPC)"
    case .json(let reason, let offset, let path):
      "not an OTLP JSON request: \(reason) at byte \(offset)" + DecodeError.place(path)
    case .tooDeep(let depthMax, let offset):
      "nested deeper than \(depthMax) levels at byte \(offset) (flatten the attribute values)"
    case .gzip(let fault):
      "the gzip body \(fault.message)"
    case .requestTooLarge(let bytesMax):
      "the request is larger than \(bytesMax) bytes after decompression (send smaller batches)"
    case .memoryExceeded(let bytesMax):
      "decoding the request takes more than \(bytesMax) bytes of memory (send smaller batches)"
    case .tooManySpans(let spansMax):
      "the request holds more than \(spansMax) spans (send smaller batches)"
    }
  }

  private static func place(_ path: String) -> String { path.isEmpty ? "" : ", in \(path)" }
}

extension DecodeError.GzipFault {
  fileprivate var message: String {
    switch self {
    case .notGzip: "does not begin like gzip (leave Content-Encoding out if it is not compressed)"
    case .truncated: "ends too early (was the upload cut?)"
    case .trailingBytes: "has bytes after its end that are no gzip member"
    case .checksum: "does not match its own checksum (it was damaged on the way)"
    case .corrupt: "cannot be decompressed (it was damaged on the way)"
    }
  }
}
