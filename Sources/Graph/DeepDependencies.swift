public import Model

/// The paths around one service, as Jaeger's deep dependency graph reads them.
///
/// First the ways requests really took, from an entry point through the service to whoever is called
/// last: those with time on the critical path, or by which an error came. What calls show besides
/// them (nobody waited, or a queue lies between) is added from who calls whom: such a path ends at
/// the service, from somebody nobody calls, or begins there, to somebody who calls nobody; the two are
/// not joined, because calls do not say which led on to which. Its operations are named as far as
/// what operations call leaves no choice.
/// - Source: Jaeger `/api/deep-dependencies`, TDdgPayload of jaeger-ui.
public struct DeepDependencies: Sendable, Equatable {
  public struct Step: Sendable, Hashable {
    /// An id.
    public var service: String
    /// Empty where it has no name, or several fit.
    public var operation: String
  }

  public struct Path: Sendable, Equatable {
    public var steps: [Step]
    /// Traces in which all of its calls can be seen, as far as examples were kept.
    public var exemplars: [TraceID]
  }

  public var paths: [Path]

  /// Ways that were taken; and of the others on either side of the service. The most calls of one of
  /// those.
  public static let pathsMax = 200
  public static let depthMax = 16

  /// - Parameter input: with the series of edges, answers, instances, paths, versions, nodes, and what
  ///   operations call.
  /// - Errors: `GraphError` when the name stands for no service, or for several.
  public init(
    _ input: GraphInput, tenant: TenantID, service: String
  ) throws(GraphError) {
    let gathering = Gathering(input, tenant: tenant)
    let calls = CallTable(gathering, environment: nil)
    let focus = try calls.indices(named: service, GraphOptions())
    let taken = TakenWays(
      PathTree(input, tenant: tenant), through: Set(focus.map { calls.references[$0].id }))
    let operations = OperationCalls(gathering)
    let up = DeepDependencies.paths(calls.callers, from: focus).map { Array($0.reversed()) }
    let down = DeepDependencies.paths(calls.next, from: focus)
    let others = (up + down).compactMap { numbers -> Path? in
      let hops = zip(numbers, numbers.dropFirst()).map { calls.hop($0, $1) }
      let services = numbers.map { calls.references[$0].id }
      guard !taken.covers(services) else { return nil }
      return Path(
        steps: operations.named(services),
        exemplars: DeepDependencies.shared(hops.map { $0.flatMap(\.exemplars) }))
    }
    paths = DeepDependencies.merged(taken.paths + others)
  }

  /// The same way in several environments is one.
  private static func merged(_ paths: [Path]) -> [Path] {
    var places: [[Step]: Int] = [:]
    var merged: [Path] = []
    for path in paths {
      if let place = places[path.steps] {
        let known = merged[place].exemplars
        merged[place].exemplars += path.exemplars.filter { !known.contains($0) }
      } else {
        places[path.steps] = merged.count
        merged.append(path)
      }
    }
    return merged
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
          json.array(path.steps) { json, step in
            json.object { json in
              json.member("service", step.service)
              json.member("operation", step.operation)
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
