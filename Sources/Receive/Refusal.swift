import Access
import HTTP2
import OTLP

/// Every way a request can be turned down. `row` is the one table of status codes.
enum Refusal: Error, Equatable, Sendable {
  // The body.
  case undecodable(DecodeError, OTLPSignal)
  case bodyTooLarge(bytesMax: Int)
  case bodyTimedOut(seconds: Int)
  // Who it is from.
  case notAllowed(AccessRefusal)
  // What it says of itself.
  case contentTypeUnknown(String?)
  case contentEncodingUnknown(String)
  case headersTooLarge(bytesMax: Int)
  case methodNotAllowed(String, path: String)
  case signalNotServed(path: String)
  case pathUnknown(String)
  case notHTTP(String)
  // gRPC.
  case contentTypeNotGRPC(String?)
  case grpcMethodNotPost(String)
  case grpcNeedsHTTP2
  case grpcPathMalformed(String)
  case serviceUnknown(String)
  case methodUnknown(String, service: String)
  case grpcEncodingUnknown(String)
  case timeoutMalformed(String)
  case framing(GRPCFramingError, bytesMax: Int)
  case compressedWithoutEncoding
  case deadlineExceeded
  case healthRequestMalformed
  case healthServiceUnknown(String)
  // Not now.
  case overloaded(reason: String, retryAfterSeconds: Int)
  case shuttingDown

  /// What the client is told.
  struct Row {
    var code: RPCCode
    var http: Int
    var message: String
    var retryAfterSeconds: Int?
    var field: String?
    var headers: [HTTP2Header] = []
    /// The HTTP status of a gRPC answer; nearly always 200, with the code in `grpc-status`.
    var grpcHTTP = 200
  }

  /// The sender may send the same again later.
  var isRetryable: Bool {
    switch self {
    case .overloaded, .shuttingDown: true
    default: false
    }
  }

  var row: Row {
    switch self {
    case .undecodable(let error, let signal):
      let status = RPCStatus(error)
      return Row(
        code: status.code, http: error.kind.httpStatus, message: error.message(signal),
        field: status.badRequestField)
    case .bodyTooLarge(let bytesMax):
      return Row(
        code: .resourceExhausted, http: 413,
        message: "the body is larger than \(bytesMax) bytes; send smaller batches")
    case .bodyTimedOut(let seconds):
      return Row(
        code: .deadlineExceeded, http: 408,
        message: "the body made no progress for \(seconds) s; send it faster, or in smaller batches"
      )
    case .notAllowed(let refusal):
      let isKnown = refusal == .scope
      return Row(
        code: isKnown ? .permissionDenied : .unauthenticated, http: isKnown ? 403 : 401,
        message: refusal.message(.ingest),
        headers: [HTTP2Header("www-authenticate", refusal.challenge(.ingest))])
    case .headersTooLarge(let bytesMax):
      let text = "the header fields take more than \(bytesMax) bytes; send fewer or shorter ones"
      return Row(code: .resourceExhausted, http: 431, message: text, grpcHTTP: 431)
    case .notHTTP(let detail):
      return Row(
        code: .invalidArgument, http: 400,
        message: "this port speaks HTTP/1.1 and HTTP/2, and what arrived is neither (TLS needs a "
          + "certificate for the port): "
          + detail)
    case .overloaded(let reason, let seconds):
      return Row(
        code: .unavailable, http: 503, message: reason, retryAfterSeconds: max(1, seconds))
    case .shuttingDown:
      return Row(
        code: .unavailable, http: 503, message: "the gateway is shutting down; send it again",
        retryAfterSeconds: 1)
    case .contentTypeUnknown, .contentEncodingUnknown, .methodNotAllowed, .signalNotServed,
      .pathUnknown:
      return httpRow
    default: return grpcRow
    }
  }

  private var httpRow: Row {
    switch self {
    case .contentTypeUnknown(let type):
      return Row(
        code: .invalidArgument, http: 415,
        message: "Content-Type \(quoted(type)) is not accepted; "
          + "send application/x-protobuf or application/json")
    case .contentEncodingUnknown(let encoding):
      return Row(
        code: .invalidArgument, http: 415,
        message: "Content-Encoding \(quoted(encoding)) is not accepted; send gzip or none",
        headers: [HTTP2Header("accept-encoding", "gzip")])
    case .methodNotAllowed(let method, let path):
      return Row(
        code: .unimplemented, http: 405,
        message: "\(quoted(path)) takes POST, not \(quoted(method))",
        headers: [HTTP2Header("allow", "POST")])
    case .signalNotServed(let path):
      return Row(
        code: .unimplemented, http: 404,
        message: "\(quoted(path)) is not served: this gateway takes traces and access "
          + "logs; send metrics and profiles elsewhere")
    case .pathUnknown(let path):
      return Row(
        code: .unimplemented, http: 404,
        message: "nothing is served at \(quoted(path)); post traces to /v1/traces, logs to "
          + "/v1/logs")
    default: preconditionFailure("not a refusal of HTTP: \(self)")
    }
  }

  private var grpcRow: Row {
    switch self {
    case .contentTypeNotGRPC(let type):
      return Row(
        code: .invalidArgument, http: 415,
        message: "Content-Type \(quoted(type)) is not accepted here; send application/grpc",
        headers: [HTTP2Header("grpc-status", "3")], grpcHTTP: 415)
    case .grpcMethodNotPost(let method):
      return Row(
        code: .internal, http: 405, message: "gRPC takes POST, not \(quoted(method))",
        headers: [HTTP2Header("allow", "POST")], grpcHTTP: 405)
    case .grpcNeedsHTTP2:
      return Row(
        code: .internal, http: 505,
        message: "gRPC needs HTTP/2; send OTLP/HTTP with application/x-protobuf over HTTP/1.1")
    case .grpcPathMalformed(let path):
      return unimplemented("malformed method name: \(quoted(path))")
    case .serviceUnknown(let service):
      return unimplemented("unknown service \(quoted(service)); this gateway takes traces and logs")
    case .methodUnknown(let method, let service):
      return unimplemented("unknown method \(quoted(method)) for service \(quoted(service))")
    case .grpcEncodingUnknown(let encoding):
      var row = unimplemented(
        "grpc-encoding \(quoted(encoding)) is not accepted; send gzip or none")
      row.headers = [HTTP2Header("grpc-accept-encoding", "identity,gzip")]
      return row
    case .timeoutMalformed(let text):
      return Row(
        code: .internal, http: 400, message: "malformed grpc-timeout: \(quoted(text))",
        grpcHTTP: 400)
    case .framing(let error, let bytesMax): return framingRow(error, bytesMax)
    case .compressedWithoutEncoding:
      return Row(
        code: .internal, http: 400,
        message: "the message is flagged as compressed and grpc-encoding names no compression")
    case .deadlineExceeded:
      return Row(
        code: .deadlineExceeded, http: 503,
        message: "the deadline passed before the request was stored; they may arrive twice if sent "
          + "again")
    case .healthRequestMalformed:
      return Row(code: .invalidArgument, http: 400, message: "not a HealthCheckRequest")
    case .healthServiceUnknown(let service):
      return Row(code: .notFound, http: 404, message: "unknown service \(quoted(service))")
    default: preconditionFailure("not a refusal of gRPC: \(self)")
    }
  }

  private func unimplemented(_ message: String) -> Row {
    Row(code: .unimplemented, http: 404, message: message)
  }

  private func framingRow(_ error: GRPCFramingError, _ bytesMax: Int) -> Row {
    switch error {
    case .noMessage: Row(code: .internal, http: 400, message: "received no request message")
    case .tooManyMessages: Row(code: .internal, http: 400, message: "multiple request messages")
    case .truncated: Row(code: .internal, http: 400, message: "the request message is truncated")
    case .badFlag(let flag):
      Row(code: .internal, http: 400, message: "unknown compressed-flag \(flag)")
    case .tooLarge(let bytes):
      Row(
        code: .resourceExhausted, http: 413,
        message: "the message of \(bytes) bytes is larger than \(bytesMax); send smaller batches")
    }
  }

  /// What a sender sent, short enough for a header field.
  private func quoted(_ text: String?) -> String {
    guard let text else { return "(none)" }
    return text.count <= 100 ? text : text.prefix(100) + "…"
  }
}
