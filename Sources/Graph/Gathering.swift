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
  /// Of each service: the instances, each with the version it ran.
  private(set) var instances: [NameID: [(instance: NameID, version: NameID)]] = [:]
  /// All critical-path time: that of nodes, and that of the gaps on edges, which is no node's.
  private(set) var criticalPathNanos: Int64 = 0
  private(set) var coverage = Coverage()

  private let tenant: TenantID
  private let names: [NameID: Name]
  private let aliases: PeerAliases
  private let showsTraffic: Bool
  private var foreign: Set<NameID> = []

  /// Under this name `Coverage.overflow` counts series whose name is not known any more.
  static let missingNamesLabel = "names_missing"

  /// - Parameter showsTraffic: with what no span tells of; otherwise that only helps to name peers.
  init(_ input: GraphInput, tenant: TenantID, showsTraffic: Bool = false) {
    self.tenant = tenant
    self.showsTraffic = showsTraffic
    names = input.names
    aliases = PeerAliases(input)
    for (key, sums) in input.window.series { take(key, sums) }
  }

  private mutating func take(_ key: SeriesKey, _ sums: Sums) {
    let first = aliases.node(NameID(key.first))
    var second = NameID(key.second)
    switch key.kind {
    case .node:
      guard isShown(first) else { return }
      nodes[first, default: Sums()].merge(sums)
    case .edge:
      second = aliases.node(second)
      guard isShown(first), isShown(second) else { return }
      var type = UInt8(exactly: key.third).flatMap(ConnectionType.init(rawValue:)) ?? .direct
      if second.raw != key.second || first.raw != key.first { type = .direct }
      edges[EdgeKey(client: first, server: second, type: type), default: Sums()].merge(sums)
      absorbed[first, default: 0] &+= sums.counters[.absorbedAdjusted]
    case .version:
      if isShown(first) { versions[first, default: [:]][second] = sums }
    case .operation:
      if isShown(first) { operations[first, default: [:]][second] = sums }
    case .instance:
      if isShown(first) { instances[first, default: []].append((second, NameID(key.third))) }
    case .unpaired:
      if key.first == UInt64(tenant.raw) { takeUnpaired(key.second, sums.counters) }
    case .overflow:
      if key.first == UInt64(tenant.raw) { takeOverflow(key.second, sums.counters) }
    case .unreached, .path, .answered: break
    case .call: calls[first, default: [:]][second] = sums
    case .traffic:
      guard showsTraffic, let kind = TrafficKind(number: key.third) else { return }
      takeTraffic(
        TrafficKey(client: first, server: aliases.node(second), source: kind.source),
        kind.end, sums)
    case .coverage:
      guard key.first == UInt64(tenant.raw) else { return }
      criticalPathNanos &+= sums.counters[.criticalPathNanos]
      takeCoverage(sums.counters)
    }
  }

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
    coverage.unpaired[reason.label, default: 0] &+= counters[.requests]
  }

  private mutating func takeOverflow(_ number: UInt64, _ counters: Counters) {
    guard let kind = UInt8(exactly: number).flatMap(NameKind.init(rawValue:)) else { return }
    let spans = UInt64(clamping: counters[.requests])
    coverage.overflow[NameLimits.label(of: kind), default: 0] &+= spans
  }

  private mutating func takeCoverage(_ counters: Counters) {
    coverage.spans &+= counters[.requests]
    coverage.traces &+= counters[.traces]
    coverage.lateSpans &+= counters[.late]
    coverage.duplicates &+= counters[.duplicates]
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
      figures: Figures(nodes[id] ?? Sums(), criticalPathNanos: criticalPathNanos),
      errorsAbsorbed: Double(absorbed[id] ?? 0) / Double(SpanRecord.weightOne))
  }

  /// nil when nothing of the range is about it.
  func nodeIfSeen(_ reference: NodeReference) -> Node? {
    references[reference.nameID] == nil ? nil : node(reference)
  }

  /// Edges in the order they are shown, each with its ends; those of other windows are left out.
  func sorted(_ keys: Set<EdgeKey>) -> [NamedEdge] {
    keys.compactMap { key -> NamedEdge? in
      guard let client = references[key.client], let server = references[key.server] else {
        return nil
      }
      return NamedEdge(key: key, client: client, server: server)
    }.sorted(by: NamedEdge.precedes)
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
    let propagated = counters.adjusted(.propagatedAdjusted)
    let absorbed = counters.adjusted(.absorbedAdjusted)
    let failed = counters.adjusted(.errorsAdjusted)
    return Edge(
      clientNameID: key.client, serverNameID: key.server, client: client.id, server: server.id,
      clientEnvironment: client.environment, serverEnvironment: server.environment,
      connectionType: key.type, requests: counters.adjusted(.requestsAdjusted), failed: failed,
      clientLatency: DurationSummary(sums.clientLatency),
      serverLatency: DurationSummary(sums.latency), gap: DurationSummary(sums.ownTime),
      criticalPathShare: share(
        Double(counters[.criticalPathNanos]), of: Double(criticalPathNanos)),
      errorPropagation: ErrorPropagation(
        calleeFailures: failed, propagated: propagated, absorbed: absorbed,
        probability: share(propagated, of: propagated + absorbed)),
      exemplars: sums.exemplars.traces)
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
        perRequest: requests > 0 ? Double(calls) / Double(requests) : nil)
    }.sorted { ($0.callee, $0.operation) < ($1.callee, $1.operation) }
  }

  /// What was called, as users read it; nil when its name is gone.
  private func calleeLabel(_ id: NameID) -> (node: String, operation: String)? {
    if id.isNone { return (Name.overflowText, "") }
    guard let name = names[id] else { return nil }
    if let node = NodeReference(name) { return (node.id, "") }
    guard name.kind == .operation, let owner = names[name.scope].flatMap({ NodeReference($0) })
    else { return nil }
    return (owner.id, name.text)
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
