public import Model

/// The two forms of a request's body.
public enum OTLPEncoding: Sendable {
  /// `application/x-protobuf`, and every gRPC request.
  case protobuf
  /// `application/json`.
  case json
}

/// Decodes requests, one after the other: bytes → a span batch and what was left out of it.
///
/// Owns what is reused between requests: the arena, the stack of the pre-scan, and a cache of names
/// in front of the shared table. One for each event loop or worker.
/// - Cost: one pass over the bytes to check them, one to unpack, one over the tree.
/// - Errors: `DecodeError` refuses the request as a whole; a bad span alone is left out and told of
///   in `DecodedRequest.rejections`.
public final class OTLPDecoder {
  private let limits: DecodeLimits
  private var builder: SpanBuilder
  private var protobuf: ProtobufDecoder

  public init(names: NameTable, limits: DecodeLimits, rules: DecodeRules = DecodeRules()) {
    self.limits = limits
    builder = SpanBuilder(names: names, limits: limits, rules: rules)
    protobuf = ProtobufDecoder(limits: limits)
  }

  /// Decodes one body, which must not be compressed any more. A request of logs becomes a batch of
  /// records of traffic.
  /// - Units: `now` in Unix nanoseconds.
  public func decode(
    _ body: UnsafeRawBufferPointer, _ signal: OTLPSignal = .traces, encoding: OTLPEncoding,
    tenant: TenantID, now: Nanos
  ) throws(DecodeError) -> DecodedRequest {
    guard body.count <= limits.requestBytesMax else {
      throw .bodyTooLarge(bytesMax: limits.requestBytesMax)
    }
    builder.begin(signal, tenant: tenant, now: now)
    switch encoding {
    case .protobuf:
      switch signal {
      case .traces: unsafe try protobuf.read(body, into: &builder)
      case .logs: unsafe try protobuf.readLogs(body, into: &builder)
      }
    case .json: unsafe try OTLPJSONReader.read(body, into: &builder, limits: limits)
    }
    return builder.finish()
  }
}

@available(*, unavailable)
extension OTLPDecoder: Sendable {}
