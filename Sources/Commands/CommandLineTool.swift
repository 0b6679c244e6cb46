import ArgumentParser

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
        var command = try SpangateCommand.parseAsRoot(
          // Not an option of the parser's: it would win over a misspelt command with one of its own.
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
      ServeCommand.self, GraphCommand.self, GateCommand.self, MarkerCommand.self,
      AnalyzeCommand.self, ReplayCommand.self, JournalCommand.self, ConfigCommand.self,
      VersionCommand.self,
    ])
}
