import ArgumentParser

struct ShiftsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shifts",
    abstract: "Prints when and where something went over to another level, and what explains it.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = Format.table
  @Option(help: "Only at this service: a name or an id.") var service: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/shifts",
      query: [
        ("service", service), ("environment", environment), ("start", start), ("end", end),
      ], in: context)
    if format == .table {
      let shifts = try ServerAnswer.decode(
        ShiftsAnswer.self, answer.body, from: url, noun: "shifts")
      context.print(shifts.table)
    } else {
      context.printAnswer(answer)
    }
  }
}

/// Shifts as the query API gives them: what the table shows of them.
struct ShiftsAnswer: Decodable {
  struct Origin: Decodable {
    var kind: String
    var service: String?
  }

  struct Shift: Decodable {
    var metric: String
    var service: String?
    var other: String?
    var operation: String?
    var version: String?
    var onset: String
    var ended: String?
    var before: Double
    var after: Double
    var worse: Bool
    var explainedBy: String?
    var origin: Origin?
    var marker: String?
  }

  var start: String
  var end: String
  var historyStart: String
  var shifts: [Shift]
}

extension ShiftsAnswer {
  var table: String {
    let header = "\(start) – \(end), known from \(historyStart) on"
    guard !shifts.isEmpty else { return "\(header)\n\nnothing went over to another level\n" }
    let table = PlainTable(
      header: ["ONSET", "ENDED", "WHERE", "WHAT", "LEVEL", "", "EXPLAINED BY", "ORIGIN", "CHANGE"],
      rows: shifts.map(ShiftsAnswer.row)
    ).text
    return "\(header)\n\n\(table)"
  }

  private static func row(_ shift: Shift) -> [String] {
    [
      shift.onset, shift.ended ?? "–", place(shift), words(shift.metric),
      "\(Figure.level(shift.before)) → \(Figure.level(shift.after))",
      shift.worse ? "worse" : "", shift.explainedBy.map(words) ?? "–", text(shift.origin),
      shift.marker ?? "–",
    ]
  }

  /// The service; of an edge both ends; the operation or the version it is about.
  private static func place(_ shift: Shift) -> String {
    var place = shift.service ?? "everywhere"
    if let operation = shift.operation { place += " \(operation)" }
    if let version = shift.version { place += " \(version)" }
    if let other = shift.other { place += " → \(other)" }
    return PlainTable.printable(place)
  }

  private static func text(_ origin: Origin?) -> String {
    guard let origin else { return "–" }
    return "\(words(origin.kind)) of \(PlainTable.printable(origin.service ?? "everything"))"
  }

  private static func words(_ name: String) -> String { name.replacing("_", with: " ") }
}
