public import Model

/// A request in the form every later stage reads, with what was left out of it.
public struct DecodedRequest: Sendable {
  public var batch: SpanBatch
  public var rejections: Rejections

  public init(batch: SpanBatch, rejections: Rejections) {
    self.batch = batch
    self.rejections = rejections
  }
}
