import Model

/// The series of a window, sorted by what they are about: one pass, before anything is shown.
/// Only the asking tenant's; a series whose node has no name is left out and counted.
struct Gathering {
  struct EdgeKey: Hashable {
    var client: NameID
    var server: NameID
    var type: ConnectionType
  }

  struct TrafficKey: Hashable {
    var client: NameID
    var server: NameID
    var source: TrafficSource
  }

  /// An edge with its ends.
  struct NamedEdge {
    var key: EdgeKey
    var client: NodeReference
    var server: NodeReference

    /// By client, then server, then connection type.
    static func precedes(_ a: NamedEdge, _ b: NamedEdge) -> Bool {
      if a.client != b.client { return NodeReference.precedes(a.client, b.client) }
      if a.server != b.server { return NodeReference.precedes(a.server, b.server) }
      return a.key.type.label < b.key.type.label
    }
  }

  private(set) var references: [NameID: NodeReference] = [:]
  private(set) var nodes: [NameID: Sums] = [:]
  private(set) var edges: [EdgeKey: Sums] = [:]
  /// By the end that recorded it: where both do, each tells of the same calls.
  private(set) var traffic: [TrafficKey: [TrafficEnd: Sums]] = [:]
  /// Of each caller: failed calls after which its own request did not fail, in 1/256ths.
  private(set) var absorbed: [NameID: Int64] = [:]
  private(set) var versions: [NameID: [NameID: Sums]] = [:]
  private(set) var operations: [NameID: [NameID: Sums]] = [:]
  /// Of each operation what it calls.
  private(set) var calls: [NameID: [NameID: Sums]] = [:]
  /// Of each client, by server: what its calls hold up.
  private(set) var waits: [NameID: [NameID: Sums]] = [:]
  /// Of each service: the instances, each with the version it ran.
  private(set) var instances: [NameID: [(instance: NameID, version: NameID)]] = [:]
  /// Of each node its requests by their dimensions.
  private(set) var dimensions: [NameID: [NameID: Sums]] = [:]
  /// All critical-path time: that of nodes, and that of the gaps on edges, which is no node's.
  private(set) var criticalPathNanos: Int64 = 0
  private(set) var coverage = Coverage()

  private let tenant: TenantID
  private let names: [NameID: Name]
  private let aliases: PeerAliases
  private let showsTraffic: Bool
  private var foreign: Set<NameID> = []
  private var filter: DimensionFilter

  /// Under this name `Coverage.overflow` counts series whose name is not known any more.
  static let missingNamesLabel = "names_missing"

  /// - Parameters:
  ///   - dimensions: only requests with all of these count; empty: all requests.
  ///   - showsTraffic: with what no span tells of; otherwise that only helps to name peers. Of a part by
  ///     dimension it is left out: logs do not say where they belong.
  init(
    _ input: GraphInput, tenant: TenantID, dimensions: [Dimensions.Pair] = [],
    showsTraffic: Bool = false
  ) {
    self.tenant = tenant
    self.showsTraffic = showsTraffic && dimensions.isEmpty
    filter = DimensionFilter(dimensions, of: input)
    names = input.names
    aliases = PeerAliases(input)
    if input.addressesLeftOut > 0 {
      coverage.overflow[ChangedHands.overflowLabel] = UInt64(input.addressesLeftOut)
    }
    for (key, sums) in input.window.series { take(key, sums) }
    // What a trace takes back may be here before what it was counted by.
    edges = edges.filter { $0.value.counters[.requests] >= 0 }
  }

  private mutating func take(_ key: SeriesKey, _ sums: Sums) {
    let first = aliases.node(NameID(key.first))
    let second = NameID(key.second)
    switch key.kind {
    case .node:
      guard !filter.isSet, isShown(first) else { return }
      nodes[first, default: Sums()].merge(sums)
    case .edge:
      guard !filter.isSet else { return }
      let type = UInt8(exactly: key.third).flatMap(ConnectionType.init(rawValue:))
      takeEdge(key, type ?? .direct, sums)
    case .dimension:
      guard isWanted(first) else { return }
      dimensions[first, default: [:]][second, default: Sums()].merge(sums)
      guard filter.isSet, filter.matches(second), isShown(first) else { return }
      nodes[first, default: Sums()].merge(sums)
    case .dimensionEdge:
      guard filter.isSet, filter.matches(NameID(key.third)) else { return }
      takeEdge(key, filter.type(ofEdge: key), sums)
    case .version:
      if isWanted(first) { versions[first, default: [:]][second] = sums }
    case .operation:
      if !filter.isSet, isShown(first) { operations[first, default: [:]][second] = sums }
    case .instance:
      if isWanted(first) { instances[first, default: []].append((second, NameID(key.third))) }
    case .unpaired:
      if key.first == UInt64(tenant.raw) { takeUnpaired(key.second, sums.counters) }
    case .overflow:
      if key.first == UInt64(tenant.raw) { takeOverflow(key.second, sums.counters) }
    case .wait:
      let server = aliases.node(second)
      guard server != first || server == second else { return }
      var sums = sums
      // Under a name of its own, the call was the only one of the trace by that name.
      if server.raw != key.second { sums.clientLatency = Histogram() }
      waits[first, default: [:]][server, default: Sums()].merge(sums)
    case .unreached, .path, .errorPath, .answered, .queueAlias: break
    case .call: calls[first, default: [:]][aliases.node(second), default: Sums()].merge(sums)
    case .traffic:
      guard showsTraffic, let kind = TrafficKind(number: key.third) else { return }
      takeTraffic(
        TrafficKey(client: first, server: aliases.node(second), source: kind.source),
        kind.end, sums)
    case .coverage:
      guard key.first == UInt64(tenant.raw) else { return }
      switch key.second {
      case SeriesKey.skewOverLimitPart: coverage.skewOverLimit &+= sums.counters[.skewed]
      case SeriesKey.pairedPart: coverage.paired &+= sums.counters[.requests]
      default:
        criticalPathNanos &+= sums.counters[.criticalPathNanos]
        takeCoverage(sums.counters)
      }
    }
  }

  private mutating func takeEdge(_ key: SeriesKey, _ type: ConnectionType, _ sums: Sums) {
    let client = aliases.node(NameID(key.first))
    let server = aliases.node(NameID(key.second))
    guard isShown(client), isShown(server) else { return }
    if client == server, server.raw != key.second, type != .messagingSystem {
      return takeBack(ownCalls: sums, of: client)
    }
    let isNamed =
      client.raw == key.first && server.raw == key.second || type == .messagingSystem
    let type = isNamed ? type : .direct
    edges[EdgeKey(client: client, server: server, type: type), default: Sums()].merge(sums)
    absorbed[client, default: 0] &+= sums.counters[.absorbedAdjusted]
  }

  /// Calls of a service to a name of its own make no edge. Under that name they were requests too, which
  /// came from outside of nothing.
  private mutating func takeBack(ownCalls sums: Sums, of service: NameID) {
    coverage.unpaired[UnpairedReason.sameService.label, default: 0] &+= sums.counters[.requests]
    var requests = Sums()
    requests.squaredWeightExcess = sums.squaredWeightExcess
    requests.latency = sums.latency
    requests.ownTime = sums.latency
    for field: Counters.Field in [.requests, .requestsAdjusted, .errors, .errorsAdjusted] {
      requests.counters[field] = sums.counters[field]
    }
    requests.counters[.errorOriginsAdjusted] = sums.counters[.errorsAdjusted]
    nodes[service, default: Sums()].merge(requests, sign: -1)
  }

  /// Whether something about a node is of use. Of a part of the graph it is not known yet which nodes
  /// are shown: only what is counted by dimensions says so.
  private mutating func isWanted(_ id: NameID) -> Bool { filter.isSet || isShown(id) }

  /// Only requests with some dimensions are counted: what is not counted by them is not known.
  var isPart: Bool { filter.isSet }

  /// Whether a node is one of the tenant's and has a name; remembers how it is called.
  private mutating func isShown(_ id: NameID) -> Bool {
    if references[id] != nil { return true }
    if foreign.contains(id) { return false }
    guard let name = names[id], let reference = NodeReference(name) else {
      coverage.overflow[Gathering.missingNamesLabel, default: 0] += 1
      return false
    }
    guard name.tenant == tenant else {
      foreign.insert(id)
      return false
    }
    references[id] = reference
    return true
  }

  private mutating func takeTraffic(_ key: TrafficKey, _ end: TrafficEnd, _ sums: Sums) {
    guard isShown(key.client), isShown(key.server) else { return }
    traffic[key, default: [:]][end, default: Sums()].merge(sums)
    coverage.trafficRecords[key.source.label, default: 0] &+= sums.counters[.requests]
  }

  private mutating func takeUnpaired(_ number: UInt64, _ counters: Counters) {
    guard let reason = UInt8(exactly: number).flatMap(UnpairedReason.init(rawValue:)) else {
      return
    }
    if reason.isStandalone {
      coverage.standalone[reason.label, default: 0] &+= counters[.requests]
    } else {
      coverage.unpaired[reason.label, default: 0] &+= counters[.requests]
    }
  }

  /// Under these names `Coverage.overflow` counts what is about no name.
  static let pathsLabel = "paths_per_entry_point"
  static let callsLabel = "calls_per_operation"

  private mutating func takeOverflow(_ number: UInt64, _ counters: Counters) {
    let label: String
    switch number {
    case SeriesKey.overflowPathsPart: label = Gathering.pathsLabel
    case SeriesKey.overflowCallsPart: label = Gathering.callsLabel
    default:
      guard let kind = UInt8(exactly: number).flatMap(NameKind.init(rawValue:)) else { return }
      label = NameLimits.label(of: kind)
    }
    coverage.overflow[label, default: 0] &+= UInt64(clamping: counters[.requests])
  }

  private mutating func takeCoverage(_ counters: Counters) {
    coverage.spans &+= counters[.requests]
    coverage.traces &+= counters[.traces]
    coverage.lateSpans &+= counters[.late]
    coverage.duplicates &+= counters[.duplicates]
    coverage.skewAdjusted &+= counters[.skewed]
  }

  /// The text of a version, an instance or an operation; empty where spans named none.
  func text(_ id: NameID) -> String { names[id]?.text ?? "" }
}

extension Gathering {
  func node(_ reference: NodeReference) -> Node {
    let id = reference.nameID
    let versions = Set((versions[id] ?? [:]).keys.map(text)).subtracting([""])
    return Node(
      nameID: id, id: reference.id, environment: reference.environment,
      namespace: reference.namespace, service: reference.name, kind: reference.kind,
      versions: versions.sorted(),
      instances: Set((instances[id] ?? []).map(\.instance)).subtracting([.none]).count,
      clusters: clusters(of: id),
      figures: Figures(nodes[id] ?? Sums(), criticalPathNanos: criticalPathNanos),
      errorsAbsorbed: Double(absorbed[id] ?? 0) / Double(SpanRecord.weightOne))
  }

  /// nil when nothing of the range is about it.
  func nodeIfSeen(_ reference: NodeReference) -> Node? {
    references[reference.nameID] == nil ? nil : node(reference)
  }

  /// Edges in the order they are shown, each with its ends; those of other windows are left out.
  func sorted(_ keys: Set<EdgeKey>) -> [NamedEdge] {
    // Nodes are few: their order is found once, and edges compare the places of their ends in it.
    let nodes = references.values.sorted(by: NodeReference.precedes)
    var places: [NameID: Int] = [:]
    for (place, node) in nodes.enumerated() { places[node.nameID] = place }
    let placed = keys.compactMap { key -> (client: Int, server: Int, key: EdgeKey)? in
      guard let client = places[key.client], let server = places[key.server] else { return nil }
      return (client, server, key)
    }
    return placed.sorted { a, b in
      if a.client != b.client { return a.client < b.client }
      if a.server != b.server { return a.server < b.server }
      return a.key.type.label < b.key.type.label
    }.map { NamedEdge(key: $0.key, client: nodes[$0.client], server: nodes[$0.server]) }
  }

  /// Traffic in the order it is shown.
  func trafficEdges(_ keys: Set<TrafficKey>) -> [TrafficEdge] {
    let named = keys.compactMap { key in
      references[key.client].flatMap { client in
        references[key.server].map { (key: key, client: client, server: $0) }
      }
    }
    return named.sorted { a, b in
      if a.client != b.client { return NodeReference.precedes(a.client, b.client) }
      if a.server != b.server { return NodeReference.precedes(a.server, b.server) }
      return a.key.source.rawValue < b.key.source.rawValue
    }.map { trafficEdge($0.key, $0.client, $0.server) }
  }

  private func trafficEdge(
    _ key: TrafficKey, _ client: NodeReference, _ server: NodeReference
  ) -> TrafficEdge {
    let ends = (traffic[key] ?? [:]).sorted { $0.key.rawValue < $1.key.rawValue }
    // Of two that tell of the same calls, the one that missed fewer; of equals the client's, which
    // also saw what never arrived.
    var fullest = Sums()
    for (end, sums) in ends {
      let isFuller = sums.counters[.requests] > fullest.counters[.requests]
      let isEqual = sums.counters[.requests] == fullest.counters[.requests]
      if isFuller || isEqual && end == .client { fullest = sums }
    }
    let counters = fullest.counters
    return TrafficEdge(
      clientNameID: key.client, serverNameID: key.server, client: client.id, server: server.id,
      clientEnvironment: client.environment, serverEnvironment: server.environment,
      source: key.source, recordedBy: ends.map(\.key).filter { $0 != .unknown },
      records: counters[.requests],
      requests: key.source == .accessLog ? counters.adjusted(.requestsAdjusted) : nil,
      failed: counters.adjusted(.errorsAdjusted), bytes: counters[.bytes],
      latency: DurationSummary(fullest.latency))
  }

  /// nil when the range has no such edge.
  func edgeIfSeen(_ edge: NamedEdge) -> Edge? {
    edges[edge.key] == nil ? nil : self.edge(edge.key, edge.client, edge.server)
  }

  func edge(_ key: EdgeKey, _ client: NodeReference, _ server: NodeReference) -> Edge {
    let sums = edges[key] ?? Sums()
    let counters = sums.counters
    return Edge(
      clientNameID: key.client, serverNameID: key.server, client: client.id, server: server.id,
      clientEnvironment: client.environment, serverEnvironment: server.environment,
      connectionType: key.type, requests: counters.adjusted(.requestsAdjusted),
      failed: counters.adjusted(.errorsAdjusted), effectiveRequests: sums.effectiveRequests,
      clientLatency: DurationSummary(sums.clientLatency),
      serverLatency: DurationSummary(sums.latency), gap: DurationSummary(sums.ownTime),
      criticalPathShare: share(
        Double(counters[.criticalPathNanos]), of: Double(criticalPathNanos)),
      errorPropagation: Gathering.propagation(counters),
      wait: waits[key.client]?[key.server].map { CallWait($0) },
      exemplars: sums.exemplars.traces)
  }

  private static func propagation(_ counters: Counters) -> ErrorPropagation {
    let propagated = counters.adjusted(.propagatedAdjusted)
    let absorbed = counters.adjusted(.absorbedAdjusted)
    return ErrorPropagation(
      calleeFailures: counters.adjusted(.errorsAdjusted), propagated: propagated,
      absorbed: absorbed, probability: share(propagated, of: propagated + absorbed),
      absorbedTime: Double(counters[.absorbedNanos]) / 1e6,
      retryTime: Double(counters[.retryNanos]) / 1e6)
  }

  func operationViews(of service: NameID) -> [OperationView] {
    (operations[service] ?? [:]).map { id, sums in
      OperationView(
        operation: text(id), figures: Figures(sums, criticalPathNanos: criticalPathNanos),
        calls: callViews(of: id, requests: sums.counters[.requests]))
    }.sorted { $0.operation < $1.operation }
  }

  /// - Parameter requests: of the operation, raw.
  private func callViews(of operation: NameID, requests: Int64) -> [CallView] {
    (calls[operation] ?? [:]).compactMap { id, sums in
      guard let callee = calleeLabel(id) else { return nil }
      let calls = sums.counters[.requests]
      return CallView(
        callee: callee.node, operation: callee.operation,
        requests: sums.counters.adjusted(.requestsAdjusted),
        failed: sums.counters.adjusted(.errorsAdjusted),
        probability: share(Double(sums.counters[.traces]), of: Double(requests)),
        perRequest: requests > 0 ? Double(calls) / Double(requests) : nil,
        errorPropagation: Gathering.propagation(sums.counters))
    }.sorted { ($0.callee, $0.operation) < ($1.callee, $1.operation) }
  }

  /// The node an operation belongs to, or the node itself; nil when its name is gone.
  func service(of id: NameID) -> NameID? {
    names[id].map { $0.kind == .operation ? $0.scope : id }
  }

  /// What was called, as users read it; nil when its name is gone.
  func calleeLabel(_ id: NameID) -> (node: String, operation: String)? {
    if id.isNone { return (Name.overflowText, "") }
    guard let name = names[id] else { return nil }
    if let node = NodeReference(name) { return (node.id, "") }
    guard name.kind == .operation, let owner = names[name.scope].flatMap({ NodeReference($0) })
    else { return nil }
    return (owner.id, name.text)
  }

  private func clusters(of node: NameID) -> [String] {
    guard let combinations = dimensions[node] else { return [] }
    return Set(combinations.keys.compactMap { Dimensions(text: text($0))[Dimensions.cluster] })
      .sorted()
  }

  func dimensionViews(of node: NameID) -> [DimensionView] {
    var sums: [Dimensions.Pair: Sums] = [:]
    for (id, value) in dimensions[node] ?? [:] where text(id) != Name.overflowText {
      for pair in Dimensions(text: text(id)).pairs { sums[pair, default: Sums()].merge(value) }
    }
    return Dictionary(grouping: sums.keys, by: \.attribute).map { attribute, pairs in
      DimensionView(
        attribute: attribute,
        values: pairs.sorted { $0.value < $1.value }.map { pair in
          DimensionView.Value(
            value: pair.value,
            figures: Figures(sums[pair] ?? Sums(), criticalPathNanos: criticalPathNanos))
        })
    }.sorted { $0.attribute < $1.attribute }
  }

  func versionViews(of service: NameID) -> [VersionView] {
    (versions[service] ?? [:]).map { id, sums in
      let instances = (instances[service] ?? []).filter { $0.version == id && !$0.instance.isNone }
      return VersionView(
        version: text(id), instances: Set(instances.map(\.instance)).count,
        figures: Figures(sums, criticalPathNanos: criticalPathNanos))
    }.sorted { $0.version < $1.version }
  }
}
