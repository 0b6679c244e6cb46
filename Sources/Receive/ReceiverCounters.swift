public import HTTP2
public import OTLP

/// What the receiver did since it was made.
public struct ReceiverCounters: Sendable, Equatable {
  /// Requests by the protocol that brought them.
  public struct Transport: Sendable, Equatable {
    /// Export requests that began.
    public var requests = 0
    /// Body bytes of them, as sent.
    public var bytes = 0
    /// Spans the sink accepted.
    public var spansAccepted = 0
    /// Spans left out, by reason.
    public var spansRejected: [RejectionReason: Int] = [:]
    /// Log records the sink accepted, as records of traffic or as events of Kubernetes.
    public var logRecordsAccepted = 0
    /// Log records left out, by reason.
    public var logRecordsRejected: [RejectionReason: Int] = [:]
    /// Log records that were accepted and tell nothing, by reason.
    public var logRecordsIgnored: [IgnoredLog: Int] = [:]
    /// Requests refused for now: the sender was told to try again.
    public var requestsRefused = 0
    /// Requests refused for good: malformed, too large, of the wrong type, to the wrong place.
    public var requestsBad = 0
    /// Requests their senders gave up, or that ran out of time.
    public var requestsAbandoned = 0

    public init() {}
  }

  public var grpc = Transport()
  public var http = Transport()
  public var connectionsOpen = 0
  public var connectionsAccepted = 0
  /// Connections closed because too many were open.
  public var connectionsRefused = 0
  /// Connections that brought something that is not HTTP.
  public var connectionsNotHTTP = 0
  /// HTTP/2 connections ended, or streams of one, for the good of all others, by reason.
  public var protections: [HTTP2Protection: Int] = [:]

  public init() {}
}
