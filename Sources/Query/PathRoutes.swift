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

  static let criticalPath = Route(
    method: .get, path: "/api/v1/critical-path",
    summary:
      "Where the time of an entry point goes: the critical path of all its traces, by way of "
      + "requests. The shares of an entry point sum to 1. The range is widened to whole minutes.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(
        name: "service", shape: .text, summary: "The service that is entered: a name or an id."),
      QueryParameter(
        name: "operation", shape: .text, summary: "The operation; the busiest entry point."),
      QueryParameter(
        name: "format", shape: .choice(Format.allCases.map(\.rawValue)),
        summary: "JSON, or folded stacks (nanoseconds) of all entry points asked for."),
    ],
    declined: declined, answers: [.json, .text], schema: "CriticalPath"
  ) { call in
    var reader = call.parameters
    let range = reader.range(now: call.backend.now, call.configuration)
    let format = reader.choice("format", default: Format.json)
    let service = reader.text("service")
    let operation = reader.text("operation")
    let environment = reader.optionalPart("environment")
    try reader.finish()
    let paths = try GraphBuilder.callPaths(
      try await call.minutes(range, [.path, .node]), tenant: call.tenant, service: service,
      operation: operation, environment: environment)
    return switch format {
    case .json: Answer(.json, paths.json.bytes)
    case .folded: Answer(.text, paths.folded)
    }
  }

  static let whatIf = Route(
    method: .get, path: "/api/v1/what-if",
    summary:
      "What a faster, slower or more often failing service would change at the entry points and "
      + "upstream, by what was learned of its calls; those it changes nothing for are listed too.",
    parameters: GraphRoutes.rangeParameters + [
      QueryParameter(name: "service", shape: .text, summary: "A name or an id. Required."),
      QueryParameter(
        name: "operation", shape: .text, summary: "Only this operation would be faster or slower."),
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
      try await call.minutes(range, [.path, .node, .edge]), tenant: call.tenant,
      service: service ?? "", operation: operation, environment: environment, change: change,
      errorRate: errorRate)
    return Answer(.json, answer.json.bytes)
  }

  /// An hour.
  private static let changeMax = 3_600_000.0
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
