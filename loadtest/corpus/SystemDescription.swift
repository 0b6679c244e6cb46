// A simulated system of services, for measuring whether Spangate finds what it should: it makes the
// spans that real services would send, and knows what was done to it. Times are simulated, so an hour
// takes seconds, and the same seed makes the same spans everywhere.

/// Who does what, and on how many instances.
public struct SystemDescription: Sendable, Equatable {
  public var services: [ServiceDescription]
  public var entries: [EntryDescription]

  public init(services: [ServiceDescription], entries: [EntryDescription]) {
    self.services = services
    self.entries = entries
  }
}

/// Where requests come in, and how many.
public struct EntryDescription: Sendable, Equatable {
  public var operation: OperationReference
  /// Requests a second, on average.
  public var rate: Double

  public init(_ operation: OperationReference, rate: Double) {
    self.operation = operation
    self.rate = rate
  }
}

/// An operation, by the positions of its service and of itself.
public struct OperationReference: Sendable, Hashable {
  public var service: Int
  public var operation: Int

  public init(_ service: Int, _ operation: Int = 0) {
    self.service = service
    self.operation = operation
  }
}

public struct ServiceDescription: Sendable, Equatable {
  public var name: String
  /// Whether it sends spans; a database does not.
  public var kind: Kind
  public var instances: Int
  /// Requests one instance works on at a time; others wait before their server span begins, as in a pool
  /// of threads.
  public var workers: Int
  /// Of these as many as there are cores make progress at full speed; more share them.
  public var cores: Int
  public var operations: [OperationDescription]
  /// Adds and removes instances; nil for a fixed number.
  public var scaling: ScalingRule?

  public enum Kind: Sendable, Equatable {
    case traced
    /// Passes requests on and sends no spans: what it calls shows up below its caller.
    case untraced
    case database
  }

  public init(
    name: String, kind: Kind = .traced, instances: Int = 3, workers: Int = 16, cores: Int = 4,
    operations: [OperationDescription], scaling: ScalingRule? = nil
  ) {
    self.name = name
    self.kind = kind
    self.instances = instances
    self.workers = workers
    self.cores = cores
    self.operations = operations
    self.scaling = scaling
  }
}

/// What an operation does: work in equal parts, and between them groups of calls, each group at once.
public struct OperationDescription: Sendable, Equatable {
  public var name: String
  /// Of the work, without calls and waiting; the median.
  public var milliseconds: Double
  /// Of the logarithm of the work.
  public var spread: Double
  /// How often it fails by itself.
  public var errorRate: Double
  public var groups: [[CallDescription]]

  public init(
    name: String, milliseconds: Double, spread: Double = 0.3, errorRate: Double = 0.001,
    groups: [[CallDescription]] = []
  ) {
    self.name = name
    self.milliseconds = milliseconds
    self.spread = spread
    self.errorRate = errorRate
    self.groups = groups
  }
}

public struct CallDescription: Sendable, Equatable {
  public var target: OperationReference
  /// How often it is made: a cache answers otherwise, or a branch is not taken.
  public var probability: Double
  public var timeoutMilliseconds: Double
  /// How often it is made again after a failure.
  public var retries: Int
  /// A failure of it does not fail the caller.
  public var isOptional: Bool
  /// The queue the call goes through: nobody waits for it. Empty for a request.
  public var queue: String

  public init(
    _ target: OperationReference, probability: Double = 1, timeoutMilliseconds: Double = 2_000,
    retries: Int = 0, isOptional: Bool = false, queue: String = ""
  ) {
    self.target = target
    self.probability = probability
    self.timeoutMilliseconds = timeoutMilliseconds
    self.retries = retries
    self.isOptional = isOptional
    self.queue = queue
  }
}

/// Keeps the share of busy workers near a target, as a horizontal pod autoscaler does: looked at every 15
/// seconds, tolerance 0.1, down only after five minutes.
/// - Source: kubernetes.io, "Horizontal Pod Autoscaling", algorithm details.
public struct ScalingRule: Sendable, Equatable {
  public var target: Double
  public var instancesMin: Int
  public var instancesMax: Int
  /// Until a new instance takes requests, and how long it is slow after that.
  public var readySeconds: Double
  public var coldSeconds: Double

  public init(
    target: Double = 0.5, instancesMin: Int = 2, instancesMax: Int = 12, readySeconds: Double = 20,
    coldSeconds: Double = 40
  ) {
    self.target = target
    self.instancesMin = instancesMin
    self.instancesMax = instancesMax
    self.readySeconds = readySeconds
    self.coldSeconds = coldSeconds
  }
}
