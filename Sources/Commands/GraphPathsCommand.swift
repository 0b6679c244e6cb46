import ArgumentParser
import Foundation

struct GraphPathsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "paths",
    abstract: "Prints the paths calls can take from one service to another, shortest first.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "Where paths begin: a name or an id.") var from: String
  @Option(help: "Where they end: a name or an id.") var to: String
  @Option(help: "The namespace of both ends.") var namespace: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "Only requests taken in this cluster.") var cluster: String?
  @Option(help: "Only requests with this value of an attribute, as key:value.") var dimension:
    String?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?
  @Option(help: "How many at most.") var limit: Int?
  @Option(help: "How many calls a path may have.") var depth: Int?

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/graph/paths",
      query: [
        ("from", from), ("to", to), ("start", start), ("end", end), ("namespace", namespace),
        ("environment", environment), ("cluster", cluster), ("dimension", dimension),
        ("limit", limit.map { "\($0)" }),
        ("depth", depth.map { "\($0)" }),
      ], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let paths = try ServerAnswer.decode(
      GraphPathsAnswer.self, answer.body, from: url, noun: "list of paths")
    context.print(paths.table)
  }
}

/// Paths, as the query API gives them: what the table shows of them.
struct GraphPathsAnswer: Decodable {
  struct Node: Decodable {
    var id: String
  }

  struct Edge: Decodable {
    var requests: Double
    var failed: Double
  }

  struct Path: Decodable {
    var length: Double
    var nodes: [Node]
    var edges: [Edge]
    var minRequestRate: Double
  }

  var start: String
  var end: String
  var from: String
  var to: String
  var paths: [Path]
  var truncated: Bool
}

extension GraphPathsAnswer {
  var table: String {
    let range = "\(start) – \(end)"
    guard !paths.isEmpty else {
      return PlainTable.printable("no way leads from \(from) to \(to), \(range)") + "\n"
    }
    let table = PlainTable(
      header: ["CALLS", "A SECOND AT MOST", "FAILED", "PATH"],
      rows: paths.map { path in
        [
          Figure.count(path.length), Figure.ratio(path.minRequestRate),
          Figure.count(path.edges.reduce(0) { $0 + $1.failed }),
          path.nodes.map(\.id).joined(separator: " → "),
        ]
      }, figures: [0, 1, 2]
    ).text
    let more = truncated ? "… there may be more: --limit\n" : ""
    return PlainTable.printable("\(from) to \(to), \(range)") + "\n\n\(table)\(more)"
  }
}
