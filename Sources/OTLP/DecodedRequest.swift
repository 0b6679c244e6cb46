public import Model

/// A request in the form every later stage reads, with what was left out of it.
public struct DecodedRequest: Sendable {
  public var batch: SpanBatch
  public var rejections: Rejections
  /// Log records that were accepted and tell nothing, by reason.
  public var ignored: [IgnoredLog: Int]
  /// Log records that are events of Kubernetes: no spans, but changes may come of them.
  public var events: [KubernetesEventRecord]

  public init(
    batch: SpanBatch, rejections: Rejections, ignored: [IgnoredLog: Int] = [:],
    events: [KubernetesEventRecord] = []
  ) {
    self.batch = batch
    self.rejections = rejections
    self.ignored = ignored
    self.events = events
  }
}
