import Foundation
import Gateway
import Glibc
import Model

/// Everything outside the process that a command touches.
struct CommandContext: Sendable {
  var environment: [String: String] = [:]
  /// To standard output.
  var print: @Sendable (String) -> Void
  /// To standard error.
  var fail: @Sendable (String) -> Void
  /// Progress is shown only to a person.
  var isErrorTerminal = false
  /// Columns of the terminal.
  var width = 120
  /// All of standard input, or the failure to read that many bytes.
  var readInput: @Sendable (_ bytesMax: Int) throws -> [UInt8]
  var http: any HTTPExchange
  /// Unix nanoseconds.
  var now: @Sendable () -> Nanos
  var sleep: @Sendable (_ nanos: Nanos) async throws -> Void
  var signals: @Sendable () async -> any ProcessSignals
  var makeGateway: MakeGateway

  /// The context of the command that is running.
  @TaskLocal static var current = process

  static let process = CommandContext(
    environment: ProcessInfo.processInfo.environment,
    print: { text in
      Swift.print(text, terminator: "")
      fflush(nil)
    },
    fail: { text in
      FileHandle.standardError.write(Data(text.utf8))
    },
    isErrorTerminal: isatty(STDERR_FILENO) == 1,
    width: terminalWidth(),
    readInput: { bytesMax in
      let data = try FileHandle.standardInput.read(upToCount: bytesMax + 1) ?? Data()
      return [UInt8](data)
    },
    http: NetworkExchange(),
    now: LogClock.now,
    sleep: { try await Task.sleep(nanoseconds: $0) },
    signals: { await OperatingSystemSignals.watch() },
    makeGateway: { SpangateServer(configuration: $0, logger: $1) })

  /// Wide when the output goes elsewhere than to a terminal.
  private static func terminalWidth() -> Int {
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 160
    }
    return Int(size.ws_col)
  }
}
