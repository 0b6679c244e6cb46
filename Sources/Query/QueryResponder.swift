import Access
import Graph
import Hummingbird
import Logging
import Model
import NIOCore

/// Answers every request: finds its route, checks it, runs it, and turns refusals into problem
/// documents. Never throws.
struct QueryResponder: HTTPResponder {
  typealias Context = BasicRequestContext

  let table: RouteTable
  let backend: any QueryBackend
  let configuration: QueryConfiguration
  let tokens: AccessTokens?
  let counters: RequestCounters
  let inFlight: InFlight

  func respond(to request: Request, context: Context) async throws -> Response {
    let token = inFlight.begin()
    var route: Route?
    var status = HTTPResponse.Status.ok
    var headers = HTTPFields()
    var answer: Answer
    do {
      answer = try await run(request, &route)
      status = HTTPResponse.Status(code: answer.status)
    } catch {
      let problem = problem(from: error, request, context.logger)
      status = HTTPResponse.Status(code: problem.kind.status)
      headers = problem.headers
      answer = Answer(.problem, problem.json.bytes)
    }
    counters.count(route: route?.path, status: status.code)
    if status != .noContent {
      headers[.contentType] = answer.type.rawValue
      headers[.contentLength] = String(answer.body.count)
    }
    headers[.cacheControl] = "no-store"
    headers[.xContentTypeOptions] = "nosniff"
    if request.method == .head { answer.body = [] }
    return Response(
      status: status, headers: headers, body: ResponseBody(answer.body, until: token))
  }

  private func run(_ request: Request, _ found: inout Route?) async throws -> Answer {
    if inFlight.isStopping { throw QueryProblem.notReady("it is stopping") }
    let (route, segments) = try table.route(request.method, request.uri.path)
    found = route
    try checkAccess(request, route, segments)
    if route.needsReadiness, case .notReady(let reason) = backend.readiness {
      throw QueryProblem.notReady(reason)
    }
    let reserved = try reserve(for: request, route)
    defer { if reserved > 0 { backend.release(bytes: reserved) } }
    let body = try await body(of: request, route)
    let call = Call(
      backend: backend, configuration: configuration, tenant: .standard, segments: segments,
      parameters: try parameters(request.uri.query ?? "", route),
      headers: Dictionary(
        request.headers.map { ($0.name.canonicalName, $0.value) },
        uniquingKeysWith: { "\($0),\($1)" }), body: body)
    return try await route.handle(call)
  }

  /// Before anything is reserved, read or looked up for the request.
  private func checkAccess(
    _ request: Request, _ route: Route, _ segments: [String: String]
  ) throws(QueryProblem) {
    guard let tokens, let needed = route.needs, !route.isSigned(segments, configuration),
      let refusal = tokens.refusal(
        request.headers[.authorization], needing: needed, transport: "query")
    else { return }
    throw .notAllowed(refusal, needed: needed)
  }

  /// Small bodies need no room of their own.
  private func reserve(for request: Request, _ route: Route) throws(QueryProblem) -> Int {
    guard route.reservesBody else { return 0 }
    let bytesMax = configuration[keyPath: route.bodyLimit]
    let declared = request.headers[.contentLength].flatMap { Int($0) } ?? bytesMax
    let bytes = min(max(declared, 0), bytesMax)
    guard bytes == 0 || backend.reserve(bytes: bytes) else {
      throw .overloaded(
        "There is no room for the body at the moment. Send it again after the delay.")
    }
    return bytes
  }

  private func parameters(
    _ query: String, _ route: Route
  ) throws(QueryProblem) -> ParameterReader {
    guard query.utf8.count <= configuration.queryBytesMax else {
      throw QueryProblem(
        .queryTooLong,
        "The query string has \(query.utf8.count) bytes; "
          + "\(configuration.queryBytesMax) are allowed."
      )
    }
    guard !route.isStrict else { return ParameterReader(try QueryString(query), route: route) }
    // Where other tools ask, what cannot be read is nothing to refuse them for.
    guard !route.parameters.isEmpty, let pairs = try? QueryString(query) else {
      return ParameterReader()
    }
    return ParameterReader(lenient: pairs, route: route)
  }

  /// Reads the body up to a limit. One that comes to a route without need of it is ignored. One that
  /// is too large is received all the same, within reason, and forgotten: many clients read no
  /// answer before they have sent everything.
  private func body(of request: Request, _ route: Route) async throws -> [UInt8] {
    let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    let bytesMax = configuration[keyPath: route.bodyLimit]
    guard request.method == .post else {
      guard declared <= bytesMax else { throw bodyTooLarge(route) }
      return []
    }
    guard declared <= configuration.receivedBytesMax else { throw bodyTooLarge(route) }
    var received = 0
    var body: [UInt8] = []
    do {
      for try await chunk in request.body {
        received += chunk.readableBytes
        guard received <= configuration.receivedBytesMax else { throw bodyTooLarge(route) }
        let isKept = route.body != nil && received <= bytesMax
        if isKept { body += chunk.readableBytesView }
      }
    } catch let problem as QueryProblem {
      throw problem
    } catch {
      throw QueryProblem(.invalidRequest, "The body ended before it was complete.")
    }
    guard received <= bytesMax else { throw bodyTooLarge(route) }
    return body
  }

  /// What a route reads and cannot is a mistake in the request like any other in it; where nothing is
  /// read, it is only too much.
  private func bodyTooLarge(_ route: Route) -> QueryProblem {
    let size = "The body is larger than \(configuration[keyPath: route.bodyLimit]) bytes."
    if route.reservesBody {
      return QueryProblem(.bodyTooLarge, "\(size) Send it in parts, or with gzip.")
    }
    guard route.body != nil else {
      return QueryProblem(
        .bodyTooLarge, "\(size) Nothing is needed here; spans go to the receiver's ports.")
    }
    let message =
      route.isStrict ? "\(size) Leave out attributes, or link to them with `url`." : size
    return QueryProblem(.invalidRequest, message, errors: [.init("body", message)])
  }

  private func problem(
    from error: any Error, _ request: Request, _ logger: Logger
  ) -> QueryProblem {
    switch error {
    case let problem as QueryProblem: return problem
    case let error as GraphError: return QueryProblem(error)
    case is CancellationError: return .notReady("it is stopping")
    default:
      logger.error(
        "A query failed.",
        metadata: ["path": "\(request.uri.path.prefix(256))", "error": "\(error)"])
      return QueryProblem(
        .internalError,
        "The question was understood, but answering it failed; the gateway's log says why.")
    }
  }
}

extension QueryProblem {
  fileprivate var headers: HTTPFields {
    var headers = HTTPFields()
    if !allowedMethods.isEmpty { headers[.allow] = allowedMethods.joined(separator: ", ") }
    if let challenge { headers[.wwwAuthenticate] = challenge }
    if let retryAfterSeconds { headers[.retryAfter] = String(retryAfterSeconds) }
    return headers
  }
}

extension ResponseBody {
  /// Holds `token` until the bytes are written.
  fileprivate init(_ bytes: [UInt8], until token: InFlight.Token) {
    self.init(contentLength: bytes.count) { writer in
      if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
      try await writer.finish(nil)
      withExtendedLifetime(token) {}
    }
  }
}
