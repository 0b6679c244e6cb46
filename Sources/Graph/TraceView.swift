public import Model

/// One trace as users read it: its spans, what it waited for, and the way of its failure.
public struct TraceView: Sendable, Equatable {
  /// Whether spans may still be added.
  public enum State: String, Sendable, CaseIterable {
    /// Spans may come: it is shown as it is.
    case growing
    /// It is over; what came later was left out.
    case sealed
  }

  /// One span.
  public struct Span: Sendable, Equatable {
    public var id: SpanID
    public var parent: SpanID
    /// The id of its node, as in the graph.
    public var service: String
    public var environment: String
    public var version: String
    public var instance: String
    public var operation: String
    /// The node its attributes name as the other side.
    public var peer: String
    public var kind: SpanKind
    public var start: Nanos
    public var end: Nanos
    /// What no child explains.
    public var own: Nanos
    /// What of the critical path is its own.
    public var critical: Nanos
    public var isError: Bool

    public init(
      id: SpanID, parent: SpanID, service: String, environment: String = "", version: String = "",
      instance: String = "", operation: String = "", peer: String = "", kind: SpanKind,
      start: Nanos, end: Nanos, own: Nanos = 0, critical: Nanos = 0, isError: Bool = false
    ) {
      self.id = id
      self.parent = parent
      self.service = service
      self.environment = environment
      self.version = version
      self.instance = instance
      self.operation = operation
      self.peer = peer
      self.kind = kind
      self.start = start
      self.end = end
      self.own = own
      self.critical = critical
      self.isError = isError
    }
  }

  /// A stretch of time in which the trace waited for one span.
  public struct Section: Sendable, Equatable {
    public var span: SpanID
    public var start: Nanos
    public var end: Nanos

    public init(span: SpanID, start: Nanos, end: Nanos) {
      self.span = span
      self.start = start
      self.end = end
    }
  }

  public var trace: TraceID
  public var state: State
  /// Every span's parent is there, and it was not sealed before its time.
  public var isComplete: Bool
  /// By their start, parents first.
  public var spans: [Span]
  /// The rule of the critical path.
  public var rule: CriticalPathRule
  /// Earliest first.
  public var criticalPath: [Section]
  /// From the outermost failed span down to where the failure began.
  public var errorPath: [SpanID]

  public init(
    trace: TraceID, state: State, isComplete: Bool, spans: [Span], rule: CriticalPathRule,
    criticalPath: [Section], errorPath: [SpanID]
  ) {
    self.trace = trace
    self.state = state
    self.isComplete = isComplete
    self.spans = spans
    self.rule = rule
    self.criticalPath = criticalPath
    self.errorPath = errorPath
  }

  public var start: Nanos { spans.reduce(.max) { min($0, $1.start) } }
  public var end: Nanos { spans.reduce(0) { max($0, $1.end) } }
}

extension TraceView {
  /// - Parameter limit: how many spans, sections, and steps of the error path are written at most,
  ///   the first of each; the counts say how many there are.
  public func json(limit: Int) -> JSONText {
    var json = JSONText()
    json.object { json in
      json.member("trace_id", trace.description)
      json.member("start", Timestamp.text(spans.isEmpty ? 0 : start))
      json.member("duration_ms", milliseconds(spans.isEmpty ? 0 : end.saturatingSubtracting(start)))
      json.member("state", state.rawValue)
      json.member("complete", isComplete)
      json.member("span_count", spans.count)
      json.member(
        "truncated", spans.count > limit || criticalPath.count > limit || errorPath.count > limit)
      json.key("spans")
      json.array(spans.prefix(limit)) { $0.span($1) }
      json.member("rule", rule.rawValue)
      json.key("critical_path")
      json.array(criticalPath.prefix(limit)) { json, section in
        json.object { json in
          json.member("span_id", section.span.description)
          json.member("start_unix_nano", section.start)
          json.member("end_unix_nano", section.end)
        }
      }
      json.member("error_path", errorPath.prefix(limit).map(\.description))
    }
    return json
  }
}

extension JSONText {
  fileprivate mutating func span(_ span: TraceView.Span) {
    object { json in
      json.member("span_id", span.id.description)
      json.key("parent_span_id")
      if span.parent.isZero { json.null() } else { json.string(span.parent.description) }
      json.member("service", span.service)
      if !span.environment.isEmpty { json.member("environment", span.environment) }
      json.member("version", span.version)
      json.member("instance", span.instance)
      json.member("operation", span.operation)
      json.member("kind", span.kind.label)
      if !span.peer.isEmpty { json.member("peer", span.peer) }
      json.member("start_unix_nano", span.start)
      json.member("duration_ms", milliseconds(span.end.saturatingSubtracting(span.start)))
      json.member("self_ms", milliseconds(span.own))
      json.member("critical_ms", milliseconds(span.critical))
      json.member("error", span.isError)
    }
  }
}

private func milliseconds(_ nanos: Nanos) -> Double? { Double(nanos) / 1_000_000 }

extension SpanKind {
  /// As OpenTelemetry calls it, in lower case.
  var label: String {
    switch self {
    case .internal: "internal"
    case .server: "server"
    case .client: "client"
    case .producer: "producer"
    case .consumer: "consumer"
    case .traffic: "traffic"
    case .link: "link"
    }
  }
}
