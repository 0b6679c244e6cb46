import Graph
import Hummingbird
import Model

/// The route about one trace.
enum TraceRoutes {
  static let all = [show]

  static let countDefault = 1_000
  static let countMax = 10_000

  static let show = Route(
    method: .get, path: "/api/v1/traces/{trace_id}",
    summary:
      "One trace: its spans, what it waited for, and the way of its failure. Traces that still grow "
      + "can be had, and of the others those kept as examples.",
    parameters: [
      QueryParameter(
        name: "limit", shape: .integer(1...countMax),
        summary: "How many spans and sections at most, the first; \(countDefault).")
    ],
    answers: [.json], schema: "Trace"
  ) { call in
    var reader = call.parameters
    let limit = reader.integer("limit", in: 1...countMax) ?? countDefault
    let text = call.segments["trace_id", default: ""]
    let id = TraceID(hexadecimal: text)
    if id == nil { reader.refuse("trace_id", "Must be 32 hexadecimal digits.") }
    try reader.finish()
    guard let id, let trace = try await call.backend.trace(id, tenant: call.tenant) else {
      throw QueryProblem(
        .unknownTrace,
        "There is no trace \(text). A few are kept, in memory, up to limits.exemplars_bytes: those "
          + "that nodes, edges and paths name as exemplars, the latest first. All others are gone "
          + "once they are counted; a trace store keeps them.")
    }
    return Answer(.json, trace.json(limit: limit).bytes)
  }
}
