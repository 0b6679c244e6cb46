/// When an instance of a service was seen.
public struct InstanceSighting: Equatable, Sendable {
  public var service: NameID
  public var instance: NameID
  /// `NameID.none` for one that names none.
  public var version: NameID
  /// The start of the first window in which it was, Unix nanoseconds.
  public var first: Nanos
  /// The start of the newest.
  public var newest: Nanos

  public init(
    service: NameID, instance: NameID, version: NameID = .none, first: Nanos, newest: Nanos
  ) {
    self.service = service
    self.instance = instance
    self.version = version
    self.first = first
    self.newest = newest
  }
}

extension WindowSums {
  /// The instances the sums tell of, each once for every version it names.
  public var instanceSightings: [InstanceSighting] {
    var found: [SeriesKey: InstanceSighting] = [:]
    for (start, window) in windows {
      for key in window.series.keys where key.kind == .instance && key.second != 0 {
        let seen = found[key]
        found[key] = InstanceSighting(
          service: NameID(key.first), instance: NameID(key.second), version: NameID(key.third),
          first: min(start, seen?.first ?? .max), newest: max(start, seen?.newest ?? 0))
      }
    }
    return found.sorted { $0.key < $1.key }.map(\.value)
  }
}
