import ArgumentParser
import Foundation

struct GraphCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "graph", abstract: "Prints the service dependency graph a gateway sees.",
    discussion: "Without a subcommand it is shown: spangate graph show --help lists the options.",
    subcommands: [ShowGraphCommand.self, GraphDiffCommand.self, GraphPathsCommand.self],
    defaultSubcommand: ShowGraphCommand.self)
}

struct ShowGraphCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Prints the graph; what happens without a subcommand.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, dot, mermaid, graphml
  }

  enum Direction: String, ExpressibleByArgument, CaseIterable {
    case up, down, both
  }

  @OptionGroup var server: ServerOptions
  @Option(help: "table, json, dot, mermaid or graphml.") var format = Format.table
  @Option(help: "Only what is connected to this service: a name or an id.") var service: String?
  @Option(help: "Only services of this namespace.") var namespace: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "Only requests taken in this cluster.") var cluster: String?
  @Option(help: "Only requests with this value of an attribute, as key:value.") var dimension:
    String?
  @Option(help: "How many calls away from the service.") var depth: Int?
  @Option(help: "up (callers), down (callees) or both.") var direction: Direction?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?

  func validate() throws {
    if let depth, depth < 0 { throw ValidationError("--depth is a number of calls, 0 or more.") }
    if service == nil, depth != nil || direction != nil {
      throw ValidationError("--depth and --direction need --service.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    let url = try server.url("/api/v1/graph", query: query, in: context)
    let headers = try server.token.headers(in: context)
    let answer = try await context.http.send(
      HTTPRequest(url: url, headers: headers, trust: server.trust.trust(in: context)))
    let body = try ServerAnswer.body(answer, from: url)
    if format == .table {
      context.print(try GraphAnswer(body, from: url).table)
    } else {
      let text = String(decoding: body, as: UTF8.self)
      context.print(text.hasSuffix("\n") ? text : text + "\n")
    }
  }

  private var query: [URLQueryItem] {
    let values: [(String, String?)] = [
      ("format", format == .table ? "json" : format.rawValue), ("service", service),
      ("namespace", namespace), ("environment", environment),
      ("cluster", cluster), ("dimension", dimension), ("depth", depth.map { "\($0)" }),
      ("direction", direction?.rawValue), ("start", start), ("end", end),
    ]
    return values.compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
  }
}
