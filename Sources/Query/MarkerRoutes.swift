import Access
import Graph
import Hummingbird
import Markers
import Model

/// The routes about markers.
enum MarkerRoutes {
  static let all = [post, list, show, delete]

  static let rangeDefaultNanos: Nanos = .day
  static let countDefault = 1_000
  static let countMax = 10_000

  static let post = Route(
    method: .post, path: "/api/v1/markers",
    summary:
      "Announces a change, or says how far one has come. The same dedupe_key, or else the same "
      + "content, is the same marker: it is answered with 200 and the id it has, and its state "
      + "moves on.",
    answers: [.json], schema: "MarkerPosted", body: "MarkerPost", needs: .markers,
    successes: [
      (201, "A new marker."), (200, "The marker was there, or another stands for it."),
    ]
  ) { call in
    try call.parameters.finish()
    let marker = try MarkerBody.marker(call.body, tenant: call.tenant, now: call.backend.now)
    let insertion = try await call.backend.insert([marker]).first
    var json = JSONText()
    json.object { $0.member("id", "\(insertion?.id ?? marker.id)") }
    return Answer(.json, json.bytes, status: insertion?.existed == true ? 200 : 201)
  }

  static let list = Route(
    method: .get, path: "/api/v1/markers",
    summary:
      "The markers of a range of time, newest first. What a marker does not name (namespace, "
      + "environment) counts for all.",
    parameters: [
      QueryParameter(
        name: "start", shape: .time, summary: "Begin of the range; 24 hours before the end."),
      QueryParameter(
        name: "end", shape: .time,
        summary: "End of the range, exclusive; ten minutes ahead, as far as a marker may be."),
      QueryParameter(name: "service", shape: .text, summary: "Only this service: a name or an id."),
      QueryParameter(
        name: "namespace", shape: .text, summary: "Only this namespace (- for none)."),
      QueryParameter(
        name: "environment", shape: .text, summary: "Only this environment (- for none)."),
      QueryParameter(
        name: "kind", shape: .choice(MarkerKind.allCases.map(\.rawValue)),
        summary: "Only this kind."),
      QueryParameter(
        name: "state", shape: .choice(MarkerState.allCases.map(\.rawValue)),
        summary: "Only what has come exactly so far."),
      QueryParameter(
        name: "limit", shape: .integer(1...countMax),
        summary: "How many at most, the newest; \(countDefault)."),
    ],
    answers: [.json], schema: "Markers"
  ) { call in
    var reader = call.parameters
    let latest = call.backend.now.saturatingAdding(MarkerLimits().aheadNanosMax + 1)
    let range = reader.range(now: latest, call.configuration, defaultNanos: rangeDefaultNanos)
    var filter = MarkerFilter(
      tenant: call.tenant, start: range.lowerBound.floored(to: windowNanos),
      end: range.upperBound.saturatingAdding(windowNanos - 1).floored(to: windowNanos))
    filter.service = reader.text("service")
    filter.namespace = reader.optionalPart("namespace")
    filter.environment = reader.optionalPart("environment")
    filter.kind = reader.optionalChoice("kind")
    filter.state = reader.optionalChoice("state")
    let limit = reader.integer("limit", in: 1...countMax) ?? countDefault
    try reader.finish()
    filter.countMax = limit + 1
    let markers = try await call.backend.markers(filter)
    var json = JSONText()
    json.object { json in
      json.member("start", Timestamp.text(filter.start))
      json.member("end", Timestamp.text(filter.end))
      json.key("markers")
      json.array(markers.prefix(limit)) { $0.marker($1) }
      json.member("truncated", markers.count > limit)
    }
    return Answer(.json, json.bytes)
  }

  static let show = Route(
    method: .get, path: "/api/v1/markers/{id}",
    summary: "One marker. The id of an inferred one leads to the announced one that stands for it.",
    answers: [.json], schema: "Marker"
  ) { call in
    try call.parameters.finish()
    let id = try markerID(call)
    guard let marker = try await call.backend.marker(id, tenant: call.tenant) else {
      throw unknown("\(id)")
    }
    var json = JSONText()
    json.marker(marker)
    return Answer(.json, json.bytes)
  }

  static let delete = Route(
    method: .delete, path: "/api/v1/markers/{id}", summary: "Deletes a marker.",
    answers: [], needs: .markers, successes: [(204, "It is deleted.")]
  ) { call in
    try call.parameters.finish()
    let id = try markerID(call)
    guard try await call.backend.deleteMarker(id, tenant: call.tenant) else {
      throw unknown("\(id)")
    }
    return Answer(.json, [], status: 204)
  }

  static func markerID(_ call: Call) throws(QueryProblem) -> MarkerID {
    let text = call.segments["id", default: ""]
    guard let id = MarkerID(text) else { throw unknown(String(text.prefix(64))) }
    return id
  }

  static func unknown(_ id: String) -> QueryProblem {
    QueryProblem(
      .unknownMarker,
      "There is no marker \(id). GET /api/v1/markers lists those of the last 24 hours; an id is "
        + "mk_ and 16 hexadecimal digits.")
  }
}
