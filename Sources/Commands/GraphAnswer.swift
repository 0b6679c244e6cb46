import Foundation

/// The graph as the query API gives it: what the table shows of it.
struct GraphAnswer: Decodable {
  struct Durations: Decodable {
    var p50: Double?
    var p95: Double?
    var p99: Double?
  }

  struct Node: Decodable {
    var id: String
    var environment: String?
    var versions: [String]?
    var requests: Double?
    var errors: Double?
    var errorRate: Double?
    var errorOrigins: Double?
    var latencyMs: Durations?
    var selfTimeMs: Durations?
    var criticalPathShare: Double?
  }

  struct Edge: Decodable {
    var client: String
    var server: String
    var connectionType: String?
    var requests: Double?
    var failed: Double?
    var clientLatencyMs: Durations?
    var serverLatencyMs: Durations?
    var gapMs: Durations?
    var criticalPathShare: Double?
  }

  /// What no span tells of.
  struct Traffic: Decodable {
    var client: String
    var server: String
    var source: String?
    var requests: Double?
    var failed: Double?
    var bytes: Double?
    var latencyMs: Durations?
  }

  struct Coverage: Decodable {
    var spans: Double?
    var traces: Double?
    var lateSpans: Double?
    var duplicates: Double?
    var clockSkew: ClockSkew?
    var unpaired: [String: Double]?
    var overflow: [String: Double]?
  }

  struct ClockSkew: Decodable {
    var adjusted: Double?
    var overLimit: Double?
  }

  var start: String?
  var end: String?
  var nodes: [Node]
  var edges: [Edge]
  var traffic: [Traffic]?
  var coverage: Coverage?

  /// - Errors: `CommandFailure` of kind failed when the answer is no graph.
  init(_ body: [UInt8], from url: URL) throws(CommandFailure) {
    self = try ServerAnswer.decode(GraphAnswer.self, body, from: url, noun: "graph")
  }
}

extension GraphAnswer {
  /// What calls what, then what no span tells of, then the nodes, then what was left out.
  var table: String {
    var heading = [
      "\(start ?? "?") – \(end ?? "?")", Figure.count(nodes.count, "node"),
      Figure.count(edges.count, "edge"),
    ]
    if let coverage {
      heading += [Figure.count(coverage.spans, "span"), Figure.count(coverage.traces, "trace")]
    }
    var text = heading.joined(separator: ", ") + "\n"
    if !edges.isEmpty { text += "\n" + edgeTable }
    if let traffic, !traffic.isEmpty { text += "\n" + table(of: traffic) }
    if !nodes.isEmpty { text += "\n" + nodeTable }
    return text + notes
  }

  private var edgeTable: String {
    PlainTable(
      header: [
        "CLIENT", "SERVER", "TYPE", "CALLS", "FAILED", "P50", "P95", "P99", "GAP P95", "PATH",
      ],
      rows: edges.map { edge in
        let latency = edge.serverLatencyMs ?? edge.clientLatencyMs
        return [
          edge.client, edge.server, edge.connectionType ?? "", Figure.count(edge.requests),
          Figure.count(edge.failed), Figure.milliseconds(latency?.p50),
          Figure.milliseconds(latency?.p95), Figure.milliseconds(latency?.p99),
          Figure.milliseconds(edge.gapMs?.p95), Figure.percent(edge.criticalPathShare),
        ]
      }, figures: Set(3...9)
    ).text
  }

  private func table(of traffic: [Traffic]) -> String {
    PlainTable(
      header: [
        "TRAFFIC FROM", "TO", "SOURCE", "CALLS", "FAILED", "BYTES", "P50", "P95", "P99",
      ],
      rows: traffic.map { edge in
        [
          edge.client, edge.server, edge.source ?? "", Figure.count(edge.requests),
          Figure.count(edge.failed), Figure.count(edge.bytes),
          Figure.milliseconds(edge.latencyMs?.p50), Figure.milliseconds(edge.latencyMs?.p95),
          Figure.milliseconds(edge.latencyMs?.p99),
        ]
      }, figures: Set(3...8)
    ).text
  }

  private var nodeTable: String {
    PlainTable(
      header: [
        "NODE", "VERSIONS", "REQUESTS", "ERRORS", "BEGAN HERE", "P50", "P95", "P99", "SELF P95",
        "PATH",
      ],
      rows: nodes.map { node in
        let environment = node.environment.flatMap { $0.isEmpty ? nil : " (\($0))" } ?? ""
        return [
          node.id + environment, (node.versions ?? []).joined(separator: " "),
          Figure.count(node.requests), Figure.count(node.errors), Figure.count(node.errorOrigins),
          Figure.milliseconds(node.latencyMs?.p50), Figure.milliseconds(node.latencyMs?.p95),
          Figure.milliseconds(node.latencyMs?.p99), Figure.milliseconds(node.selfTimeMs?.p95),
          Figure.percent(node.criticalPathShare),
        ]
      }, figures: Set(2...9)
    ).text
  }

  private var notes: String {
    var notes: [String] = []
    if let late = coverage?.lateSpans, late > 0 { notes.append("\(Figure.count(late)) late") }
    if let duplicates = coverage?.duplicates, duplicates > 0 {
      notes.append("\(Figure.count(duplicates)) sent more than once")
    }
    if let moved = coverage?.clockSkew?.adjusted, moved > 0 {
      notes.append("\(Figure.count(moved)) moved in time")
    }
    if let beyond = coverage?.clockSkew?.overLimit, beyond > 0 {
      notes.append("\(Figure.count(beyond)) beyond traces.clock_skew")
    }
    for (reason, count) in (coverage?.unpaired ?? [:]).sorted(by: { $0.key < $1.key }) {
      notes.append("\(Figure.count(count)) \(reason)")
    }
    for (limit, count) in (coverage?.overflow ?? [:]).sorted(by: { $0.key < $1.key }) {
      notes.append("\(Figure.count(count)) over \(limit)")
    }
    return notes.isEmpty ? "" : "\nleft out or merged: " + notes.joined(separator: ", ") + "\n"
  }
}
