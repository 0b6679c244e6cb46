import Glibc
import Testing

@testable import Commands

@Suite struct ProcessSignalTests {
  /// Scenario: the process gets a signal.
  /// Guarantees: its name is reported, once.
  @Test func firstSignal() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let signals = await OperatingSystemSignals.watch()
      kill(getpid(), SIGTERM)
      exit(await signals.next() == .stop("SIGTERM") ? 7 : 1)
    }
  }

  /// Scenario: the process gets a second one while it drains.
  /// Guarantees: it ends at once, with the shell's exit code for that signal.
  @Test func secondSignal() async {
    await #expect(processExitsWith: .exitCode(130)) {
      let signals = await OperatingSystemSignals.watch()
      kill(getpid(), SIGTERM)
      _ = await signals.next()
      kill(getpid(), SIGINT)
      _ = await signals.next()
    }
  }

  /// Scenario: the process is told to read its files again, more than once, and then to stop.
  /// Guarantees: each is reported, and none of the first counts as a second signal to stop.
  @Test func reload() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let signals = await OperatingSystemSignals.watch()
      for _ in 0..<2 {
        kill(getpid(), SIGHUP)
        guard await signals.next() == .reload else { exit(1) }
      }
      kill(getpid(), SIGTERM)
      exit(await signals.next() == .stop("SIGTERM") ? 7 : 2)
    }
  }

  /// Scenario: addresses that mean every interface.
  /// Guarantees: the printed endpoint is one a program on this machine can use.
  @Test(arguments: [
    ("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "127.0.0.1:2"), ("[::1]:3", "[::1]:3"),
    ("gateway:4", "gateway:4"),
  ])
  func reachable(address: String, expected: String) {
    #expect(GatewayRun.reachable(address) == expected)
  }
}
