public import Model

/// How long the instances of one service have been there, from the windows they were seen in.
public struct InstanceAges: Equatable, Sendable {
  /// An instance is warming up for this long from its first span: caches are empty, connections are
  /// not made yet, code is not compiled.
  public static let warmUpNanos: Nanos = 2 * .minute

  /// By version, then by window: when the oldest instance seen in it was first seen.
  private var oldest: [NameID: [Nanos: Nanos]] = [:]

  public init() {}

  /// - Parameter windows: the series `.instance` of the service, from before the change on.
  public init(of service: NameID, in windows: WindowSums) {
    var first: [NameID: Nanos] = [:]
    for (start, window) in windows.windows.sorted(by: { $0.key < $1.key }) {
      for key in window.series.keys
      where key.kind == .instance && key.first == service.raw && key.second != 0 {
        let born = first[NameID(key.second), default: start]
        first[NameID(key.second)] = born
        let known = oldest[NameID(key.third)]?[start] ?? .max
        oldest[NameID(key.third), default: [:]][start] = min(known, born)
      }
    }
  }

  /// Some instance of the version was seen in the window, and none that had been there for long when
  /// it ended.
  public func isWarmingUp(_ version: NameID, in start: Nanos, width: Nanos) -> Bool {
    guard let born = oldest[version]?[start] else { return false }
    return start.saturatingAdding(width).saturatingSubtracting(born) <= InstanceAges.warmUpNanos
  }
}
