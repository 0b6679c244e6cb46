import Logging

/// Thins out repetitions: of one cause, the first lines of each stretch of time are written, and the
/// next one written afterwards says how many were not.
struct LogLimiter {
  enum Decision: Equatable {
    /// Write it; so many like it were left out since the last one.
    case write(suppressed: Int)
    case suppress
  }

  /// Lines of one cause in one stretch.
  static let linesMax = 20
  /// How long a stretch is, nanoseconds.
  static let stretchNanos: UInt64 = 10_000_000_000
  /// Causes told apart; when there are more, all begin again.
  static let causesMax = 512

  private struct Cause: Hashable {
    var level: Logger.Level
    var message: String
  }

  private struct Count {
    var since: UInt64
    var written = 0
    var suppressed = 0
  }

  private var counts: [Cause: Count] = [:]

  /// Two lines have the same cause when level and message are the same: what differs from one
  /// event to the next belongs in the metadata.
  mutating func admit(_ line: LogLine, at now: UInt64) -> Decision {
    let cause = Cause(level: line.level, message: line.message)
    if counts[cause] == nil, counts.count >= LogLimiter.causesMax { counts.removeAll() }
    var count = counts[cause] ?? Count(since: now)
    defer { counts[cause] = count }
    var suppressed = 0
    // A clock set back begins a stretch as well.
    if now < count.since || now - count.since >= LogLimiter.stretchNanos {
      suppressed = count.suppressed
      count = Count(since: now)
    }
    guard count.written < LogLimiter.linesMax else {
      count.suppressed += 1
      return .suppress
    }
    count.written += 1
    return .write(suppressed: suppressed)
  }
}
