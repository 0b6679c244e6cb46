import Model

/// Deployments as GitHub tells of them.
/// - Source: docs.github.com, "Webhook events and payloads", `deployment_status`.
enum GitHubWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let event = message.header("x-github-event")
    guard event != DeploymentReview.event else {
      return [.ignored("a deployment_protection_rule is no change: it asks for an answer")]
    }
    guard event == "deployment_status" else {
      return [.ignored("the event \(shown(event)) is no change: deployment_status is")]
    }
    let status = message.body["deployment_status"]
    let deployment = message.body["deployment"]
    guard status.isObject, deployment.isObject, !deployment["id"].plain.isEmpty else {
      return [.problem(MarkerProblem("deployment", "A deployment and its status are required."))]
    }
    guard let state = state(status["state"].text) else {
      return [.ignored("the state \(shown(status["state"].text)) changes nothing that runs")]
    }
    let repository = message.body["repository"]["full_name"].text
    let payload = payload(deployment["payload"])
    var draft = MarkerDraft()
    draft.service = payload["service"].plain
    if draft.service.isEmpty { draft.service = lastPart(of: repository) }
    draft.namespace = payload["namespace"].plain
    draft.environment =
      status["environment"].text.isEmpty
      ? deployment["environment"].text : status["environment"].text
    draft.time = status["created_at"]
    draft.endTime = status["created_at"]
    draft.state = state
    draft.version = payload["version"].plain
    if draft.version.isEmpty { draft.version = deployment["sha"].text }
    draft.previousVersion = payload["previous_version"].plain
    draft.key = "\(repository):\(deployment["id"].plain)"
    draft.url = [status["log_url"].text, status["target_url"].text].first { !$0.isEmpty } ?? ""
    draft.attributes = [
      "commit": deployment["sha"], "ref": deployment["ref"], "task": deployment["task"],
      "repository": .text(repository), "description": status["description"],
    ]
    return [.change(draft)]
  }

  /// nil for what waits, and for what a later deployment took the place of.
  private static func state(_ text: String) -> MarkerState? {
    switch text {
    case "pending": .started
    case "in_progress": .inProgress
    case "success": .finished
    case "failure", "error": .failed
    default: nil
    }
  }

  /// Whatever those who deploy put there: an object, or a text of one.
  static func payload(_ value: JSONValue) -> JSONValue {
    guard case .text(let text) = value, text.hasPrefix("{") else { return value }
    return (try? JSONReader.read(Array(text.utf8))) ?? .null
  }
}

/// What stands after the last slash.
func lastPart(of path: String) -> String {
  path.split(separator: "/").last.map(String.init) ?? ""
}

/// A word of a sender's as an answer shows it.
func shown(_ word: String) -> String { word.isEmpty ? "(none)" : String(word.prefix(64)) }
