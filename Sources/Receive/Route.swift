import HTTP2
import OTLP

/// In which form a request is answered.
enum ReplyForm: Equatable, Sendable {
  case grpc
  case http(OTLPEncoding)
}

/// What a request asks for.
enum Route: Equatable, Sendable {
  case export(OTLPSignal, OTLPEncoding, compressed: Compression)
  case healthCheck
  case healthWatch
  /// A browser asks whether it may post.
  case preflight([HTTP2Header])
  case refused(Refusal)

  /// How a body says it is compressed.
  enum Compression: Equatable, Sendable {
    case none
    /// The whole body (HTTP), or each message whose flag says so (gRPC).
    case gzip
  }
}

/// Finds out what a request asks for from its head alone.
struct Router: Sendable {
  let tracesPath: String
  let logsPath: String
  let crossOrigin: CrossOriginPolicy

  static let exportPath =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
  static let logsExportPath = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
  static let traceService = "opentelemetry.proto.collector.trace.v1.TraceService"
  static let logsService = "opentelemetry.proto.collector.logs.v1.LogsService"
  static let healthService = "grpc.health.v1.Health"
  /// Services of OTLP that are not served here: gRPC paths all the same.
  private static let otherServices: Set<String> = [
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "opentelemetry.proto.collector.profiles.v1development.ProfilesService",
  ]
  private static let otherSignals: Set<String> = ["/v1/metrics", "/v1development/profiles"]

  func route(_ head: RequestHead, isHTTP2: Bool) -> (route: Route, form: ReplyForm) {
    let type = head.contentType.map(MediaType.init)
    if type?.isGRPC == true {
      guard isHTTP2 else { return (.refused(.grpcNeedsHTTP2), .http(.protobuf)) }
      return (grpcRoute(head), .grpc)
    }
    let form = ReplyForm.http(type?.otlpEncoding ?? .json)
    return (httpRoute(head, type), form)
  }

  // MARK: gRPC

  private func grpcRoute(_ head: RequestHead) -> Route {
    guard head.method == "POST" else { return .refused(.grpcMethodNotPost(head.method)) }
    if let timeout = head.grpcTimeout, GRPCText.timeoutNanos(timeout) == nil {
      return .refused(.timeoutMalformed(timeout))
    }
    if head.path == Router.exportPath { return compressedRoute(.traces, head) }
    if head.path == Router.logsExportPath { return compressedRoute(.logs, head) }
    guard let (service, method) = Router.split(head.path) else {
      return .refused(.grpcPathMalformed(head.path))
    }
    switch (service, method) {
    case (Router.healthService, "Check"): return .healthCheck
    case (Router.healthService, "Watch"): return .healthWatch
    case (Router.healthService, _), (Router.traceService, _), (Router.logsService, _):
      return .refused(.methodUnknown(method, service: service))
    default: return .refused(.serviceUnknown(service))
    }
  }

  private func compressedRoute(_ signal: OTLPSignal, _ head: RequestHead) -> Route {
    switch head.grpcEncoding {
    case nil, "identity": .export(signal, .protobuf, compressed: .none)
    case "gzip": .export(signal, .protobuf, compressed: .gzip)
    case .some(let other): .refused(.grpcEncodingUnknown(other))
    }
  }

  /// `/service/method`; nil without the second slash.
  private static func split(_ path: String) -> (service: String, method: String)? {
    guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      return nil
    }
    let service = path[path.index(after: path.startIndex)..<slash]
    return (String(service), String(path[path.index(after: slash)...]))
  }

  // MARK: OTLP/HTTP

  private func httpRoute(_ head: RequestHead, _ type: MediaType?) -> Route {
    let path = head.path == tracesPath ? tracesPath : String(head.path.prefix { $0 != "?" })
    let encoding = type?.otlpEncoding
    guard let signal = signal(of: path) else { return otherPath(path, head) }
    if let headers = crossOrigin.preflightHeaders(for: head) { return .preflight(headers) }
    guard head.method == "POST" else {
      return .refused(.methodNotAllowed(head.method, path: path))
    }
    guard let encoding else { return .refused(.contentTypeUnknown(head.contentType)) }
    switch head.contentEncoding?.lowercased() {
    case nil, "", "identity": return .export(signal, encoding, compressed: .none)
    case "gzip", "x-gzip": return .export(signal, encoding, compressed: .gzip)
    default: return .refused(.contentEncodingUnknown(head.contentEncoding ?? ""))
    }
  }

  private func signal(of path: String) -> OTLPSignal? {
    if path == tracesPath || path == "/" { return .traces }
    return path == logsPath ? .logs : nil
  }

  private func otherPath(_ path: String, _ head: RequestHead) -> Route {
    if Router.otherSignals.contains(path) { return .refused(.signalNotServed(path: path)) }
    if let (service, _) = Router.split(path),
      service == Router.traceService || service == Router.logsService
        || service == Router.healthService || Router.otherServices.contains(service)
    {
      return .refused(.contentTypeNotGRPC(head.contentType))
    }
    return .refused(.pathUnknown(path))
  }
}

/// What a content type means here; parameters and case do not matter.
private enum MediaType {
  case grpc
  case otlp(OTLPEncoding)
  case other

  init(_ contentType: String) {
    // Nearly every request says it just so, and then nothing need be taken apart.
    self = MediaType(plain: contentType)
    guard case .other = self else { return }
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
    self = MediaType(plain: type.lowercased())
  }

  private init(plain: String) {
    switch plain {
    case "application/grpc", "application/grpc+proto": self = .grpc
    case "application/x-protobuf", "application/protobuf": self = .otlp(.protobuf)
    case "application/json": self = .otlp(.json)
    default: self = .other
    }
  }

  var isGRPC: Bool { if case .grpc = self { true } else { false } }

  var otlpEncoding: OTLPEncoding? { if case .otlp(let encoding) = self { encoding } else { nil } }
}
