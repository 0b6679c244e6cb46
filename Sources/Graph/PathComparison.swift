public import Model

/// What became of the time of one entry point: two ranges, or two versions of a service on its way.
///
/// Times are per request of a side, so that the changes of the paths sum to the change of the mean
/// time on the critical path.
public struct PathComparison: Sendable, Equatable {
  public enum Subject: Sendable, Equatable {
    case ranges
    /// Of the requests that passed through a version of `service`, from there on. A trace that comes
    /// to it by several ways counts once for each.
    case versions(service: String, base: String, current: String)
  }

  /// One of the two sides.
  public struct Side: Sendable, Equatable {
    public var start: Nanos
    public var end: Nanos
    /// Raw, and adjusted for sampling.
    public var traces: Int64 = 0
    public var requests = 0.0
    /// How long the entry point took; nil for versions of a service further on.
    public var duration: DurationSummary?
    /// Milliseconds on the critical path, per request.
    public var mean = 0.0
  }

  /// One path on one side.
  public struct Figures: Sendable, Equatable {
    public var traces: Int64
    public var errorTraces: Int64
    /// Milliseconds per request of the side: by the last request itself, between the caller and it,
    /// and both, which is what is compared.
    public var exclusive: Double
    public var gap: Double
    public var mean: Double
    /// Of the side's critical-path time.
    public var share: Double
    public var exemplars: [TraceID]
  }

  /// One path on both sides; nil on the side it was not seen on.
  public struct Path: Sendable, Equatable {
    public var path: [String]
    public var base: Figures?
    public var current: Figures?

    /// Milliseconds per request by which it changed the mean of all.
    public var change: Double { (current?.mean ?? 0) - (base?.mean ?? 0) }
  }

  public var revision: UInt64
  /// By which time is on the critical path now; what is older may have been found by another.
  public var rule = CriticalPathRule.wallclock
  public var subject: Subject
  /// Empty when neither side has any.
  public var entry: String
  public var environment: String
  public var base: Side
  public var current: Side
  /// Those that changed most first.
  public var paths: [Path]

  /// By how much the mean time on the critical path changed, milliseconds.
  public var change: Double { current.mean - base.mean }
}

extension PathComparison {
  /// Compares an entry point in two ranges: the one asked for that had most requests in both.
  /// - Parameters:
  ///   - base: as `current`, with the series `GraphBuilder.callPaths` needs.
  /// - Errors: as `GraphBuilder.callPaths`; an entry point is unknown when neither range has it.
  public static func ranges(
    base: GraphInput, current: GraphInput, tenant: TenantID, service: String? = nil,
    operation: String? = nil, environment: String? = nil
  ) throws(GraphError) -> PathComparison {
    let before = PathTree(base, tenant: tenant)
    let after = PathTree(current, tenant: tenant)
    let known = (after.entries + before.entries).map(\.step)
    let steps = known.filter { step in environment.map { $0 == step.environment } ?? true }
    let chosen = try PathTree.choose(
      steps, service: service, operation: operation, known: known)
    var requests: [PathTree.Step: Int64] = [:]
    for entry in after.entries + before.entries where chosen.contains(entry.step) {
      requests[entry.step, default: 0] &+= entry.sums.counters[.requestsAdjusted]
    }
    let busiest = requests.max {
      $0.value != $1.value ? $0.value < $1.value : $0.key.label > $1.key.label
    }
    return PathComparison(
      revision: current.revision, subject: .ranges, step: busiest?.key,
      base: side(base, before, busiest?.key), current: side(current, after, busiest?.key))
  }

  private static func side(
    _ input: GraphInput, _ tree: PathTree, _ step: PathTree.Step?
  ) -> Gathered {
    var gathered = Gathered(Side(start: input.start, end: input.end))
    for entry in tree.entries where entry.step == step {
      gathered.side.duration = DurationSummary(entry.sums.latency)
      gathered.take(requestsOf: entry)
      tree.visit(entry) { group, path in gathered.take(group.sums, at: path) }
    }
    return gathered
  }

  /// Compares the requests of an entry point that passed through two versions of a service.
  /// - Parameters:
  ///   - service, operation, environment: the entry point, as for `GraphBuilder.callPaths`.
  ///   - changed: the service whose versions are compared, a name or an id; that of the entry point
  ///     when nil.
  /// - Errors: as for `GraphBuilder.callPaths`; `.unknownVersion` when the way of no request led
  ///   through a version.
  public static func versions(
    _ input: GraphInput, tenant: TenantID, service: String? = nil, operation: String? = nil,
    environment: String? = nil, of changed: String?, base: String, current: String
  ) throws(GraphError) -> PathComparison {
    let tree = PathTree(input, tenant: tenant)
    let entries = try tree.entries(
      service: service, operation: operation, environment: environment
    ).sorted { a, b in
      let requests = (
        a.sums.counters[.requestsAdjusted], b.sums.counters[.requestsAdjusted]
      )
      return requests.0 != requests.1 ? requests.0 > requests.1 : a.step.label < b.step.label
    }
    let wanted = changed ?? entries.first?.step.serviceID ?? ""
    // The busiest one whose requests come to the service at all.
    for entry in entries {
      let passage = Passage(tree, entry, wanted)
      guard !passage.seen.isEmpty else { continue }
      var sides = [
        Gathered(Side(start: input.start, end: input.end)),
        Gathered(Side(start: input.start, end: input.end)),
      ]
      for (number, version) in [base, current].enumerated() {
        guard passage.seen.contains(version) else {
          throw .unknownVersion(
            service: passage.service, version: version,
            seen: passage.seen.sorted().filter { !$0.isEmpty })
        }
        passage.gather(version, into: &sides[number])
      }
      return PathComparison(
        revision: input.revision,
        subject: .versions(service: passage.service, base: base, current: current),
        step: entry.step, base: sides[0], current: sides[1])
    }
    throw .unknownService(
      service: wanted, nearest: Spelling.nearest(to: wanted, among: tree.serviceNames))
  }

  private init(
    revision: UInt64, subject: Subject, step: PathTree.Step?, base: Gathered, current: Gathered
  ) {
    self.revision = revision
    self.subject = subject
    entry = step?.label ?? ""
    environment = step?.environment ?? ""
    self.base = base.finished
    self.current = current.finished
    paths = Set(base.paths.keys).union(current.paths.keys).map { path in
      Path(path: path, base: base.figures(of: path), current: current.figures(of: path))
    }
    paths.sort { a, b in
      let sizes = (a.change.magnitude, b.change.magnitude)
      return sizes.0 != sizes.1 ? sizes.0 > sizes.1 : a.path.lexicographicallyPrecedes(b.path)
    }
  }
}

/// One side while its paths are summed.
private struct Gathered {
  var side: PathComparison.Side
  private(set) var paths: [[String]: Sums] = [:]
  private var nanos = 0.0

  init(_ side: PathComparison.Side) { self.side = side }

  mutating func take(requestsOf group: PathTree.Group) {
    side.traces &+= group.sums.counters[.traces]
    side.requests += group.sums.counters.adjusted(.requestsAdjusted)
  }

  mutating func take(_ sums: Sums, at path: [String]) {
    nanos += Double(sums.counters[.criticalPathNanos])
    paths[path, default: Sums()].merge(sums)
  }

  private func perRequest(_ nanos: Double) -> Double {
    side.requests > 0 ? nanos / side.requests / 1e6 : 0
  }

  var finished: PathComparison.Side {
    var side = side
    side.mean = perRequest(nanos)
    return side
  }

  func figures(of path: [String]) -> PathComparison.Figures? {
    guard let sums = paths[path] else { return nil }
    let spent = Double(sums.counters[.criticalPathNanos])
    return PathComparison.Figures(
      traces: sums.counters[.traces], errorTraces: sums.counters[.errorTraces],
      exclusive: perRequest(Double(sums.ownTime.sumNanos)),
      gap: perRequest(Double(sums.clientLatency.sumNanos)), mean: perRequest(spent),
      share: nanos > 0 ? spent / nanos : 0, exemplars: sums.exemplars.traces)
  }
}

/// Where the ways of an entry point come to a service for the first time.
private struct Passage {
  private let tree: PathTree
  private var places: [(group: PathTree.Group, path: [String])] = []
  private(set) var seen: Set<String> = []
  private(set) var service = ""

  init(_ tree: PathTree, _ entry: PathTree.Group, _ wanted: String) {
    self.tree = tree
    var found: [(group: PathTree.Group, path: [String])] = []
    tree.visit(entry, [entry.step.label]) { group, path in
      guard group.step.serviceID == wanted || group.step.service == wanted else { return true }
      found.append((group, path))
      return false
    }
    places = found
    service = found.first?.group.step.serviceID ?? wanted
    seen = Set(found.flatMap { $0.group.nodes.map(\.version) })
  }

  func gather(_ version: String, into side: inout Gathered) {
    for (group, path) in places {
      let nodes = group.nodes.filter { $0.version == version }
      guard !nodes.isEmpty else { continue }
      let part = PathTree.Group(nodes, group.step)
      side.take(requestsOf: part)
      var gathered = side
      tree.visit(part, path) { below, path in
        gathered.take(below.sums, at: path)
        return true
      }
      side = gathered
    }
  }
}
