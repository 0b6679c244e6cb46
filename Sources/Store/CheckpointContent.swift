public import Model

/// What one checkpoint adds to the store.
public struct CheckpointContent: Sendable {
  /// One more than the last, or any greater number.
  public var number: UInt64
  /// The journal sequence below which every batch is sealed and its findings committed.
  public var mark: UInt64
  /// The findings sealed since the last checkpoint, by window.
  public var sums: WindowSums
  /// The names the sums refer to. Those the store has do no harm; one it never had, or deleted
  /// since no tile referred to it any more, is missing from readings until it is given again.
  public var names: [Name]
  /// Deployments and scalings the sums show: new, or other than known.
  public var inferred: [Marker]
  /// Those that turned out to be none.
  public var retracted: [MarkerID]

  public init(
    number: UInt64, mark: UInt64, sums: WindowSums, names: [Name], inferred: [Marker] = [],
    retracted: [MarkerID] = []
  ) {
    self.number = number
    self.mark = mark
    self.sums = sums
    self.names = names
    self.inferred = inferred
    self.retracted = retracted
  }
}
