public import Model

/// Turns one merged window into what users read.
/// - Cost: O(series) to gather, O(n log n) to sort what is shown.
public enum GraphBuilder {
  /// The graph, or the part of it `options` ask for. Shares stay shares of the whole range.
  /// - Errors: `GraphError`, only when `options.service` names none or several.
  public static func build(
    _ input: GraphInput, tenant: TenantID, options: GraphOptions
  ) throws(GraphError) -> ServiceGraph {
    let gathering = Gathering(
      input, tenant: tenant, dimensions: options.dimensions, showsTraffic: options.showsTraffic)
    let selection = try selection(of: gathering, options)
    return ServiceGraph(
      start: input.start, end: input.end, revision: input.revision,
      nodes: nodes(selection.nodes, of: gathering), edges: edges(selection.edges, of: gathering),
      traffic: gathering.trafficEdges(selection.traffic), coverage: gathering.coverage)
  }

  /// The part of a gathered window that `options` ask for.
  /// - Errors: as `build`.
  static func selection(
    of gathering: Gathering, _ options: GraphOptions
  ) throws(GraphError) -> GraphSelection {
    var selection = GraphSelection(gathering)
    if let environment = options.environment {
      selection.keep(environment: environment, of: gathering)
    }
    if let service = options.service {
      let roots = try roots(
        named: service, namespace: options.namespace, among: selection, of: gathering)
      selection.keep(around: roots, depth: options.depth, direction: options.direction)
    } else if let namespace = options.namespace {
      selection.keep(namespace: namespace, of: gathering)
    }
    return selection
  }

  /// All services, of one environment, namespace and some dimensions if asked for. Other kinds of nodes are not
  /// listed, and nothing else of `options` is looked at.
  public static func services(
    _ input: GraphInput, tenant: TenantID, options: GraphOptions = GraphOptions()
  ) -> ServiceList {
    let gathering = Gathering(
      input, tenant: tenant, dimensions: options.dimensions, showsTraffic: true)
    let shown = gathering.references.values.filter { reference in
      reference.kind == .service
        && (options.environment.map { $0 == reference.environment } ?? true)
        && (options.namespace.map { $0 == reference.namespace } ?? true)
    }
    return ServiceList(
      start: input.start, end: input.end, revision: input.revision,
      services: nodes(Set(shown.map(\.nameID)), of: gathering))
  }

  /// One node and what is directly around it.
  /// - Parameters:
  ///   - namespace: `""` for a service without one.
  ///   - name: a service's name, or (with `namespace` `""`) any node's id.
  ///   - dimensions: only requests with all of these; operations and versions are then left out.
  /// - Errors: `.unknownService`, or `.ambiguousEnvironment` when several environments have it.
  public static func service(
    _ input: GraphInput, tenant: TenantID, namespace: String, name: String, environment: String?,
    dimensions: [Dimensions.Pair] = []
  ) throws(GraphError) -> ServiceView {
    let gathering = Gathering(input, tenant: tenant, dimensions: dimensions, showsTraffic: true)
    let id = namespace.isEmpty ? name : NodeIdentity(namespace: namespace, name: name).path
    let known = gathering.references.values.filter { reference in
      environment.map { $0 == reference.environment } ?? true
    }
    var found = known.filter {
      $0.kind == .service && $0.namespace == namespace && $0.name == name
    }
    if found.isEmpty { found = known.filter { $0.id == id } }
    if found.isEmpty, namespace.isEmpty { found = known.filter { $0.plainID == name } }
    guard let node = found.first else {
      throw .unknownService(
        service: id, nearest: Spelling.nearest(to: id, among: known.map(\.id)))
    }
    guard found.count == 1 else {
      throw .ambiguousEnvironment(id: id, environments: found.map(\.environment).sorted())
    }
    return view(of: node, input, gathering)
  }

  private static func view(
    of node: NodeReference, _ input: GraphInput, _ gathering: Gathering
  ) -> ServiceView {
    let id = node.nameID
    let upstream = Set(gathering.edges.keys.filter { $0.server == id })
    let downstream = Set(gathering.edges.keys.filter { $0.client == id })
    return ServiceView(
      start: input.start, end: input.end, revision: input.revision,
      node: gathering.node(node), upstream: edges(upstream, of: gathering),
      downstream: edges(downstream, of: gathering),
      traffic: gathering.trafficEdges(
        Set(gathering.traffic.keys.filter { $0.client == id || $0.server == id })),
      operations: gathering.operationViews(of: id),
      versions: gathering.isPart ? [] : gathering.versionViews(of: id),
      dimensions: gathering.dimensionViews(of: id),
      notCounted: gathering.isPart ? ["operations", "versions"] : [],
      blastRadius: BlastRadius(of: id, gathering))
  }

  /// The one node a question is about.
  /// - Errors: as `service`.
  static func onlyNode(
    named service: String, of gathering: Gathering, _ options: GraphOptions
  ) throws(GraphError) -> NodeReference {
    var selection = GraphSelection(gathering)
    if let environment = options.environment {
      selection.keep(environment: environment, of: gathering)
    }
    let found = try roots(
      named: service, namespace: options.namespace, among: selection, of: gathering
    ).compactMap { gathering.references[$0] }
    guard let node = found.first, found.count == 1 else {
      throw .ambiguousEnvironment(
        id: found.first?.id ?? service, environments: found.map(\.environment).sorted())
    }
    return node
  }

  /// The nodes a name or an id stands for: one, or one id in several environments.
  static func roots(
    named service: String, namespace: String?, among selection: GraphSelection,
    of gathering: Gathering
  ) throws(GraphError) -> [NameID] {
    let known = selection.nodes.compactMap { gathering.references[$0] }
      .filter { reference in namespace.map { $0 == reference.namespace } ?? true }
    return try NodeReference.named(service, among: known).map(\.nameID)
  }

  private static func nodes(_ ids: Set<NameID>, of gathering: Gathering) -> [Node] {
    ids.compactMap { gathering.references[$0] }
      .sorted(by: NodeReference.precedes)
      .map(gathering.node)
  }

  private static func edges(_ keys: Set<Gathering.EdgeKey>, of gathering: Gathering) -> [Edge] {
    gathering.sorted(keys).map { gathering.edge($0.key, $0.client, $0.server) }
  }
}
