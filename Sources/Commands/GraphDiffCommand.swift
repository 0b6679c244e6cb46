import ArgumentParser
import Foundation

struct GraphDiffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Prints what changed in the graph: between two ranges, or two versions of a service.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "Only what is connected to this service: a name or an id.") var service: String?
  @Option(help: "Only services of this namespace.") var namespace: String?
  @Option(help: "Only this environment.") var environment: String?
  @Option(help: "Only requests taken in this cluster.") var cluster: String?
  @Option(help: "Only requests with this value of an attribute, as key:value.") var dimension:
    String?
  @Option(help: "How many calls away from the service.") var depth: Int?
  @Option(help: "up (callers), down (callees) or both.") var direction: ShowGraphCommand.Direction?
  @Option(help: "RFC 3339 or Unix time; the default is 15 minutes ago.") var start: String?
  @Option(help: "RFC 3339 or Unix time; the default is now.") var end: String?
  @Option(help: "The default is as long before its end as the range is.") var baseStart: String?
  @Option(help: "The default is the start of the range.") var baseEnd: String?
  @Option(help: "The least relative change that is shown; 0.1 is a tenth.") var minChange: Double?
  @Option(help: "Compare this version of the service instead of two ranges.") var version: String?
  @Option(help: "The version it is compared with.") var baseVersion: String?

  func validate() throws {
    if service == nil, depth != nil || direction != nil {
      throw ValidationError("--depth and --direction need --service.")
    }
    if (version == nil) != (baseVersion == nil) || (version != nil && service == nil) {
      throw ValidationError(
        "Two versions of a service are compared: --service, --version and --base-version.")
    }
  }

  func run() async throws {
    let context = CommandContext.current
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/graph/diff",
      query: [
        ("start", start), ("end", end), ("base_start", baseStart), ("base_end", baseEnd),
        ("service", service), ("namespace", namespace), ("environment", environment),
        ("cluster", cluster), ("dimension", dimension),
        ("depth", depth.map { "\($0)" }), ("direction", direction?.rawValue),
        ("min_change", minChange.map { "\($0)" }), ("version", version),
        ("base_version", baseVersion),
      ], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let diff = try ServerAnswer.decode(
      GraphDiffAnswer.self, answer.body, from: url, noun: "difference of graphs")
    context.print(diff.table)
  }
}
