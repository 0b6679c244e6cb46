import Model

/// Workflows and jobs as CircleCI tells of them when they are over.
/// - Source: circleci.com/docs, "Outbound webhooks" and its reference.
enum CircleCIWebhook {
  /// What a workflow or job that deploys has in its name, unless the address says otherwise.
  static let matchDefault = "deploy"

  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let body = message.body
    let work: JSONValue
    switch body["type"].text {
    case "workflow-completed": work = body["workflow"]
    case "job-completed": work = body["job"]
    case let type: return [.ignored("the event \(shown(type)) is no change")]
    }
    guard !work["id"].plain.isEmpty else {
      return [.problem(MarkerProblem("id", "A workflow or job with an id is required."))]
    }
    let match = message.address.match ?? matchDefault
    guard work["name"].text.lowercased().contains(match.lowercased()) else {
      return [
        .ignored(
          "the name \(shown(work["name"].text)) does not contain \(shown(match)): it is no deployment"
        )
      ]
    }
    let source = body["pipeline"]["vcs"]
    let git = body["pipeline"]["trigger_parameters"]["git"]
    var draft = MarkerDraft()
    draft.service = body["project"]["name"].text
    draft.time = work["started_at"] == .null ? work["created_at"] : work["started_at"]
    draft.endTime = work["stopped_at"] == .null ? body["happened_at"] : work["stopped_at"]
    draft.state = work["status"].text == "success" ? .finished : .failed
    let versions = [source["tag"], source["revision"], git["checkout_sha"]].map(\.text)
    draft.version = versions.first { !$0.isEmpty } ?? ""
    draft.key = "\(body["type"].text):\(work["id"].plain)"
    draft.url = body["workflow"]["url"].text
    draft.attributes = [
      "project": body["project"]["slug"], "name": work["name"], "status": work["status"],
      "commit": source["revision"] == .null ? git["checkout_sha"] : source["revision"],
      "branch": source["branch"] == .null ? git["branch"] : source["branch"],
    ]
    return [.change(draft)]
  }
}
