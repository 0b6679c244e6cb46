public import Model

/// By which ways of requests the entry points of a range of time spent their time: the critical path
/// of all traces together.
public struct CallPaths: Sendable, Equatable {
  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  /// The busiest first.
  public var entries: [EntryPaths]
}

/// One entry point: an operation nobody traced called.
public struct EntryPaths: Sendable, Equatable {
  /// `service operation`.
  public var entry: String
  public var service: String
  public var operation: String
  public var environment: String
  /// Raw, and adjusted for sampling.
  public var traces: Int64
  public var requests: Double
  /// How long the whole took.
  public var duration: DurationSummary?
  /// Those with most time first.
  public var paths: [CallPath]
}

/// One way of requests from an entry point.
public struct CallPath: Sendable, Equatable {
  /// `service operation`, the entry point first; one that does not report by its id.
  public var path: [String]
  /// Raw: those in which time was spent there, or in what it calls.
  public var traces: Int64
  /// Time on the critical path, per trace: spent by the last request itself.
  public var exclusive: DurationSummary?
  /// All of it in the range, milliseconds.
  public var exclusiveSum: Double
  /// Between the caller and it (network, queueing, retries).
  public var gap: DurationSummary?
  public var gapSum: Double
  /// Of all critical-path time of the entry point, `exclusive` and `gap` together.
  public var share: Double
  /// The same in nanoseconds, adjusted for sampling.
  public var criticalNanos: Nanos
  public var errorTraces: Int64
  public var exemplars: [TraceID]
}

extension GraphBuilder {
  /// The call paths of the entry points of a service.
  /// - Parameters:
  ///   - input: with the series of paths and of nodes, which name the services operations belong to.
  ///   - service: a name or an id; nil for all.
  ///   - operation: nil for all.
  /// - Errors: `.unknownService` when the service has no entry point in the range, `.ambiguous` when
  ///   several have the name.
  public static func callPaths(
    _ input: GraphInput, tenant: TenantID, service: String? = nil, operation: String? = nil,
    environment: String? = nil
  ) throws(GraphError) -> CallPaths {
    let tree = PathTree(input, tenant: tenant)
    var entries = tree.entries.filter { entry in
      environment.map { $0 == entry.step.environment } ?? true
    }
    if let service {
      let byID = entries.filter { $0.step.serviceID == service }
      let found = byID.isEmpty ? entries.filter { $0.step.service == service } : byID
      guard !found.isEmpty else {
        throw .unknownService(
          service: service,
          nearest: Spelling.nearest(
            to: service, among: tree.entries.flatMap { [$0.step.serviceID, $0.step.service] }))
      }
      let ids = Set(found.map(\.step.serviceID))
      guard ids.count == 1 else { throw .ambiguous(service: service, ids: ids.sorted()) }
      entries = found
    }
    if let operation {
      let known = entries
      entries = known.filter { $0.step.operation == operation }
      guard !entries.isEmpty else {
        throw .unknownService(
          service: service.map { "\($0) \(operation)" } ?? operation,
          nearest: Spelling.nearest(to: operation, among: known.map(\.step.operation)))
      }
    }
    let views = entries.map { tree.view(of: $0) }.sorted { a, b in
      a.requests != b.requests ? a.requests > b.requests : a.entry < b.entry
    }
    return CallPaths(start: input.start, end: input.end, revision: input.revision, entries: views)
  }
}

/// The tree of paths in a window.
struct PathTree {
  /// What is requested at the end of a path.
  struct Step {
    var service: String
    var serviceID: String
    var environment: String
    var operation: String

    var label: String { operation.isEmpty ? serviceID : "\(serviceID) \(operation)" }
  }

  struct Node {
    var id: UInt64
    var parent: UInt64
    var step: Step
    var sums: Sums
  }

  private(set) var entries: [Node] = []
  private var children: [UInt64: [Node]] = [:]

  init(_ input: GraphInput, tenant: TenantID) {
    for (key, sums) in input.window.series where key.kind == .path {
      guard let step = PathTree.step(NameID(key.third), input.names, tenant) else { continue }
      let node = Node(id: key.first, parent: key.second, step: step, sums: sums)
      if node.parent == 0 {
        entries.append(node)
      } else {
        children[node.parent, default: []].append(node)
      }
    }
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

  /// Calls `body` with an entry point and everything below it, each with the way to it.
  func visit(_ entry: Node, _ body: (Node, [String]) -> Void) {
    // Without recursion: how deep a path goes is the senders' choice.
    var waiting: [(node: Node, path: [String])] = [(entry, [entry.step.label])]
    while let (node, path) = waiting.popLast() {
      body(node, path)
      for child in children[node.id] ?? [] {
        waiting.append((child, path + [child.step.label]))
      }
    }
  }

  func view(of entry: Node) -> EntryPaths {
    var paths: [CallPath] = []
    var total = 0.0
    visit(entry) { node, path in
      let spent = Double(node.sums.counters[.criticalPathNanos])
      total += spent
      paths.append(PathTree.path(node, path, spent: spent))
    }
    for index in paths.indices { paths[index].share = total > 0 ? paths[index].share / total : 0 }
    paths.sort {
      $0.share != $1.share ? $0.share > $1.share : $0.path.lexicographicallyPrecedes($1.path)
    }
    return EntryPaths(
      entry: entry.step.label, service: entry.step.serviceID, operation: entry.step.operation,
      environment: entry.step.environment, traces: entry.sums.counters[.traces],
      requests: entry.sums.counters.adjusted(.requestsAdjusted),
      duration: DurationSummary(entry.sums.latency), paths: paths)
  }

  /// - Parameter spent: goes into `share`, to be divided by the total.
  private static func path(_ node: Node, _ path: [String], spent: Double) -> CallPath {
    CallPath(
      path: path, traces: node.sums.counters[.traces],
      exclusive: DurationSummary(node.sums.ownTime), exclusiveSum: sum(node.sums.ownTime),
      gap: DurationSummary(node.sums.clientLatency), gapSum: sum(node.sums.clientLatency),
      share: spent, criticalNanos: Nanos(clamping: node.sums.counters[.criticalPathNanos]),
      errorTraces: node.sums.counters[.errorTraces],
      exemplars: node.sums.exemplars.traces)
  }

  private static func sum(_ histogram: Histogram) -> Double {
    Double(histogram.sumNanos) / 1e6
  }
}
