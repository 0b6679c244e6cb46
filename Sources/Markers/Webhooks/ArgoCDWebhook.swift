import Model

/// Applications as Argo CD tells of them, by the template in deploy/argocd-notifications.yaml: Argo CD
/// has no fixed form of its own.
/// - Source: argo-cd.readthedocs.io, "Notifications", "Webhook".
enum ArgoCDWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let body = message.body
    let app = body["app"].text
    guard !app.isEmpty else {
      return [
        .problem(
          MarkerProblem(
            "app",
            "Is required: the body is to be that of the template in Spangate's deploy folder."))
      ]
    }
    let state: MarkerState
    switch (body["phase"].text, body["health"].text) {
    case ("Running", _): state = .inProgress
    case ("Succeeded", "Degraded"), ("Failed", _), ("Error", _): state = .failed
    case ("Succeeded", _): state = .finished
    case (let phase, _): return [.ignored("the phase \(shown(phase)) changes nothing that runs")]
    }
    var draft = MarkerDraft()
    draft.service = app
    draft.namespace = body["namespace"].text
    draft.environment = body["environment"].text
    draft.time = body["startedAt"]
    draft.endTime = body["finishedAt"]
    draft.state = state
    draft.version = ImageTag.version(of: body["images"].elements, service: app)
    if draft.version.isEmpty { draft.version = body["revision"].text }
    // One operation of one application; without a time, what it brought.
    let start = [body["startedAt"].text, body["revision"].text].first { !$0.isEmpty } ?? ""
    draft.key = "\(draft.namespace)/\(app):\(start)"
    draft.url = body["url"].text
    draft.attributes = ["revision": body["revision"], "health": body["health"]]
    return [.change(draft)]
  }
}
