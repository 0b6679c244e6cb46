public import Model

/// What share of the requests a version is announced to get, from a time on until the next one.
public struct AnnouncedShare: Equatable, Sendable {
  public let from: Nanos
  /// 0…1; nil where nothing is announced any more.
  public let share: Double?

  public init(from: Nanos, share: Double?) {
    self.from = from
    self.share = share.map { min(max($0.finite(or: 0), 0), 1) }
  }

  /// More steps than any rollout has; of more the first are looked at.
  public static let countMax = 64
  /// The attribute of a marker that announces a share, in percent.
  public static let attribute = "weight"

  /// What markers announce about a version, in order of time: those of the version, or of none, that
  /// carry `attribute` and do not end. What ends announces nothing from its end on.
  /// - Parameter since: when the rollout began; what was said an hour before it still counts.
  public static func steps(
    in markers: [Marker], of version: String, since: Nanos, until: Nanos
  ) -> [AnnouncedShare] {
    let first = since.saturatingSubtracting(RolloutWindows.historyNanos)
    var steps: [AnnouncedShare] = []
    for marker in markers.sorted(by: { ($0.time, $0.id.raw) < ($1.time, $1.id.raw) })
    where marker.version.isEmpty || marker.version == version {
      guard !marker.inferred, marker.time >= first, marker.time < until,
        let percent = marker.attributes[attribute].flatMap(percent), (0...100).contains(percent)
      else { continue }
      steps.append(AnnouncedShare(from: marker.time, share: percent / 100))
      if let end = marker.endTime, end > marker.time, end < until {
        steps.append(AnnouncedShare(from: end, share: nil))
      }
    }
    return Array(steps.sorted { $0.from < $1.from }.prefix(countMax))
  }

  private static func percent(_ attribute: MarkerAttribute) -> Double? {
    switch attribute {
    case .integer(let percent): Double(percent)
    case .number(let percent): percent
    case .text(let text): Double(text.hasSuffix("%") ? String(text.dropLast()) : text)
    case .boolean: nil
    }
  }
}
