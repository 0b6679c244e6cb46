import ArgumentParser
import Model

struct TraceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Shows a trace that is kept as an example: its spans as a tree, and what took long.")

  @OptionGroup var server: ServerOptions
  @Option(help: "table or json.") var format = PlainFormat.table
  @Option(help: "How many spans at most, 1 to 10000.") var limit: Int?
  @Argument(help: "32 hexadecimal digits, as exemplars of the graph are named.") var id: String

  func run() async throws {
    let context = CommandContext.current
    guard let trace = TraceID(hexadecimal: id) else {
      throw CommandFailure(
        .usage,
        "'\(PlainTable.printable(id))' is no id of a trace: those are 32 hexadecimal digits")
    }
    let (answer, url) = try await server.ask(
      "GET", "/api/v1/traces/\(trace)", query: [("limit", limit.map { "\($0)" })], in: context)
    guard format == .table else { return context.printAnswer(answer) }
    let shown = try ServerAnswer.decode(TraceAnswer.self, answer.body, from: url, noun: "trace")
    context.print(shown.table)
  }
}
