import ArgumentParser
import Gateway
import Graph

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Shows or checks the configuration.",
    subcommands: [Print.self, Validate.self])

  struct Print: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "print",
      abstract: "Prints every key, its value, and where the value came from.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
      case yaml, table, json
    }

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "yaml (can be used as a file), table or json.") var format = Format.yaml

    func run() throws {
      let context = CommandContext.current
      let loaded = try options.load(in: context)
      switch format {
      case .yaml: context.print(loaded.yaml)
      case .table: context.print(ConfigCommand.table(loaded))
      case .json: context.print(ConfigCommand.json(loaded) + "\n")
      }
    }
  }

  struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "validate", abstract: "Says what is wrong with the configuration, all at once.")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: "table or json.") var format = PlainFormat.table

    func run() throws {
      let context = CommandContext.current
      do {
        _ = try options.loadListingProblems(in: context)
        context.print(format == .json ? "{\"valid\":true,\"problems\":[]}\n" : "valid\n")
      } catch {
        guard format == .json else { throw CommandFailure(.usage, "not valid:\n\(error)") }
        context.print(ConfigCommand.json(error) + "\n")
        throw CommandExit(.usage)
      }
    }
  }

  private static func table(_ loaded: LoadedConfiguration) -> String {
    let rows = ConfigurationKey.all.map { key in
      [
        key.path, key.text(loaded.configuration), loaded.origin(of: key.path).description,
      ]
    }
    return PlainTable(header: ["KEY", "VALUE", "FROM"], rows: rows).text
  }

  private static func json(_ loaded: LoadedConfiguration) -> String {
    var json = JSONText()
    json.object { json in
      for key in ConfigurationKey.all {
        json.key(key.path)
        json.object { json in
          json.member("value", key.text(loaded.configuration))
          json.member("from", loaded.origin(of: key.path).description)
        }
      }
    }
    return json.text
  }

  private static func json(_ error: ConfigurationError) -> String {
    var json = JSONText()
    json.object { json in
      json.member("valid", false)
      json.key("problems")
      json.array(error.problems) { json, problem in
        json.object { json in
          json.member("place", problem.origin?.description ?? "")
          json.member("key", problem.key)
          json.member("problem", problem.problem)
          json.member("remedy", problem.remedy)
        }
      }
    }
    return json.text
  }
}
