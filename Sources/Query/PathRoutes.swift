import Graph
import Hummingbird
import Model

/// The routes about the ways requests take.
enum PathRoutes {
  /// The forms call paths can be had in.
  enum Format: String, CaseIterable {
    case json, folded
  }

  static let all = [criticalPath, whatIf]

  /// A path leads through services wherever they run.
  private static let declined = GraphRoutes.dimensionsDeclined(
    "Call paths are counted as wholes, not by cluster and dimension: they lead from one into another."
  )
  /// What ways of requests are read from; versions tell their ids apart, and edges, answers and instances
  /// whom the names and addresses of peers stand for.
  private static let kinds: Set<SeriesKind> = [
    .path, .errorPath, .version, .node, .edge, .answered, .instance,
  ]

  static let criticalPath = Route(
    method: .get, path: "/api/v1/critical-path",
    summary:
      "Where the time of an entry point goes: the critical path of all its traces, by way of "
      + "requests, and by which ways errors reached it. The shares of an entry point sum to 1. With "
      + "a base range or two versions, what changed. The range is widened to whole minutes.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(
        name: "service", shape: .text, summary: "The service that is entered: a name or an id."),
      QueryParameter(
        name: "operation", shape: .text, summary: "The operation; the busiest entry point."),
      QueryParameter(
        name: "base_start", shape: .time,
        summary: "Begin of the range compared with; as long before its end as the range is."),
      QueryParameter(
        name: "base_end", shape: .time, summary: "End of the range compared with; `start`."),
      QueryParameter(
        name: "version", shape: .text,
        summary: "Compare the requests that passed through this version."),
      QueryParameter(
        name: "base_version", shape: .text, summary: "The version it is compared with."),
      QueryParameter(
        name: "versions_of", shape: .text,
        summary: "Whose versions they are: a name or an id; the service that is entered."),
      QueryParameter(
        name: "format", shape: .choice(Format.allCases.map(\.rawValue)),
        summary: "JSON, or folded stacks (nanoseconds) of all entry points asked for."),
    ],
    declined: declined, answers: [.json, .text], schema: "CriticalPath"
  ) { call in
    let isOfVersions = ["version", "base_version", "versions_of"].contains {
      call.parameters.has($0)
    }
    if isOfVersions { return try await compareVersions(call) }
    let hasBase = call.parameters.has("base_start") || call.parameters.has("base_end")
    return hasBase ? try await compareRanges(call) : try await paths(call)
  }

  /// Which entry points are asked for.
  private struct EntryQuestion {
    var service: String?
    var operation: String?
    var environment: String?

    init(_ reader: inout ParameterReader) {
      service = reader.text("service")
      operation = reader.text("operation")
      environment = reader.optionalPart("environment")
    }
  }

  private static func paths(_ call: Call) async throws -> Answer {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let format = reader.choice("format", default: Format.json)
    let entry = EntryQuestion(&reader)
    try reader.finish()
    var paths = try GraphBuilder.callPaths(
      try await call.minutes(range, kinds), tenant: call.tenant, service: entry.service,
      operation: entry.operation, environment: entry.environment)
    paths.rule = call.configuration.criticalPathRule
    return switch format {
    case .json: Answer(.json, paths.json.bytes)
    case .folded: Answer(.text, paths.folded)
    }
  }

  private static func compareRanges(_ call: Call) async throws -> Answer {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let base = reader.range(
      now: range.lowerBound, call.configuration, names: ("base_start", "base_end"),
      defaultNanos: range.upperBound - range.lowerBound)
    let entry = EntryQuestion(&reader)
    reader.refuseFolded()
    try reader.finish()
    var comparison = try PathComparison.ranges(
      base: try await call.minutes(base, kinds), current: try await call.minutes(range, kinds),
      tenant: call.tenant, service: entry.service, operation: entry.operation,
      environment: entry.environment)
    comparison.rule = call.configuration.criticalPathRule
    return Answer(.json, comparison.json.bytes)
  }

  private static func compareVersions(_ call: Call) async throws -> Answer {
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let entry = EntryQuestion(&reader)
    let version = reader.required("version", "Name the version to look at.")
    let base = reader.required("base_version", "Name the version to compare with.")
    let changed = reader.text("versions_of")
    for name in ["base_start", "base_end"] where reader.has(name) {
      reader.refuse(name, "Two versions are compared over one range.")
    }
    reader.refuseFolded()
    try reader.finish()
    let input = try await call.minutes(range, kinds)
    do throws(GraphError) {
      var comparison = try PathComparison.versions(
        input, tenant: call.tenant, service: entry.service, operation: entry.operation,
        environment: entry.environment, of: changed, base: base, current: version)
      comparison.rule = call.configuration.criticalPathRule
      return Answer(.json, comparison.json.bytes)
    } catch {
      let isBase = if case .unknownVersion(_, base, _) = error { base != version } else { false }
      let isChanged = changed != nil && error.service == changed
      throw QueryProblem(
        error, service: isChanged ? "versions_of" : "service",
        version: isBase ? "base_version" : "version")
    }
  }

  private static let whatIfKinds: Set<SeriesKind> = [
    .path, .version, .node, .edge, .wait, .answered, .instance, .operation, .call,
  ]

  static let whatIf = Route(
    method: .get, path: "/api/v1/what-if",
    summary:
      "What a faster, slower or more often failing service would change at the entry points and "
      + "upstream, by what was learned of its calls; those it changes nothing for are listed too.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(name: "service", shape: .text, summary: "A name or an id. Required."),
      QueryParameter(
        name: "operation", shape: .text, summary: "Only this operation would change."),
      QueryParameter(
        name: "delta_ms", shape: .number(-changeMax...changeMax),
        summary: "How much longer each request would take; negative for shorter."),
      QueryParameter(
        name: "error_rate", shape: .number(0...1),
        summary: "The share of requests that would fail in addition."),
    ],
    declined: declined, answers: [.json], schema: "WhatIf"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let service = reader.text("service")
    let operation = reader.text("operation")
    let environment = reader.optionalPart("environment")
    let change = reader.number("delta_ms", in: -changeMax...changeMax)
    let errorRate = reader.number("error_rate", in: 0...1)
    if !reader.has("service") { reader.refuse("service", "Name the service.") }
    if !reader.has("delta_ms"), !reader.has("error_rate") {
      reader.refuse("delta_ms", "Say what would change: delta_ms, error_rate, or both.")
    }
    try reader.finish()
    let answer = try GraphBuilder.whatIf(
      try await call.minutes(range, whatIfKinds), tenant: call.tenant,
      service: service ?? "", operation: operation, environment: environment, change: change,
      errorRate: errorRate)
    return Answer(.json, answer.json.bytes)
  }

  /// An hour.
  private static let changeMax = 3_600_000.0
}

extension ParameterReader {
  fileprivate mutating func refuseFolded() {
    if choice("format", default: PathRoutes.Format.json) == .folded {
      refuse("format", "Comparisons are answered as json.")
    }
  }
}

extension Call {
  /// Paths are summed by the minute: the range is widened to whole ones.
  fileprivate func minutes(
    _ range: Range<Nanos>, _ kinds: Set<SeriesKind>
  ) async throws -> GraphInput {
    let minutes = range.inMinutes
    return try await backend.graphInput(
      tenant: tenant, from: minutes.lowerBound, to: minutes.upperBound, kinds: kinds)
  }
}
