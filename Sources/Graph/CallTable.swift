import Model

/// A gathered window as numbered nodes and whom each calls: what searches walk over.
/// Nodes are numbered in the order they are shown, so searches that go by number are repeatable.
struct CallTable {
  let references: [NodeReference]
  /// By node: whom it calls, ascending, each once.
  let next: [[Int]]

  /// By node: who calls it, ascending, each once.
  let callers: [[Int]]

  private let gathering: Gathering
  private let selection: GraphSelection
  private let edges: [Pair: [Gathering.NamedEdge]]

  private struct Pair: Hashable {
    var client: NameID
    var server: NameID
  }

  /// - Parameter environment: as in `GraphOptions`.
  init(_ gathering: Gathering, environment: String?) {
    var selection = GraphSelection(gathering)
    if let environment { selection.keep(environment: environment, of: gathering) }
    let references = selection.nodes.compactMap { gathering.references[$0] }
      .sorted(by: NodeReference.precedes)
    let numbers = Dictionary(
      uniqueKeysWithValues: references.enumerated().map { ($1.nameID, $0) })
    let edges = Dictionary(grouping: gathering.sorted(selection.edges)) { edge in
      Pair(client: edge.key.client, server: edge.key.server)
    }
    var next = [[Int]](repeating: [], count: references.count)
    var callers = next
    for pair in edges.keys where pair.client != pair.server {
      guard let client = numbers[pair.client], let server = numbers[pair.server] else { continue }
      next[client].append(server)
      callers[server].append(client)
    }
    self.gathering = gathering
    self.selection = selection
    self.references = references
    self.edges = edges
    self.next = next.map { $0.sorted() }
    self.callers = callers.map { $0.sorted() }
  }

  /// The nodes a name or an id stands for.
  /// - Errors: `GraphError` when there is none, or several with different ids.
  func indices(named service: String, _ options: GraphOptions) throws(GraphError) -> [Int] {
    let roots = try GraphBuilder.roots(
      named: service, namespace: options.namespace, among: selection, of: gathering)
    let wanted = Set(roots)
    return references.indices.filter { wanted.contains(references[$0].nameID) }
  }

  /// The edges from one node to another, one a connection type.
  func hop(_ client: Int, _ server: Int) -> [Edge] {
    let pair = Pair(client: references[client].nameID, server: references[server].nameID)
    return (edges[pair] ?? []).map { gathering.edge($0.key, $0.client, $0.server) }
  }

  /// Calls from one node to another, over all connection types, adjusted for sampling.
  func requests(_ client: Int, _ server: Int) -> Double {
    let pair = Pair(client: references[client].nameID, server: references[server].nameID)
    return (edges[pair] ?? []).reduce(0) { sum, edge in
      sum + (gathering.edges[edge.key]?.counters.adjusted(.requestsAdjusted) ?? 0)
    }
  }

  /// Requests to a node that are no call of another one, adjusted for sampling. Exact: a call and
  /// the request it makes are counted in the same window with the same weight.
  func requestsFromOutside(_ node: Int) -> Double {
    let reference = references[node]
    let all = gathering.nodes[reference.nameID]?.counters.adjusted(.requestsAdjusted) ?? 0
    return all - callers[node].reduce(0) { $0 + requests($1, node) }
  }

  func path(_ numbers: [Int]) -> GraphPaths.Path {
    GraphPaths.Path(
      nodes: numbers.map { gathering.node(references[$0]) },
      hops: zip(numbers, numbers.dropFirst()).map { hop($0, $1) })
  }
}
