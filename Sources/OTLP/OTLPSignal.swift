/// What a request brings.
public enum OTLPSignal: Sendable, CaseIterable {
  /// ExportTraceServiceRequest.
  case traces
  /// ExportLogsServiceRequest: access logs become records of traffic, other logs are passed over.
  case logs

  /// The message of the request.
  var message: String {
    switch self {
    case .traces: "ExportTraceServiceRequest"
    case .logs: "ExportLogsServiceRequest"
    }
  }

  /// What its requests are made of.
  func records(_ count: Int) -> String {
    switch self {
    case .traces: count == 1 ? "span" : "spans"
    case .logs: count == 1 ? "log record" : "log records"
    }
  }

  /// The key of OTLP/JSON that holds all of a request.
  var topLevelKey: StaticString {
    switch self {
    case .traces: "resourceSpans"
    case .logs: "resourceLogs"
    }
  }

  var scopesKey: StaticString {
    switch self {
    case .traces: "scopeSpans"
    case .logs: "scopeLogs"
    }
  }

  var recordsKey: StaticString {
    switch self {
    case .traces: "spans"
    case .logs: "logRecords"
    }
  }
}
