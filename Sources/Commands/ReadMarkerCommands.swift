import ArgumentParser
import Foundation

struct ListMarkersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists markers, the newest first; of the last 24 hours.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "Only this service: a name or an id.") var service: String?
  @Option(help: "Only this namespace.") var namespace: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "Only this kind.") var kind: String?
  @Option(help: "Only what has come exactly so far, such as in_progress.") var state: String?
  @Option(help: "RFC 3339 or Unix time.") var start: String?
  @Option(help: "RFC 3339 or Unix time.") var end: String?
  @Option(help: "How many at most.") var limit: Int?

  func run() async throws {
    let context = CommandContext.current
    let query: [(String, String?)] = [
      ("start", start), ("end", end), ("service", service), ("namespace", namespace),
      ("environment", environment), ("kind", kind), ("state", state),
      ("limit", limit.map { "\($0)" }),
    ]
    let (answer, url) = try await server.ask(
      "GET", MarkerCommand.path, query: query, in: context)
    guard format == .table else { return context.printAnswer(answer) }
    context.print(try MarkerAnswer.decode(MarkerAnswer.List.self, answer, from: url).table)
  }
}

struct ShowMarkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows one marker.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Argument(help: "mk_ and 16 hexadecimal digits.") var id: String

  func run() async throws {
    let context = CommandContext.current
    let path = try MarkerCommand.path(of: id)
    let (answer, url) = try await server.ask("GET", path, in: context)
    guard format == .table else { return context.printAnswer(answer) }
    context.print(try MarkerAnswer.decode(MarkerAnswer.One.self, answer, from: url).table)
  }
}

struct DeleteMarkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Deletes one marker.")

  @OptionGroup var server: ServerOptions
  @Argument(help: "mk_ and 16 hexadecimal digits.") var id: String

  func run() async throws {
    let context = CommandContext.current
    let path = try MarkerCommand.path(of: id)
    _ = try await server.ask("DELETE", path, in: context)
    context.print("\(id) deleted\n")
  }
}
