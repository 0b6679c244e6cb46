public import Model

/// Limits for decoding one request.
public struct DecodeLimits: Sendable, Equatable {
  /// The largest body, after decompression.
  /// - Source: OTLP specification 1.11, "recommended default 64 MiB".
  public var requestBytesMax = 64 << 20
  /// How deep messages, or JSON objects and arrays, may nest.
  public var depthMax = 64
  /// What the arena of one request may take.
  public var memoryBytesMax = 256 << 20
  /// How many spans one request may hold.
  public var spansPerRequestMax = 1_000_000
  /// Spans that ended longer ago are rejected one by one.
  public var retentionNanos: Nanos = 14 * .day
  /// Spans that end further in the future are rejected one by one.
  public var aheadNanosMax: Nanos = 10 * .minute

  public init() {}
}
