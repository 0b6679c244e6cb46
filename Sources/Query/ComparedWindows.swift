public import Model

/// Two stretches of history, window by window, for what compares how they vary.
public struct ComparedWindows: Sendable {
  public struct Stretch: Sendable {
    /// The range its windows cover, Unix nanoseconds: what was asked for, widened to whole windows.
    public var start: Nanos
    public var end: Nanos
    /// In order of time, empty ones included.
    public var windows: [Window]

    public init(start: Nanos, end: Nanos, windows: [Window]) {
      self.start = start
      self.end = end
      self.windows = windows
    }
  }

  public var base: Stretch
  public var current: Stretch
  /// How long one window is.
  public var width: Nanos
  public var names: [NameID: Name]

  public init(base: Stretch, current: Stretch, width: Nanos, names: [NameID: Name]) {
    self.base = base
    self.current = current
    self.width = width
    self.names = names
  }

  /// So many windows a stretch has at most; longer ones are read by wider windows.
  public static let windowsMax = 360
}
