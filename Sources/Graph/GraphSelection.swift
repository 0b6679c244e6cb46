import Model

/// The part of a gathered window that is to be shown.
struct GraphSelection {
  var nodes: Set<NameID>
  var edges: Set<Gathering.EdgeKey>
  var traffic: Set<Gathering.TrafficKey>

  init(_ gathering: Gathering) {
    nodes = Set(gathering.references.keys)
    edges = Set(gathering.edges.keys)
    traffic = Set(gathering.traffic.keys)
  }

  mutating func formUnion(_ other: GraphSelection) {
    nodes.formUnion(other.nodes)
    edges.formUnion(other.edges)
    traffic.formUnion(other.traffic)
  }

  /// A way from one node to another.
  private enum Link: Hashable {
    case edge(Gathering.EdgeKey)
    case traffic(Gathering.TrafficKey)

    var client: NameID {
      switch self {
      case .edge(let key): key.client
      case .traffic(let key): key.client
      }
    }

    var server: NameID {
      switch self {
      case .edge(let key): key.server
      case .traffic(let key): key.server
      }
    }
  }

  private var links: [Link] { edges.map(Link.edge) + traffic.map(Link.traffic) }

  private mutating func keep(_ links: some Sequence<Link>) {
    edges = []
    traffic = []
    for link in links {
      switch link {
      case .edge(let key): edges.insert(key)
      case .traffic(let key): traffic.insert(key)
      }
    }
  }

  /// Keeps one environment: its nodes, and what they call that belongs to none (a database nobody
  /// traces may not say where it runs).
  mutating func keep(environment: String, of gathering: Gathering) {
    let inside = nodes.filter { gathering.references[$0]?.environment == environment }
    var shared: Set<NameID> = []
    for link in links {
      for (here, there) in [(link.client, link.server), (link.server, link.client)]
      where inside.contains(here) {
        guard let peer = gathering.references[there] else { continue }
        if peer.kind != .service, peer.environment.isEmpty { shared.insert(there) }
      }
    }
    nodes = inside.union(shared)
    keep(links.filter { nodes.contains($0.client) && nodes.contains($0.server) })
  }

  /// Keeps the services of one namespace, their calls, and the other ends of those.
  mutating func keep(namespace: String, of gathering: Gathering) {
    let inside = nodes.filter { gathering.references[$0]?.namespace == namespace }
    keep(links.filter { inside.contains($0.client) || inside.contains($0.server) })
    nodes = inside.union(links.map(\.client)).union(links.map(\.server))
  }

  /// Keeps what can be reached from `roots`, and the calls walked on the way.
  mutating func keep(around roots: [NameID], depth: Int?, direction: Direction) {
    var walked: Set<Link> = []
    var reached = Set(roots)
    if direction != .up {
      let calls = Dictionary(grouping: links, by: \.client)
      walk(roots, depth, calls, next: \.server, &reached, &walked)
    }
    if direction != .down {
      let calls = Dictionary(grouping: links, by: \.server)
      walk(roots, depth, calls, next: \.client, &reached, &walked)
    }
    nodes = reached
    keep(walked)
  }

  /// Breadth first, one round a step of depth.
  private func walk(
    _ roots: [NameID], _ depth: Int?, _ calls: [NameID: [Link]],
    next: KeyPath<Link, NameID>, _ reached: inout Set<NameID>, _ walked: inout Set<Link>
  ) {
    var seen = Set(roots)
    var frontier = roots
    var steps = 0
    while !frontier.isEmpty, depth.map({ steps < $0 }) ?? true {
      var found: [NameID] = []
      for link in frontier.flatMap({ calls[$0] ?? [] }) {
        walked.insert(link)
        if seen.insert(link[keyPath: next]).inserted { found.append(link[keyPath: next]) }
      }
      frontier = found
      steps += 1
    }
    reached.formUnion(seen)
  }
}
