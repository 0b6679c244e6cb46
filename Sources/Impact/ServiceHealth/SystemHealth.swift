public import Model

/// The health of every service over one stretch of windows, against what it is held to and against
/// another stretch, its history.
///
/// As everywhere, only what is *shown* to be bad counts: of a rate the lower end of its anytime-valid
/// interval, of a rise what is left of it after four standard errors. So a service with little traffic
/// is healthy until shown otherwise, and no part is worse for chance alone.
public struct SystemHealth: Sendable {
  let search: CauseSearch
  let current: [Window]
  let errorsTolerated: Double
  let objectives: [NameID: ServiceObjective]
  /// By server and by client, peers called by the names of services that answered to them.
  let incoming: [NameID: [SystemHistory.Edge]]
  let outgoing: [NameID: [SystemHistory.Edge]]

  /// The kinds of series that tell of health, and all there are of use.
  public static let kinds: Set<SeriesKind> = [.node, .operation, .edge, .wait, .answered]

  /// - Parameters:
  ///   - base: the history, windows in order of time, all of one width; empty for none.
  ///   - current: the same of the time asked about.
  ///   - seconds: how long one window is.
  ///   - errorsTolerated: the share of requests that may fail where no objective says so.
  public init(
    base: [Window] = [], current: [Window], seconds: Double, errorsTolerated: Double,
    objectives: [NameID: ServiceObjective] = [:]
  ) {
    search = CauseSearch(
      base: SystemHistory(base, seconds: seconds),
      current: SystemHistory(current, seconds: seconds))
    self.current = current
    self.errorsTolerated = GateSettings(errorsTolerated: errorsTolerated).errorsTolerated
    self.objectives = objectives
    var incoming: [NameID: [SystemHistory.Edge]] = [:]
    var outgoing: [NameID: [SystemHistory.Edge]] = [:]
    for edge in search.current.edges.keys {
      incoming[search.service(edge.server), default: []].append(edge)
      outgoing[edge.client, default: []].append(edge)
    }
    self.incoming = incoming.mapValues { $0.sorted(by: SystemHealth.precedes) }
    self.outgoing = outgoing.mapValues { $0.sorted(by: SystemHealth.precedes) }
  }

  private static func precedes(_ a: SystemHistory.Edge, _ b: SystemHistory.Edge) -> Bool {
    (a.client, a.server) < (b.client, b.server)
  }

  /// Everything that was seen in either stretch, or only called, in order of ids.
  public var nodes: [NameID] {
    var nodes = Set(search.base.nodes.keys).union(search.current.nodes.keys)
    nodes.formUnion(search.callers.keys)
    nodes.formUnion(search.callees.keys)
    return nodes.filter { search.service($0) == $0 }.sorted()
  }

  public func health(of node: NameID) -> ServiceHealth {
    let health = Health(parts: parts(of: node))
    return ServiceHealth(
      node: node, health: health, why: health.score == nil ? silence(of: node) : nil,
      upstream: neighbours(incoming[node] ?? [], other: \.client),
      downstream: neighbours(outgoing[node] ?? []) { search.service($0.server) })
  }

  /// 0…100; nil without data.
  public func score(of node: NameID) -> Double? {
    ServiceHealth.rounded(Health(parts: parts(of: node)).score)
  }

  func parts(of node: NameID) -> [Health.Part] {
    ownParts(of: node) + dependencyParts(of: node) + callerParts(of: node)
  }

  private func silence(of node: NameID) -> String {
    let before = search.base.nodes[node]?.traces.count ?? 0
    return before > 0
      ? "no request came in this time; \(grouped(Int64(before))) came in the time before"
      : "no request to it was seen, and nobody called it"
  }

  // MARK: - Who is around it

  private func neighbours(
    _ edges: [SystemHistory.Edge], other: (SystemHistory.Edge) -> NameID
  ) -> [HealthNeighbour] {
    var found: [NameID: HealthNeighbour] = [:]
    for edge in edges {
      guard let history = search.current.edges[edge] else { continue }
      let node = other(edge)
      var neighbour =
        found[node]
        ?? HealthNeighbour(
          node: node, calls: 0, failed: 0, propagated: 0, absorbed: 0, lostMilliseconds: 0)
      neighbour.calls += history.failed.count
      neighbour.failed += history.failed.sum
      neighbour.propagated += history.propagated
      neighbour.absorbed += history.absorbed
      neighbour.lostMilliseconds += history.lost.sum
      if let rise = dragRise(edge) {
        neighbour.addedMilliseconds = max(neighbour.addedMilliseconds ?? 0, rise)
      }
      found[node] = neighbour
    }
    return found.values.sorted { a, b in
      if a.propagated != b.propagated { return a.propagated > b.propagated }
      let added = (a.addedMilliseconds ?? 0, b.addedMilliseconds ?? 0)
      if added.0 != added.1 { return added.0 > added.1 }
      return a.calls != b.calls ? a.calls > b.calls : a.node < b.node
    }
  }

  /// How much longer a call over an edge surely holds up its trace than before, milliseconds.
  func dragRise(_ edge: SystemHistory.Edge) -> Double? {
    guard let before = search.base.drags[edge], let after = search.current.drags[edge] else {
      return nil
    }
    return MeanChange(before, after)?.leastRise
  }
}
