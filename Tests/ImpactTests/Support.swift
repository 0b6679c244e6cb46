import Foundation
import Model
import TestSupport

@testable import Impact

/// Windows by hand.
enum Sample {
  static let start: Nanos = 1_790_000_000 * .second

  static func time(_ index: Int) -> Nanos { start + Nanos(index) * windowNanos }

  static func latency(_ mean: Double, variance: Double = 0.25, weight: Double = 1) -> LogLatency? {
    LogLatency(weight: weight, mean: mean, variance: variance)
  }

  static func side(
    _ traces: Int64, _ errors: Int64 = 0, unseen: Int64 = 0, mean: Double? = nil
  ) -> Side {
    Side(
      traces: traces, errorTraces: errors, unseenFailures: unseen,
      latency: mean.flatMap { latency($0) })
  }

  static func window(
    _ index: Int, _ current: Side, _ baseline: Side, unknown: Int64 = 0
  ) -> ComparedWindow {
    ComparedWindow(
      start: time(index), current: current, baseline: baseline, unknownFailures: unknown)
  }

  /// Two versions that run quietly side by side: 50 and 450 requests a window, an error of each
  /// version now and then as `errors` says, a typical request of 50 ms.
  static func quiet(
    _ count: Int,
    errors: (current: (Int) -> Int64, baseline: (Int) -> Int64) = ({ _ in 0 }, { _ in 0 }),
    slower: Double = 1
  ) -> [ComparedWindow] {
    (0..<count).map { index in
      // A little noise without chance: the same every time.
      let noise = 0.02 * sin(Double(index) * 2.4)
      return window(
        index, side(50, errors.current(index), mean: log(50e6) + noise + log(slower)),
        side(450, errors.baseline(index), mean: log(50e6) - noise / 3))
    }
  }

  static func question(
    _ windows: [ComparedWindow], until: Int? = nil, history: [Side] = [],
    settings: GateSettings = GateSettings()
  ) -> ConcurrentQuestion {
    ConcurrentQuestion(
      version: "v42", baseline: "v41", start: start, until: time(until ?? windows.count),
      windows: windows, history: history, settings: settings)
  }
}

extension Double {
  /// Equal up to rounding, or up to `share` of the greater.
  func isNear(_ other: Double, within share: Double = 1e-9) -> Bool {
    self == other || (self - other).magnitude <= share * Swift.max(magnitude, other.magnitude, 1e-6)
  }
}
