import Model

/// Builds as the Notification plugin of Jenkins tells of them. Only jobs it is set up for are told
/// of, so each is taken for a deployment.
/// - Source: plugins.jenkins.io/notification; `BuildState` of the plugin.
enum JenkinsWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    let build = message.body["build"]
    guard build.isObject else {
      return [.problem(MarkerProblem("build", "Is required: the JSON of the Notification plugin."))]
    }
    let state: MarkerState
    switch (build["phase"].text, build["status"].text) {
    case ("STARTED", _): state = .started
    case ("COMPLETED", "SUCCESS"), ("FINALIZED", "SUCCESS"): state = .finished
    // Tests that fail in a build that went through.
    case ("COMPLETED", "UNSTABLE"), ("FINALIZED", "UNSTABLE"): state = .finished
    case ("COMPLETED", _), ("FINALIZED", _): state = .failed
    case (let phase, _): return [.ignored("the phase \(shown(phase)) changes nothing that runs")]
    }
    let job = message.body["name"].text
    let parameters = build["parameters"]
    var draft = MarkerDraft()
    draft.service = parameters["SERVICE"].plain.isEmpty ? job : parameters["SERVICE"].plain
    draft.namespace = parameters["NAMESPACE"].plain
    draft.environment = parameters["ENVIRONMENT"].plain
    draft.time = build["timestamp"]
    draft.endTime = build["timestamp"]
    draft.state = state
    draft.version = parameters["VERSION"].plain
    if draft.version.isEmpty { draft.version = build["scm"]["commit"].text }
    draft.url = build["full_url"].text
    let address = build["url"].text.isEmpty ? draft.url : build["url"].text
    draft.key = address.isEmpty ? "\(job)#\(build["number"].plain)" : address
    draft.attributes = [
      "job": .text(job), "build": build["number"], "commit": build["scm"]["commit"],
      "branch": build["scm"]["branch"], "status": state.isOver ? build["status"] : .null,
    ]
    return [.change(draft)]
  }
}
