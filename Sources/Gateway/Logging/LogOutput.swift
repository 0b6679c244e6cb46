import Logging
import Synchronization

/// Where log lines go: formats them, thins out repetitions, writes each with one write.
public final class LogOutput: Sendable {
  private let format: LogLineFormat
  private let now: @Sendable () -> UInt64
  private let limiter: Mutex<LogLimiter>
  private let write: @Sendable ([UInt8]) -> Void

  /// - Parameter now: Unix nanoseconds.
  /// - Parameter write: takes one whole line with its line feed.
  public init(
    format: LogLineFormat, now: @escaping @Sendable () -> UInt64 = LogClock.now,
    write: @escaping @Sendable ([UInt8]) -> Void
  ) {
    self.format = format
    self.now = now
    self.write = write
    limiter = Mutex(LogLimiter())
  }

  /// Standard error in the format configured: `auto` is text on a terminal, JSON otherwise.
  public static func standardError(_ format: LogFormat) -> LogOutput {
    let lines = LogLineFormat(format, isTerminal: StandardError.isTerminal)
    return LogOutput(format: lines, write: StandardError.write)
  }

  func write(_ line: LogLine) {
    let time = now()
    switch limiter.withLock({ $0.admit(line, at: time) }) {
    case .write(let suppressed):
      var line = line
      if suppressed > 0 { line.metadata["suppressed"] = "\(suppressed)" }
      write(format.bytes(of: line, at: time))
    case .suppress: break
    }
  }
}
