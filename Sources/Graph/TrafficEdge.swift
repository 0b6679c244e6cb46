public import Model

/// What access logs or flow logs tell of one node calling another. Beside the edges that spans make,
/// and never added to them.
public struct TrafficEdge: Sendable, Equatable {
  public var clientNameID: NameID
  public var serverNameID: NameID
  /// The ids of the nodes at both ends.
  public var client: String
  public var server: String
  public var clientEnvironment: String
  public var serverEnvironment: String
  public var source: TrafficSource
  /// Which ends keep a log of it, sorted; empty where the records do not say. What follows is of the end
  /// that has more records.
  public var recordedBy: [TrafficEnd]
  /// How many records.
  public var records: Int64
  /// Calls; nil for a flow log, whose records are no calls.
  public var requests: Double?
  /// Calls that failed; of a flow log, records of flows that were rejected.
  public var failed: Double
  /// In both directions.
  public var bytes: Int64
  /// nil for a flow log, and where no record says it.
  public var latency: DurationSummary?

  /// The share of records that failed, 0…1; nil without records.
  public var failedShare: Double? { share(failed, of: requests ?? Double(records)) }
}

extension TrafficEnd {
  /// In the words of the answers; nil for an end that is not known.
  public var label: String? {
    switch self {
    case .unknown: nil
    case .client: "client"
    case .server: "server"
    }
  }
}
