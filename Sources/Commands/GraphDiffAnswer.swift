import Foundation

/// What changed, as the query API gives it: what the table shows of it.
struct GraphDiffAnswer: Decodable {
  struct Change: Decodable {
    var metric: String
    var base: Double
    var current: Double
    var change: Double?
    var significant: Bool?
  }

  struct Item: Decodable {
    var id: String?
    var client: String?
    var server: String?
    /// Of a call of an operation.
    var service: String?
    var operation: String?
    var callee: String?
    var calleeOperation: String?
    var changes: [Change]?
    var newVersions: [String]?
    var vanishedVersions: [String]?
  }

  struct Items: Decodable {
    var new: [Item]
    var vanished: [Item]
    var changed: [Item]
    var unchanged: Double
  }

  var start: String
  var end: String
  var baseStart: String?
  var baseEnd: String?
  var nodes: Items?
  var edges: Items?
  var calls: Items?
  /// Of two versions.
  var node: Item?
}

extension GraphDiffAnswer {
  var table: String {
    let base = baseStart.map { "\($0) – \(baseEnd ?? "?") and " } ?? ""
    let header = PlainTable.printable("\(base)\(start) – \(end)")
    let kept = (nodes?.unchanged ?? 0) + (edges?.unchanged ?? 0)
    let note = nodes == nil ? "" : ", \(Figure.count(kept)) nodes and edges as they were"
    let rows =
      (nodes?.rows ?? []) + (edges?.rows ?? []) + (calls?.rows ?? [])
      + (node?.changedRows ?? [])
    guard !rows.isEmpty else { return "\(header)\(note)\n\nnothing changed\n" }
    let table = PlainTable(
      header: ["WHAT", "", "BEFORE", "NOW", "CHANGE", "BEYOND CHANCE"], rows: rows,
      figures: [2, 3, 4]
    ).text
    return "\(header)\(note)\n\n\(table)"
  }
}

extension GraphDiffAnswer.Items {
  fileprivate var rows: [[String]] {
    new.map { [$0.title, "new", "", "", "", ""] }
      + vanished.map { [$0.title, "vanished", "", "", "", ""] }
      + changed.flatMap(\.changedRows)
  }
}

extension GraphDiffAnswer.Item {
  fileprivate var title: String {
    guard let callee else { return id ?? "\(client ?? "?") → \(server ?? "?")" }
    let ends = [[service ?? "?", operation ?? ""], [callee, calleeOperation ?? ""]]
    return ends.map { $0.filter { !$0.isEmpty }.joined(separator: " ") }.joined(separator: " → ")
  }

  fileprivate var changedRows: [[String]] {
    var rows: [[String]] = []
    if let newVersions, !newVersions.isEmpty {
      rows.append([title, "new version", "", newVersions.joined(separator: " "), "", ""])
    }
    if let vanishedVersions, !vanishedVersions.isEmpty {
      rows.append(
        [title, "vanished version", vanishedVersions.joined(separator: " "), "", "", ""])
    }
    return rows + (changes ?? []).map { [title] + $0.cells }
  }
}

extension GraphDiffAnswer.Change {
  fileprivate var cells: [String] {
    let judged = significant.map { $0 ? "yes" : "no" } ?? "–"
    return [name, figure(base), figure(current), Figure.change(share: change), judged]
  }

  private var name: String {
    switch metric {
    case "request_rate": "requests a second"
    case "error_rate": "error rate"
    case "latency_p95_ms": "p95"
    case "probability": "requests that call"
    case "per_request": "calls a request"
    default: metric
    }
  }

  private func figure(_ value: Double) -> String {
    switch metric {
    case "error_rate", "probability": Figure.percent(value)
    case "latency_p95_ms": Figure.milliseconds(value)
    default: Figure.ratio(value)
    }
  }
}
