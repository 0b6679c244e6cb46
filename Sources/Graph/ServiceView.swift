public import Model

/// All services of the range, without their edges.
public struct ServiceList: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  /// Nodes of kind service, by (id, environment).
  public var services: [Node]
}

/// One node with everything directly around it.
public struct ServiceView: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  public var node: Node
  /// Calls to it.
  public var upstream: [Edge]
  /// Calls it makes.
  public var downstream: [Edge]
  /// What no span tells of, in either direction.
  public var traffic: [TrafficEdge] = []
  /// By name.
  public var operations: [OperationView]
  /// By name; spans that name no version are under `""`.
  public var versions: [VersionView]
  /// By attribute: its requests by what else is told apart of them.
  public var dimensions: [DimensionView]
  /// What the graph of some dimensions lacks, because it is not counted by them: empty for all requests.
  public var notCounted: [String] = []
  /// Whose requests reach it.
  public var blastRadius: BlastRadius
  /// How well it does, and why; whoever judges that fills it in.
  public var health: HealthView?
  /// What changed about it in the range, newest first. Whoever keeps markers fills them in.
  public var markers: [Marker] = []
}

/// A score from 0 to 100, and the parts it is made of.
public struct HealthView: Sendable, Equatable {
  public struct Part: Sendable, Equatable {
    public var name: String
    public var score: Double
    /// Of all parts they add up to 1.
    public var weight: Double
    public var why: String

    public init(name: String, score: Double, weight: Double, why: String) {
      self.name = name
      self.score = score
      self.weight = weight
      self.why = why
    }
  }

  /// nil without data.
  public var score: Double?
  public var parts: [Part]

  public init(score: Double?, parts: [Part]) {
    self.score = score
    self.parts = parts
  }
}

/// A service's requests by the values of one attribute, by name.
public struct DimensionView: Sendable, Equatable {
  /// The requests with one value. Traces are counted once for each combination of dimensions.
  public struct Value: Sendable, Equatable {
    public var value: String
    public var figures: Figures
  }

  public var attribute: String
  public var values: [Value]
}

/// One operation of a service.
public struct OperationView: Sendable, Equatable {
  public var operation: String
  public var figures: Figures
  /// What it calls, by name.
  public var calls: [CallView] = []
}

/// What an operation calls.
public struct CallView: Sendable, Equatable {
  /// The id of the node, and the operation there; empty where it has no name.
  public var callee: String
  public var operation: String
  /// Calls, and those that failed; adjusted for sampling.
  public var requests: Double
  public var failed: Double
  /// How large a share of the operation's requests makes the call at all; nil without requests.
  public var probability: Double?
  /// How often a request makes it.
  public var perRequest: Double?
  /// What became of the calls that failed.
  public var errorPropagation = ErrorPropagation(calleeFailures: 0, propagated: 0, absorbed: 0)
}

/// One version of a service.
public struct VersionView: Sendable, Equatable {
  public var version: String
  /// How many distinct instances ran it.
  public var instances: Int
  public var figures: Figures
}
