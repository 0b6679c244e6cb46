import Graph
import Hummingbird
import Impact
import Model

/// The routes that say what a change did.
enum ImpactRoutes {
  static let all = [impact]

  private enum Format: String, CaseIterable {
    case json, markdown
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
