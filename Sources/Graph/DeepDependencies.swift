public import Model

/// The paths around one service, as Jaeger's deep dependency graph reads them.
///
/// Every path ends at the service, from somebody nobody calls, or begins there, to somebody who
/// calls nobody. The two are not joined: calls say who calls whom, not which of the callers' calls
/// led on to which callee. Operations are left empty for the same reason, calls are counted by
/// service.
/// - Source: Jaeger `/api/deep-dependencies`, TDdgPayload of jaeger-ui.
public struct DeepDependencies: Sendable, Equatable {
  public struct Path: Sendable, Equatable {
    /// Ids.
    public var services: [String]
    /// Traces in which all of its calls can be seen, as far as examples were kept.
    public var exemplars: [TraceID]
  }

  public var paths: [Path]

  /// On either side of the service, and the most calls of one path.
  public static let pathsMax = 200
  public static let depthMax = 16

  /// - Errors: `GraphError` when the name stands for no service, or for several.
  public init(
    _ input: GraphInput, tenant: TenantID, service: String
  ) throws(GraphError) {
    let calls = CallTable(Gathering(input, tenant: tenant), environment: nil)
    let focus = try calls.indices(named: service, GraphOptions())
    let up = DeepDependencies.paths(calls.callers, from: focus).map { Array($0.reversed()) }
    let down = DeepDependencies.paths(calls.next, from: focus)
    paths = (up + down).map { numbers in
      let hops = zip(numbers, numbers.dropFirst()).map { calls.hop($0, $1) }
      return Path(
        services: numbers.map { calls.references[$0].id },
        exemplars: DeepDependencies.shared(hops.map { $0.flatMap(\.exemplars) }))
    }
  }

  /// Paths along `next` from `focus` as far as they go. A neighbour from which only circles go on
  /// has none, so the call to it stands by itself.
  private static func paths(_ next: [[Int]], from focus: [Int]) -> [[Int]] {
    let ends = next.indices.filter { next[$0].isEmpty && !focus.contains($0) }
    var search = PathSearch(next: next, from: focus, to: ends)
    search.run(pathsMax: pathsMax, lengthMax: depthMax)
    let shown = Set(search.paths.map { $0.prefix(2) })
    let alone = focus.flatMap { node in next[node].map { [node, $0] } }
      .filter { !shown.contains($0[...]) }
    return search.paths + alone.prefix(pathsMax)
  }

  private static func shared(_ exemplars: [[TraceID]]) -> [TraceID] {
    guard let first = exemplars.first else { return [] }
    return first.filter { trace in exemplars.allSatisfy { $0.contains(trace) } }
  }

  /// `{"dependencies":[{"path":[{"service","operation"}],"attributes":[{"key":
  /// "exemplar_trace_id","value"}]}]}`.
  public var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.key("dependencies")
      json.array(paths) { json, path in
        json.object { json in
          json.key("path")
          json.array(path.services) { json, service in
            json.object { json in
              json.member("service", service)
              json.member("operation", "")
            }
          }
          json.key("attributes")
          json.array(path.exemplars) { json, trace in
            json.object { json in
              json.member("key", "exemplar_trace_id")
              json.member("value", "\(trace)")
            }
          }
        }
      }
    }
    return json
  }
}
