public import Model

/// The sums of a range window by window, as one checkpoint left them.
public struct StoreWindows: Sendable {
  /// The last checkpoint that is in it.
  public var checkpoint: UInt64
  /// The range that was covered, [start, end), Unix nanoseconds.
  public var start: Nanos
  public var end: Nanos
  public var sums: WindowSums
  /// The names the keys refer to.
  public var names: [NameID: Name]
}

/// The sums of a range, as one checkpoint left them.
public struct StoreReading: Sendable {
  /// The last checkpoint that is in it.
  public var checkpoint: UInt64
  /// The range that was covered, [start, end), Unix nanoseconds: what was asked for, widened to
  /// whole tiles of the finest width that is kept for its age.
  public var start: Nanos
  public var end: Nanos
  /// All series of the range, merged.
  public var window: Window
  /// The names the keys refer to.
  public var names: [NameID: Name]
}
