/// Where the journal lives and how much it survives.
public struct JournalConfiguration: Sendable, Equatable {
  /// The directory of the segments; made when it does not exist (its parent must).
  public var directory: String
  /// A segment this long is closed and a new one begun. It may be longer by one group.
  public var segmentBytesMax = 64 << 20
  public var durability = Durability.fsync

  public init(
    directory: String, segmentBytesMax: Int = 64 << 20, durability: Durability = .fsync
  ) {
    self.directory = directory
    self.segmentBytesMax = segmentBytesMax
    self.durability = durability
  }
}

/// What an acknowledged batch survives.
public enum Durability: String, Sendable, CaseIterable {
  /// The end of the process, of the system, and of the power: each group is synced before `commit`
  /// returns, and so is the directory when a segment is created.
  case fsync
  /// The end of the process: each group is with the operating system before `commit` returns.
  case os
  /// Nothing for certain. Written as with `os`, but whoever uses the journal need not wait for
  /// `commit` before acknowledging.
  case none
}
