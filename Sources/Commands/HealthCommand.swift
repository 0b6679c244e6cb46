import ArgumentParser
import Foundation

struct HealthCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "health",
    abstract: "Prints how well services do, the worst first, or why one does as it does.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?
  @Option(help: "Begin of the history compared with; the default is an hour before its end.")
  var baseStart: String?
  @Option(help: "End of the history compared with; the default is --start.") var baseEnd: String?
  @Argument(help: "Its id: namespace/name, or a name without a namespace. All when missing.")
  var service: String?

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", path,
      query: [
        ("environment", environment), ("start", start), ("end", end), ("base_start", baseStart),
        ("base_end", baseEnd),
      ], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    if service == nil {
      let all = try ServerAnswer.decode(
        HealthsAnswer.self, answer.body, from: url, noun: "health")
      context.print(all.table)
    } else {
      let one = try ServerAnswer.decode(
        ServiceHealthAnswer.self, answer.body, from: url, noun: "health")
      context.print(one.table)
    }
  }

  private var path: String {
    service.map { "/api/v1/health/" + HealthCommand.segments(of: $0) } ?? "/api/v1/health"
  }

  /// `namespace/name`, with `-` for no namespace.
  static func segments(of service: String) -> String {
    service.contains("/") ? service : "-/" + service
  }
}

/// The health of all services as the query API gives it: what the table shows of it.
struct HealthsAnswer: Decodable {
  var start: String
  var end: String
  var baseStart: String
  var baseEnd: String
  var services: [ServiceHealthAnswer.Service]
}

/// The health of one service.
struct ServiceHealthAnswer: Decodable {
  struct Part: Decodable {
    var name: String
    var score: Double
    var weight: Double
    var why: String
  }

  struct Neighbour: Decodable {
    var service: String?
    var calls: Double
    var failed: Double
    var propagated: Double
    var absorbed: Double
    var lostMs: Double
    var addedMs: Double?
  }

  struct Service: Decodable {
    var service: String
    var environment: String?
    var health: Double?
    var why: String?
    var parts: [Part]
    var upstream: [Neighbour]
    var downstream: [Neighbour]
  }

  var start: String
  var end: String
  var baseStart: String
  var baseEnd: String
  var service: Service

  private enum Keys: String, CodingKey { case start, end, baseStart, baseEnd }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Keys.self)
    start = try values.decode(String.self, forKey: .start)
    end = try values.decode(String.self, forKey: .end)
    baseStart = try values.decode(String.self, forKey: .baseStart)
    baseEnd = try values.decode(String.self, forKey: .baseEnd)
    service = try Service(from: decoder)
  }
}

extension HealthsAnswer {
  var table: String {
    let header = "\(start) – \(end) against \(baseStart) – \(baseEnd)"
    guard !services.isEmpty else { return "\(header)\n\nno service was seen\n" }
    let table = PlainTable(
      header: ["HEALTH", "SERVICE", "ENVIRONMENT", "MOST OF IT"],
      rows: services.map { service in
        [
          Figure.count(service.health), PlainTable.printable(service.service),
          PlainTable.printable(service.environment ?? "–"),
          PlainTable.printable(service.mostOfIt),
        ]
      }, figures: [0]
    ).text
    return "\(PlainTable.printable(header))\n\n\(table)"
  }
}

extension ServiceHealthAnswer.Service {
  /// The part that takes most away.
  fileprivate var mostOfIt: String {
    let worst = parts.max { (100 - $0.score) * $0.weight < (100 - $1.score) * $1.weight }
    guard let worst else { return why ?? "–" }
    return worst.score < 100 ? "\(worst.name): \(worst.why)" : "–"
  }
}

extension ServiceHealthAnswer {
  var table: String {
    let place = [service.service, service.environment].compactMap(\.self).joined(separator: ", ")
    var text = PlainTable.printable("\(Figure.count(service.health))  \(place)") + "\n"
    text += PlainTable.printable("\(start) – \(end) against \(baseStart) – \(baseEnd)") + "\n"
    if let why = service.why { text += "\n\(PlainTable.printable(why))\n" }
    if !service.parts.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["PART", "SCORE", "WEIGHT", "WHY"],
          rows: service.parts.map {
            [$0.name, Figure.count($0.score), Figure.percent($0.weight), $0.why]
          }, figures: [1, 2]
        ).text
    }
    text += ServiceHealthAnswer.table("CALLED BY", service.upstream)
    return text + ServiceHealthAnswer.table("CALLS", service.downstream)
  }

  private static func table(_ title: String, _ neighbours: [Neighbour]) -> String {
    guard !neighbours.isEmpty else { return "" }
    return "\n"
      + PlainTable(
        header: [title, "CALLS", "FAILED", "PROPAGATED", "ABSORBED", "LOST", "ADDED"],
        rows: neighbours.map { other in
          [
            other.service ?? "–", Figure.count(other.calls), Figure.count(other.failed),
            Figure.count(other.propagated), Figure.count(other.absorbed),
            Figure.milliseconds(other.lostMs), Figure.milliseconds(other.addedMs),
          ]
        }, figures: [1, 2, 3, 4, 5, 6]
      ).text
  }
}
