import Graph
import Hummingbird
import Impact
import Model

/// The routes that say what a change did.
enum ImpactRoutes {
  static let all = [impact, week]

  private enum Format: String, CaseIterable {
    case json, markdown
  }

  /// What the summary covers unless it is said.
  private static let weekNanos: Nanos = 7 * .day

  static let week = Route(
    method: .get, path: "/api/v1/services/{namespace}/{name}/impact",
    summary:
      "What became of a service over a week: its deployments with what the gate said and what they "
      + "did, what else happened, levels that got worse, and how it stood on the first day and on the "
      + "last; for programs, or as a page for people with a chart. - stands for no namespace.",
    parameters: [
      QueryParameter(
        name: "start", shape: .time, summary: "Begin of the range; seven days before the end."),
      QueryParameter(name: "end", shape: .time, summary: "End of the range, exclusive; now."),
      QueryParameter(
        name: "environment", shape: .text, summary: "The service in this one (- for none)."),
      QueryParameter(
        name: "format", shape: .choice(Format.allCases.map(\.rawValue)),
        summary: "JSON, or Markdown with a chart in SVG."),
    ],
    answers: [.json, .markdown], schema: "ServiceWeek"
  ) { call in
    var reader = call.parameters
    let range = reader.range(
      now: call.backend.now, call.configuration, defaultNanos: weekNanos)
    let environment = reader.optionalPart("environment")
    let format = reader.choice("format", default: Format.json)
    try reader.finish()
    let report = try await WeekInquiry(call, range, environment: environment).report()
    switch format {
    case .json: return Answer(.json, WeekDocument(report).json.bytes)
    case .markdown: return Answer(.markdown, WeekPage(report).markdown)
    }
  }

  static let impact = Route(
    method: .get, path: "/api/v1/markers/{id}/impact",
    summary:
      "What a change did to its service and to those that call it: before, during and after, with "
      + "intervals and decisions; for programs, or as a page for people with a chart.",
    parameters: [
      QueryParameter(
        name: "environment", shape: .text,
        summary: "The service in this environment (- for none), where the marker names none."),
      QueryParameter(
        name: "format", shape: .choice(Format.allCases.map(\.rawValue)),
        summary: "JSON, or Markdown with a chart in SVG."),
    ],
    answers: [.json, .markdown], schema: "Impact"
  ) { call in
    var reader = call.parameters
    let environment = reader.optionalPart("environment")
    let format = reader.choice("format", default: Format.json)
    try reader.finish()
    let id = try MarkerRoutes.markerID(call)
    guard let marker = try await call.backend.marker(id, tenant: call.tenant) else {
      throw MarkerRoutes.unknown("\(id)")
    }
    let report = try await ImpactInquiry(call, marker, environment: environment).report()
    switch format {
    case .json: return Answer(.json, ImpactDocument(report).json.bytes)
    case .markdown: return Answer(.markdown, ImpactPage(report).markdown)
    }
  }
}
