/// What one request brought, decoded: the unit of admission, of the journal and of folding.
public struct SpanBatch: Sendable, Equatable {
  public var tenant: TenantID
  /// Parallel to `spans`: the trace each belongs to.
  public var traces: [TraceID]
  public var spans: [SpanRecord]
  /// The distinct names the spans refer to, each once, so that a journal can be read alone.
  public var names: [NameID]

  public init(
    tenant: TenantID = .standard, traces: [TraceID] = [], spans: [SpanRecord] = [],
    names: [NameID] = []
  ) {
    precondition(traces.count == spans.count, "a span batch needs one trace id for each span")
    self.tenant = tenant
    self.traces = traces
    self.spans = spans
    self.names = names
  }

  public var count: Int { spans.count }
  public var isEmpty: Bool { spans.isEmpty }

  public mutating func append(_ span: SpanRecord, trace: TraceID) {
    traces.append(trace)
    spans.append(span)
  }
}

/// Traces are spread over a fixed number of partitions, so that the number of cores can change
/// between two runs without moving a trace's history.
public enum Partition {
  public static let count = 64

  /// The partition a trace belongs to: a stable hash of tenant and all 16 bytes of the id
  /// (X-Ray ids begin with a timestamp, so the first bytes alone would cluster).
  @inline(__always)
  public static func of(_ key: TraceKey) -> Int {
    var mixed = key.trace.high ^ (key.trace.low &* 0x9E37_79B9_7F4A_7C15)
    mixed ^= UInt64(key.tenant.raw) &* 0xD1B5_4A32_D192_ED03
    mixed ^= mixed >> 32
    mixed = mixed &* 0xBF58_476D_1CE4_E5B9
    return Int(truncatingIfNeeded: (mixed >> 58) & 63)
  }
}
