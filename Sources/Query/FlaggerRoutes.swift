import Hummingbird
import Impact
import Markers
import Model

/// The gate as hooks of Flagger.
///
/// Flagger takes 200 to 202 as success and any other status, 204 too, as failure; what either means
/// depends on the hook: a `rollback` hook that succeeds rolls back. It shows the body of a failure
/// in the events of the canary, so each answer says why in plain text.
/// - Source: docs.flagger.app, "Webhooks"; fluxcd/flagger, `pkg/controller/scheduler.go`.
enum FlaggerRoutes {
  static let prefix = "/api/v1/flagger/"
  static let all = [hook]

  private static let hook = Route(
    method: .post, path: prefix + "{hook}",
    summary:
      "A hook of Flagger, called like its type: \(FlaggerHook.list). 200 or 403, with the gate's "
      + "reason as text. The version is named by the address or by the hook's metadata.",
    parameters: [
      QueryParameter(name: "service", shape: .text, summary: "The canary's name is the default."),
      QueryParameter(
        name: "namespace", shape: .text,
        summary: "Of the service (- for none); the canary's is not used."),
      QueryParameter(
        name: "environment", shape: .text, summary: "Of the service (- for none)."),
      QueryParameter(name: "version", shape: .text, summary: "The new version."),
      QueryParameter(
        name: "deadline", shape: .text,
        summary: "By when a verdict is wanted: a time, or a duration after the start."),
      QueryParameter(
        name: "min_health", shape: .number(0...100),
        summary: "Below this health of the version a promotion waits."),
    ],
    answers: [.text], body: "FlaggerHook",
    successes: [
      (200, "Go on; of a rollback hook: roll back."),
      (403, "Do not go on; of a rollback hook: do not roll back."),
    ]
  ) { call in
    let hook = try hook(call)
    let decision = try await GateDecision(request(call), by: call.backend)
    return Answer(
      .text, Array((decision.sentence + "\n").utf8), status: hook.succeeds(on: decision) ? 200 : 403
    )
  }

  private static func hook(_ call: Call) throws(QueryProblem) -> FlaggerHook {
    let name = String(call.segments["hook", default: ""].prefix(64))
    guard let hook = FlaggerHook(rawValue: name) else {
      throw QueryProblem(
        .unknownPath,
        "The gate has no answer to hooks of type \(name). It has to \(FlaggerHook.list); events go "
          + "to \(WebhookRoutes.prefix)flagger.")
    }
    return hook
  }

  /// What the address says counts more than what the hook says.
  private static func request(_ call: Call) throws(QueryProblem) -> GateRequest {
    let body: JSONValue
    do {
      body = try JSONReader.read(call.body)
    } catch {
      throw QueryProblem(
        .invalidRequest, "The body is no JSON (\(error.message)).",
        errors: [.init("body", error.message)])
    }
    let metadata = body["metadata"]
    var reader = call.parameters
    reader.supply("service", from: metadata["service"])
    reader.supply("service", from: body["name"])
    for name in ["namespace", "environment", "version", "deadline", "min_health"] {
      reader.supply(name, from: metadata[name])
    }
    let request = GateRequest(
      tenant: call.tenant,
      service: reader.required("service", "The hook has no name: add ?service= to its address."),
      namespace: reader.optionalPart("namespace"),
      environment: reader.optionalPart("environment"),
      // The version deployed last may still be the one before: a verdict about it must not move this.
      version: reader.required(
        "version",
        "Name the new version: in the metadata of the hook, or as ?version= in its address."),
      deadline: reader.deadline("deadline"), minHealth: reader.number("min_health", in: 0...100))
    try reader.finish()
    return request
  }
}

/// The types of hooks the gate has an answer to.
enum FlaggerHook: String, CaseIterable {
  /// Before the canary is scaled up, again and again until it succeeds.
  case confirmRollout = "confirm-rollout"
  /// Before traffic comes to the canary; a failure is a failed check.
  case preRollout = "pre-rollout"
  /// Before every increase of the canary's traffic, the first too; a failure holds it where it is.
  case confirmTrafficIncrease = "confirm-traffic-increase"
  /// In every iteration; a failure is a failed check, and enough of those roll back.
  case rollout
  /// Before the promotion; a failure holds it.
  case confirmPromotion = "confirm-promotion"
  /// In every iteration; success rolls back.
  case rollback

  static var list: String { allCases.map(\.rawValue).joined(separator: ", ") }

  func succeeds(on decision: GateDecision) -> Bool {
    switch (self, decision.verdict) {
    case (.rollback, let verdict): verdict == .rollback
    case (_, .rollback): false
    case (_, .promote): true
    // Without traffic there is never a verdict, and these come before it; what is only not decided
    // yet is no failed check.
    case (.confirmRollout, .wait), (.preRollout, .wait), (.rollout, .wait): true
    case (.confirmTrafficIncrease, .wait): !decision.hasTraffic
    case (.confirmPromotion, .wait): false
    }
  }
}
