/// One thing a trace says, addressed to one series of one window.
///
/// Findings are a pure function of the set of a trace's spans and of the configuration, so they
/// are not kept: to take a trace back, its findings are computed again and added with sign −1.
public struct Finding: Equatable, Sendable {
  /// The start of the ten-second window, Unix nanoseconds.
  public var window: Nanos
  public var key: SeriesKey
  public var counters: Counters
  /// Durations to add to the series' histograms; nil where there is none to add.
  public var latency: Nanos?
  public var clientLatency: Nanos?
  public var ownTime: Nanos?
  /// How long the whole took of which this is a part; it counts for `Counters.Field.criticalPathNanos`.
  public var whole: Nanos?
  /// What the other durations count for, in 1/256ths.
  public var weight: Int64
  /// A trace in which it can be seen.
  public var exemplar: TraceID?

  public init(
    window: Nanos, key: SeriesKey, counters: Counters = Counters(), latency: Nanos? = nil,
    clientLatency: Nanos? = nil, ownTime: Nanos? = nil, whole: Nanos? = nil,
    weight: Int64 = Int64(SpanRecord.weightOne), exemplar: TraceID? = nil
  ) {
    self.window = window
    self.key = key
    self.counters = counters
    self.latency = latency
    self.clientLatency = clientLatency
    self.ownTime = ownTime
    self.whole = whole
    self.weight = weight
    self.exemplar = exemplar
  }

  /// What it adds to `Sums.squaredWeightExcess`; nil where it is about no request, or about one that
  /// was not sampled. Of several requests each counts for the same; of less than none as much is taken
  /// back.
  var squaredWeightExcess: Int128? {
    let requests = counters[.requests]
    let adjusted = counters[.requestsAdjusted]
    guard requests != 0, adjusted != 0,
      adjusted != requests.multipliedReportingOverflow(by: Int64(SpanRecord.weightOne)).partialValue
    else { return nil }
    let one = Int128(SpanRecord.weightOne)
    let squares = Int128(adjusted) &* Int128(adjusted)
    return (requests == 1 ? squares : squares / Int128(requests)) &- Int128(requests) &* one &* one
  }
}

/// What a series is about. The numbers are part of the store's format.
public enum SeriesKind: UInt8, Sendable, CaseIterable {
  /// A node as a whole: `first` is the node.
  case node = 1
  /// One version of a service: `first` the service, `second` the version.
  case version = 2
  /// One instance: `first` the service, `second` the instance, `third` its version.
  case instance = 3
  /// One operation of a service: `first` the service, `second` the operation.
  case operation = 4
  /// Calls: `first` the client node, `second` the server node, `third` a `ConnectionType`.
  case edge = 5
  /// Spans without a partner: `first` the tenant, `second` an `UnpairedReason`.
  case unpaired = 6
  /// What arrived: `first` the tenant, `second` 0. With `second` 1: spans whose clocks were further off
  /// than is corrected, in `Counters.Field.skewed` alone. With `second` 2: spans that are an end of an
  /// edge and counted under no `UnpairedReason`.
  case coverage = 7
  /// Spans a name of which is summed under overflow: `first` the tenant, `second` the `NameKind`. With
  /// `second` 256 and 257: requests on ways that are not told apart, and calls of operations that are not.
  case overflow = 8
  /// Traces with a failed call of which no span of the callee tells: `first` the peer as the call
  /// names it, `second` the address it went to or 0, `third` the caller.
  case unreached = 9
  /// Time on the critical path by way of requests: `first` the path, `second` the path before it (0
  /// for an entry point), `third` the operation requested last. Ids of paths are hashes of the two and
  /// of the version that answered (`SeriesKey.pathID`). `Sums.wholes` says how long the traces took
  /// in which the time was spent.
  case path = 10
  /// Who answered to a name or an address: `first` the peer as a call names it, `second` the service
  /// whose span was found below the call, `third` its version.
  case answered = 11
  /// What operations call: `first` the caller's operation, `second` what was called: an operation,
  /// a service where it has no name, or a peer. `Counters.Field.traces` counts the caller's requests
  /// that made the call at all.
  case call = 12
  /// What access logs and flow logs tell of: `first` the client node, `second` the server node,
  /// `third` a `TrafficKind`. With `third` 0: `first` a node such a record names, `second` the address
  /// (`.address`) it was at.
  case traffic = 13
  /// A node's requests by what else is told apart of them: `first` the node, `second` the dimensions; of
  /// a node that does not report, those of who called it.
  case dimension = 14
  /// Calls the same way: `first` the client node, `second` the server node, `third` the dimensions of
  /// the request at the server, or of the caller where the server does not report.
  case dimensionEdge = 15
  /// What calls hold up: `first` the client node, `second` the server node. `latency` is their slack,
  /// of those that somebody waits for; `ownTime` their drag; `clientLatency` the drag of those that
  /// were the trace's only request to the server.
  case wait = 16
  /// Ways by which errors reached an entry point: `first` the path at whose end the error began,
  /// `second` and `third` as for `path`. `latency` is how long the entry point's request took.
  case errorPath = 17
  /// Two names of one queue: `first` as those call it that take from it, `second` as those call it that
  /// send to it (a topic and a subscription). Only links say so.
  case queueAlias = 18
}

extension SeriesKind {
  public static let all = Set(allCases)
  /// All that a graph shows: not what there is by operation, which is much.
  public static let ofGraph = all.subtracting([
    .operation, .unreached, .path, .call, .dimensionEdge, .wait, .errorPath,
  ])
  /// The same for the part of a graph with some dimensions.
  public static let ofGraphByDimension = ofGraph.union([.dimensionEdge])
}

/// The address of a series within a window.
public struct SeriesKey: Hashable, Sendable, Comparable {
  public var kind: SeriesKind
  public var first: UInt64
  public var second: UInt64
  public var third: UInt64

  public init(_ kind: SeriesKind, _ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0) {
    self.kind = kind
    self.first = first
    self.second = second
    self.third = third
  }

  public static func node(_ node: NameID) -> SeriesKey { .init(.node, node.raw) }
  public static func version(_ service: NameID, _ version: NameID) -> SeriesKey {
    .init(.version, service.raw, version.raw)
  }
  public static func instance(
    _ service: NameID, _ instance: NameID, version: NameID
  ) -> SeriesKey {
    .init(.instance, service.raw, instance.raw, version.raw)
  }
  public static func operation(_ service: NameID, _ operation: NameID) -> SeriesKey {
    .init(.operation, service.raw, operation.raw)
  }
  public static func edge(
    _ client: NameID, _ server: NameID, _ type: ConnectionType
  ) -> SeriesKey {
    .init(.edge, client.raw, server.raw, UInt64(type.rawValue))
  }
  public static func unpaired(_ tenant: TenantID, _ reason: UnpairedReason) -> SeriesKey {
    .init(.unpaired, UInt64(tenant.raw), UInt64(reason.rawValue))
  }
  public static func overflow(_ tenant: TenantID, _ kind: NameKind) -> SeriesKey {
    .init(.overflow, UInt64(tenant.raw), UInt64(kind.rawValue))
  }
  /// Ways of requests, or what operations call, summed under overflow.
  public static func overflow(_ tenant: TenantID, part: UInt64) -> SeriesKey {
    .init(.overflow, UInt64(tenant.raw), part)
  }
  /// `second` of overflow series that are about no name.
  public static let overflowPathsPart: UInt64 = 256
  public static let overflowCallsPart: UInt64 = 257
  public static func unreached(
    _ peer: NameID, at address: NameID, by caller: NameID
  ) -> SeriesKey {
    .init(.unreached, peer.raw, address.raw, caller.raw)
  }
  public static func call(from caller: NameID, to callee: NameID) -> SeriesKey {
    .init(.call, caller.raw, callee.raw)
  }
  public static func answered(
    _ peer: NameID, by service: NameID, version: NameID
  ) -> SeriesKey {
    .init(.answered, peer.raw, service.raw, version.raw)
  }
  public static func dimension(_ node: NameID, _ dimensions: NameID) -> SeriesKey {
    .init(.dimension, node.raw, dimensions.raw)
  }
  public static func dimensionEdge(
    _ client: NameID, _ server: NameID, _ dimensions: NameID
  ) -> SeriesKey {
    .init(.dimensionEdge, client.raw, server.raw, dimensions.raw)
  }
  public static func path(
    _ path: UInt64, below parent: UInt64, operation: NameID
  ) -> SeriesKey {
    .init(.path, path, parent, operation.raw)
  }
  public static func errorPath(
    _ path: UInt64, below parent: UInt64, operation: NameID
  ) -> SeriesKey {
    .init(.errorPath, path, parent, operation.raw)
  }
  public static func wait(_ client: NameID, for server: NameID) -> SeriesKey {
    .init(.wait, client.raw, server.raw)
  }
  public static func queueAlias(_ taken: NameID, sentTo sent: NameID) -> SeriesKey {
    .init(.queueAlias, taken.raw, sent.raw)
  }
  public static func traffic(
    from client: NameID, to server: NameID, _ kind: TrafficKind
  ) -> SeriesKey {
    .init(.traffic, client.raw, server.raw, kind.number)
  }
  public static func location(of node: NameID, at address: NameID) -> SeriesKey {
    .init(.traffic, node.raw, address.raw)
  }
  public static func coverage(_ tenant: TenantID) -> SeriesKey {
    .init(.coverage, UInt64(tenant.raw))
  }
  public static func skewOverLimit(_ tenant: TenantID) -> SeriesKey {
    .init(.coverage, UInt64(tenant.raw), skewOverLimitPart)
  }
  /// `second` of the coverage series about clocks that were too far off.
  public static let skewOverLimitPart: UInt64 = 1
  public static func paired(_ tenant: TenantID) -> SeriesKey {
    .init(.coverage, UInt64(tenant.raw), pairedPart)
  }
  /// `second` of the coverage series about spans that are ends of edges.
  public static let pairedPart: UInt64 = 2

  public static func < (a: SeriesKey, b: SeriesKey) -> Bool {
    if a.kind != b.kind { return a.kind.rawValue < b.kind.rawValue }
    if a.first != b.first { return a.first < b.first }
    if a.second != b.second { return a.second < b.second }
    return a.third < b.third
  }

  /// The names this key refers to.
  public var names: [NameID] {
    switch kind {
    case .node: [NameID(first)]
    case .version, .operation, .edge, .call, .traffic, .dimension, .wait, .queueAlias:
      [NameID(first), NameID(second)]
    case .instance, .unreached, .answered, .dimensionEdge:
      [NameID(first), NameID(second), NameID(third)]
    case .path, .errorPath: [NameID(third)]
    case .unpaired, .coverage, .overflow: []
    }
  }
}

/// How the two ends of an edge are connected, in the words Tempo and the Collector use; links are
/// Spangate's.
public enum ConnectionType: UInt8, Sendable, CaseIterable {
  case direct = 0
  case messagingSystem = 1
  case database = 2
  case virtualNode = 3
  /// A span of the one links to a span of the other, and no messages have to do with it: one was the
  /// cause of the other. Nobody called and nobody waits.
  case link = 4

  public var label: String {
    switch self {
    case .direct: ""
    case .messagingSystem: "messaging_system"
    case .database: "database"
    case .virtualNode: "virtual_node"
    case .link: "link"
    }
  }

  /// Whether who is at the one end may wait for the other.
  public var isWaitedFor: Bool { self != .messagingSystem && self != .link }
}

/// Why a span has no partner. Each span of a trace is counted once: as paired, or under one of these.
/// Links and records of traffic are no spans, and have reasons of their own.
public enum UnpairedReason: UInt8, Sendable, CaseIterable {
  /// A client span without a server span below it, whose attributes name nobody.
  case clientWithoutPeer = 1
  /// A proxy's span towards the application it stands in front of.
  case ownApplication = 2
  /// A client span that only wraps another client span of the same service.
  case wrapsAnotherClient = 3
  /// A span that names a parent nobody sent.
  case parentMissing = 4
  /// A span whose chain of parents leads back to itself.
  case parentCycle = 5
  /// A span that takes messages and says from no queue, below nobody who sent them.
  case queueNotNamed = 6
  /// A span that tells a queue what became of messages.
  case settlesMessages = 7
  /// A record of an access log that does not say who was on the other side.
  case trafficWithoutPeer = 8
  /// A link to a span nobody sent.
  case linkTargetMissing = 9
  /// A link between spans of one service, or between spans that parentage joins already.
  case linkAddsNothing = 10
  /// A link that its sender dropped, or one too many to be followed.
  case linkNotRead = 11
  /// A client span that a server span of the same service answered.
  case sameService = 12
  /// A server's span that names no parent and no caller: with it a request begins.
  case entryPoint = 13
  /// A span that names no parent and is no request: a timer's or a batch job's.
  case backgroundWork = 14
  /// Work of a service, below another span of it.
  case innerWork = 15
  /// A server's span below another span of its service: the application behind a proxy, or a service
  /// that answered itself.
  case innerRequest = 16
  /// A span about messages that another span of the trace counts.
  case messageCounted = 17
  /// A span that takes messages of which its links tell, in the traces they name.
  case toldByLinks = 18
  /// A client span that carries a call to a database or a queue, of which a span above it tells.
  case transport = 19

  public var label: String {
    switch self {
    case .clientWithoutPeer: "client_without_peer"
    case .ownApplication: "own_application"
    case .wrapsAnotherClient: "wraps_another_client"
    case .parentMissing: "parent_missing"
    case .parentCycle: "parent_cycle"
    case .queueNotNamed: "queue_not_named"
    case .settlesMessages: "settles_messages"
    case .trafficWithoutPeer: "traffic_without_peer"
    case .linkTargetMissing: "link_target_missing"
    case .linkAddsNothing: "link_adds_nothing"
    case .linkNotRead: "link_not_read"
    case .sameService: "same_service"
    case .entryPoint: "entry_point"
    case .backgroundWork: "background_work"
    case .innerWork: "inner_work"
    case .innerRequest: "inner_request"
    case .messageCounted: "message_counted"
    case .toldByLinks: "told_by_links"
    case .transport: "transport"
    }
  }

  /// The span needs no partner: nothing is missing. It might have made an edge otherwise.
  public var isStandalone: Bool {
    switch self {
    case .entryPoint, .backgroundWork, .innerWork, .innerRequest, .messageCounted, .toldByLinks,
      .transport:
      true
    case .clientWithoutPeer, .ownApplication, .wrapsAnotherClient, .parentMissing, .parentCycle,
      .queueNotNamed, .settlesMessages, .trafficWithoutPeer, .linkTargetMissing, .linkAddsNothing,
      .linkNotRead, .sameService:
      false
    }
  }

  /// What is counted is a span, not a link or a record of traffic.
  public var isOfSpan: Bool {
    switch self {
    case .trafficWithoutPeer, .linkTargetMissing, .linkAddsNothing, .linkNotRead: false
    case .clientWithoutPeer, .ownApplication, .wrapsAnotherClient, .parentMissing, .parentCycle,
      .queueNotNamed, .settlesMessages, .sameService, .entryPoint, .backgroundWork, .innerWork,
      .innerRequest, .messageCounted, .toldByLinks, .transport:
      true
    }
  }
}

/// The integer counts of a series. Raw counts are events seen; adjusted ones are corrected for
/// sampling, in 1/256ths.
public struct Counters: Equatable, Sendable {
  public enum Field: Int, CaseIterable, Sendable {
    /// Requests to a node, calls over an edge; spans, for `unpaired` and `coverage`.
    case requests = 0
    case errors = 1
    case requestsAdjusted = 2
    case errorsAdjusted = 3
    /// Errors that began at this node, adjusted.
    case errorOriginsAdjusted = 4
    /// Traces that touched the node, and those with an error of it: at most one each a trace.
    case traces = 5
    case errorTraces = 6
    /// Failed calls after which the calling request failed too, and after which it did not, adjusted.
    case propagatedAdjusted = 7
    case absorbedAdjusted = 8
    /// Time on critical paths, nanoseconds × weight ÷ 256.
    case criticalPathNanos = 9
    /// Spans sent more than once; spans that came after their trace was sealed.
    case duplicates = 10
    case late = 11
    /// Bytes in both directions, of records of traffic.
    case bytes = 12
    /// Spans whose times were moved because the clocks of two hosts disagreed.
    case skewed = 13
    /// Time on critical paths spent in failed calls after which the calling request did not fail, and
    /// in failed calls that were made again, with the pause before the next attempt. As
    /// `criticalPathNanos`; a failed call can be in both.
    case absorbedNanos = 14
    case retryNanos = 15
  }

  /// One lane a field; the lanes above the last field are zero.
  public var lanes: SIMD16<Int64>

  public init() { lanes = SIMD16(repeating: 0) }

  @inline(__always)
  public subscript(field: Field) -> Int64 {
    get { lanes[field.rawValue] }
    set { lanes[field.rawValue] = newValue }
  }

  public var isZero: Bool { lanes == SIMD16(repeating: 0) }

  @inline(__always)
  public mutating func merge(_ other: Counters, sign: Int64 = 1) {
    lanes &+= other.lanes &* sign
  }
}
