public import Model

/// What one request may cost to decode, and which times its spans may bear.
public struct DecodeLimits: Sendable, Equatable {
  /// Bytes of one request's body, after decompression.
  /// - Source: OTLP specification 1.11, which recommends 64 MiB.
  public var requestBytesMax = 64 << 20
  /// How deep messages (JSON: objects and arrays) may nest; the request itself is level 1.
  public var depthMax = 64
  /// Bytes of memory the decoded form of one request may take.
  public var memoryBytesMax = 256 << 20
  /// Spans, or log records, of one request.
  public var spansPerRequestMax = 1_000_000
  /// Links of one request's spans that are followed; those beyond are counted.
  public var linksPerRequestMax = 200_000
  /// Spans that ended longer ago than this are rejected one by one.
  public var retentionNanos: Nanos = 14 * .day
  /// Spans that end further ahead of the clock than this are rejected one by one.
  public var aheadNanosMax: Nanos = 10 * .minute

  public init() {}
}
