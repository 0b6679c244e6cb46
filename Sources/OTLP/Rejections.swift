/// Spans (log records, of a request of logs) left out of a request, by reason, and warnings about what
/// was accepted.
public struct Rejections: Sendable, Equatable {
  /// How many spans were left out.
  public var rejectedSpans: Int
  /// What `partial_success.error_message` says: English, with reasons, counts and remedies; nil
  /// when there is nothing to say.
  public var message: String?
  /// How many spans were left out, by reason.
  public var counts: [RejectionReason: Int]

  public init(rejectedSpans: Int = 0, message: String? = nil, counts: [RejectionReason: Int] = [:])
  {
    self.rejectedSpans = rejectedSpans
    self.message = message
    self.counts = counts
  }
}
