/// Why a span was left out. The raw value is the label of the reason in `/metrics`.
public enum RejectionReason: String, Sendable, CaseIterable {
  case invalidTraceID = "invalid_trace_id"
  case invalidSpanID = "invalid_span_id"
  case invalidParentSpanID = "invalid_parent_span_id"
  case base64ID = "base64_id"
  case noTimestamps = "no_timestamps"
  case endBeforeRetention = "end_before_retention"
  case endInTheFuture = "end_in_the_future"
  case enumByName = "enum_by_name"
  case unreadable = "unreadable"
  case deprecatedInstrumentationLibrarySpans = "instrumentation_library_spans"

  /// The name of the reason in `/metrics`.
  public var label: String { rawValue }

  /// What is wrong, as the end of a sentence about one span.
  public var explanation: String {
    switch self {
    case .invalidTraceID: "has a trace id that is not 16 non-zero bytes"
    case .invalidSpanID: "has a span id that is not 8 non-zero bytes"
    case .invalidParentSpanID: "has a parent span id that is neither empty nor 8 bytes"
    case .base64ID: "has an id that is not hexadecimal: hex expected, got base64?"
    case .noTimestamps: "has neither a start nor an end time"
    case .endBeforeRetention: "ended before the retention"
    case .endInTheFuture: "ends in the future"
    case .enumByName: "names its kind or status code"
    case .unreadable: "cannot be read"
    case .deprecatedInstrumentationLibrarySpans: "uses instrumentationLibrarySpans"
    }
  }

  /// What the sender can do about it.
  public var remedy: String {
    switch self {
    case .invalidTraceID: "send 16 bytes, which OTLP/JSON writes as 32 hexadecimal digits"
    case .invalidSpanID: "send 8 bytes, which OTLP/JSON writes as 16 hexadecimal digits"
    case .invalidParentSpanID: "leave it out for a root span"
    case .base64ID: "OTLP/JSON writes ids in hexadecimal, not in base64"
    case .noTimestamps: "set startTimeUnixNano and endTimeUnixNano"
    case .endBeforeRetention: "raise store.retention to replay history"
    case .endInTheFuture: "set the clock of the sender; times are nanoseconds since 1970"
    case .enumByName: "OTLP/JSON writes enums as numbers"
    case .unreadable: "check the exporter"
    case .deprecatedInstrumentationLibrarySpans: "update the exporter: OTLP 1.0 has scopeSpans"
    }
  }
}

/// A reason can stand where an id should be.
extension RejectionReason: Error {}
