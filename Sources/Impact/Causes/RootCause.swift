public import Model

/// Where something began that got worse.
public struct RootCause: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable {
    /// Requests take longer, or much less long, at a service itself.
    case selfTime = "self_time"
    /// Calls take longer on the way, or wait before anybody works on them.
    case edgeGap = "edge_gap"
    /// Errors begin there, or calls to it reach nobody.
    case errors
    /// Requests no longer lead to the calls they led to.
    case structure
    /// More or fewer requests come in.
    case load
    /// Everything changed at once.
    case platform
  }

  public var kind: Kind
  /// The node; `NameID.none` for `platform`.
  public var node: NameID
  /// What of all that got worse it explains, weighted by how bad each is; the largest first.
  public var score: Double
  /// Its share of all scores.
  public var confidence: Double
  public var evidence: [CauseEvidence]
  /// From where it shows to where it began.
  public var path: [NameID]
  /// Nodes from which calls lead there and that got worse too.
  public var affected: [NameID]
}

/// One change that speaks for a cause.
public struct CauseEvidence: Sendable, Equatable {
  public enum Metric: String, Sendable, CaseIterable {
    case selfTime = "self_time_ms"
    case gap = "gap_ms"
    case errorOrigins = "error_origin_rate"
    case unanswered = "failed_without_callee_rate"
    case callProbability = "call_probability"
    case requestRate = "request_rate"
  }

  public var metric: Metric
  /// The other end of an edge, or the operation that is no longer called.
  public var other: NameID
  public var before: Double
  public var after: Double
  /// In standard errors.
  public var deviation: Double
  /// How many events it rests on, in the base and now.
  public var eventsBefore: Double
  public var eventsAfter: Double
}
