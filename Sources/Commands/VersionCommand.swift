import ArgumentParser
import Graph

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Prints the version.")

  @Option(help: "table or json.") var format = PlainFormat.table

  func run() throws {
    switch format {
    case .table: CommandContext.current.print("spangate \(SpangateVersion.text)\n")
    case .json:
      var json = JSONText()
      json.object { $0.member("version", SpangateVersion.text) }
      CommandContext.current.print(json.text + "\n")
    }
  }
}

/// For people or for programs.
enum PlainFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}
