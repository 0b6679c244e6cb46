import ArgumentParser
import Foundation

struct ImpactCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "impact",
    abstract: "Prints what a change did to its service and to those that call it.",
    discussion: "With --weekly: what became of a service over a week, its deployments above all.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, markdown }

  @OptionGroup var server: ServerOptions
  @Option(help: "table, json, or a page in markdown with a chart.") var format = Format.table
  @Option(help: "The service in this environment, where the marker names none.")
  var environment: String?
  @Option(
    help: ArgumentHelp(
      "Sums up the last seven days of a service: namespace/name, or a name without a namespace.",
      valueName: "service"))
  var weekly: String?
  @Option(help: "With --weekly: RFC 3339 or Unix time; the default is seven days before the end.")
  var start: String?
  @Option(help: "With --weekly: RFC 3339 or Unix time; the default is now.") var end: String?
  @Argument(help: "The id of the marker: mk_ and 16 hexadecimal digits.") var marker: String?

  func validate() throws {
    guard (marker == nil) != (weekly == nil) else {
      throw ValidationError("Name the id of a marker, or a service with --weekly.")
    }
    guard weekly != nil || start == nil && end == nil else {
      throw ValidationError("--start and --end go with --weekly.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    guard let marker else { return try await printWeek(in: context) }
    let (answer, url) = try await server.ask(
      "GET", "\(MarkerCommand.path)/\(marker)/impact",
      query: [
        ("environment", environment), ("format", format == .markdown ? "markdown" : nil),
      ], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let impact = try ServerAnswer.decode(
      ImpactAnswer.self, answer.body, from: url, noun: "impact")
    context.print(impact.table)
  }

  private func printWeek(in context: CommandContext) async throws {
    let service = weekly ?? ""
    let path = "/api/v1/services/\(HealthCommand.segments(of: service))/impact"
    let (answer, url) = try await server.ask(
      "GET", path,
      query: [
        ("start", start), ("end", end), ("environment", environment),
        ("format", format == .markdown ? "markdown" : nil),
      ], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let week = try ServerAnswer.decode(WeekAnswer.self, answer.body, from: url, noun: "summary")
    context.print(week.table)
  }
}

/// What a change did as the query API gives it: what the table shows of it.
struct ImpactAnswer: Decodable {
  struct Metric: Decodable {
    var metric: String
    var before: Double?
    var during: Double?
    var after: Double?
    var effectKind: String
    var effect: Double?
    var interval: [Double?]?
    var decision: String?
  }

  struct Affected: Decodable {
    var service: String?
    var latencyBeforeMs: Double?
    var latencyAfterMs: Double?
    var errorRateBefore: Double?
    var errorRateAfter: Double?
  }

  struct Marker: Decodable {
    var kind: String
    var service: String
    var version: String?
    var time: String
  }

  var marker: Marker
  var service: String?
  var assessment: String
  var verdict: String?
  var reasons: [String]
  var metrics: [Metric]
  var affected: [Affected]
}

extension ImpactAnswer {
  var table: String {
    let subject = service ?? (marker.service.isEmpty ? "everything" : marker.service)
    let what = [marker.kind, marker.version, "of", subject, "at", marker.time].compactMap(\.self)
    var text =
      PlainTable.printable(
        "\(assessment.replacing("_", with: " "))  \(what.joined(separator: " "))") + "\n"
    if let verdict { text += PlainTable.printable("the gate says \(verdict)") + "\n" }
    text += "\n"
    for reason in reasons { text += "- \(PlainTable.printable(reason))\n" }
    if !metrics.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["METRIC", "BEFORE", "DURING", "AFTER", "EFFECT", "INTERVAL", "DECISION"],
          rows: metrics.map(\.row), figures: [1, 2, 3, 4, 5]
        ).text
    }
    if !affected.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["UPSTREAM", "LATENCY BEFORE", "SINCE", "ERRORS BEFORE", "SINCE"],
          rows: affected.map(\.row), figures: [1, 2, 3, 4]
        ).text
    }
    return text
  }
}

extension ImpactAnswer.Metric {
  fileprivate var row: [String] {
    let bounds = interval.map { bounds in
      bounds.map { $0.map(change) ?? "?" }.joined(separator: " – ")
    }
    return [
      metric.replacing("_ms", with: "").replacing("_", with: " "), figure(before), figure(during),
      figure(after), effect.map(change) ?? "–", bounds ?? "–", decision ?? "–",
    ]
  }

  private func figure(_ value: Double?) -> String {
    if metric == "error_rate" { return Figure.percent(value) }
    return metric == "request_rate"
      ? Figure.ratio(value) + (value == nil ? "" : "/s") : Figure.milliseconds(value)
  }

  /// Of a ratio what it is more than one; of a difference of shares the difference.
  private func change(_ value: Double) -> String {
    Figure.change(share: effectKind == "ratio" ? value - 1 : value)
  }
}

extension ImpactAnswer.Affected {
  fileprivate var row: [String] {
    [
      service ?? "–", Figure.milliseconds(latencyBeforeMs), Figure.milliseconds(latencyAfterMs),
      Figure.percent(errorRateBefore), Figure.percent(errorRateAfter),
    ]
  }
}
