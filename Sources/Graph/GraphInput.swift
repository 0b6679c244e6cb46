public import Model

/// One stretch of history, merged, with the names its keys refer to.
public struct GraphInput: Sendable {
  /// All windows of the range, summed.
  public var window: Window
  /// The names the window's keys refer to. A series whose name is missing is left out and counted.
  public var names: [NameID: Name]
  /// The range the window covers, `[start, end)`, Unix nanoseconds: what was asked for, widened to
  /// whole windows.
  public var start: Nanos
  public var end: Nanos
  /// Grows whenever the answer to the same question may have changed.
  public var revision: UInt64
  /// Addresses that changed hands and of which nobody looked when (`ChangedHands`).
  public var addressesLeftOut = 0

  public init(
    window: Window, names: [NameID: Name], start: Nanos, end: Nanos, revision: UInt64 = 0
  ) {
    self.window = window
    self.names = names
    self.start = start
    self.end = end
    self.revision = revision
  }
}
