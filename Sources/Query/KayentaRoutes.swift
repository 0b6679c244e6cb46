import Graph
import Hummingbird
import Impact
import Markers
import Model

/// The gate as the three routes that the `kayenta` provider of Argo Rollouts asks: it looks up a
/// configuration, starts an execution, and asks for it every 15 seconds until it is complete.
/// - Source: argoproj/argo-rollouts, `metricproviders/kayenta`; spinnaker/kayenta, its API.
enum KayentaRoutes {
  static let prefix = "/api/v1/kayenta/"
  static let all = [configurations, start, execution]

  /// The one configuration there is, by id and by name.
  static let configuration = "spangate"

  private static let configurations = Route(
    method: .get, path: prefix + "canaryConfig",
    summary: "The configurations of canaries: one, called \(configuration), for any application.",
    parameters: [
      QueryParameter(name: "application", shape: .text, summary: "It is answered as it came.")
    ],
    answers: [.json], schema: "KayentaConfig", answersList: true
  ) { call in
    var reader = call.parameters
    let application = reader.text("application")
    try reader.finish()
    var json = JSONText()
    json.array { json in
      json.object { json in
        json.member("id", configuration)
        json.member("name", configuration)
        json.member("updatedTimestamp", 0)
        json.member("updatedTimestampIso", Timestamp.text(0))
        json.member("applications", application.map { [$0] } ?? [])
      }
    }
    return Answer(.json, json.bytes)
  }

  private static let start = Route(
    method: .post, path: prefix + "canary/{id}",
    summary:
      "Starts an execution: `application` is the service, the experiment's `scope` its new version, "
      + "its `location` or `region` the environment, its `end` when to give up waiting. Nothing is kept: the id "
      + "says it all.",
    parameters: [
      QueryParameter(
        name: "application", shape: .text, summary: "The service: a name, or an id.",
        isRequired: true)
    ],
    answers: [.json], schema: "KayentaStarted", body: "KayentaRequest"
  ) { call in
    guard call.segments["id"] == configuration else {
      throw QueryProblem(
        .unknownPath,
        "There is no configuration \(call.segments["id", default: ""].prefix(64)); the one there is "
          + "is called \(configuration).")
    }
    var json = JSONText()
    let started = try started(call)
    json.object { $0.member("canaryExecutionId", started.id) }
    return Answer(.json, json.bytes)
  }

  private static func started(_ call: Call) throws(QueryProblem) -> KayentaExecution {
    let body: JSONValue
    do {
      body = try JSONReader.read(call.body)
    } catch {
      throw QueryProblem(
        .invalidRequest, "The body is no JSON (\(error.message)).",
        errors: [.init("body", error.message)])
    }
    let scope = scope(body["scopes"])["experimentScope"]
    var reader = call.parameters
    for name in ["scope", "location", "end"] { reader.supply(name, from: scope[name]) }
    // Argo Rollouts calls the location a region, as Kayenta once did.
    reader.supply("location", from: scope["region"])
    var execution = KayentaExecution(
      service: reader.required("application", "Name the service in `application`."),
      environment: reader.optionalPart("location"), version: reader.text("scope"),
      end: reader.time("end"))
    let thresholds = body["thresholds"]
    if let pass = KayentaExecution.threshold(thresholds["pass"]),
      let marginal = KayentaExecution.threshold(thresholds["marginal"])
    {
      execution.pass = pass
      execution.marginal = marginal
    } else {
      reader.refuse("thresholds", "Two numbers are needed: pass and marginal.")
    }
    try reader.finish()
    return execution
  }

  /// The scope called `default`, else the first by its name.
  private static func scope(_ scopes: JSONValue) -> JSONValue {
    guard case .object(let members) = scopes else { return .null }
    return members["default"] ?? members.min { $0.key < $1.key }?.value ?? .null
  }

  private static let execution = Route(
    method: .get, path: prefix + "canary/{id}",
    summary:
      "How an execution stands: not complete while the gate waits, else with a score that is made "
      + "for the thresholds it was started with. After its end, still waiting is marginal.",
    answers: [.json], schema: "KayentaExecution"
  ) { call in
    let id = call.segments["id", default: ""]
    guard let execution = KayentaExecution(id: id) else {
      throw QueryProblem(
        .unknownVerdict,
        "There is no execution \(id.prefix(64)): ids are those that POST \(prefix)canary/"
          + "\(configuration) answers.")
    }
    let decision = try await GateDecision(
      GateRequest(
        tenant: call.tenant, service: execution.service, environment: execution.environment,
        version: execution.version, deadline: execution.end.map { .at($0) }),
      by: call.backend)
    return Answer(.json, document(execution, id, decision, now: call.backend.now).bytes)
  }

  private static func document(
    _ execution: KayentaExecution, _ id: String, _ decision: GateDecision, now: Nanos
  ) -> JSONText {
    let isComplete = decision.verdict != .wait || execution.isOver(at: now)
    var json = JSONText()
    json.object { json in
      json.member("canaryExecutionId", id)
      json.member("application", execution.service)
      json.member("complete", isComplete)
      json.member("status", isComplete ? "succeeded" : "running")
      if isComplete {
        let score = KayentaScore(
          decision.verdict, pass: execution.pass, marginal: execution.marginal)
        json.member("result") { json in
          json.member("judgeResult") { json in
            json.member("judgeName", configuration)
            json.member("score") { json in
              json.member("score", score.score)
              json.member("classification", score.classification.rawValue)
              json.member("classificationReason", decision.sentence)
            }
          }
        }
      }
      json.key("gate")
      json.raw(decision.document)
    }
    return json
  }
}
