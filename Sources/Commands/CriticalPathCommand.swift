import ArgumentParser
import Foundation

struct CriticalPathCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "critical-path",
    abstract: "Prints where the time of an entry point goes, by way of requests.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, folded
  }

  @OptionGroup var server: ServerOptions
  @Option(help: "table, json, or folded (stacks for flame graph tools).") var format = Format.table
  @Option(help: "The service that is entered: a name or an id.") var service: String?
  @Option(help: "The operation; the busiest entry point.") var operation: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/critical-path",
      query: [
        ("format", format == .folded ? "folded" : "json"), ("service", service),
        ("operation", operation), ("environment", environment), ("start", start), ("end", end),
      ], in: context)
    if format == .table {
      let paths = try ServerAnswer.decode(
        CriticalPathAnswer.self, answer.body, from: url, noun: "critical path")
      context.print(paths.table)
    } else {
      context.printAnswer(answer)
    }
  }
}

/// The critical path of an entry point, as the query API gives it: what the table shows of it.
struct CriticalPathAnswer: Decodable {
  struct Times: Decodable {
    var mean: Double?
    var p50: Double?
    var p95: Double?
  }

  struct Path: Decodable {
    var path: [String]
    var traces: Double
    var exclusiveMs: Times
    var gapMs: Times
    var share: Double
  }

  struct Entry: Decodable {
    var entry: String
    var requests: Double
  }

  var start: String
  var end: String
  var entry: String?
  var traces: Double?
  var durationMs: Times?
  var paths: [Path]?
  var entries: [Entry]
}

extension CriticalPathAnswer {
  var table: String {
    guard let entry, let paths else {
      return "no entry point was seen from \(start) to \(end)\n"
    }
    let header =
      "\(PlainTable.printable(entry)), \(start) – \(end), \(Figure.count(traces, "trace")), "
      + "mean \(Figure.milliseconds(durationMs?.mean)), p95 \(Figure.milliseconds(durationMs?.p95))"
    let table = PlainTable(
      header: ["SHARE", "TRACES", "OWN MEAN", "OWN P95", "GAP MEAN", "PATH"],
      rows: paths.map(CriticalPathAnswer.row), figures: [0, 1, 2, 3, 4]
    ).text
    let others = entries.filter { $0.entry != entry }.map { PlainTable.printable($0.entry) }
    let more = others.isEmpty ? "" : "\nother entry points: \(others.joined(separator: ", "))\n"
    return "\(header)\n\n\(table)\(more)"
  }

  private static func row(_ path: Path) -> [String] {
    [
      Figure.percent(path.share), Figure.count(path.traces),
      Figure.milliseconds(path.exclusiveMs.mean), Figure.milliseconds(path.exclusiveMs.p95),
      Figure.milliseconds(path.gapMs.mean), path.path.joined(separator: " → "),
    ]
  }
}
