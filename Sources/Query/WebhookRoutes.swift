import Access
import Graph
import Hummingbird
import Markers
import Model

/// The addresses sources post to in their own shapes.
enum WebhookRoutes {
  static let prefix = "/api/v1/webhooks/"

  static func all(_ counters: WebhookCounters) -> [Route] { [post(counters)] }

  private static func post(_ counters: WebhookCounters) -> Route {
    let sources = WebhookSource.allCases.map(\.rawValue).joined(separator: ", ")
    return Route(
      method: .post, path: prefix + "{source}",
      summary:
        "Takes what a source sends of changes, in the source's own shape: \(sources). What is no "
        + "change is answered with 200 and why. What the address says counts more than the message.",
      parameters: [
        QueryParameter(name: "service", shape: .text, summary: "The service that changes."),
        QueryParameter(
          name: "namespace", shape: .text, summary: "Its namespace; - for all of them."),
        QueryParameter(
          name: "environment", shape: .text, summary: "Its environment; - for all of them."),
        QueryParameter(
          name: "match", shape: .text,
          summary: "CircleCI: what the names of workflows and jobs that deploy contain; deploy."),
      ],
      answers: [.json], schema: "WebhookAnswer", body: "WebhookMessage",
      bodyLimit: \.webhookBodyBytesMax, needs: .markers,
      isSigned: { segments, configuration in
        WebhookSource(rawValue: segments["source", default: ""])
          .map { configuration.webhookSecrets[$0] != nil } ?? false
      }
    ) { call in
      try await answer(call, counters)
    }
  }

  private static let reader = WebhookReader(language: MarkerBody.language)

  private static func answer(_ call: Call, _ counters: WebhookCounters) async throws -> Answer {
    let source = try source(call)
    if let secret = call.configuration.webhookSecrets[source],
      !WebhookSignature.isRight(source, headers: call.headers, body: call.body, secret: secret)
    {
      counters.count(source, .forged)
      throw QueryProblem(
        .badSignature,
        "The signature in \(WebhookSignature.place(of: source)) is missing or wrong. It is checked "
          + "because webhooks.\(source.configurationName).secret is set; nothing was kept.")
    }
    do {
      if source == .github, DeploymentReview.isAsked(by: call.headers) {
        return try await review(call, counters)
      }
      let reading = try read(call, source)
      let ids = try await insert(reading.markers, call)
      counters.count(source, ids.isEmpty ? .ignored : .taken)
      return Answer(.json, json(ids, reading).bytes)
    } catch {
      counters.count(source, .refused)
      throw error
    }
  }

  private static func source(_ call: Call) throws(QueryProblem) -> WebhookSource {
    let name = call.segments["source", default: ""]
    guard let source = WebhookSource(rawValue: name) else {
      let known = WebhookSource.allCases.map(\.rawValue)
      let hint =
        Spelling.nearest(to: String(name.prefix(64)), among: known, countMax: 1).first
        .map { "Did you mean \($0)?" } ?? "There are \(known.joined(separator: ", "))."
      throw QueryProblem(
        .unknownPath, "No source of webhooks is called \(name.prefix(64)). \(hint)")
    }
    return source
  }

  /// A job waits for the gate: it is answered later, at the address it names.
  private static func review(
    _ call: Call, _ counters: WebhookCounters
  ) async throws -> Answer {
    let message = try message(call)
    guard DeploymentReview.isAction(in: message.body) else {
      counters.count(.github, .ignored)
      return Answer(.json, json(ignored: "only the action `requested` asks for an answer").bytes)
    }
    let review: DeploymentReview
    do throws(MarkerProblems) {
      review = try DeploymentReview(message, tenant: call.tenant)
    } catch {
      throw problem(error.list)
    }
    var json = JSONText()
    switch try await call.backend.take(review) {
    case .added, .known:
      counters.count(.github, .taken)
      json.object { json in
        json.member("markers", [String]())
        json.member("review", "waiting")
      }
    case .notSetUp:
      counters.count(.github, .ignored)
      json = WebhookRoutes.json(
        ignored: "deployments are reviewed where github.app_id and github.app_key_file are set")
    case .foreign(let expected):
      throw problem([MarkerProblem("deployment_callback_url", "Must begin with \(expected).")])
    case .full: throw QueryProblem.overloaded("Too many reviews wait. Send it again later.")
    }
    return Answer(.json, json.bytes)
  }

  private static func json(ignored reason: String) -> JSONText {
    var reading = WebhookReading()
    reading.ignored = [reason]
    return json([], reading)
  }

  private static func problem(_ problems: [MarkerProblem]) -> QueryProblem {
    QueryProblem(
      .invalidRequest, problems.first.map { "\($0.field): \($0.message)" } ?? "",
      errors: problems.map { .init($0.field, $0.message) })
  }

  /// - Errors: a problem when nothing in it could be read.
  private static func read(
    _ call: Call, _ source: WebhookSource
  ) throws(QueryProblem) -> WebhookReading {
    let reading = reader.read(try message(call), from: source, tenant: call.tenant)
    guard !reading.markers.isEmpty || reading.problems.isEmpty else {
      throw problem(reading.problems)
    }
    return reading
  }

  private static func message(_ call: Call) throws(QueryProblem) -> WebhookMessage {
    var parameters = call.parameters
    let address = WebhookAddress(
      service: parameters.text("service"), namespace: parameters.optionalPart("namespace"),
      environment: parameters.optionalPart("environment"), match: parameters.text("match"))
    try parameters.finish()
    let value: JSONValue
    do {
      value = try JSONReader.read(call.body)
    } catch {
      throw QueryProblem(
        .invalidRequest,
        "The body is no JSON (\(error.message)). Choose application/json where the webhook is set "
          + "up.", errors: [.init("body", error.message)])
    }
    return WebhookMessage(
      headers: call.headers, body: value, received: call.backend.now, address: address)
  }

  /// What cannot be kept now is sent again later: sources repeat what was not taken.
  private static func insert(
    _ markers: [Marker], _ call: Call
  ) async throws(QueryProblem) -> [String] {
    guard !markers.isEmpty else { return [] }
    do {
      return try await call.backend.insert(markers).map { "\($0.id)" }
    } catch {
      throw QueryProblem.overloaded("The change cannot be kept now. Send it again later.")
    }
  }

  private static func json(_ ids: [String], _ reading: WebhookReading) -> JSONText {
    var json = JSONText()
    json.object { json in
      json.member("markers", ids)
      if !reading.ignored.isEmpty {
        json.member("ignored", reading.ignored.joined(separator: "; "))
      }
      if !reading.problems.isEmpty {
        json.key("problems")
        json.array(reading.problems) { json, problem in
          json.object {
            $0.member("field", problem.field)
            $0.member("message", problem.message)
          }
        }
      }
    }
    return json
  }
}
