import Model

/// Canaries as Flagger tells of them, to its hooks of type `event`.
/// - Source: docs.flagger.app, "Webhooks"; `CanaryWebhookPayload`.
enum FlaggerWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let body = message.body
    guard !body["name"].text.isEmpty, !body["phase"].text.isEmpty else {
      return [.problem(MarkerProblem("name", "The name and the phase of a canary are required."))]
    }
    let state: MarkerState
    switch body["phase"].text {
    case "Progressing", "WaitingPromotion", "Promoting", "Finalising": state = .inProgress
    case "Succeeded": state = .finished
    // Flagger sends the traffic back whenever it gives a canary up.
    case "Failed": state = .rolledBack
    case let phase: return [.ignored("the phase \(shown(phase)) changes nothing that runs")]
    }
    let metadata = body["metadata"]
    var draft = MarkerDraft()
    draft.service = body["name"].text
    draft.namespace = body["namespace"].text
    draft.environment = metadata["environment"].plain
    draft.time = metadata["timestamp"]
    draft.endTime = metadata["timestamp"]
    draft.state = state
    // The checksum is that of the whole specification, which no span names.
    draft.version = metadata["version"].plain
    draft.key = "\(body["namespace"].text)/\(body["name"].text):\(body["checksum"].plain)"
    draft.attributes = [
      "checksum": .text(body["checksum"].plain),
      "message": state.isOver ? metadata["eventMessage"] : .null,
    ]
    return [.change(draft)]
  }
}
