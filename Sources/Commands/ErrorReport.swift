import Graph

/// Where errors began, and which calls failed.
struct ErrorReport {
  private let graph: ServiceGraph

  init(_ graph: ServiceGraph) { self.graph = graph }

  /// Empty when nothing failed.
  var text: String {
    let nodes = graph.nodes.filter { $0.figures.errors > 0 || $0.figures.errorOrigins > 0 }
    let edges = graph.edges.filter { $0.failed > 0 }
    var text = ""
    if !nodes.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["ERRORS AT", "FAILED", "OF", "BEGAN HERE"],
          rows: nodes.sorted { $0.figures.errorOrigins > $1.figures.errorOrigins }.map { node in
            [
              node.id, Figure.count(node.figures.errors), Figure.count(node.figures.requests),
              Figure.count(node.figures.errorOrigins),
            ]
          }, figures: [1, 2, 3]
        ).text
    }
    if !edges.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["FAILED CALLS FROM", "TO", "FAILED", "OF", "PASSED ON", "ABSORBED"],
          rows: edges.sorted { $0.failed > $1.failed }.map { edge in
            [
              edge.client, edge.server, Figure.count(edge.failed), Figure.count(edge.requests),
              Figure.count(edge.errorPropagation.propagated),
              Figure.count(edge.errorPropagation.absorbed),
            ]
          }, figures: [2, 3, 4, 5]
        ).text
    }
    return text
  }
}
