/// Who sends webhooks. The raw values are the last part of their addresses.
public enum WebhookSource: String, Sendable, CaseIterable {
  case github, gitlab, jenkins, circleci, argocd
  case argoRollouts = "argo-rollouts"
  case cdevents, flagger, kubernetes, eventbridge

  /// As its section of the configuration is called: also a part of a variable's name.
  public var configurationName: String { rawValue.replacing("-", with: "_") }

  func read(_ message: WebhookMessage) -> [WebhookFinding] {
    switch self {
    case .github: GitHubWebhook.read(message)
    case .gitlab: GitLabWebhook.read(message)
    case .jenkins: JenkinsWebhook.read(message)
    case .circleci: CircleCIWebhook.read(message)
    case .argocd: ArgoCDWebhook.read(message)
    case .argoRollouts: ArgoRolloutsWebhook.read(message)
    case .cdevents: CDEventsWebhook.read(message)
    case .flagger: FlaggerWebhook.read(message)
    case .kubernetes: KubernetesWebhook.read(message)
    case .eventbridge: EventBridgeWebhook.read(message)
    }
  }
}
