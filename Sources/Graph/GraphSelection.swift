import Model

/// The part of a gathered window that is to be shown.
struct GraphSelection {
  var nodes: Set<NameID>
  var edges: Set<Gathering.EdgeKey>

  init(_ gathering: Gathering) {
    nodes = Set(gathering.references.keys)
    edges = Set(gathering.edges.keys)
  }

  /// Keeps one environment: its nodes, and what they call that belongs to none (a database nobody
  /// traces may not say where it runs).
  mutating func keep(environment: String, of gathering: Gathering) {
    let inside = nodes.filter { gathering.references[$0]?.environment == environment }
    var shared: Set<NameID> = []
    for edge in edges {
      for (here, there) in [(edge.client, edge.server), (edge.server, edge.client)]
      where inside.contains(here) {
        guard let peer = gathering.references[there] else { continue }
        if peer.kind != .service, peer.environment.isEmpty { shared.insert(there) }
      }
    }
    nodes = inside.union(shared)
    edges = edges.filter { nodes.contains($0.client) && nodes.contains($0.server) }
  }

  /// Keeps the services of one namespace, their calls, and the other ends of those.
  mutating func keep(namespace: String, of gathering: Gathering) {
    let inside = nodes.filter { gathering.references[$0]?.namespace == namespace }
    edges = edges.filter { inside.contains($0.client) || inside.contains($0.server) }
    nodes = inside.union(edges.map(\.client)).union(edges.map(\.server))
  }

  /// Keeps what can be reached from `roots`, and the calls walked on the way.
  mutating func keep(around roots: [NameID], depth: Int?, direction: Direction) {
    var walkedEdges: Set<Gathering.EdgeKey> = []
    var reached = Set(roots)
    if direction != .up {
      let calls = Dictionary(grouping: edges, by: \.client)
      walk(roots, depth, calls, next: \.server, &reached, &walkedEdges)
    }
    if direction != .down {
      let calls = Dictionary(grouping: edges, by: \.server)
      walk(roots, depth, calls, next: \.client, &reached, &walkedEdges)
    }
    nodes = reached
    edges = walkedEdges
  }

  /// Breadth first, one round a step of depth.
  private func walk(
    _ roots: [NameID], _ depth: Int?, _ calls: [NameID: [Gathering.EdgeKey]],
    next: KeyPath<Gathering.EdgeKey, NameID>, _ reached: inout Set<NameID>,
    _ walked: inout Set<Gathering.EdgeKey>
  ) {
    var seen = Set(roots)
    var frontier = roots
    var steps = 0
    while !frontier.isEmpty, depth.map({ steps < $0 }) ?? true {
      var found: [NameID] = []
      for edge in frontier.flatMap({ calls[$0] ?? [] }) {
        walked.insert(edge)
        if seen.insert(edge[keyPath: next]).inserted { found.append(edge[keyPath: next]) }
      }
      frontier = found
      steps += 1
    }
    reached.formUnion(seen)
  }
}
