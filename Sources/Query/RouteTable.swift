import Graph
import Hummingbird

/// All routes, and how a request finds its own.
struct RouteTable: Sendable {
  let routes: [Route]

  init(_ routes: [Route]) { self.routes = routes }

  /// - Errors: `.unknownPath` naming paths spelled alike, `.methodNotAllowed` naming those allowed.
  func route(
    _ method: HTTPRequest.Method, _ path: String
  ) throws(QueryProblem) -> (route: Route, segments: [String: String]) {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false)
    let matching = routes.compactMap { route in route.match(segments).map { (route, $0) } }
    guard !matching.isEmpty else { throw unknownPath(path) }
    let wanted = method == .head ? .get : method
    guard let found = matching.first(where: { $0.0.method == wanted }) else {
      throw notAllowed(method, path, matching.map(\.0))
    }
    return found
  }

  private func unknownPath(_ path: String) -> QueryProblem {
    let shown = String(path.prefix(128))
    let nearest = Spelling.nearest(to: shown, among: routes.map(\.path))
    let hint =
      nearest.isEmpty
      ? "Everything there is is listed at /api/v1/openapi.json."
      : "Nearby: \(nearest.joined(separator: ", "))."
    return QueryProblem(.unknownPath, "There is nothing at \(shown). \(hint)")
  }

  private func notAllowed(
    _ method: HTTPRequest.Method, _ path: String, _ routes: [Route]
  ) -> QueryProblem {
    let allowed = Set(
      routes.flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.rawValue] })
    var problem = QueryProblem(
      .methodNotAllowed,
      "\(path.prefix(128)) takes \(allowed.sorted().joined(separator: ", ")), "
        + "not \(method.rawValue)."
    )
    problem.allowedMethods = allowed.sorted()
    return problem
  }
}
