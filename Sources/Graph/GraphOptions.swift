public import Model

/// Which part of the graph to show.
public struct GraphOptions: Sendable, Equatable {
  /// Only this environment; nil shows all, as separate nodes.
  public var environment: String?
  /// Only services of this namespace (`""`: of none) and what they are directly connected to; with
  /// `service` it only tells services of the same name apart.
  public var namespace: String?
  /// Only requests with all of these dimensions; empty: all requests.
  public var dimensions: [Dimensions.Pair]
  /// Only what is connected to this service: a name or an id. An id wins over an equal name.
  public var service: String?
  /// How many calls away from `service`; nil: as far as it goes.
  public var depth: Int?
  /// Callers, callees, or both of `service`.
  public var direction: Direction
  /// With what no span tells of.
  public var showsTraffic: Bool

  public init(
    environment: String? = nil, namespace: String? = nil, service: String? = nil,
    depth: Int? = nil, direction: Direction = .both, dimensions: [Dimensions.Pair] = [],
    showsTraffic: Bool = true
  ) {
    self.environment = environment
    self.namespace = namespace
    self.service = service
    self.depth = depth
    self.direction = direction
    self.dimensions = dimensions
    self.showsTraffic = showsTraffic
  }
}

/// Which way to walk from a service.
public enum Direction: String, Sendable, CaseIterable {
  /// To those who call it, directly or not.
  case up
  /// To those it calls, directly or not.
  case down
  /// Both, each way on its own: callers of callees are not included.
  case both
}
