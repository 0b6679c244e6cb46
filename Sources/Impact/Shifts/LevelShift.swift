public import Model

/// A change of one quantity at one place that lasts longer than noise does.
public struct LevelShift: Sendable, Equatable {
  public enum Metric: String, Sendable, CaseIterable {
    /// What a request takes at a service itself, of its operations and versions too; milliseconds.
    case selfTime = "self_time_ms"
    /// What calls take between both ends, milliseconds.
    case gap = "gap_ms"
    /// The share of requests with which an error began.
    case errorOrigins = "error_origin_rate"
    /// The share of an operation's requests that make a call.
    case callProbability = "call_probability"
    /// Requests a second.
    case requestRate = "request_rate"

    /// Its size is a ratio, otherwise a difference: levels are compared as logarithms.
    public var isRatio: Bool { self != .errorOrigins && self != .callProbability }
  }

  /// Where it is.
  public struct Place: Sendable, Hashable {
    /// The node; of an edge, its client.
    public var node: NameID
    /// The server of an edge, or what an operation calls.
    public var other: NameID
    /// The operation, or the version; `NameID.none` for the whole node.
    public var part: NameID

    public init(node: NameID, other: NameID = .none, part: NameID = .none) {
      self.node = node
      self.other = other
      self.part = part
    }
  }

  /// What explains it, so that it is no news of the place itself.
  public enum Explanation: String, Sendable, CaseIterable {
    /// More or fewer requests.
    case load
    /// Other operations were asked for.
    case operationMix = "operation_mix"
    /// Most services went the same way at once.
    case platform
  }

  public var metric: Metric
  public var place: Place
  /// The first window of the new level, and in which windows the change surely was (95 %).
  public var onset: Int
  public var onsetEarliest: Int
  public var onsetLatest: Int
  /// Both levels, in the unit of the metric; times and rates are geometric means.
  public var before: Double
  public var after: Double
  /// Of times and rates after ÷ before, of shares after − before, with an interval of 95 %.
  public var size: Double
  public var sizeLower: Double
  public var sizeUpper: Double
  /// In standard errors.
  public var deviation: Double
  /// The window in which at least half of it was taken back; nil while it lasts.
  public var ended: Int?
  public var explanation: Explanation?
  /// Where it began, as the comparison of before and after ranks it; nil where that finds nothing.
  public var origin: RootCause?

  /// Slower, failing more, calling less or otherwise: whether it is bad by itself. More requests are not.
  public var isWorse: Bool {
    switch metric {
    case .selfTime, .gap, .errorOrigins: after > before
    case .callProbability: after < before
    case .requestRate: false
    }
  }
}
