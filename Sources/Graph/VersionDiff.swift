public import Model

/// What is different between two versions of one service over one range.
/// - Units: rates are per second of the whole range, however little of it a version was running;
///   shares and durations compare by themselves.
public struct VersionDiff: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  public var changeMin: Double
  /// The service, with the figures of all its versions together.
  public var node: Node
  public var base: VersionView
  public var current: VersionView
  public var changes: [MetricChange]

  public var seconds: Double { rangeSeconds(start, end) }

  /// What is not counted by version, so cannot be compared.
  public static let notCompared = ["edges", "operations", "errors_absorbed"]
}

extension VersionDiff {
  /// Compares `version` with `baseVersion`.
  /// - Errors: `GraphError` when the service is unknown or stands for several, or when one of the
  ///   versions was not seen.
  public static func compare(
    _ input: GraphInput, tenant: TenantID, options: GraphOptions, service: String,
    version: String, baseVersion: String, changeMin: Double = GraphDiff.changeMinDefault
  ) throws(GraphError) -> VersionDiff {
    let gathering = Gathering(input, tenant: tenant)
    let node = try GraphBuilder.onlyNode(named: service, of: gathering, options)
    let views = gathering.versionViews(of: node.nameID)
    func view(_ version: String) throws(GraphError) -> VersionView {
      if let view = views.first(where: { $0.version == version }) { return view }
      throw .unknownVersion(
        service: node.id, version: version, seen: views.map(\.version).filter { !$0.isEmpty })
    }
    func sums(_ version: String) -> Sums {
      let versions = gathering.versions[node.nameID] ?? [:]
      return versions.first { gathering.text($0.key) == version }?.value ?? Sums()
    }
    let current = try view(version)
    let base = try view(baseVersion)
    let seconds = rangeSeconds(input.start, input.end)
    return VersionDiff(
      start: input.start, end: input.end, revision: input.revision, changeMin: changeMin,
      node: gathering.node(node), base: base, current: current,
      changes: GraphDiff.changes(base.figures, current.figures, seconds, seconds, changeMin)
        .judged(
          ChanceSide(node: sums(baseVersion), seconds: seconds),
          ChanceSide(node: sums(version), seconds: seconds)))
  }
}
