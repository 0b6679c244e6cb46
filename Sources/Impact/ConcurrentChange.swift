public import Model

/// Another change of the same service that began at about the same time.
public struct ConcurrentChange: Equatable, Sendable {
  public let marker: Marker

  /// What began this long before may still be under way.
  static let nearNanos: Nanos = 10 * .minute
  /// More are not told of.
  static let countMax = 5

  /// Deployments of other versions, configurations and flags; not the change asked about, nor what
  /// its own rollout does, such as scaling.
  /// - Parameters:
  ///   - version: empty for a change that has none.
  ///   - baseline: what ran before: that it came shortly before is no other change.
  public static func of(
    version: String, baseline: String = "", besides own: MarkerID?, in markers: [Marker],
    start: Nanos, until: Nanos
  ) -> [ConcurrentChange] {
    let first = start.saturatingSubtracting(nearNanos)
    let found = markers.filter { marker in
      guard marker.id != own, marker.time >= first, marker.time < until else { return false }
      switch marker.kind {
      case .deployment:
        let isBaseline = !baseline.isEmpty && marker.version == baseline
        return (marker.version != version || version.isEmpty) && !isBaseline
      case .config, .featureFlag: return marker.attributes[AnnouncedShare.attribute] == nil
      case .scaling, .infrastructure, .incident: return false
      }
    }
    return found.sorted { ($0.time, $0.id.raw) < ($1.time, $1.id.raw) }.prefix(countMax)
      .map { ConcurrentChange(marker: $0) }
  }

  public func sentence(written: (Nanos) -> String) -> String {
    let what =
      marker.kind == .deployment
      ? "\(marker.version.isEmpty ? "another version" : marker.version) was deployed"
      : "a \(marker.kind == .config ? "configuration" : "feature flag") changed"
    return "\(what) at \(written(marker.time)), at about the same time: what happened since may be "
      + "its doing"
  }
}
