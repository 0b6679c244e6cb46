import Model

/// Rollouts as Argo Rollouts tells of them, by the template in deploy/argo-rollouts-notifications.yaml.
/// - Source: argo-rollouts.readthedocs.io, "Notifications"; the status of a Rollout.
enum ArgoRolloutsWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let body = message.body
    let rollout = body["rollout"].text
    guard !rollout.isEmpty else {
      return [
        .problem(
          MarkerProblem(
            "rollout",
            "Is required: the body is to be that of the template in Spangate's deploy folder."))
      ]
    }
    let isAborted = body["abort"].plain == "true"
    let state: MarkerState
    switch body["phase"].text {
    case "Progressing", "Paused": state = isAborted ? .rolledBack : .inProgress
    case "Healthy": state = .finished
    case "Degraded": state = isAborted ? .rolledBack : .failed
    case let phase: return [.ignored("the phase \(shown(phase)) changes nothing that runs")]
    }
    var draft = MarkerDraft()
    draft.service = rollout
    draft.namespace = body["namespace"].text
    draft.environment = body["environment"].text
    draft.state = state
    draft.version = ImageTag.version(of: body["images"].elements, service: rollout)
    if draft.version.isEmpty { draft.version = body["podHash"].text }
    draft.key = "\(draft.namespace)/\(rollout):\(body["revision"].plain):\(body["podHash"].text)"
    draft.attributes = [
      "revision": .text(body["revision"].plain), "pod_hash": body["podHash"],
      "stable_pod_hash": body["stableHash"], "message": state.isOver ? body["message"] : .null,
    ]
    return [.change(draft)]
  }
}
