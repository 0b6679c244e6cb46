import Model
import TestSupport
import Testing

@testable import Gateway

@Suite struct EventTimeTests {
  private let base: Nanos = 1_700_000_000 * .second
  private let idle = 11 * Nanos.second

  /// Scenario: nothing has come, ever.
  /// Guarantees: no window is finished, also when told to finish all.
  @Test func nothing() {
    let time = EventTime(stored: 0, settlesAfter: idle)
    #expect(time.finishedUntil(newest: 0, now: base) == nil)
    time.finish(through: 0)
    #expect(time.finishedUntil(newest: 0, now: base) == nil)
  }

  /// Scenario: event time goes on, by the spans, by what was stored before a restart, and by a
  /// sender whose clock is ahead.
  /// Guarantees: a window is finished when it ended idle time and grace before the newest; whole
  /// windows; the future counts for no more than the present.
  @Test func settling() {
    let time = EventTime(stored: 0, settlesAfter: idle)
    #expect(time.finishedUntil(newest: base, now: base) == base - 40 * .second)
    #expect(time.finishedUntil(newest: base + .second, now: base + .hour) == base - 30 * .second)
    #expect(
      time.finishedUntil(newest: base + .second - 1, now: base + .hour) == base - 40 * .second)
    #expect(time.finishedUntil(newest: base + .hour, now: base) == base - 40 * .second)
    #expect(time.finishedUntil(newest: .max, now: base) == base - 40 * .second)
    #expect(time.finishedUntil(newest: 5, now: base) == 0)
    let restarted = EventTime(stored: base, settlesAfter: idle)
    #expect(restarted.finishedUntil(newest: 0, now: base) == base - 40 * .second)
    #expect(
      restarted.finishedUntil(newest: base + .minute, now: base + .hour) == base + 20 * .second)
  }

  /// Scenario: all windows are declared finished, then time goes on, and windows before are declared
  /// finished again.
  /// Guarantees: the window of the newest span and all before it are finished; they stay so.
  @Test func finishing() {
    let time = EventTime(stored: 0, settlesAfter: idle)
    time.finish(through: base + 3)
    let end = base + windowNanos
    #expect(time.finishedUntil(newest: base + 3, now: base) == end)
    #expect(time.finishedUntil(newest: base + .second, now: base) == end)
    time.finish(through: base - .hour)
    #expect(time.finishedUntil(newest: base, now: base) == end)
    #expect(
      time.finishedUntil(newest: base + .minute, now: base + .minute) == base + 20 * .second)
    time.finish(through: .max)
    #expect(time.finishedUntil(newest: .max, now: base) == Nanos.max.floored(to: windowNanos))
    let restarted = EventTime(stored: base, finished: end, settlesAfter: idle)
    #expect(restarted.finishedUntil(newest: 0, now: base) == end)
    let wild = EventTime(stored: .max, settlesAfter: .max)
    #expect(wild.finishedUntil(newest: .max, now: .max) == 0)
  }
}
