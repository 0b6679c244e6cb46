/// Which series to read: of each kind all, or those with one of some first ids.
public struct SeriesSelection: Equatable, Sendable {
  public enum Part: Equatable, Sendable {
    case all
    /// By `SeriesKey.first`.
    case first(Set<UInt64>)
  }

  public private(set) var parts: [SeriesKind: Part] = [:]

  public init(_ parts: [SeriesKind: Part]) { self.parts = parts }

  /// All series of these kinds.
  public init(_ kinds: Set<SeriesKind>) {
    for kind in kinds { parts[kind] = .all }
  }

  public func contains(_ key: SeriesKey) -> Bool {
    switch parts[key.kind] {
    case .all: true
    case .first(let ids): ids.contains(key.first)
    case nil: false
    }
  }
}

extension WindowSums {
  /// The selected series of windows that begin in [start, end), by stretches of `width`.
  public func selected(
    _ selection: SeriesSelection, from start: Nanos, to end: Nanos, by width: Nanos = windowNanos
  ) -> WindowSums {
    var sums = WindowSums()
    for (begin, window) in windows where begin >= start && begin < end {
      let stretch = begin.floored(to: width)
      for (key, value) in window.series where selection.contains(key) {
        sums.merge(value, at: key, window: stretch)
      }
    }
    return sums
  }
}
