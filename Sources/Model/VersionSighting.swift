/// When a version of a service was seen.
public struct VersionSighting: Equatable, Sendable {
  public var service: NameID
  public var version: NameID
  /// The start of the first window in which it was, Unix nanoseconds.
  public var first: Nanos
  /// The start of the newest.
  public var newest: Nanos

  public init(service: NameID, version: NameID, first: Nanos, newest: Nanos) {
    self.service = service
    self.version = version
    self.first = first
    self.newest = newest
  }
}

extension WindowSums {
  /// The versions the sums tell of, each once, by service and version. Spans that name no version
  /// are left out.
  public var versionSightings: [VersionSighting] {
    var found: [SeriesKey: VersionSighting] = [:]
    for (start, window) in windows {
      for key in window.series.keys where key.kind == .version && key.second != 0 {
        let seen = found[key]
        found[key] = VersionSighting(
          service: NameID(key.first), version: NameID(key.second),
          first: min(start, seen?.first ?? .max), newest: max(start, seen?.newest ?? 0))
      }
    }
    return found.sorted { $0.key < $1.key }.map(\.value)
  }
}
