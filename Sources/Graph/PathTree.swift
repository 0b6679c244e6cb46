import Model

/// The tree of paths in a window.
///
/// Series tell versions apart; what is shown does not, unless versions are compared. So the tree is
/// one of groups: all paths that request the same in the same order.
struct PathTree {
  /// What is requested at the end of a path.
  struct Step: Hashable {
    var service: String
    var serviceID: String
    var environment: String
    var operation: String

    var label: String { operation.isEmpty ? serviceID : "\(serviceID) \(operation)" }
  }

  /// One path, as a series has it.
  struct Node {
    var id: UInt64
    var parent: UInt64
    var operation: NameID
    var step: Step
    /// The version that answered; empty where none is named or it is not known any more.
    var version: String
    var sums: Sums
  }

  /// Paths that differ in nothing but versions.
  struct Group {
    var step: Step
    var nodes: [Node]
    var sums: Sums

    init(_ nodes: [Node], _ step: Step) {
      self.step = step
      self.nodes = nodes
      sums = nodes.dropFirst().reduce(into: nodes.first?.sums ?? Sums()) { $0.merge($1.sums) }
    }

    /// Those that were not told apart.
    var isOverflow: Bool { nodes.first?.operation.isNone ?? false }
  }

  /// By what is requested.
  private(set) var entries: [Group] = []
  private var children: [UInt64: [Node]] = [:]
  /// Errors that reached an entry point, by the path at whose end they began.
  private var errors: [UInt64: Sums] = [:]

  init(_ input: GraphInput, tenant: TenantID) {
    let versions = VersionNames(input)
    let aliases = PeerAliases(input)
    var roots: [Node] = []
    for (key, sums) in input.window.series {
      if key.kind == .errorPath { errors[key.first, default: Sums()].merge(sums) }
      guard key.kind == .path else { continue }
      let operation = aliases.node(NameID(key.third))
      guard let step = PathTree.step(operation, input.names, tenant) else { continue }
      let node = Node(
        id: key.first, parent: key.second, operation: operation, step: step,
        version: versions.version(of: key), sums: sums)
      if node.parent == 0 {
        roots.append(node)
      } else {
        children[node.parent, default: []].append(node)
      }
    }
    entries = PathTree.groups(of: roots)
  }

  /// nil for what is another tenant's, or has no name any more.
  private static func step(_ id: NameID, _ names: [NameID: Name], _ tenant: TenantID) -> Step? {
    if id.isNone {
      let text = Name.overflowText
      return Step(service: text, serviceID: text, environment: "", operation: "")
    }
    guard let name = names[id], name.tenant == tenant else { return nil }
    let operation = name.kind == .operation ? name.text : ""
    guard let owner = name.kind == .operation ? names[name.scope] : name,
      let reference = NodeReference(owner)
    else { return nil }
    return Step(
      service: reference.name, serviceID: reference.id, environment: reference.environment,
      operation: operation)
  }

  private static func groups(of nodes: [Node]) -> [Group] {
    guard nodes.count > 1 else { return nodes.map { Group([$0], $0.step) } }
    return Dictionary(grouping: nodes, by: \.operation)
      .sorted { $0.key < $1.key }
      .compactMap { _, nodes in
        let sorted = nodes.sorted { $0.id < $1.id }
        return sorted.first.map { Group(sorted, $0.step) }
      }
  }

  /// What is requested next.
  func next(after group: Group) -> [Group] {
    PathTree.groups(of: group.nodes.flatMap { children[$0.id] ?? [] })
  }

  /// Calls `body` with a group and everything below it, each with the way to it.
  /// - Parameters:
  ///   - path: the way to the group, itself included.
  ///   - body: says whether to go on below.
  func visit(_ group: Group, _ path: [String], _ body: (Group, [String]) -> Bool) {
    // Without recursion: how deep a path goes is the senders' choice.
    var waiting = [(group: group, path: path)]
    while let (group, path) = waiting.popLast() {
      guard body(group, path) else { continue }
      for child in next(after: group) { waiting.append((child, path + [child.step.label])) }
    }
  }

  /// The same with all below an entry point.
  func visit(_ entry: Group, _ body: (Group, [String]) -> Void) {
    visit(entry, [entry.step.label]) { group, path in
      body(group, path)
      return true
    }
  }

  /// Ids and names of all services on any path.
  var serviceNames: [String] {
    let steps = Set((entries.flatMap(\.nodes) + children.values.joined()).map(\.step))
    return steps.flatMap { [$0.serviceID, $0.service] }
  }

  /// Errors that began at the end of a group's paths and reached the entry point.
  func errors(at group: Group) -> Sums? {
    let found = group.nodes.compactMap { errors[$0.id] }
    guard var sum = found.first else { return nil }
    for sums in found.dropFirst() { sum.merge(sums) }
    return sum
  }
}

/// Which version a path's id stands for: those seen of its service are tried.
private struct VersionNames {
  private let names: [NameID: Name]
  private var versions: [NameID: [NameID]] = [:]

  init(_ input: GraphInput) {
    names = input.names
    for key in input.window.series.keys where key.kind == .version {
      versions[NameID(key.first), default: []].append(NameID(key.second))
    }
  }

  func version(of key: SeriesKey) -> String {
    let operation = NameID(key.third)
    guard let name = names[operation] else { return "" }
    let service = name.kind == .operation ? name.scope : operation
    let version = versions[service]?.first {
      SeriesKey.pathID(of: operation, version: $0, below: key.second) == key.first
    }
    return version.flatMap { names[$0]?.text } ?? ""
  }
}

extension PathTree {
  /// The entry points asked for.
  /// - Parameters:
  ///   - service: a name or an id; nil for all.
  ///   - operation: nil for all.
  func entries(
    service: String?, operation: String?, environment: String?
  ) throws(GraphError) -> [Group] {
    let all = entries.filter { entry in environment.map { $0 == entry.step.environment } ?? true }
    do throws(GraphError) {
      let chosen = try PathTree.choose(
        all.map(\.step), service: service, operation: operation, known: entries.map(\.step))
      return all.filter { chosen.contains($0.step) }
    } catch {
      guard case .unknownService(let name, _) = error, serviceNames.contains(name) else {
        throw error
      }
      let steps = Set(all.map(\.step.serviceID)).sorted()
      throw .noEntryPoint(service: name, entries: Array(steps.prefix(PathTree.entriesNamedMax)))
    }
  }

  private static let entriesNamedMax = 5

  /// - Parameter known: from which names that are spelled alike are offered.
  /// - Errors: `.unknownService` when no entry point fits, `.ambiguous` when several services do.
  static func choose(
    _ steps: [Step], service: String?, operation: String?, known: [Step]
  ) throws(GraphError) -> Set<Step> {
    var chosen = steps
    if let service {
      let byID = steps.filter { $0.serviceID == service }
      chosen = byID.isEmpty ? steps.filter { $0.service == service } : byID
      guard !chosen.isEmpty else {
        throw .unknownService(
          service: service,
          nearest: Spelling.nearest(
            to: service, among: known.flatMap { [$0.serviceID, $0.service] }))
      }
      let ids = Set(chosen.map(\.serviceID))
      guard ids.count == 1 else { throw .ambiguous(service: service, ids: ids.sorted()) }
    }
    if let operation {
      let named = chosen
      chosen = named.filter { $0.operation == operation }
      guard !chosen.isEmpty else {
        throw .unknownService(
          service: service.map { "\($0) \(operation)" } ?? operation,
          nearest: Spelling.nearest(to: operation, among: named.map(\.operation)))
      }
    }
    return Set(chosen)
  }

  func view(of entry: Group) -> EntryPaths {
    var paths: [CallPath] = []
    var errorPaths: [ErrorWay] = []
    var total = Sums()
    let bands = PathBands(entry.sums.latency)
    var bandTimes = [Double](repeating: 0, count: bands.all.count)
    let errors = entry.sums.counters.adjusted(.errorsAdjusted)
    visit(entry) { group, path in
      total.counters.merge(group.sums.counters)
      let view = PathTree.path(group.sums, path, bands)
      for (index, band) in view.bands.enumerated() { bandTimes[index] += band.share }
      paths.append(view)
      if let sums = self.errors(at: group) {
        errorPaths.append(ErrorWay(path, sums, of: errors))
      }
    }
    let spent = Double(total.counters[.criticalPathNanos])
    for index in paths.indices {
      paths[index].share = spent > 0 ? paths[index].share / spent : 0
      for band in paths[index].bands.indices {
        let share = paths[index].bands[band].share
        paths[index].bands[band].share = bandTimes[band] > 0 ? share / bandTimes[band] : 0
      }
    }
    paths.sort {
      $0.share != $1.share ? $0.share > $1.share : $0.path.lexicographicallyPrecedes($1.path)
    }
    errorPaths.sort {
      $0.errors != $1.errors ? $0.errors > $1.errors : $0.path.lexicographicallyPrecedes($1.path)
    }
    return EntryPaths(
      entry: entry.step.label, service: entry.step.serviceID, operation: entry.step.operation,
      environment: entry.step.environment, traces: entry.sums.counters[.traces],
      requests: entry.sums.counters.adjusted(.requestsAdjusted),
      duration: DurationSummary(entry.sums.latency),
      errorTraces: entry.sums.counters[.errorTraces], errors: errors,
      absorbedTime: Double(total.counters[.absorbedNanos]) / 1e6,
      retryTime: Double(total.counters[.retryNanos]) / 1e6, bands: bands.all, paths: paths,
      errorPaths: errorPaths)
  }

  /// Shares are nanoseconds, to be divided by their totals.
  private static func path(_ sums: Sums, _ path: [String], _ bands: PathBands) -> CallPath {
    CallPath(
      path: path, traces: sums.counters[.traces],
      exclusive: DurationSummary(sums.ownTime), exclusiveSum: Double(sums.ownTime.sumNanos) / 1e6,
      gap: DurationSummary(sums.clientLatency),
      gapSum: Double(sums.clientLatency.sumNanos) / 1e6,
      share: Double(sums.counters[.criticalPathNanos]),
      criticalNanos: Nanos(clamping: sums.counters[.criticalPathNanos]),
      errorTraces: sums.counters[.errorTraces],
      absorbedTime: Double(sums.counters[.absorbedNanos]) / 1e6,
      retryTime: Double(sums.counters[.retryNanos]) / 1e6, bands: bands.shares(of: sums.wholes),
      exemplars: sums.exemplars.traces)
  }
}

extension ErrorWay {
  fileprivate init(_ path: [String], _ sums: Sums, of errors: Double) {
    self.path = path
    traces = sums.counters[.errorTraces]
    self.errors = sums.counters.adjusted(.errorsAdjusted)
    share = Graph.share(self.errors, of: errors) ?? 0
    duration = DurationSummary(sums.latency)
    durationSum = Double(sums.latency.sumNanos) / 1e6
    exemplars = sums.exemplars.traces
  }
}
