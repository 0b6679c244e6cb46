/// What the journal is and went through since it was opened; for `/metrics`.
public struct JournalStatistics: Equatable, Sendable {
  /// Segments on disk, and their committed bytes.
  public var segments = 0
  public var bytes = 0
  /// Records of the newest segment that were found damaged on opening.
  public var skippedRecords = 0
  /// Bytes of a torn tail that were cut off on opening.
  public var truncatedBytes = 0
  /// Groups that did not become durable, and segments given up because of it.
  public var failedCommits = 0
  public var abandonedSegments = 0
  /// Times that refused data could not at once be taken off the disk.
  public var failedRepairs = 0

  public init() {}
}
