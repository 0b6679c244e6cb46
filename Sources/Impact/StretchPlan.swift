public import Model

/// Which stretches of time a before/after comparison looks at: the one since the change, earlier
/// ones of the same length, and the hour before each.
public struct StretchPlan: Equatable, Sendable {
  /// From the change until now.
  public let now: Range<Nanos>
  /// Earlier ones, the latest first, not overlapping.
  public let earlier: [Range<Nanos>]
  private let width: Nanos

  public static let beforeNanos: Nanos = .hour
  /// More than the least, since some may have no data.
  public static let earlierCount = 28

  /// - Parameter width: how long the windows are that will be read; stretches end at their borders.
  ///   No longer than the time since the change, or there are no earlier stretches.
  public init(from start: Nanos, to until: Nanos, width: Nanos) {
    self.width = width
    now = start..<max(start, until)
    let length = until.saturatingSubtracting(start).floored(to: width)
    var end = start.floored(to: width)
    var stretches: [Range<Nanos>] = []
    while length > 0, stretches.count < StretchPlan.earlierCount,
      end > length.saturatingAdding(StretchPlan.beforeNanos)
    {
      stretches.append(end - length..<end)
      end -= length
    }
    earlier = stretches
  }

  /// All of the time that is looked at.
  public var range: Range<Nanos> {
    let first = earlier.last?.lowerBound ?? now.lowerBound
    return first.saturatingSubtracting(StretchPlan.beforeNanos)..<now.upperBound
  }

  /// A node's windows in the hour before the change, in order, those without requests among them.
  public func history(of node: NameID, in windows: WindowSums) -> [Side] {
    let end = now.lowerBound.floored(to: width)
    let first = end.saturatingSubtracting(StretchPlan.beforeNanos).floored(to: width)
    return stride(from: first, to: end, by: Int(width)).map { start in
      windows.windows[start]?.series[.node(node)].map { Side($0) } ?? .nothing
    }
  }

  /// The stretches of one node.
  /// - Parameters:
  ///   - windows: the series `.node` of it, and perhaps of others, over `range`.
  ///   - after: what is known better of the stretch since the change; the node's own when nil.
  public func series(of node: NameID, in windows: WindowSums, after: Side? = nil) -> StretchSeries {
    let sides: [(start: Nanos, side: Side)] = windows.windows.compactMap { start, window in
      window.series[.node(node)].map { (start, Side($0)) }
    }.sorted { $0.start < $1.start }
    func sum(_ range: Range<Nanos>) -> Side? {
      let found = sides.filter { range.contains($0.start) }.map(\.side)
      return found.isEmpty ? nil : found.reduce(Side.nothing) { $0.merged(with: $1) }
    }
    // A window that holds the change is of neither side.
    func before(_ range: Range<Nanos>) -> Side? {
      let end = range.lowerBound.floored(to: width)
      return sum(end.saturatingSubtracting(StretchPlan.beforeNanos)..<end)
    }
    return StretchSeries(
      now: Stretch(before: before(now) ?? .nothing, after: after ?? sum(now) ?? .nothing),
      earlier: earlier.map { range in
        guard let before = before(range), let after = sum(range) else { return nil }
        return Stretch(before: before, after: after)
      })
  }
}
