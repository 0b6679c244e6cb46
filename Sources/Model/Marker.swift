/// What kind of change a marker stands for. The raw values are what users write and the store holds.
public enum MarkerKind: String, Sendable, CaseIterable {
  case deployment
  case scaling
  case config
  case featureFlag = "feature_flag"
  case infrastructure
  case incident

  /// These may concern everything; the others are about one service.
  public var needsService: Bool { self != .infrastructure && self != .incident }
}

/// How far a change has come. The raw values are what users write and the store holds.
///
/// The order of the cases is the only way a life goes: whatever order messages come in, the one
/// that is furthest along counts.
public enum MarkerState: String, Sendable, CaseIterable, Comparable {
  case started
  case inProgress = "in_progress"
  case finished
  case failed
  case rolledBack = "rolled_back"

  /// Nothing more happens, unless it is taken back.
  public var isOver: Bool { self >= .finished }

  private var rank: Int { MarkerState.allCases.firstIndex(of: self) ?? 0 }

  public static func < (a: MarkerState, b: MarkerState) -> Bool { a.rank < b.rank }
}

/// Something that changed: what, where and when.
public struct Marker: Equatable, Sendable, Identifiable {
  public var id: MarkerID
  public var tenant: TenantID
  public var kind: MarkerKind
  /// Empty for what concerns everything.
  public var service: String
  /// Empty when the sender named none: the marker then counts for the service in all of them.
  public var namespace: String
  /// Empty when the sender named none: the marker then counts for the service in all of them.
  public var environment: String
  /// When it happened, or began; Unix nanoseconds.
  public var time: Nanos
  /// When it was over; known exactly when the state says that it is.
  public var endTime: Nanos?
  /// How far it has come; nil when nobody said so, as for what takes no time.
  public var state: MarkerState?
  /// Empty when not known.
  public var version: String
  public var previousVersion: String
  public var scaling: Scaling?
  /// Who says so: a CI system, a cloud. Empty when not known.
  public var source: String
  /// The sender's own name for it: the same key again is the same marker.
  public var dedupeKey: String?
  public var url: String
  public var attributes: [String: MarkerAttribute]
  /// Nobody announced it: the spans show it.
  public var inferred: Bool

  /// A change of size.
  public struct Scaling: Equatable, Sendable {
    /// How many there were; nil when not known.
    public var from: Int?
    public var to: Int
    public var reason: String

    public init(from: Int? = nil, to: Int, reason: String = "") {
      self.from = from
      self.to = to
      self.reason = reason
    }
  }

  /// A marker that somebody announces. Its id follows from its key, or else from all of it.
  /// An end without a state is that of something finished; what is over and names no end was over
  /// at its time.
  public init(
    tenant: TenantID = .standard, kind: MarkerKind, service: String, namespace: String = "",
    environment: String = "", time: Nanos, endTime: Nanos? = nil, state: MarkerState? = nil,
    version: String = "", previousVersion: String = "", scaling: Scaling? = nil,
    source: String = "", dedupeKey: String? = nil, url: String = "",
    attributes: [String: MarkerAttribute] = [:]
  ) {
    id = MarkerID(0)
    self.tenant = tenant
    self.kind = kind
    self.service = service
    self.namespace = namespace
    self.environment = environment
    self.time = time
    self.state = state ?? endTime.map { _ in .finished }
    self.endTime = self.state?.isOver == true ? endTime ?? time : nil
    self.version = version
    self.previousVersion = previousVersion
    self.scaling = scaling
    self.source = source
    self.dedupeKey = dedupeKey
    self.url = url
    self.attributes = attributes
    inferred = false
    id =
      dedupeKey.map { MarkerID.of(tenant: tenant, dedupeKey: $0) } ?? MarkerID.of(content: self)
  }

  /// The deployment that the first spans of a version show.
  public init(
    inferredFor version: String, of service: NodeIdentity, tenant: TenantID, time: Nanos,
    previousVersion: String
  ) {
    self.init(
      tenant: tenant, kind: .deployment, service: service.name, namespace: service.namespace,
      environment: service.environment, time: time, version: version,
      previousVersion: previousVersion, source: Marker.inferredSource)
    id = MarkerID.of(tenant: tenant, service: service, firstSightOf: version)
    inferred = true
  }

  /// The scaling that the instances in spans show.
  /// - Parameter isRollout: a version was new at about that time.
  public init(
    inferredScaling scaling: Scaling, of service: NodeIdentity, tenant: TenantID, time: Nanos,
    endTime: Nanos, isRollout: Bool
  ) {
    self.init(
      tenant: tenant, kind: .scaling, service: service.name, namespace: service.namespace,
      environment: service.environment, time: time, endTime: endTime, scaling: scaling,
      source: Marker.inferredSource, attributes: isRollout ? ["rollout": .boolean(true)] : [:])
    id = MarkerID.of(tenant: tenant, service: service, scalingAt: time)
    inferred = true
  }

  /// The source of what is read from the spans themselves.
  public static let inferredSource = "spans"

  /// When it was over, or happened.
  public var until: Nanos { max(time, endTime ?? time) }

  /// Whether it is about a service: what the marker does not name counts for all.
  public func concerns(_ service: NodeIdentity) -> Bool {
    self.service == service.name
      && (namespace.isEmpty || namespace == service.namespace)
      && (environment.isEmpty || environment == service.environment)
  }
}

/// What a sender adds to a marker.
public enum MarkerAttribute: Equatable, Sendable {
  case text(String)
  case integer(Int64)
  case number(Double)
  case boolean(Bool)
}

/// Which markers to show.
public struct MarkerFilter: Equatable, Sendable {
  public var tenant: TenantID
  /// Those that happened in, or reach into, [start, end); Unix nanoseconds.
  public var start: Nanos
  public var end: Nanos
  /// A name or `namespace/name`.
  public var service: String?
  /// What a marker does not name counts for all: it is shown whatever is asked for.
  public var namespace: String?
  public var environment: String?
  public var kind: MarkerKind?
  public var state: MarkerState?
  /// At most so many, the newest.
  public var countMax: Int

  public init(
    tenant: TenantID = .standard, start: Nanos, end: Nanos, service: String? = nil,
    namespace: String? = nil, environment: String? = nil, kind: MarkerKind? = nil,
    state: MarkerState? = nil, countMax: Int = 1_000
  ) {
    self.tenant = tenant
    self.start = start
    self.end = end
    self.service = service
    self.namespace = namespace
    self.environment = environment
    self.kind = kind
    self.state = state
    self.countMax = countMax
  }
}

/// What became of a marker that was offered.
public struct MarkerInsertion: Equatable, Sendable {
  /// The id under which it stands.
  public var id: MarkerID
  /// It was there before, or another stands for it.
  public var existed: Bool

  public init(id: MarkerID, existed: Bool) {
    self.id = id
    self.existed = existed
  }
}

/// How a new marker relates to those that are there.
public enum MarkerPlacement: Equatable, Sendable {
  /// It stands for itself, and for these, which it replaces.
  case replacing([MarkerID])
  /// One that is there stands for it.
  case within(MarkerID)
}

/// Decides about a new marker, given those of the same tenant and service name around it.
public struct MarkerRule: Sendable {
  /// How far from the new one those may be that are looked at; nanoseconds.
  public var nearNanos: Nanos
  public var place: @Sendable (_ new: Marker, _ others: [Marker]) -> MarkerPlacement

  public init(
    nearNanos: Nanos,
    place: @escaping @Sendable (_ new: Marker, _ others: [Marker]) -> MarkerPlacement
  ) {
    self.nearNanos = nearNanos
    self.place = place
  }

  /// Every marker stands for itself.
  public static let apart = MarkerRule(nearNanos: 0) { _, _ in .replacing([]) }
}
