/// The graph as plain text for a terminal: what calls what, then the nodes.
public enum GraphTable {
  /// - Parameter width: columns of the terminal; names are cut to fit, figures never.
  public static func text(_ graph: ServiceGraph, width: Int = 120) -> String {
    let drawing = GraphDrawing(graph)
    let range = "\(Timestamp.text(graph.start)) – \(Timestamp.text(graph.end))"
    var text = "\(range), \(count(graph.nodes.count, "node")), "
    text += "\(count(graph.edges.count, "edge")), \(count(Int(graph.coverage.spans), "span"))\n"
    if !graph.edges.isEmpty { text += "\n" + edges(graph, drawing, width) }
    if !graph.traffic.isEmpty { text += "\n" + traffic(graph, drawing, width) }
    if !graph.nodes.isEmpty { text += "\n" + nodes(graph, drawing, width) }
    return text + notes(graph.coverage)
  }

  private static func edges(
    _ graph: ServiceGraph, _ drawing: GraphDrawing, _ width: Int
  ) -> String {
    let header = ["CLIENT", "SERVER", "CALLS", "FAILED", "P50", "P95", "P99", "GAP P95", "PATH"]
    let rows = graph.edges.map { edge in
      let latency = edge.serverLatency ?? edge.clientLatency
      return [
        drawing.clientTitle(edge), drawing.serverTitle(edge),
        HumanText.rate(perSecond: edge.requests / graph.seconds),
        HumanText.percent(edge.failedShare),
        HumanText.duration(milliseconds: latency?.p50),
        HumanText.duration(milliseconds: latency?.p95),
        HumanText.duration(milliseconds: latency?.p99),
        HumanText.duration(milliseconds: edge.gap?.p95),
        HumanText.percent(edge.criticalPathShare),
      ]
    }
    return TextTable(header: header, namesCount: 2, rows: rows).text(width: width)
  }

  /// What no span tells of, apart from the calls above.
  private static func traffic(
    _ graph: ServiceGraph, _ drawing: GraphDrawing, _ width: Int
  ) -> String {
    let header = [
      "TRAFFIC FROM", "TO", "SOURCE", "CALLS", "FAILED", "BYTES", "P50", "P95", "P99",
    ]
    let rows = graph.traffic.map { edge in
      [
        drawing.clientTitle(edge), drawing.serverTitle(edge), edge.source.words,
        edge.requests.map { HumanText.rate(perSecond: $0 / graph.seconds) } ?? "–",
        HumanText.percent(edge.failedShare),
        "\(HumanText.bytes(Double(edge.bytes) / graph.seconds))/s",
        HumanText.duration(milliseconds: edge.latency?.p50),
        HumanText.duration(milliseconds: edge.latency?.p95),
        HumanText.duration(milliseconds: edge.latency?.p99),
      ]
    }
    return TextTable(header: header, namesCount: 3, rows: rows).text(width: width)
  }

  private static func nodes(
    _ graph: ServiceGraph, _ drawing: GraphDrawing, _ width: Int
  ) -> String {
    let header = [
      "NODE", "VERSIONS", "REQUESTS", "ERRORS", "P50", "P95", "P99", "SELF P95", "PATH",
    ]
    let rows = graph.nodes.map { node in
      let figures = node.figures
      return [
        drawing.title(node), node.versions.joined(separator: " "),
        HumanText.rate(perSecond: figures.requests / graph.seconds),
        HumanText.percent(figures.errorRate),
        HumanText.duration(milliseconds: figures.latency?.p50),
        HumanText.duration(milliseconds: figures.latency?.p95),
        HumanText.duration(milliseconds: figures.latency?.p99),
        HumanText.duration(milliseconds: figures.selfTime?.p95),
        HumanText.percent(figures.criticalPathShare),
      ]
    }
    return TextTable(header: header, namesCount: 2, rows: rows).text(width: width)
  }

  /// What could not be used is said, not only counted.
  private static func notes(_ coverage: Coverage) -> String {
    var notes: [String] = []
    if coverage.lateSpans > 0 { notes.append("\(coverage.lateSpans) late") }
    if coverage.duplicates > 0 { notes.append("\(coverage.duplicates) sent more than once") }
    if coverage.skewAdjusted > 0 { notes.append("\(coverage.skewAdjusted) moved in time") }
    if coverage.skewOverLimit > 0 {
      notes.append("\(coverage.skewOverLimit) beyond traces.clock_skew")
    }
    notes += coverage.unpaired.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
    notes += coverage.overflow.sorted { $0.key < $1.key }.map { "\($0.value) over \($0.key)" }
    return notes.isEmpty ? "" : "\nLeft out or merged: \(notes.joined(separator: ", "))\n"
  }

  private static func count(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}

/// Rows in columns: names to the left, cut where the width asks for it; figures to the right.
struct TextTable {
  var header: [String]
  /// How many of the first columns are names.
  var namesCount: Int
  var rows: [[String]]

  /// No name is cut shorter than this, however narrow the terminal.
  static let nameWidthMin = 8

  func text(width: Int) -> String {
    let cells = ([header] + rows).map { $0.map(\.printable) }
    var widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    fit(&widths, into: width)
    return cells.reduce(into: "") { $0 += line($1, widths) + "\n" }
  }

  /// Takes from the widest name until all fits.
  private func fit(_ widths: inout [Int], into width: Int) {
    let gaps = 2 * (widths.count - 1)
    var excess = widths.reduce(0, +) + gaps - width
    while excess > 0 {
      guard let widest = (0..<namesCount).max(by: { widths[$0] < widths[$1] }),
        widths[widest] > TextTable.nameWidthMin
      else { return }
      widths[widest] -= 1
      excess -= 1
    }
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = row.indices.map { column in
      let cell = cut(row[column], to: widths[column])
      let padding = String(repeating: " ", count: widths[column] - cell.count)
      return column < namesCount ? cell + padding : padding + cell
    }.joined(separator: "  ")
    while line.last == " " { line.removeLast() }
    return line
  }

  private func cut(_ text: String, to width: Int) -> String {
    text.count <= width ? text : text.prefix(max(0, width - 1)) + "…"
  }
}
