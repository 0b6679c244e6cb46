import ArgumentParser
import Graph

// The command line as a library: arguments in, exit code out, everything it touches behind
// `CommandContext`, so that tests run whole commands without a process. One file a command; the
// executable only calls `CommandLineTool.run`.

/// What `spangate` does with its arguments.
public enum CommandLineTool {
  /// Runs one command, with the terminal, the environment and the network of this process.
  /// - Parameter arguments: without the name of the program.
  /// - Returns: the exit code: 0, a verdict's, 64 usage or configuration, 69 server out of reach, 77
  ///   not allowed, 70 anything else.
  public static func run(_ arguments: [String]) async -> Int32 {
    await run(arguments, in: .process)
  }

  static func run(_ arguments: [String], in context: CommandContext) async -> Int32 {
    await CommandContext.$current.withValue(context) {
      do {
        try refuseUnknownCommand(arguments)
        var command = try SpangateCommand.parseAsRoot(
          // Not an option of the parser's: the help of commands with one of their own would show both.
          arguments == ["--version"] ? ["version"] : arguments)
        if var asynchronous = command as? any AsyncParsableCommand {
          try await asynchronous.run()
        } else {
          try command.run()
        }
        return 0
      } catch let failure as CommandFailure {
        context.fail("spangate: \(failure.message)\n")
        return failure.exitCode
      } catch let exit as CommandExit {
        return exit.code
      } catch {
        return finish(error, in: context)
      }
    }
  }

  /// The parser would speak of the first option instead.
  private static func refuseUnknownCommand(_ arguments: [String]) throws {
    let known =
      SpangateCommand.configuration.subcommands.map { $0.configuration.commandName ?? "" } + [
        "help"
      ]
    guard let name = arguments.first, !name.hasPrefix("-"), !known.contains(name) else { return }
    let nearest = Spelling.nearest(to: name, among: known, countMax: 1).first
    throw CommandFailure(
      .usage,
      "there is no command '\(PlainTable.printable(name))'; "
        + (nearest.map { "did you mean '\($0)'? " } ?? "")
        + "spangate --help lists those there are")
  }

  /// Help and versions are errors to the parser as well, of exit code 0.
  private static func finish(_ error: any Error, in context: CommandContext) -> Int32 {
    let code = SpangateCommand.exitCode(for: error)
    let message = SpangateCommand.fullMessage(for: error)
    if code == .success {
      context.print(message + "\n")
      return 0
    }
    context.fail(message + "\n")
    return code == .validationFailure ? CommandFailure.Kind.usage.rawValue : 70
  }
}

struct SpangateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "spangate",
    abstract: "An OTLP gateway that keeps the service dependency graph.",
    subcommands: [
      ServeCommand.self, GraphCommand.self, CriticalPathCommand.self, RootCausesCommand.self,
      ShiftsCommand.self, HealthCommand.self,
      TraceCommand.self,
      GateCommand.self,
      MarkerCommand.self, ImpactCommand.self,
      AnalyzeCommand.self, ReplayCommand.self, JournalCommand.self, ConfigCommand.self,
      TokenCommand.self,
      VersionCommand.self,
    ])
}
