import Model

extension ServiceGraph {
  /// The graph as GraphML, which yEd, Gephi and NetworkX read.
  /// - Source: graphml.graphdrawing.org/specification.html; XML 1.0.
  public var graphML: String {
    let drawing = GraphDrawing(self)
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    text += "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n"
    for key in GraphMLKey.all {
      text += "  <key id=\"\(key.name)\" for=\"\(key.domain)\" attr.name=\"\(key.name)\""
      text += " attr.type=\"\(key.type)\"/>\n"
    }
    text += "  <graph id=\"spangate\" edgedefault=\"directed\">\n"
    for node in nodes {
      text += "    <node id=\"\(xml(drawing.title(node)))\">\n"
      text += data(values(node))
      text += "    </node>\n"
    }
    for edge in edges {
      text += "    <edge source=\"\(xml(drawing.clientTitle(edge)))\""
      text += " target=\"\(xml(drawing.serverTitle(edge)))\">\n"
      text += data(values(edge))
      text += "    </edge>\n"
    }
    for edge in traffic {
      text += "    <edge source=\"\(xml(drawing.clientTitle(edge)))\""
      text += " target=\"\(xml(drawing.serverTitle(edge)))\">\n"
      text += data(values(edge))
      text += "    </edge>\n"
    }
    return text + "  </graph>\n</graphml>\n"
  }

  private func values(_ node: Node) -> [(String, String?)] {
    [
      ("service", node.service), ("namespace", node.namespace),
      ("environment", node.environment), ("kind", node.kind.rawValue),
      ("requests", number(node.figures.requests)), ("errors", number(node.figures.errors)),
      ("latency_p95_ms", number(node.figures.latency?.p95)),
      ("self_time_p95_ms", number(node.figures.selfTime?.p95)),
    ]
  }

  private func values(_ edge: Edge) -> [(String, String?)] {
    [
      ("connection_type", edge.connectionType.label), ("calls", number(edge.requests)),
      ("failed", number(edge.failed)),
      ("server_latency_p95_ms", number(edge.serverLatency?.p95)),
      ("client_latency_p95_ms", number(edge.clientLatency?.p95)),
      ("gap_p95_ms", number(edge.gap?.p95)),
    ]
  }

  private func values(_ edge: TrafficEdge) -> [(String, String?)] {
    [
      ("traffic_source", edge.source.label), ("traffic_calls", number(edge.requests)),
      ("traffic_failed", number(edge.failed)), ("traffic_bytes", number(Double(edge.bytes))),
      ("traffic_latency_p95_ms", number(edge.latency?.p95)),
    ]
  }

  private func data(_ values: [(String, String?)]) -> String {
    values.reduce(into: "") { text, value in
      guard let content = value.1 else { return }
      text += "      <data key=\"\(value.0)\">\(xml(content))</data>\n"
    }
  }

  private func number(_ value: Double?) -> String? {
    value.flatMap { $0.isFinite ? $0.description : nil }
  }

  private func xml(_ text: String) -> String {
    text.printable.replacingNonCharacters.escaped([
      "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&apos;",
    ])
  }
}

private struct GraphMLKey {
  var name: String
  var domain: String
  var type: String

  static let all: [GraphMLKey] =
    ["service", "namespace", "environment", "kind"].map { .init($0, "node", "string") }
    + ["requests", "errors", "latency_p95_ms", "self_time_p95_ms"].map {
      .init($0, "node", "double")
    }
    + [.init("connection_type", "edge", "string")]
    + ["calls", "failed", "server_latency_p95_ms", "client_latency_p95_ms", "gap_p95_ms"].map {
      .init($0, "edge", "double")
    }
    + [.init("traffic_source", "edge", "string")]
    + ["calls", "failed", "bytes", "latency_p95_ms"].map {
      .init("traffic_\($0)", "edge", "double")
    }

  init(_ name: String, _ domain: String, _ type: String) {
    self.name = name
    self.domain = domain
    self.type = type
  }
}

extension String {
  /// XML 1.0 has no way to write U+FFFE and U+FFFF.
  fileprivate var replacingNonCharacters: String {
    escaped(["\u{FFFE}": "?", "\u{FFFF}": "?"])
  }
}
