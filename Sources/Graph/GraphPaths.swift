public import Model

/// The ways calls can take from one service to another.
///
/// A path says that each of its calls was made in the range, not that one request made all of them:
/// its smallest rate bounds how many can have.
public struct GraphPaths: Sendable, Equatable {
  /// One way.
  public struct Path: Sendable, Equatable {
    public var nodes: [Node]
    /// From each node to the next: the edges between them, one a connection type.
    public var hops: [[Edge]]

    /// Requests of the hop that has the fewest.
    public var requestsMin: Double {
      hops.map { $0.reduce(0) { $0 + $1.requests } }.min() ?? 0
    }
  }

  public var start: Nanos
  public var end: Nanos
  public var revision: UInt64
  /// The ids of both ends.
  public var from: String
  public var to: String
  /// How many calls lie between them at least; nil when no calls lead from one to the other.
  public var distance: Int?
  /// Shortest first, then by the ids on the way.
  public var paths: [Path]
  /// What ended the search before all paths were found: `limit` or `steps`; nil when nothing did.
  public var truncatedBy: String?

  public var seconds: Double { rangeSeconds(start, end) }
}

extension GraphPaths {
  public static let limitDefault = 20
  public static let limitMax = 1_000
  /// The most calls on a path.
  public static let depthDefault = 16
  public static let depthMax = 64

  /// Finds the paths from one service to another; names and ids as in `GraphBuilder.build`.
  /// - Parameter options: `environment`, `namespace` and `dimensions` are looked at.
  /// - Errors: `GraphError`, about either end.
  public static func find(
    _ input: GraphInput, tenant: TenantID, from: String, to: String, options: GraphOptions,
    limit: Int = limitDefault, depth: Int = depthDefault
  ) throws(GraphError) -> GraphPaths {
    let gathering = Gathering(input, tenant: tenant, dimensions: options.dimensions)
    let calls = CallTable(gathering, environment: options.environment)
    let sources = try calls.indices(named: from, options)
    let targets = try calls.indices(named: to, options)
    var search = PathSearch(next: calls.next, from: sources, to: targets)
    search.run(pathsMax: limit, lengthMax: depth)
    return GraphPaths(
      start: input.start, end: input.end, revision: input.revision,
      from: calls.references[sources[0]].id, to: calls.references[targets[0]].id,
      distance: search.distance, paths: search.paths.map(calls.path),
      truncatedBy: search.cut?.rawValue)
  }

  /// `{"start","end","revision","from","to","distance","paths":[{"length","nodes","edges",
  /// "min_request_rate"}],"truncated","truncated_by"}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.range(start, end, revision)
      json.member("from", from)
      json.member("to", to)
      json.key("distance")
      if let distance { json.integer(distance) } else { json.null() }
      json.key("paths")
      json.array(paths) { write($1, to: &$0) }
      json.member("truncated", truncatedBy != nil)
      json.key("truncated_by")
      if let truncatedBy { json.string(truncatedBy) } else { json.null() }
    }
    return json
  }

  private func write(_ path: Path, to json: inout JSONText) {
    json.object { json in
      json.member("length", path.hops.count)
      json.key("nodes")
      json.array(path.nodes) { json, node in
        json.object { $0.identity(of: node) }
      }
      json.key("edges")
      json.array(path.hops.joined()) { json, edge in
        json.object { json in
          json.ends(of: edge)
          json.member("requests", edge.requests)
          json.member("failed", edge.failed)
          json.member("request_rate", rounded(edge.requests / seconds))
        }
      }
      json.member("min_request_rate", rounded(path.requestsMin / seconds))
    }
  }
}
