import Model

/// Who calls whom and how often, as Jaeger and Zipkin answer it.
/// - Shape: one link a pair of ids, by parent, then child: connection types and environments are
///   summed. Ids stand where these tools put names, so that namespaces stay apart.
/// - Units: calls are adjusted for sampling and rounded, never to 0.
/// - Source: Jaeger `internal/uimodel`, DependencyLink; Zipkin API v2, /dependencies.
public struct Dependencies: Sendable, Equatable {
  public struct Link: Sendable, Equatable {
    public var parent: String
    public var child: String
    public var calls: Int64
    public var errors: Int64
  }

  private struct Pair: Hashable {
    var parent: String
    var child: String
  }

  public var links: [Link]

  public init(_ graph: ServiceGraph) {
    var sums: [Pair: (calls: Double, errors: Double)] = [:]
    for edge in graph.edges where edge.requests > 0 {
      let pair = Pair(parent: edge.client, child: edge.server)
      let sum = sums[pair] ?? (0, 0)
      sums[pair] = (sum.calls + edge.requests, sum.errors + edge.failed)
    }
    links = sums.map { pair, sum in
      Link(
        parent: pair.parent, child: pair.child, calls: Dependencies.whole(sum.calls),
        errors: Dependencies.whole(sum.errors))
    }.sorted { ($0.parent, $0.child) < ($1.parent, $1.child) }
  }

  /// Only links one end of which is called so: by its id, or its name alone.
  public mutating func keep(around service: String) {
    let path = NodeIdentity(name: service).path
    func isMeant(_ id: String) -> Bool {
      id == service || id == path || id.hasSuffix("/\(path)")
    }
    links = links.filter { isMeant($0.parent) || isMeant($0.child) }
  }

  private static func whole(_ count: Double) -> Int64 {
    count > 0 ? max(1, Int64(exactly: count.rounded()) ?? .max) : 0
  }

  /// `{"data":[{"parent","child","callCount"}],"total":0,"limit":0,"offset":0,"errors":null}`.
  public var jaeger: JSONText {
    var json = JSONText()
    json.object { json in
      json.key("data")
      json.array(links) { json, link in
        json.object { json in
          json.member("parent", link.parent)
          json.member("child", link.child)
          json.member("callCount", link.calls)
        }
      }
      json.member("total", 0)
      json.member("limit", 0)
      json.member("offset", 0)
      json.key("errors")
      json.null()
    }
    return json
  }

  /// `[{"parent","child","callCount","errorCount"?}]`.
  public var zipkin: JSONText {
    var json = JSONText()
    json.array(links) { json, link in
      json.object { json in
        json.member("parent", link.parent)
        json.member("child", link.child)
        json.member("callCount", link.calls)
        if link.errors > 0 { json.member("errorCount", link.errors) }
      }
    }
    return json
  }
}
