/// Things of two sides, sorted by what became of them.
public struct Differences<Element: Sendable & Equatable>: Sendable, Equatable {
  /// Only in the current side.
  public var appeared: [Element] = []
  /// Only in the base.
  public var vanished: [Element] = []
  /// In both, and different.
  public var changed: [Element] = []
  /// How many are in both and about the same.
  public var unchangedCount = 0

  /// Files one away.
  mutating func take(_ element: Element, inBase: Bool, inCurrent: Bool, isChanged: Bool) {
    switch (inBase, inCurrent) {
    case (false, true): appeared.append(element)
    case (true, false): vanished.append(element)
    case (true, true) where isChanged: changed.append(element)
    case (true, true): unchangedCount += 1
    case (false, false): break
    }
  }
}
