import Graph
import Hummingbird
import Model

/// The routes that ask something of the whole graph: what changed, and how to get from here to there.
enum ComparisonRoutes {
  static let all = [diff, paths]

  /// The largest change that can be asked for: a hundredfold.
  static let changeMax = 100.0

  static let diff = Route(
    method: .get, path: "/api/v1/graph/diff",
    summary:
      "New, vanished and changed nodes, edges and calls of operations between two ranges, each with the "
      + "figures of both; "
      + "with `version`, two versions of a service over one range.",
    parameters: GraphRoutes.rangeParameters + GraphRoutes.dimensionParameters + [
      QueryParameter(
        name: "base_start", shape: .time,
        summary: "Begin of the range compared with; as long before its end as the range is."),
      QueryParameter(
        name: "base_end", shape: .time, summary: "End of the range compared with; `start`."),
      QueryParameter(
        name: "min_change", shape: .number(0...changeMax),
        summary:
          "The least relative change of rate, error rate or p95 that is shown; 0.1 is a tenth."),
      QueryParameter(
        name: "version", shape: .text, summary: "Compare this version of `service`."),
      QueryParameter(
        name: "base_version", shape: .text, summary: "The version it is compared with."),
    ] + GraphRoutes.partParameters,
    answers: [.json], schema: "GraphDiff"
  ) { call in
    call.parameters.has("version") || call.parameters.has("base_version")
      ? try await versions(call) : try await ranges(call)
  }

  private static func ranges(_ call: Call) async throws -> Answer {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let options = reader.graphOptions()
    let changeMin = reader.number("min_change", in: 0...changeMax)
    var named: Range<Nanos>?
    if reader.has("base_start") || reader.has("base_end") {
      named = reader.range(
        now: range.lowerBound, call.configuration, names: ("base_start", "base_end"),
        defaultNanos: range.upperBound - range.lowerBound)
    }
    try reader.finish()
    let current = try await call.input(range, options.kinds)
    let base = try await call.input(named ?? stretch(before: current), options.kinds)
    let structure = try await structure(call, range, base: named, options)
    try KnownDimensions.check(
      options.dimensions, configured: call.configuration.dimensions, tenant: call.tenant,
      in: base, current)
    let diff = try GraphDiff.compare(
      base: base, current: current, tenant: call.tenant, options: options,
      changeMin: changeMin ?? GraphDiff.changeMinDefault, structure: structure)
    return Answer(.json, diff.json.bytes)
  }

  /// What tells what operations call, and whom names and addresses stand for.
  private static let structureKinds: Set<SeriesKind> = [
    .node, .edge, .operation, .call, .answered, .instance,
  ]

  /// What operations call is summed by the minute, and not by dimension.
  private static func structure(
    _ call: Call, _ range: Range<Nanos>, base: Range<Nanos>?, _ options: GraphOptions
  ) async throws -> (base: GraphInput, current: GraphInput)? {
    guard options.dimensions.isEmpty else { return nil }
    let current = try await call.input(range.inMinutes, structureKinds)
    let stretch = base?.inMinutes ?? stretch(before: current)
    return (try await call.input(stretch, structureKinds), current)
  }

  /// As long as a range was once it was widened to whole windows, so that the two do not overlap.
  private static func stretch(before current: GraphInput) -> Range<Nanos> {
    let end = max(current.start, 1)
    return end.saturatingSubtracting(current.end - current.start)..<end
  }

  private static func versions(_ call: Call) async throws -> Answer {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let options = GraphOptions(
      environment: reader.optionalPart("environment"),
      namespace: reader.optionalPart("namespace"))
    let changeMin = reader.number("min_change", in: 0...changeMax)
    let service = reader.required("service", "Name the service whose versions are compared.")
    let version = reader.required("version", "Name the version to look at.")
    let base = reader.required("base_version", "Name the version to compare with.")
    for name in ["base_start", "base_end", "depth", "direction"] where reader.has(name) {
      reader.refuse(name, "Two versions are compared over one range, of their service alone.")
    }
    for name in ["cluster", "dimension"] where reader.has(name) {
      reader.refuse(name, "Versions are not counted by cluster and dimension.")
    }
    try reader.finish()
    let input = try await call.input(range, SeriesKind.ofGraph)
    do throws(GraphError) {
      let diff = try VersionDiff.compare(
        input, tenant: call.tenant, options: options, service: service, version: version,
        baseVersion: base, changeMin: changeMin ?? GraphDiff.changeMinDefault)
      return Answer(.json, diff.json.bytes)
    } catch {
      let isBase = if case .unknownVersion(_, base, _) = error { base != version } else { false }
      throw QueryProblem(error, version: isBase ? "base_version" : "version")
    }
  }

  static let paths = Route(
    method: .get, path: "/api/v1/graph/paths",
    summary: "The paths calls can take from one service to another, shortest first.",
    parameters: [
      QueryParameter(
        name: "from", shape: .text, summary: "Where paths begin: a name, or an id.",
        isRequired: true),
      QueryParameter(
        name: "to", shape: .text, summary: "Where they end: a name, or an id.", isRequired: true),
    ] + GraphRoutes.rangeParameters + GraphRoutes.dimensionParameters + [
      QueryParameter(
        name: "namespace", shape: .text,
        summary: "Of both ends (- for none), where a name alone stands for several."),
      QueryParameter(
        name: "limit", shape: .integer(1...GraphPaths.limitMax),
        summary: "How many at most; \(GraphPaths.limitDefault)."),
      QueryParameter(
        name: "depth", shape: .integer(1...GraphPaths.depthMax),
        summary: "How many calls a path may have; \(GraphPaths.depthDefault)."),
    ],
    answers: [.json], schema: "GraphPaths"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let options = GraphOptions(
      environment: reader.optionalPart("environment"),
      namespace: reader.optionalPart("namespace"), dimensions: reader.dimensions())
    let from = reader.required("from", "Name the service where paths begin.")
    let to = reader.required("to", "Name the service where paths end.")
    let limit = reader.integer("limit", in: 1...GraphPaths.limitMax)
    let depth = reader.integer("depth", in: 1...GraphPaths.depthMax)
    if !from.isEmpty, from == to { reader.refuse("to", "Must be another service than `from`.") }
    try reader.finish()
    let input = try await call.input(range, options.kinds, of: options.dimensions)
    do throws(GraphError) {
      let paths = try GraphPaths.find(
        input, tenant: call.tenant, from: from, to: to, options: options,
        limit: limit ?? GraphPaths.limitDefault, depth: depth ?? GraphPaths.depthDefault)
      return Answer(.json, paths.json.bytes)
    } catch {
      throw QueryProblem(error, service: error.service == from ? "from" : "to")
    }
  }
}
