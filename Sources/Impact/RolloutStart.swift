public import Model

/// When a rollout began: its marker, or the first span of its version where that came a little before.
public struct RolloutStart: Equatable, Sendable {
  public let time: Nanos
  /// What does not fit together, for a person; nil when all does.
  public let remark: String?

  /// Marker and spans may be this far apart: deployments take their time.
  static let apartNanos: Nanos = .minute
  /// First spans later than this after a marker are more likely another clock than a slow start.
  static let lateNanos: Nanos = 30 * .minute

  /// - Parameters:
  ///   - marker: when the version was announced; nil where it was not.
  ///   - firstSeen: the version's first span.
  public init(of version: String, marker: Nanos?, firstSeen: Nanos) {
    guard let marker else {
      time = firstSeen
      remark = nil
      return
    }
    let early = marker.saturatingSubtracting(firstSeen)
    if early > RolloutWindows.historyNanos {
      time = marker.floored(to: windowNanos)
      remark =
        "\(version) had been seen for \(RolloutStart.text(early)) when its marker came: it is judged "
        + "from the marker on"
    } else if early > 0 {
      time = firstSeen
      remark =
        early > RolloutStart.apartNanos
        ? "the marker of \(version) came \(RolloutStart.text(early)) after its first span: it is "
          + "judged from that span on" : nil
    } else {
      time = marker.floored(to: windowNanos)
      let late = firstSeen.saturatingSubtracting(marker)
      remark =
        late >= RolloutStart.lateNanos
        ? "the first span of \(version) came \(RolloutStart.text(late)) after its marker: if it did "
          + "not start that slowly, a clock is off" : nil
    }
  }

  /// Why there is nothing to look at yet, where data ends before the start.
  public static func notYet(
    _ version: String, start: Nanos, until: Nanos, written: (Nanos) -> String
  ) -> String {
    let ahead = start.saturatingSubtracting(until)
    let clock =
      ahead >= lateNanos
      ? "; if it runs already, a clock is off by about \(text(ahead))" : ""
    return
      "\(version) began at \(written(start)), and finished data ends at \(written(until)): there "
      + "is no finished window to look at yet\(clock)"
  }

  private static func text(_ nanos: Nanos) -> String { duration(Double(nanos) / 1e9) }
}
