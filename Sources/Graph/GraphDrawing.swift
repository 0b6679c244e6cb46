import Model

/// What all pictures of a graph have in common: which lines stand at a node and along an edge.
struct GraphDrawing {
  /// How bad the failures of an edge or node are, as pictures colour it.
  enum Severity {
    case fine, notable, bad

    /// From 1 % notable, from 5 % bad.
    init(failedShare: Double?) {
      switch failedShare ?? 0 {
      case 0.05...: self = .bad
      case 0.01...: self = .notable
      default: self = .fine
      }
    }

    var color: String {
      switch self {
      case .fine: "#607d8b"
      case .notable: "#ef6c00"
      case .bad: "#c62828"
      }
    }
  }

  let graph: ServiceGraph
  private let showsEnvironments: Bool

  init(_ graph: ServiceGraph) {
    self.graph = graph
    showsEnvironments = graph.hasSeveralEnvironments
  }

  /// The id, with its environment where several are shown. No two nodes have the same: the last bracket is
  /// the environment's, an empty one where the id ends with a bracket itself.
  func title(_ id: String, environment: String) -> String {
    guard showsEnvironments else { return id }
    if environment.isEmpty { return id.hasSuffix(")") ? "\(id) ()" : id }
    return "\(id) (\(NodeIdentity.encoded(environment, besides: ["(", ")"])))"
  }

  func title(_ node: Node) -> String { title(node.id, environment: node.environment) }
  func clientTitle(_ edge: Edge) -> String {
    title(edge.client, environment: edge.clientEnvironment)
  }
  func serverTitle(_ edge: Edge) -> String {
    title(edge.server, environment: edge.serverEnvironment)
  }

  func clientTitle(_ edge: TrafficEdge) -> String {
    title(edge.client, environment: edge.clientEnvironment)
  }
  func serverTitle(_ edge: TrafficEdge) -> String {
    title(edge.server, environment: edge.serverEnvironment)
  }

  /// Under the title of a node.
  func lines(_ node: Node) -> [String] {
    let figures = node.figures
    var lines = [
      HumanText.rate(perSecond: figures.requests / graph.seconds)
        + (figures.errors > 0 ? ", \(HumanText.percent(figures.errorRate)) errors" : "")
    ]
    if let latency = figures.latency {
      lines.append("p95 \(HumanText.duration(milliseconds: latency.p95))")
    }
    return lines
  }

  /// Along what no span tells of.
  func lines(_ edge: TrafficEdge) -> [String] {
    var lines = [edge.source.words]
    if let requests = edge.requests {
      lines.append(HumanText.rate(perSecond: requests / graph.seconds))
    }
    if edge.failed > 0 { lines.append("\(HumanText.percent(edge.failedShare)) failed") }
    lines.append("\(HumanText.bytes(Double(edge.bytes) / graph.seconds))/s")
    return lines
  }

  /// Along an edge.
  func lines(_ edge: Edge) -> [String] {
    var lines = [HumanText.rate(perSecond: edge.requests / graph.seconds)]
    if edge.failed > 0 { lines.append("\(HumanText.percent(edge.failedShare)) failed") }
    if let latency = edge.serverLatency ?? edge.clientLatency {
      lines.append("p95 \(HumanText.duration(milliseconds: latency.p95))")
    }
    return lines
  }
}

extension TrafficSource {
  var words: String {
    switch self {
    case .accessLog: "access log"
    case .flowLog: "flow log"
    }
  }
}
