import Model
import Synchronization

/// How far event time has gone, and with it which windows are finished: nothing will be added to them
/// but what comes late.
final class EventTime: Sendable {
  private let finished: Mutex<Nanos>
  private let stored: Nanos
  private let settlesAfterNanos: Nanos

  /// What a window waits for beyond the idle time of its traces: exporters gather spans before they
  /// send them, and clocks differ.
  static let graceNanos: Nanos = 20 * .second

  /// - Parameters:
  ///   - stored: the start of the newest window that was stored before a restart; 0 for none. Some
  ///     span ended in it, nobody knows when.
  ///   - idle: after how long without a span a trace is closed, nanoseconds.
  ///   - finished: what a flush declared finished before a restart; 0 for nothing.
  init(stored: Nanos, finished: Nanos = 0, settlesAfter idle: Nanos) {
    self.stored = stored
    settlesAfterNanos = idle.saturatingAdding(EventTime.graceNanos)
    self.finished = Mutex(finished)
  }

  /// Declares the window that holds `newest` finished, and all before it.
  /// - Returns: until when windows are finished now; nil when nothing was received yet.
  @discardableResult
  func finish(through newest: Nanos) -> Nanos? {
    let end = max(newest, stored).saturatingAdding(windowNanos).floored(to: windowNanos)
    guard newest > 0 || stored > 0 else { return nil }
    return finished.withLock { finished in
      finished = max(finished, end)
      return finished
    }
  }

  /// - Parameters:
  ///   - newest: the latest end of all spans that came since the start.
  ///   - now: a sender whose clock is ahead must not make windows finished that are not.
  func finishedUntil(newest: Nanos, now: Nanos) -> Nanos? {
    let newest = max(newest, stored)
    guard newest > 0 else { return nil }
    let settled = min(newest, now).saturatingSubtracting(settlesAfterNanos)
      .floored(to: windowNanos)
    return max(settled, finished.withLock { $0 })
  }
}
