public import Model

/// One thing the journal holds.
public enum JournalRecord: Equatable, Sendable {
  /// An accepted batch. `names`: those first used here among the records read of this segment.
  case batch(sequence: UInt64, SpanBatch, names: [Name])
  /// The sums of these traces are part of the checkpoint of that number.
  case seal(checkpoint: UInt64, [TraceKey])
}

/// What a record is; the number stands before its payload.
enum RecordType: UInt8, Sendable {
  case batch = 1
  case seal = 2
}
