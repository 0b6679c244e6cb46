public import Model

/// What is different between the graphs of two ranges.
/// - Shape: nodes and edges in the order of `ServiceGraph`.
/// - Units: rates are per second of their own range, so that ranges of different lengths compare.
public struct GraphDiff: Sendable, Equatable {
  /// A node with the figures of both sides; a side it is not in is nil.
  public struct NodeDifference: Sendable, Equatable {
    public var base: Node?
    public var current: Node?
    public var changes: [MetricChange]
    public var newVersions: [String]
    public var vanishedVersions: [String]
  }

  /// An edge with the figures of both sides; a side it is not in is nil.
  public struct EdgeDifference: Sendable, Equatable {
    public var base: Edge?
    public var current: Edge?
    public var changes: [MetricChange]
  }

  /// One of the two sides.
  public struct Side: Sendable, Equatable {
    public var start: Nanos
    public var end: Nanos
    public var coverage: Coverage

    public var seconds: Double { rangeSeconds(start, end) }
  }

  public var revision: UInt64
  public var base: Side
  public var current: Side
  /// The least relative change that was shown.
  public var changeMin: Double
  public var nodes = Differences<NodeDifference>()
  public var edges = Differences<EdgeDifference>()
  /// What operations call; nil where that was not compared.
  public var calls: Differences<OperationCall>?
}

extension GraphDiff {
  /// The least relative change that is shown unless another is asked for.
  public static let changeMinDefault = 0.1

  /// Compares two ranges.
  ///
  /// What `options` ask for is chosen from both ranges together: a service that lost its last call
  /// is still shown, as vanished, and the name asked for stands for the same service on both sides.
  /// - Parameter structure: both ranges in whole minutes, the base first, with the series of nodes, edges,
  ///   answers, instances, operations, and what these call; nil where that is not compared.
  /// - Errors: as `GraphBuilder.build`; a service is unknown when neither range has it.
  public static func compare(
    base: GraphInput, current: GraphInput, tenant: TenantID, options: GraphOptions,
    changeMin: Double = changeMinDefault, structure: (base: GraphInput, current: GraphInput)? = nil
  ) throws(GraphError) -> GraphDiff {
    let before = Gathering(base, tenant: tenant, dimensions: options.dimensions)
    let after = Gathering(current, tenant: tenant, dimensions: options.dimensions)
    var selection = try selection(base, current, tenant, options)
    // Whom an address or a name stands for is found on each side by itself: what both together show may
    // have other ends. A side that does not know what is asked about adds nothing: that neither does was
    // an error above.
    for side in [before, after] {
      if let own = try? GraphBuilder.selection(of: side, options) { selection.formUnion(own) }
    }
    var diff = GraphDiff(
      revision: current.revision,
      base: Side(start: base.start, end: base.end, coverage: before.coverage),
      current: Side(start: current.start, end: current.end, coverage: after.coverage),
      changeMin: changeMin)
    let references = selection.nodes.compactMap {
      after.references[$0] ?? before.references[$0]
    }
    for reference in references.sorted(by: NodeReference.precedes) {
      diff.take(
        before.nodeIfSeen(reference), after.nodeIfSeen(reference),
        [before, after].map { $0.nodes[reference.nameID] ?? Sums() })
    }
    // An edge both sides have is named by the current one.
    let edges =
      after.sorted(selection.edges.filter { after.edges[$0] != nil })
      + before.sorted(selection.edges.filter { after.edges[$0] == nil })
    for edge in edges.sorted(by: Gathering.NamedEdge.precedes) {
      diff.take(
        before.edgeIfSeen(edge), after.edgeIfSeen(edge),
        [before, after].map { $0.edges[edge.key] ?? Sums() })
    }
    if let structure {
      diff.calls = OperationCall.differences(
        Gathering(structure.base, tenant: tenant), Gathering(structure.current, tenant: tenant),
        of: selection.nodes, changeMin)
    }
    return diff
  }

  private static func selection(
    _ base: GraphInput, _ current: GraphInput, _ tenant: TenantID, _ options: GraphOptions
  ) throws(GraphError) -> GraphSelection {
    var both = current
    both.window.merge(base.window)
    both.names.merge(base.names) { current, _ in current }
    return try GraphBuilder.selection(
      of: Gathering(both, tenant: tenant, dimensions: options.dimensions), options)
  }

  /// - Parameter sums: of both sides, the base first.
  private mutating func take(_ before: Node?, _ after: Node?, _ sums: [Sums]) {
    var difference = NodeDifference(
      base: before, current: after, changes: [], newVersions: [], vanishedVersions: [])
    if let before, let after {
      difference.changes = GraphDiff.changes(
        before.figures, after.figures, base.seconds, current.seconds, changeMin
      ).judged(
        ChanceSide(node: sums[0], seconds: base.seconds),
        ChanceSide(node: sums[1], seconds: current.seconds))
      difference.newVersions = after.versions.filter { !before.versions.contains($0) }
      difference.vanishedVersions = before.versions.filter { !after.versions.contains($0) }
    }
    let isChanged =
      !difference.changes.isEmpty || !difference.newVersions.isEmpty
      || !difference.vanishedVersions.isEmpty
    nodes.take(
      difference, inBase: before != nil, inCurrent: after != nil, isChanged: isChanged)
  }

  private mutating func take(_ before: Edge?, _ after: Edge?, _ sums: [Sums]) {
    var difference = EdgeDifference(base: before, current: after, changes: [])
    if let before, let after { difference.changes = changes(before, after, sums) }
    edges.take(
      difference, inBase: before != nil, inCurrent: after != nil,
      isChanged: !difference.changes.isEmpty)
  }

  private func changes(_ before: Edge, _ after: Edge, _ sums: [Sums]) -> [MetricChange] {
    // Both sides of an edge are compared as the same end saw them.
    let servers = (before.serverLatency, after.serverLatency)
    let isByServer = servers.0 != nil && servers.1 != nil
    let latencies = isByServer ? servers : (before.clientLatency, after.clientLatency)
    let histograms = sums.map { isByServer ? $0.latency : $0.clientLatency }
    return [
      MetricChange(
        .requestRate, base: before.requests / base.seconds,
        current: after.requests / current.seconds, changeMin: changeMin),
      MetricChange(
        .errorRate, base: before.failedShare, current: after.failedShare, changeMin: changeMin),
      MetricChange(
        .latencyP95, base: latencies.0?.p95, current: latencies.1?.p95, changeMin: changeMin),
    ].compactMap { $0 }.judged(
      ChanceSide(edge: sums[0], seconds: base.seconds, latency: histograms[0]),
      ChanceSide(edge: sums[1], seconds: current.seconds, latency: histograms[1]))
  }

  /// What moved between the figures of two nodes, versions or operations.
  static func changes(
    _ before: Figures, _ after: Figures, _ secondsBefore: Double, _ secondsAfter: Double,
    _ changeMin: Double
  ) -> [MetricChange] {
    [
      MetricChange(
        .requestRate, base: before.requests / secondsBefore,
        current: after.requests / secondsAfter, changeMin: changeMin),
      MetricChange(
        .errorRate, base: before.errorRate, current: after.errorRate, changeMin: changeMin),
      MetricChange(
        .latencyP95, base: before.latency?.p95, current: after.latency?.p95,
        changeMin: changeMin),
    ].compactMap { $0 }
  }
}
