import Model

extension ServiceGraph {
  /// The graph in the language of Graphviz: `spangate graph --format dot | dot -Tsvg`.
  /// - Source: graphviz.org/doc/info/lang.html; quoted ids know `\"` only, labels also read
  ///   backslash sequences and HTML entities.
  public var dot: String {
    let drawing = GraphDrawing(self)
    var text = "digraph spangate {\n"
    text += "  rankdir=LR;\n"
    text += "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];\n"
    text += "  edge [fontname=\"Helvetica\", fontsize=9];\n"
    for node in nodes { text += "  " + dotNode(node, drawing) + "\n" }
    for edge in edges { text += "  " + dotEdge(edge, drawing) + "\n" }
    for edge in traffic { text += "  " + dotEdge(edge, drawing) + "\n" }
    return text + "}\n"
  }

  private func dotNode(_ node: Node, _ drawing: GraphDrawing) -> String {
    let label = dotLabel([drawing.title(node)] + drawing.lines(node))
    let severity = GraphDrawing.Severity(failedShare: node.figures.errorRate)
    let shape = node.kind.dotShape.map { ", shape=\($0), style=solid" } ?? ""
    let color = severity == .fine ? "" : ", color=\"\(severity.color)\""
    return "\(dotID(drawing.title(node))) [label=\(label)\(shape)\(color)];"
  }

  private func dotEdge(_ edge: Edge, _ drawing: GraphDrawing) -> String {
    let severity = GraphDrawing.Severity(failedShare: edge.failedShare)
    let style = edge.connectionType.isWaitedFor ? "" : ", style=dashed"
    return "\(dotID(drawing.clientTitle(edge))) -> \(dotID(drawing.serverTitle(edge)))"
      + " [label=\(dotLabel(drawing.lines(edge))), color=\"\(severity.color)\"\(style)];"
  }

  private func dotEdge(_ edge: TrafficEdge, _ drawing: GraphDrawing) -> String {
    let severity = GraphDrawing.Severity(failedShare: edge.failedShare)
    return "\(dotID(drawing.clientTitle(edge))) -> \(dotID(drawing.serverTitle(edge)))"
      + " [label=\(dotLabel(drawing.lines(edge))), color=\"\(severity.color)\", style=dotted];"
  }

  private func dotID(_ text: String) -> String {
    "\"" + text.printable.escaped(["\"": "\\\"", "\\": "\\\\"]) + "\""
  }

  private func dotLabel(_ lines: [String]) -> String {
    let escaped = lines.map {
      $0.printable.escaped(["\"": "\\\"", "\\": "\\\\", "&": "&amp;"])
    }
    return "\"" + escaped.joined(separator: "\\n") + "\""
  }
}

extension NodeKind {
  fileprivate var dotShape: String? {
    switch self {
    case .service: nil
    case .database: "cylinder"
    case .messaging: "cds"
    case .external: "component"
    case .client: "ellipse"
    }
  }
}

extension String {
  /// Without control characters: names come from outside, and a newline or an escape sequence
  /// would end a line or drive the reader's terminal.
  var printable: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl ? "?" : $0 }))
  }

  /// With each of the scalars replaced.
  func escaped(_ replacements: [Unicode.Scalar: String]) -> String {
    var text = ""
    for scalar in unicodeScalars {
      if let replacement = replacements[scalar] {
        text += replacement
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
    default: false
    }
  }
}
