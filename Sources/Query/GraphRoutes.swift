import Hummingbird
import Graph
import Impact
import Model

/// The routes about the service graph.
enum GraphRoutes {
  /// The forms a graph can be had in.
  enum Format: String, CaseIterable {
    case json, dot, mermaid, graphml
  }

  static let depthMax = 64

  static let rangeParameters = [
    QueryParameter(
      name: "start", shape: .time, summary: "Begin of the range; 15 minutes before the end."),
    QueryParameter(name: "end", shape: .time, summary: "End of the range, exclusive; now."),
    QueryParameter(
      name: "environment", shape: .text,
      summary: "Only this environment (- for none); all, as separate nodes."),
  ]

  /// Which requests: those of one cluster, or with one value of an attribute chosen for it.
  static let dimensionParameters = [
    QueryParameter(
      name: "cluster", shape: .text, summary: "Only requests taken in this cluster."),
    QueryParameter(
      name: "dimension", shape: .text,
      summary: "Only requests with this value of an attribute of identity.dimensions: key:value."),
  ]

  /// Of a route that cannot be asked for them.
  static func dimensionsDeclined(_ reason: String) -> [String: String] {
    ["cluster": reason, "dimension": reason]
  }

  /// Which part of the graph.
  static let partParameters = [
    QueryParameter(
      name: "service", shape: .text,
      summary: "Only what is connected to this service: a name, or an id."),
    QueryParameter(
      name: "namespace", shape: .text,
      summary: "Only this namespace (- for none) and what it is connected to."),
    QueryParameter(
      name: "depth", shape: .integer(0...depthMax),
      summary: "How many calls away from the service; as far as it goes."),
    QueryParameter(
      name: "direction", shape: .choice(Direction.allCases.map(\.rawValue)),
      summary: "Callers (up), callees (down) or both of the service."),
  ]

  static let all = [graph, services, service]

  static let graph = Route(
    method: .get, path: "/api/v1/graph",
    summary: "The service dependency graph of a range of time.",
    parameters: rangeParameters + dimensionParameters + partParameters + [
      QueryParameter(
        name: "format", shape: .choice(Format.allCases.map(\.rawValue)),
        summary: "JSON, or a form other tools draw.")
    ],
    answers: [.json, .dot, .mermaid, .graphML], schema: "Graph"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let format = reader.choice("format", default: Format.json)
    let options = reader.graphOptions()
    try reader.finish()
    let input = try await call.input(range, options.kinds, of: options.dimensions)
    // Other forms do not show it, and of some dimensions it is not known. Beside the graph, because of a
    // large system either takes a while.
    let isScored = format == .json && options.dimensions.isEmpty
    async let scores = isScored ? input.scores(call.configuration) : [:]
    var graph = try GraphBuilder.build(input, tenant: call.tenant, options: options)
    let found = await scores
    for index in graph.nodes.indices {
      graph.nodes[index].health = found[graph.nodes[index].nameID]
    }
    return answer(graph, format)
  }

  private static func answer(_ graph: ServiceGraph, _ format: Format) -> Answer {
    switch format {
    case .json: Answer(.json, graph.json.bytes)
    case .dot: Answer(.dot, graph.dot)
    case .mermaid: Answer(.mermaid, graph.mermaid)
    case .graphml: Answer(.graphML, graph.graphML)
    }
  }

  static let services = Route(
    method: .get, path: "/api/v1/services", summary: "All services seen in a range of time.",
    parameters: rangeParameters + dimensionParameters + [
      QueryParameter(
        name: "namespace", shape: .text, summary: "Only this namespace (- for none).")
    ],
    answers: [.json], schema: "Services"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let options = GraphOptions(
      environment: reader.optionalPart("environment"),
      namespace: reader.optionalPart("namespace"), dimensions: reader.dimensions())
    try reader.finish()
    let input = try await call.input(range, options.kinds, of: options.dimensions)
    var list = GraphBuilder.services(input, tenant: call.tenant, options: options)
    if options.dimensions.isEmpty {
      let scores = input.scores(call.configuration)
      for index in list.services.indices {
        list.services[index].health = scores[list.services[index].nameID]
      }
    }
    return Answer(.json, list.json.bytes)
  }

  static let service = Route(
    method: .get, path: "/api/v1/services/{namespace}/{name}",
    summary:
      "One service: callers, callees, operations, versions, health and markers. - stands for no "
      + "namespace.",
    parameters: rangeParameters + dimensionParameters, answers: [.json], schema: "Service"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let environment = reader.optionalPart("environment")
    let dimensions = reader.dimensions()
    try reader.finish()
    // What operations call is summed by the minute.
    let input = try await call.input(range.inMinutes, SeriesKind.all, of: dimensions)
    let namespace = call.segments["namespace", default: "-"]
    var view = try GraphBuilder.service(
      input, tenant: call.tenant, namespace: namespace == "-" ? "" : namespace,
      name: call.segments["name", default: ""], environment: environment, dimensions: dimensions)
    if dimensions.isEmpty {
      addHealth(to: &view, input.health(call.configuration))
    } else {
      view.notCounted.append("health")
    }
    let filter = MarkerFilter(
      tenant: call.tenant, start: view.start, end: view.end, service: view.node.service,
      namespace: view.node.namespace, environment: view.node.environment,
      countMax: MarkerRoutes.countDefault)
    view.markers = try await call.backend.markers(filter)
    return Answer(.json, view.json.bytes)
  }

  /// Of the range alone, as graphs have it: the history of a large system takes much memory, and the
  /// route about health reads it.
  private static func addHealth(to view: inout ServiceView, _ system: SystemHealth) {
    let found = system.health(of: view.node.nameID)
    view.node.health = found.score
    view.health = HealthView(
      score: found.score,
      parts: found.health.parts.map {
        HealthView.Part(name: $0.name, score: $0.score, weight: $0.weight, why: $0.why)
      })
  }
}

extension Range<Nanos> {
  /// Widened to whole minutes.
  var inMinutes: Range<Nanos> {
    lowerBound.floored(to: .minute)..<upperBound.saturatingAdding(.minute - 1).floored(to: .minute)
  }
}

extension ParameterReader {
  /// Which part of the graph is asked for.
  mutating func graphOptions() -> GraphOptions {
    let options = GraphOptions(
      environment: optionalPart("environment"), namespace: optionalPart("namespace"),
      service: text("service"), depth: integer("depth", in: 0...GraphRoutes.depthMax),
      direction: choice("direction", default: Direction.both), dimensions: dimensions())
    if !has("service") {
      for name in ["depth", "direction"] where has(name) {
        refuse(name, "Means something together with `service` only.")
      }
    }
    return options
  }
}

extension GraphOptions {
  /// What has to be read for them.
  var kinds: Set<SeriesKind> {
    dimensions.isEmpty ? SeriesKind.ofGraph : SeriesKind.ofGraphByDimension
  }
}

extension ParameterReader {
  /// `cluster`, and `dimension` as `key:value`: requests have to have both.
  mutating func dimensions() -> [Dimensions.Pair] {
    var pairs: [Dimensions.Pair] = []
    if let cluster = text("cluster"), !cluster.isEmpty {
      if cluster == "-" {
        refuse("cluster", "Names a cluster: requests that name none are not kept apart.")
      }
      pairs.append(Dimensions.Pair(attribute: Dimensions.cluster, value: cluster))
    }
    if let text = text("dimension"), !text.isEmpty {
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty {
        pairs.append(
          Dimensions.Pair(attribute: String(parts[0]), value: String(parts[1])))
      } else {
        refuse("dimension", "Must be the key of an attribute and a value, as in region:eu-1.")
      }
    }
    return pairs
  }
}

extension Call {
  func input(
    _ range: Range<Nanos>, _ kinds: Set<SeriesKind>
  ) async throws -> GraphInput {
    try await backend.graphInput(
      tenant: tenant, from: range.lowerBound, to: range.upperBound, kinds: kinds)
  }
}
