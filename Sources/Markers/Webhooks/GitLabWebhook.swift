import Model

/// Deployments, feature flags and releases as GitLab tells of them.
/// - Source: docs.gitlab.com, "Webhook events".
enum GitLabWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    switch message.body["object_kind"].text {
    case "deployment": [deployment(message)]
    case "feature_flag": [featureFlag(message)]
    case "release": [release(message)]
    case let kind:
      [.ignored("a \(shown(kind)) is no change: deployment, feature_flag, release are")]
    }
  }

  private static func deployment(_ message: WebhookMessage) -> WebhookFinding {
    let body = message.body
    let state: MarkerState
    switch body["status"].text {
    case "running": state = .inProgress
    case "success": state = .finished
    case "failed", "canceled": state = .failed
    case let status: return .ignored("the status \(shown(status)) changes nothing that runs")
    }
    guard !body["deployment_id"].plain.isEmpty else {
      return .problem(MarkerProblem("deployment_id", "Is required."))
    }
    var draft = draft(of: body["project"])
    draft.environment = body["environment"].text
    draft.time = body["status_changed_at"]
    draft.endTime = body["status_changed_at"]
    draft.state = state
    // The whole id of the commit stands nowhere else.
    draft.version = lastPart(of: body["commit_url"].text)
    if draft.version.isEmpty { draft.version = body["short_sha"].text }
    draft.key = key("deployment", body["project"], body["deployment_id"].plain)
    draft.url = body["deployable_url"].text
    draft.attributes["ref"] = body["ref"]
    draft.attributes["commit"] = .text(draft.version)
    draft.attributes["tier"] = body["environment_tier"]
    return .change(draft)
  }

  private static func featureFlag(_ message: WebhookMessage) -> WebhookFinding {
    let flag = message.body["object_attributes"]
    guard flag.isObject else {
      return .problem(MarkerProblem("object_attributes", "Is required."))
    }
    var draft = draft(of: message.body["project"])
    draft.kind = .featureFlag
    let delivery = delivery(message)
    // Nothing in the message tells one switch of a flag from the next.
    draft.key = delivery.map { key("feature_flag", message.body["project"], $0) }
    draft.attributes["flag"] = flag["name"]
    draft.attributes["active"] = flag["active"]
    return .change(draft)
  }

  private static func release(_ message: WebhookMessage) -> WebhookFinding {
    let body = message.body
    guard body["action"].text == "create" else {
      return .ignored("a release that is no new one changes nothing that runs")
    }
    var draft = draft(of: body["project"])
    draft.time = body["released_at"]
    draft.version = body["tag"].text
    draft.key = key("release", body["project"], body["id"].plain)
    draft.url = body["url"].text
    draft.attributes["release"] = body["name"]
    draft.attributes["commit"] = body["commit"]["id"]
    return .change(draft)
  }

  private static func draft(of project: JSONValue) -> MarkerDraft {
    var draft = MarkerDraft()
    draft.service = lastPart(of: project["path_with_namespace"].text)
    draft.attributes["project"] = project["path_with_namespace"]
    return draft
  }

  /// The same for a message that is sent again.
  private static func delivery(_ message: WebhookMessage) -> String? {
    ["idempotency-key", "x-gitlab-event-uuid"].map(message.header).first { !$0.isEmpty }
  }

  private static func key(_ kind: String, _ project: JSONValue, _ id: String) -> String {
    "\(kind):\(project["path_with_namespace"].text):\(id)"
  }
}
