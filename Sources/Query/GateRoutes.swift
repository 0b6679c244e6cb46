import Graph
import Hummingbird
import Impact
import Model

/// The routes about rollouts.
enum GateRoutes {
  static let all = [gate, verdicts, verdict]

  static let verdictsDefault = 100
  static let verdictsMax = 1_000
  static let verdictsRangeNanos: Nanos = .day
  /// How far ahead data may end: spans may be ten minutes ahead, and a flush finishes their window.
  static let dataAheadNanos: Nanos = 10 * .minute + windowNanos

  static let gate = Route(
    method: .get, path: "/api/v1/gate",
    summary:
      "Whether a rollout may go on: promote, wait or rollback, with the evidence. Answered with "
      + "200 whenever the question can be understood: what is unknown is a reason to wait.",
    parameters: [
      QueryParameter(
        name: "service", shape: .text,
        summary: "A name, or an id (namespace/name). Needed unless `marker` is given."),
      QueryParameter(
        name: "namespace", shape: .text, summary: "Of the service (- for none)."),
      QueryParameter(
        name: "environment", shape: .text, summary: "Of the service (- for none)."),
      QueryParameter(
        name: "version", shape: .text, summary: "The new version; the one deployed last."),
      QueryParameter(
        name: "marker", shape: .text, summary: "The deployment asked about, by its id."),
      QueryParameter(
        name: "deadline", shape: .text,
        summary:
          "By when a verdict is wanted: a time, or a duration after the start such as 30m. The "
          + "first question that names one fixes it."),
      QueryParameter(
        name: "min_health", shape: .number(0...100),
        summary: "Below this health of the version a promotion waits."),
      QueryParameter(
        name: "errors_tolerated", shape: .number(0.0001...0.5),
        summary:
          "The share of requests that may fail without another version to compare with; as the "
          + "service's objective says, else as gate.errors_tolerated does."),
    ],
    declined: GraphRoutes.dimensionsDeclined(
      "Versions are not counted by cluster and dimension: a rollout is judged as a whole."),
    answers: [.json], schema: "Gate"
  ) { call in
    let decision = try await GateDecision(request(call), by: call.backend)
    return Answer(.json, decision.document)
  }

  private static func request(_ call: Call) throws(QueryProblem) -> GateRequest {
    var reader = call.parameters
    let request = GateRequest(
      tenant: call.tenant, service: reader.text("service"),
      namespace: reader.optionalPart("namespace"),
      environment: reader.optionalPart("environment"), version: reader.text("version"),
      marker: reader.text("marker"), deadline: reader.deadline("deadline"),
      minHealth: reader.number("min_health", in: 0...100),
      errorsTolerated: reader.number("errors_tolerated", in: 0.0001...0.5))
    if request.service == nil, request.marker == nil, !reader.has("service"), !reader.has("marker")
    {
      reader.refuse("service", "Name the service, or the marker of its deployment.")
    }
    try reader.finish()
    return request
  }

  static let verdicts = Route(
    method: .get, path: "/api/v1/verdicts",
    summary:
      "What the gate said, newest first. The same verdict given again about the same rollout is "
      + "shown once, with its latest data.",
    parameters: [
      QueryParameter(
        name: "start", shape: .time, summary: "Begin of the range; 24 hours before the end."),
      QueryParameter(
        name: "end", shape: .time,
        summary: "End of the range, exclusive; ten minutes ahead, as far as data may be."),
      QueryParameter(name: "service", shape: .text, summary: "Only this service: a name or an id."),
      QueryParameter(name: "version", shape: .text, summary: "Only this version."),
      QueryParameter(
        name: "limit", shape: .integer(1...verdictsMax),
        summary: "How many at most, the newest; \(verdictsDefault)."),
    ],
    answers: [.json], schema: "Verdicts"
  ) { call in
    var reader = call.parameters
    let latest = call.backend.now.saturatingAdding(dataAheadNanos + 1)
    let range = reader.range(now: latest, call.configuration, defaultNanos: verdictsRangeNanos)
    let limit = reader.integer("limit", in: 1...verdictsMax) ?? verdictsDefault
    let filter = VerdictFilter(
      tenant: call.tenant, start: range.lowerBound, end: range.upperBound,
      service: reader.text("service"), version: reader.text("version"), countMax: limit + 1)
    try reader.finish()
    let found = try await call.backend.verdicts(filter)
    var json = JSONText()
    json.object { json in
      json.member("start", Timestamp.text(range.lowerBound))
      json.member("end", Timestamp.text(range.upperBound))
      json.key("verdicts")
      json.array(found.prefix(limit)) { json, verdict in
        json.object { VerdictDocument.write(verdict, to: &$0) }
      }
      json.member("truncated", found.count > limit)
    }
    return Answer(.json, json.bytes)
  }

  static let verdict = Route(
    method: .get, path: "/api/v1/verdicts/{id}",
    summary:
      "One verdict: the answer as it was given, the windows it was based on, and whether the same "
      + "answer comes of them today.",
    answers: [.json], schema: "VerdictInFull"
  ) { call in
    try call.parameters.finish()
    let text = call.segments["id", default: ""]
    guard let id = VerdictID(text),
      let verdict = try await call.backend.verdict(id, tenant: call.tenant)
    else {
      throw QueryProblem(
        .unknownVerdict,
        "There is no verdict \(text.prefix(64)). GET /api/v1/verdicts lists those of the last 24 "
          + "hours; an id is vd_ and 16 hexadecimal digits.")
    }
    return Answer(.json, try VerdictDocument.bytes(verdict))
  }
}
