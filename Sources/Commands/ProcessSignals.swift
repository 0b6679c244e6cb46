import Dispatch
import Glibc
import Synchronization

/// What somebody wants of the process.
enum ProcessSignal: Equatable {
  /// To end, with the name of the signal that says so.
  case stop(String)
  /// To read its files again.
  case reload
}

/// Tells what somebody wants of the process.
protocol ProcessSignals: Sendable {
  func next() async -> ProcessSignal
}

/// SIGHUP, SIGTERM and SIGINT of this process. The first of the latter two is reported; a second ends
/// the process at once, with the exit code the shell gives a process that died of it.
/// SAFETY: everything is set once in `init`, and dispatch sources may be used from any thread.
final class OperatingSystemSignals: ProcessSignals, @unchecked Sendable {
  private let arrivals: AsyncStream<ProcessSignal>
  private let sources: [any DispatchSourceSignal]

  private init(registered: @escaping @Sendable () -> Void) {
    let (arrivals, continuation) = AsyncStream.makeStream(of: ProcessSignal.self)
    self.arrivals = arrivals
    let queue = DispatchQueue(label: "spangate.signals")
    let seen = SeenSignals()
    sources = OperatingSystemSignals.watched.map { number, meaning in
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler {
        if meaning != .reload, seen.count.add(1, ordering: .relaxed).oldValue > 0 {
          _exit(128 + number)
        }
        continuation.yield(meaning)
      }
      source.setRegistrationHandler(handler: registered)
      return source
    }
    for source in sources { source.resume() }
    // A peer that goes away is an error of one connection, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
  }

  /// Begins to watch. Until it returns a signal has its usual effect; afterwards none is lost.
  static func watch() async -> OperatingSystemSignals {
    let (registrations, continuation) = AsyncStream.makeStream(of: Void.self)
    let signals = OperatingSystemSignals { continuation.yield() }
    var missing = watched.count
    for await _ in registrations {
      missing -= 1
      if missing == 0 { break }
    }
    return signals
  }

  private static let watched: [(Int32, ProcessSignal)] = [
    (SIGTERM, .stop("SIGTERM")), (SIGINT, .stop("SIGINT")), (SIGHUP, .reload),
  ]

  deinit { for source in sources { source.cancel() } }

  func next() async -> ProcessSignal {
    for await signal in arrivals { return signal }
    return .stop("end")
  }
}

/// How many signals to stop came.
private final class SeenSignals: Sendable {
  let count = Atomic(0)
}
