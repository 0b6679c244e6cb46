import Model

/// A graph in the form of Grafana's Node Graph API data source.
/// - Source: README of hamedkarbasi93-nodegraphapi-datasource, "API Configuration"; the fields are
///   those of Grafana's node graph panel, "Data API".
public enum NodeGraph {
  /// One column of the panel's table of nodes or edges.
  private struct Field {
    var name: String
    var type = "string"
    var displayName: String?
    var color: String?
  }

  private static let nodeFields = [
    Field(name: "id"), Field(name: "title"), Field(name: "subTitle"),
    Field(name: "mainStat", displayName: "Mean duration"),
    Field(name: "secondaryStat", displayName: "Requests"),
    Field(name: "arc__success", type: "number", displayName: "Success", color: "green"),
    Field(name: "arc__failed", type: "number", displayName: "Failed", color: "red"),
    Field(name: "detail__kind", displayName: "Kind"),
    Field(name: "detail__environment", displayName: "Environment"),
    Field(name: "detail__versions", displayName: "Versions"),
    Field(name: "detail__p95", displayName: "95th percentile"),
    Field(name: "detail__error_rate", displayName: "Error rate"),
  ]

  private static let edgeFields = [
    Field(name: "id"), Field(name: "source"), Field(name: "target"),
    Field(name: "mainStat", displayName: "Mean duration"),
    Field(name: "secondaryStat", displayName: "Requests"),
    Field(name: "color"),
    Field(name: "detail__connection_type", displayName: "Connection"),
    Field(name: "detail__p95", displayName: "95th percentile"),
    Field(name: "detail__error_rate", displayName: "Error rate"),
  ]

  /// `{"nodes_fields":[{"field_name","type","displayName"?,"color"?}],"edges_fields":[…]}`.
  public static var fields: JSONText {
    var json = JSONText()
    json.object { json in
      for (key, fields) in [("nodes_fields", nodeFields), ("edges_fields", edgeFields)] {
        json.key(key)
        json.array(fields) { json, field in
          json.object { json in
            json.member("field_name", field.name)
            json.member("type", field.type)
            if let name = field.displayName { json.member("displayName", name) }
            if let color = field.color { json.member("color", color) }
          }
        }
      }
    }
    return json
  }

  /// `{"nodes":[…],"edges":[…]}` with exactly the members of `fields`.
  public static func data(_ graph: ServiceGraph) -> JSONText {
    let drawing = GraphDrawing(graph)
    var json = JSONText()
    json.object { json in
      json.key("nodes")
      json.array(graph.nodes) { write($1, drawing, to: &$0) }
      json.key("edges")
      json.array(graph.edges) { write($1, drawing, to: &$0) }
    }
    return json
  }

  private static func write(_ node: Node, _ drawing: GraphDrawing, to json: inout JSONText) {
    let failed = node.figures.errorRate ?? 0
    json.object { json in
      json.member("id", drawing.title(node))
      json.member("title", node.service)
      json.member("subTitle", node.namespace)
      json.member("mainStat", HumanText.duration(milliseconds: node.figures.latency?.mean))
      json.member(
        "secondaryStat",
        HumanText.rate(perSecond: node.figures.requests / drawing.graph.seconds))
      // The arcs are the parts of a circle.
      json.member("arc__success", rounded(1 - failed) as Double?)
      json.member("arc__failed", rounded(failed) as Double?)
      json.member("detail__kind", node.kind.rawValue)
      json.member("detail__environment", node.environment)
      json.member("detail__versions", node.versions.joined(separator: ", "))
      json.member("detail__p95", HumanText.duration(milliseconds: node.figures.latency?.p95))
      json.member("detail__error_rate", HumanText.percent(node.figures.errorRate))
    }
  }

  /// No two edges have the same: an arrow within a title is percent-encoded, and a last bracket that could be
  /// a type's is one.
  private static func id(_ ends: (String, String), _ type: String) -> String {
    let titles = [ends.0, ends.1].map { $0.escaped(["→": "%E2%86%92"]) }
    let path = titles.joined(separator: " → ")
    let isClear = ConnectionType.allCases.allSatisfy { !path.hasSuffix(" (\($0.label))") }
    return type.isEmpty && isClear ? path : "\(path) (\(type))"
  }

  private static func write(_ edge: Edge, _ drawing: GraphDrawing, to json: inout JSONText) {
    let ends = (drawing.clientTitle(edge), drawing.serverTitle(edge))
    let latency = edge.serverLatency ?? edge.clientLatency
    let type = edge.connectionType.label
    json.object { json in
      json.member("id", id(ends, type))
      json.member("source", ends.0)
      json.member("target", ends.1)
      json.member("mainStat", HumanText.duration(milliseconds: latency?.mean))
      json.member(
        "secondaryStat", HumanText.rate(perSecond: edge.requests / drawing.graph.seconds))
      json.member("color", GraphDrawing.Severity(failedShare: edge.failedShare).color)
      json.member("detail__connection_type", type)
      json.member("detail__p95", HumanText.duration(milliseconds: latency?.p95))
      json.member("detail__error_rate", HumanText.percent(edge.failedShare))
    }
  }
}
