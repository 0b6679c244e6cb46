import HTTP2
import OTLP

/// An answer in the form of a unary gRPC call.
struct GRPCReply: Equatable {
  var status = 200
  var headers: [HTTP2Header]
  var body: [UInt8] = []
  /// Empty for Trailers-Only.
  var trailers: [HTTP2Header] = []
  var resetCode = HTTP2ErrorCode.noError

  static let contentType = HTTP2Header("content-type", "application/grpc")
  private static let plainHeaders = [contentType]
  private static let gzipHeaders = [contentType, HTTP2Header("grpc-encoding", "gzip")]
  private static let ok = [HTTP2Header("grpc-status", "0")]
  private static let emptyMessage = GRPCFraming.framed([])

  init(_ answer: Answer, to head: RequestHead, _ configuration: ReceiverConfiguration) {
    switch answer {
    case .exported(let signal, let rejections):
      let message = ExportResponse.encoded(rejections, .protobuf, signal)
      self.init(message: message, head, configuration)
    case .health(let status):
      self.init(message: HealthCodec.encodeResponse(status), head, configuration)
    case .refused(let refusal): self.init(refusal)
    case .preflight: preconditionFailure("gRPC has no preflight")
    }
  }

  private init(message: [UInt8], _ head: RequestHead, _ configuration: ReceiverConfiguration) {
    headers = GRPCReply.plainHeaders
    trailers = GRPCReply.ok
    if message.isEmpty {
      body = GRPCReply.emptyMessage
    } else if message.count >= configuration.compressedAnswerBytesMin,
      acceptsGzip(head.grpcAcceptEncoding)
    {
      headers = GRPCReply.gzipHeaders
      body = GRPCFraming.framed(Gzip.deflate(message), compressed: true)
    } else {
      body = GRPCFraming.framed(message)
    }
  }

  private init(_ refusal: Refusal) {
    let row = refusal.row
    status = row.grpcHTTP
    headers = [GRPCReply.contentType] + GRPCReply.statusHeaders(row) + row.headers
    if refusal == .deadlineExceeded { resetCode = .cancel }
  }

  /// The fields that say how a call ended badly.
  static func statusHeaders(_ row: Refusal.Row) -> [HTTP2Header] {
    var headers = [
      HTTP2Header("grpc-status", String(row.code.rawValue)),
      HTTP2Header("grpc-message", GRPCText.percentEncoded(row.message)),
    ]
    if row.retryAfterSeconds != nil || row.field != nil {
      let details = RPCStatus(row).encoded(.protobuf)
      headers.append(HTTP2Header("grpc-status-details-bin", GRPCText.base64(details)))
    }
    return headers
  }
}
