import Graph
import Hummingbird
import Impact
import Model

/// The routes about how well services do.
enum HealthRoutes {
  static let all = [list, show]

  private static let parameters =
    GraphRoutes.rangeParameters + [
      QueryParameter(
        name: "base_start", shape: .time,
        summary: "Begin of the history compared with; an hour before its end."),
      QueryParameter(
        name: "base_end", shape: .time, summary: "End of the history compared with; `start`."),
    ]

  static let list = Route(
    method: .get, path: "/api/v1/health",
    summary:
      "How well each service does, 0 to 100 with the parts it is made of, the worst first. Both ranges "
      + "are widened to whole minutes.",
    parameters: parameters, answers: [.json], schema: "Healths"
  ) { call in
    let inquiry = try await inquiry(call)
    return Answer(.json, HealthDocument(inquiry).all.bytes)
  }

  static let show = Route(
    method: .get, path: "/api/v1/health/{namespace}/{name}",
    summary:
      "How well one service does, what its dependencies do to it, and what it does to those that call "
      + "it. - stands for no namespace.",
    parameters: parameters, answers: [.json], schema: "ServiceHealth"
  ) { call in
    let inquiry = try await inquiry(call)
    let service = try call.service(among: inquiry.services)
    return Answer(.json, HealthDocument(inquiry).json(service).bytes)
  }

  private static func inquiry(_ call: Call) async throws -> HealthInquiry {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let base = reader.range(
      now: max(range.lowerBound, 1), call.configuration, names: ("base_start", "base_end"),
      defaultNanos: HealthInquiry.baseDefaultNanos)
    let environment = reader.optionalPart("environment")
    try reader.finish()
    return try await HealthInquiry(call, range, base: base, environment: environment)
  }
}

extension Call {
  /// The one of the services that the path names.
  /// - Errors: it is none of them, or it runs in several environments.
  func service(among services: [Name]) throws(GraphError) -> Name {
    let name = segments["name", default: ""]
    let given = segments["namespace", default: "-"]
    let namespace = given == "-" ? "" : given
    let found = services.filter { service in
      let identity = NodeIdentity(text: service.text)
      return identity.name == name && identity.namespace == namespace
    }
    guard let service = found.first else {
      let id = NodeIdentity(namespace: namespace, name: name).path
      throw .unknownService(
        service: id,
        nearest: Spelling.nearest(to: id, among: services.compactMap(NodeLabel.id)))
    }
    guard found.count == 1 else {
      throw .ambiguousEnvironment(
        id: NodeLabel.id(of: service) ?? name,
        environments: found.map { NodeIdentity(text: $0.text).environment }.sorted())
    }
    return service
  }
}
