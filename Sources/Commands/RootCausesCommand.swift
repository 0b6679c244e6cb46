import ArgumentParser

struct RootCausesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "root-causes",
    abstract: "Prints where it began that a system is worse than before, most likely first.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = Format.table
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?
  @Option(help: "Begin of the range compared with; the default is an hour before its end.")
  var baseStart: String?
  @Option(help: "End of the range compared with; the default is --start.") var baseEnd: String?

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/root-causes",
      query: [
        ("environment", environment), ("start", start), ("end", end), ("base_start", baseStart),
        ("base_end", baseEnd),
      ], in: context)
    if format == .table {
      let causes = try ServerAnswer.decode(
        RootCausesAnswer.self, answer.body, from: url, noun: "root causes")
      context.print(causes.table)
    } else {
      context.printAnswer(answer)
    }
  }
}

/// Root causes as the query API gives them: what the table shows of them.
struct RootCausesAnswer: Decodable {
  struct Evidence: Decodable {
    var metric: String
    var other: String?
    var before: Double
    var after: Double
  }

  struct Cause: Decodable {
    var kind: String
    var service: String?
    var confidence: Double
    var evidence: [Evidence]
    var path: [String]
    var marker: String?
  }

  var start: String
  var end: String
  var baseStart: String
  var baseEnd: String
  var causes: [Cause]
}

extension RootCausesAnswer {
  var table: String {
    let header = "\(start) – \(end) against \(baseStart) – \(baseEnd)"
    guard !causes.isEmpty else {
      return "\(header)\n\nnothing got worse that is more than chance\n"
    }
    let table = PlainTable(
      header: ["CONFIDENCE", "WHERE", "WHAT", "EVIDENCE", "CHANGE", "PATH"],
      rows: causes.map(RootCausesAnswer.row), figures: [0]
    ).text
    return "\(header)\n\n\(table)"
  }

  private static func row(_ cause: Cause) -> [String] {
    [
      Figure.percent(cause.confidence), PlainTable.printable(cause.service ?? "everywhere"),
      cause.kind.replacing("_", with: " "),
      cause.evidence.first.map(text) ?? "–", cause.marker ?? "–",
      PlainTable.printable(cause.path.joined(separator: " → ")),
    ]
  }

  private static func text(_ evidence: Evidence) -> String {
    let other = evidence.other.map { " (\(PlainTable.printable($0)))" } ?? ""
    return "\(evidence.metric.replacing("_", with: " "))\(other) "
      + "\(Figure.level(evidence.before)) → \(Figure.level(evidence.after))"
  }
}
