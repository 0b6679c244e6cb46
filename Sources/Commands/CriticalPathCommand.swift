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
  @Option(help: "Compare with the range that begins then.") var baseStart: String?
  @Option(help: "Compare with the range that ends then; the default is the start.")
  var baseEnd: String?
  @Option(help: "Compare the requests that passed through this version.") var version: String?
  @Option(help: "The version it is compared with.") var baseVersion: String?
  @Option(help: "Whose versions they are; the default is the service that is entered.")
  var versionsOf: String?

  private var isComparison: Bool {
    baseStart != nil || baseEnd != nil || version != nil || baseVersion != nil
      || versionsOf != nil
  }

  func validate() throws {
    guard isComparison else { return }
    if format == .folded { throw ValidationError("A comparison is a table or json.") }
    if version == nil || baseVersion == nil,
      version != nil || baseVersion != nil || versionsOf != nil
    {
      throw ValidationError("Two versions are compared: --version and --base-version.")
    }
    if version != nil, baseStart != nil || baseEnd != nil {
      throw ValidationError("Compare two ranges or two versions, not both at once.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/critical-path",
      query: [
        ("format", format == .folded ? "folded" : "json"), ("service", service),
        ("operation", operation), ("environment", environment), ("start", start), ("end", end),
        ("base_start", baseStart), ("base_end", baseEnd), ("version", version),
        ("base_version", baseVersion), ("versions_of", versionsOf),
      ], in: context)
    if format == .table, isComparison {
      let comparison = try ServerAnswer.decode(
        PathComparisonAnswer.self, answer.body, from: url, noun: "comparison")
      context.print(comparison.table)
    } else if format == .table {
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

  struct Band: Decodable {
    var fromQuantile: Double
    var share: Double?
    var requests: Double?
  }

  struct Path: Decodable {
    var path: [String]
    var traces: Double
    var exclusiveMs: Times
    var gapMs: Times
    var share: Double
    var bands: [Band]?
  }

  struct ErrorPath: Decodable {
    var path: [String]
    var errorTraces: Double
    var share: Double
    var durationMs: Times
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
  var bands: [Band]?
  var paths: [Path]?
  var errorPaths: [ErrorPath]?
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
      header: ["SHARE", "OF SLOWEST", "TRACES", "OWN MEAN", "OWN P95", "GAP MEAN", "PATH"],
      rows: paths.map(row), figures: [0, 1, 2, 3, 4, 5]
    ).text
    let others = entries.filter { $0.entry != entry }.map { PlainTable.printable($0.entry) }
    let more = others.isEmpty ? "" : "\nother entry points: \(others.joined(separator: ", "))\n"
    return "\(header)\n\n\(table)\(slowestNote)\(errors)\(more)"
  }

  /// The slowest band in which there are any.
  private var slowest: Band? { bands?.last { ($0.requests ?? 0) > 0 } }

  private var slowestNote: String {
    guard let slowest, slowest.fromQuantile > 0 else { return "" }
    let percentile = Int((slowest.fromQuantile * 100).rounded())
    return "\nslowest: \(Figure.count(slowest.requests, "request")) above p\(percentile)\n"
  }

  /// By which ways errors came.
  private var errors: String {
    guard let errorPaths, !errorPaths.isEmpty else { return "" }
    return "\n"
      + PlainTable(
        header: ["OF ERRORS", "TRACES", "MEAN", "ERROR PATH"],
        rows: errorPaths.map { way in
          [
            Figure.percent(way.share), Figure.count(way.errorTraces),
            Figure.milliseconds(way.durationMs.mean), way.path.joined(separator: " → "),
          ]
        }, figures: [0, 1, 2]
      ).text
  }

  private func row(_ path: Path) -> [String] {
    let band = slowest.flatMap { slowest in
      path.bands?.first { $0.fromQuantile == slowest.fromQuantile }
    }
    return [
      Figure.percent(path.share), Figure.percent(band?.share), Figure.count(path.traces),
      Figure.milliseconds(path.exclusiveMs.mean), Figure.milliseconds(path.exclusiveMs.p95),
      Figure.milliseconds(path.gapMs.mean), path.path.joined(separator: " → "),
    ]
  }
}
