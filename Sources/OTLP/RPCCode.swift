/// A gRPC status code.
/// - Source: github.com/grpc/grpc, doc/statuscodes.md.
public enum RPCCode: Int, Sendable, CaseIterable {
  case ok = 0
  case cancelled = 1
  case unknown = 2
  case invalidArgument = 3
  case deadlineExceeded = 4
  case notFound = 5
  case alreadyExists = 6
  case permissionDenied = 7
  case resourceExhausted = 8
  case failedPrecondition = 9
  case aborted = 10
  case outOfRange = 11
  case unimplemented = 12
  case `internal` = 13
  case unavailable = 14
  case dataLoss = 15
  case unauthenticated = 16

  /// As the specification writes it: `NOT_FOUND`.
  public var name: String { GRPCStatusName.name(rawValue) }

  /// The HTTP status that tells an OTLP/HTTP client the same: 503 and 429 invite another try, the
  /// rest do not.
  /// - Source: the OpenTelemetry Collector's mapping, receiver/otlpreceiver/internal/errors.
  public var httpStatus: Int {
    switch self {
    case .ok: 200
    case .invalidArgument: 400
    case .unauthenticated: 401
    case .permissionDenied: 403
    case .unimplemented: 404
    case .resourceExhausted: 429
    case .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss: 503
    case .unknown, .notFound, .alreadyExists, .failedPrecondition, .internal: 500
    }
  }
}

extension DecodeError.Kind {
  /// The code a gRPC client gets.
  public var code: RPCCode {
    switch self {
    case .malformed: .invalidArgument
    case .tooLarge: .resourceExhausted
    }
  }

  /// The status an HTTP client gets: not `code.httpStatus`, because 429 would invite another try.
  public var httpStatus: Int {
    switch self {
    case .malformed: 400
    case .tooLarge: 413
    }
  }
}
