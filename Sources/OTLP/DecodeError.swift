/// Why a whole request was refused. Single bad spans are no error: see `Rejections`.
///
/// Nothing here is retryable: the same bytes would be refused again.
public enum DecodeError: Error, Equatable, Sendable {
  /// The bytes are not the protobuf wire format, or not the message they should be.
  case malformedProtobuf(offset: Int, reason: String)
  /// The text is not JSON, or not the message it should be; `path` as in
  /// `resourceSpans[0].resource`.
  case malformedJSON(offset: Int, path: String, reason: String)
  /// The body says it is gzip and cannot be unpacked.
  case malformedGzip(GzipFault)
  /// Messages nest deeper than `DecodeLimits.depthMax`.
  case tooDeep(levelsMax: Int)
  /// The body, after decompression, is larger than `DecodeLimits.requestBytesMax`.
  case bodyTooLarge(bytesMax: Int)
  /// The decoded form would take more than `DecodeLimits.memoryBytesMax`.
  case memoryTooLarge(bytes: Int, bytesMax: Int)
  /// More spans, or log records, than `DecodeLimits.spansPerRequestMax`.
  case tooManySpans(countMax: Int)

  /// Which of the two answers the sender gets.
  public enum Kind: Sendable, Equatable {
    /// The sender must change what it sends: INVALID_ARGUMENT, 400.
    case malformed
    /// The sender must send less at once: RESOURCE_EXHAUSTED without RetryInfo, 413.
    case tooLarge
  }

  public var kind: Kind {
    switch self {
    case .malformedProtobuf, .malformedJSON, .malformedGzip, .tooDeep: .malformed
    case .bodyTooLarge, .memoryTooLarge, .tooManySpans: .tooLarge
    }
  }

  /// What happened, where, and what to do: the text the sender gets.
  public var message: String { message(.traces) }

  /// The same, of a request that was to bring this signal.
  public func message(_ signal: OTLPSignal) -> String {
    switch self {
    case .malformedProtobuf(let offset, let reason):
      "the body is not a protobuf \(signal.message): \(reason) at byte \(offset); "
        + "check that Content-Type and the encoding of the body agree"
    case .malformedJSON(let offset, let path, let reason):
      "the body is not a JSON \(signal.message): \(reason)"
        + (path.isEmpty ? "" : " in \(path)") + " at byte \(offset)"
    case .malformedGzip(let fault):
      "the body is not gzip as its encoding says: \(fault.message)"
    case .tooDeep(let levelsMax):
      "the body nests messages deeper than \(levelsMax) levels; flatten the attribute values"
    case .bodyTooLarge(let bytesMax):
      "the body is larger than \(bytesMax) bytes after decompression; send smaller batches"
    case .memoryTooLarge(let bytes, let bytesMax):
      "the body would take \(bytes) bytes to decode and \(bytesMax) are allowed; "
        + "send smaller batches"
    case .tooManySpans(let countMax):
      "the body holds more than \(countMax) \(signal.records(countMax)); send smaller batches"
    }
  }

  /// The part of the request that is at fault, for `google.rpc.BadRequest`.
  public var field: String {
    switch self {
    case .malformedJSON(_, let path, _) where !path.isEmpty: path
    default: "body"
    }
  }
}

/// What is wrong with a gzip body.
public enum GzipFault: Sendable, Equatable {
  /// It ends before the stream does.
  case truncated
  /// Bytes follow the last member that do not begin another one.
  case trailingGarbage
  /// The checksum or the length at the end of a member does not match its content.
  case checksumMismatch
  /// It does not begin like gzip, or what follows is not deflate.
  case notGzip
  /// zlib found no memory for its window.
  case outOfMemory

  public var message: String {
    switch self {
    case .truncated: "it ends in the middle of the stream; send the whole body"
    case .trailingGarbage: "bytes follow the end of the stream; send nothing after it"
    case .checksumMismatch: "the checksum does not match; the body was damaged on its way"
    case .notGzip: "it is no deflate stream with a gzip header; leave out the encoding or compress"
    case .outOfMemory: "there was no memory to unpack it; send it again later or uncompressed"
    }
  }
}
