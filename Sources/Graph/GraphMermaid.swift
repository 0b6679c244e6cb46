import Model

extension ServiceGraph {
  /// The graph as a Mermaid flowchart, which Markdown viewers draw.
  /// - Source: mermaid.js.org/syntax/flowchart.html. Ids are numbers of our own; labels are quoted,
  ///   with everything that could end a quote or begin markup written as an entity code.
  public var mermaid: String {
    let drawing = GraphDrawing(self)
    var numbers: [String: Int] = [:]
    var text = "flowchart LR\n"
    for (number, node) in nodes.enumerated() {
      numbers[drawing.title(node)] = numbers[drawing.title(node)] ?? number
      let lines = [drawing.title(node)] + drawing.lines(node)
      let (open, close) = node.kind.mermaidBrackets
      text += "  n\(number)\(open)\"\(mermaidLabel(lines, separator: "<br/>"))\"\(close)\n"
    }
    var styles = ""
    var drawnCount = 0
    for edge in edges {
      guard let client = numbers[drawing.clientTitle(edge)],
        let server = numbers[drawing.serverTitle(edge)]
      else { continue }
      let arrow = edge.connectionType.isWaitedFor ? "-->" : "-.->"
      let label = mermaidLabel(drawing.lines(edge), separator: ", ")
      text += "  n\(client) \(arrow)|\"\(label)\"| n\(server)\n"
      let severity = GraphDrawing.Severity(failedShare: edge.failedShare)
      if severity != .fine { styles += "  linkStyle \(drawnCount) stroke:\(severity.color)\n" }
      drawnCount += 1
    }
    for edge in traffic {
      guard let client = numbers[drawing.clientTitle(edge)],
        let server = numbers[drawing.serverTitle(edge)]
      else { continue }
      let label = mermaidLabel(drawing.lines(edge), separator: ", ")
      text += "  n\(client) -.->|\"\(label)\"| n\(server)\n"
    }
    return text + styles
  }

  private func mermaidLabel(_ lines: [String], separator: String) -> String {
    lines.map {
      $0.printable.escaped([
        "\"": "#quot;", "#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;",
        "\\": "#92;", ";": "#59;", "|": "#124;",
      ])
    }.joined(separator: separator)
  }
}

extension NodeKind {
  fileprivate var mermaidBrackets: (String, String) {
    switch self {
    case .service: ("[", "]")
    case .database: ("[(", ")]")
    case .messaging: ("{{", "}}")
    case .external: ("([", "])")
    case .client: ("((", "))")
    }
  }
}
