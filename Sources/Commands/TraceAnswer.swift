/// A trace as the query API gives it: what the table shows of it.
struct TraceAnswer: Decodable {
  struct Span: Decodable {
    var spanId: String
    var parentSpanId: String?
    var service: String
    var operation: String
    var peer: String?
    var kind: String
    var startUnixNano: UInt64
    var durationMs: Double
    var selfMs: Double
    var criticalMs: Double
    var error: Bool
  }

  var traceId: String
  var start: String
  var durationMs: Double
  var state: String
  var complete: Bool
  var spanCount: Int
  var spans: [Span]
  var errorPath: [String]
}

extension TraceAnswer {
  /// What it is, then its spans, each below its parent.
  var table: String {
    var heading =
      "\(traceId), \(start), \(Figure.milliseconds(durationMs)), "
      + Figure.count(spanCount, "span")
    if state == "growing" { heading += ", still growing" }
    if !complete { heading += ", not complete" }
    let onErrorPath = Set(errorPath)
    let first = spans.map(\.startUnixNano).min() ?? 0
    let rows = tree.map { index, depth in
      let span = spans[index]
      let offset = Double(span.startUnixNano &- first) / 1_000_000
      return [
        Figure.milliseconds(offset), Figure.milliseconds(span.durationMs),
        Figure.milliseconds(span.selfMs), TraceAnswer.onPath(span.criticalMs), span.kind,
        span.error ? (onErrorPath.contains(span.spanId) ? "failed, on path" : "failed") : "",
        String(repeating: "  ", count: min(depth, TraceAnswer.indentMax)) + label(of: span),
      ]
    }
    let table = PlainTable(
      header: ["AT", "DURATION", "SELF", "ON PATH", "KIND", "FAILED", "SPAN"], rows: rows,
      figures: [0, 1, 2, 3]
    ).text
    let more = spanCount - spans.count
    let note = more > 0 ? "… and \(more) more; --limit says how many are shown\n" : ""
    return "\(heading)\n\n\(table)\(note)"
  }

  /// Deeper spans are not indented further: a line has to fit on a screen.
  private static let indentMax = 40

  private static func onPath(_ milliseconds: Double) -> String {
    milliseconds > 0 ? Figure.milliseconds(milliseconds) : ""
  }

  private func label(of span: Span) -> String {
    let name = span.operation.isEmpty ? span.service : "\(span.service) \(span.operation)"
    return span.peer.map { "\(name) → \($0)" } ?? name
  }

  /// All spans, each after its parent and with its depth; those whose parent is not shown, and those
  /// in a circle, begin at the left.
  private var tree: [(index: Int, depth: Int)] {
    var byID: [String: Int] = [:]
    for (index, span) in spans.enumerated() where byID[span.spanId] == nil {
      byID[span.spanId] = index
    }
    var children: [Int: [Int]] = [:]
    var roots: [Int] = []
    for (index, span) in spans.enumerated() {
      if let parent = span.parentSpanId.flatMap({ byID[$0] }), parent != index {
        children[parent, default: []].append(index)
      } else {
        roots.append(index)
      }
    }
    var found: [(index: Int, depth: Int)] = []
    var isShown = Array(repeating: false, count: spans.count)
    for root in roots + Array(spans.indices) where !isShown[root] {
      var stack = [(index: root, depth: 0)]
      while let next = stack.popLast() {
        guard !isShown[next.index] else { continue }
        isShown[next.index] = true
        found.append(next)
        stack += (children[next.index] ?? []).reversed().map { ($0, next.depth + 1) }
      }
    }
    return found
  }
}
