import Graph
import Hummingbird
import Model

/// The routes Grafana's Node Graph API data source asks.
/// - Source: README of hamedkarbasi93-nodegraphapi-datasource, "API Configuration".
enum NodeGraphRoutes {
  static let all = [fields, data, health]

  static let fields = Route(
    method: .get, path: "/api/graph/fields",
    summary: "Grafana Node Graph API: the fields of nodes and edges.",
    answers: [.json], schema: "NodeGraphFields"
  ) { _ in
    Answer(.json, NodeGraph.fields.bytes)
  }

  static let data = Route(
    method: .get, path: "/api/graph/data",
    summary: "Grafana Node Graph API: the graph of a range of time.",
    parameters: [
      QueryParameter(
        name: "query", shape: .text,
        summary: "Only what is connected to this service; `service` is the same."),
      QueryParameter(
        name: "from", shape: .time, summary: "Begin of the range; 15 minutes before the end."),
      QueryParameter(name: "to", shape: .time, summary: "End of the range; now."),
      QueryParameter(
        name: "environment", shape: .text, summary: "Only this environment (- for none)."),
    ] + GraphRoutes.dimensionParameters + GraphRoutes.partParameters,
    answers: [.json], schema: "NodeGraphData"
  ) { call in
    var reader = call.parameters
    let range = reader.range(
      now: call.backend.now, call.configuration, names: ("from", "to"))
    var options = GraphOptions(
      environment: reader.optionalPart("environment"),
      namespace: reader.optionalPart("namespace"),
      service: reader.text("service") ?? reader.text("query"),
      direction: reader.choice("direction", default: Direction.both),
      dimensions: reader.dimensions())
    options.showsTraffic = false
    options.depth = reader.integer("depth", in: 0...GraphRoutes.depthMax)
    try reader.finish()
    let input = try await call.input(range, options.kinds, of: options.dimensions)
    let graph = try GraphBuilder.build(input, tenant: call.tenant, options: options)
    return Answer(.json, NodeGraph.data(graph).bytes)
  }

  static let health = Route(
    method: .get, path: "/api/health",
    summary: "Grafana Node Graph API: whether the data source can be asked.",
    answers: [.json], schema: "SourceHealth"
  ) { _ in
    var json = JSONText()
    json.object { $0.member("status", "ok") }
    return Answer(.json, json.bytes)
  }
}
