import Graph
import Hummingbird
import Model

/// The routes Jaeger's and Zipkin's own pages ask about dependencies.
/// - Source: Jaeger `http_handler.go`; Zipkin API v2.
enum DependencyRoutes {
  static let all = [jaeger, deep, zipkin]

  /// How much is looked at unless `lookback` says otherwise: a day, as with both tools.
  static let lookbackDefault: Nanos = .day

  private static let millisecondsMax = Int(Timestamp.latest / .millisecond)

  private static let parameters = [
    QueryParameter(
      name: "endTs", shape: .integer(0...millisecondsMax),
      summary: "End of the range, Unix milliseconds; now."),
    QueryParameter(
      name: "lookback", shape: .integer(1...millisecondsMax),
      summary: "Length of the range in milliseconds; 86400000, a day. Cut at 400 days."),
  ]

  static let jaeger = Route(
    method: .get, path: "/api/dependencies",
    summary: "Jaeger: who calls whom, and how often.",
    parameters: parameters + [
      QueryParameter(
        name: "service", shape: .text, summary: "Only the links of this service: a name, or an id.")
    ],
    answers: [.json], schema: "JaegerDependencies"
  ) { call in
    var reader = call.parameters
    let service = reader.text("service")
    var dependencies = try await dependencies(call, reader)
    if let service { dependencies.keep(around: service) }
    return Answer(.json, dependencies.jaeger.bytes)
  }

  static let zipkin = Route(
    method: .get, path: "/api/v2/dependencies",
    summary: "Zipkin: who calls whom, how often, and how often it failed.",
    parameters: parameters, answers: [.json], schema: "ZipkinDependency", answersList: true
  ) { call in
    Answer(.json, try await dependencies(call, call.parameters).zipkin.bytes)
  }

  static let deep = Route(
    method: .get, path: "/api/deep-dependencies",
    summary:
      "Jaeger: the ways requests took through a service, and what else calls lead to and from.",
    parameters: [
      QueryParameter(
        name: "service", shape: .text, summary: "A name, or an id.", isRequired: true)
    ] + parameters,
    answers: [.json], schema: "JaegerDeepDependencies"
  ) { call in
    var reader = call.parameters
    let service = reader.required("service", "Name the service whose paths are wanted.")
    let range = reader.lookback(now: call.backend.now, call.configuration)
    try reader.finish()
    let input = try await call.input(
      range.inMinutes,
      [.edge, .answered, .instance, .path, .version, .node, .call, .queueAlias])
    let paths = try DeepDependencies(input, tenant: call.tenant, service: service)
    return Answer(.json, paths.json.bytes)
  }

  private static func dependencies(
    _ call: Call, _ parameters: ParameterReader
  ) async throws -> Dependencies {
    var reader = parameters
    let range = reader.lookback(now: call.backend.now, call.configuration)
    try reader.finish()
    // With the tables by which addresses and queues go by the names of those they stand for.
    let input = try await call.input(range, [.edge, .answered, .instance, .queueAlias])
    return Dependencies(
      try GraphBuilder.build(input, tenant: call.tenant, options: GraphOptions()))
  }
}

extension ParameterReader {
  /// `endTs` and `lookback`, in milliseconds. A longer lookback than a range may cover is cut, not
  /// refused: these tools have no such limit, and nothing so old is kept.
  fileprivate mutating func lookback(
    now: Nanos, _ configuration: QueryConfiguration
  ) -> Range<Nanos> {
    let latest = Int(Timestamp.latest / .millisecond)
    let end = integer("endTs", in: 0...latest).map { Nanos($0) * .millisecond }
    let length = integer("lookback", in: 1...latest).map { Nanos($0) * .millisecond }
    let to = max(end ?? min(now, Timestamp.latest), .millisecond)
    let nanos = min(length ?? DependencyRoutes.lookbackDefault, configuration.rangeNanosMax)
    return to.saturatingSubtracting(nanos)..<to
  }
}
