import Dispatch
import Glibc
import Synchronization

/// Tells when somebody wants the process to stop.
protocol StopSignals: Sendable {
  /// The name of the next signal.
  func next() async -> String
}

/// SIGTERM and SIGINT of this process. The first is reported; a second ends the process at once,
/// with the exit code the shell gives a process that died of it.
/// SAFETY: everything is set once in `init`, and dispatch sources may be used from any thread.
final class ProcessStopSignals: StopSignals, @unchecked Sendable {
  private let names: AsyncStream<String>
  private let sources: [any DispatchSourceSignal]

  private init(registered: @escaping @Sendable () -> Void) {
    let (names, continuation) = AsyncStream.makeStream(of: String.self)
    self.names = names
    let queue = DispatchQueue(label: "spangate.signals")
    let seen = SeenSignals()
    sources = ProcessStopSignals.watched.map { number, name in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if seen.count.add(1, ordering: .relaxed).oldValue > 0 { _exit(128 + number) }
        continuation.yield(name)
      }
      source.setRegistrationHandler(handler: registered)
      return source
    }
    for source in sources { source.resume() }
    // A peer that goes away is an error of one connection, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Begins to watch. Until it returns a signal has its usual effect; afterwards none is lost.
  static func watch() async -> ProcessStopSignals {
    let (registrations, continuation) = AsyncStream.makeStream(of: Void.self)
    let signals = ProcessStopSignals { continuation.yield() }
    var missing = watched.count
    for await _ in registrations {
      missing -= 1
      if missing == 0 { break }
    }
    return signals
  }

  private static let watched = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")]

  deinit { for source in sources { source.cancel() } }

  func next() async -> String {
    for await name in names { return name }
    return "end"
  }
}

/// How many signals came.
private final class SeenSignals: Sendable {
  let count = Atomic(0)
}
