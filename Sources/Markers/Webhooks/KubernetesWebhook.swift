public import Model

/// Events of Kubernetes that tell of a change: of replica sets, horizontal pod autoscalers, KEDA,
/// Karpenter and the cluster autoscaler.
/// - Source: Kubernetes, `pkg/controller/deployment/sync.go` and
///   `pkg/controller/podautoscaler/horizontal.go`; keda.sh, "Events reference"; Karpenter,
///   `pkg/events/reason.go`.
enum KubernetesWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    objects(message.body).map { object in
      guard let event = KubernetesEvent(object) else {
        return .problem(MarkerProblem("involvedObject", "A Kubernetes Event is required."))
      }
      return finding(event)
    }
  }

  /// One event, a list, or what a watch wraps around one.
  private static func objects(_ body: JSONValue) -> [JSONValue] {
    if case .array(let events) = body { return events.map(unwrapped) }
    if case .array(let items) = body["items"] { return items.map(unwrapped) }
    return [unwrapped(body)]
  }

  private static func unwrapped(_ value: JSONValue) -> JSONValue {
    value["object"].isObject ? value["object"] : value
  }

  static func finding(_ event: KubernetesEvent) -> WebhookFinding {
    var draft = MarkerDraft()
    draft.service = event.name
    draft.namespace = event.namespace
    draft.time = event.time
    draft.key = event.uid.isEmpty ? nil : "\(event.uid):\(event.count)"
    draft.attributes = [
      "object": .text("\(event.kind)/\(event.name)"), "reason": .text(event.reason),
    ]
    switch event.reason {
    case "ScalingReplicaSet": return replicaSet(event, draft)
    case "SuccessfulRescale": return autoscaler(event, draft)
    case "KEDAScaleTargetActivated", "KEDAScaleTargetDeactivated": return keda(event, draft)
    case "DisruptionLaunching", "DisruptionTerminating", "Disrupted", "TriggeredScaleUp",
      "ScaledUpGroup", "ScaleDown", "ScaleDownEmpty", "RemovingNode", "NodeNotReady":
      draft.kind = .infrastructure
      draft.service = ""
      draft.namespace = ""
      draft.attributes["message"] = .text(event.message)
      return .change(draft)
    case let reason: return .ignored("the reason \(shown(reason)) changes nothing that runs")
    }
  }

  /// A replica set that grows from nothing begins a deployment; its name is the version of pods that
  /// name no other.
  private static func replicaSet(_ event: KubernetesEvent, _ draft: MarkerDraft) -> WebhookFinding {
    let form = #/Scaled (?:up|down) replica set (\S+) (?:from (\d+) )?to (\d+)(?: from (\d+))?/#
    guard let match = event.message.wholeMatch(of: form), let to = number(match.3) else {
      return unreadable(event)
    }
    let from = number(match.2 ?? match.4)
    var draft = draft
    draft.attributes["replica_set"] = .text(String(match.1))
    if from == 0 {
      draft.state = .started
      draft.version = String(match.1)
    } else {
      draft.kind = .scaling
      draft.scaling = .init(from: from, to: to)
    }
    return .change(draft)
  }

  private static func autoscaler(_ event: KubernetesEvent, _ draft: MarkerDraft) -> WebhookFinding {
    let form = #/New size: (\d+); reason: (.*?)(?:; error: (.*))?/#
    guard let match = event.message.wholeMatch(of: form), let to = number(match.1) else {
      return unreadable(event)
    }
    var draft = draft
    draft.kind = .scaling
    // KEDA's own autoscalers are called after what they scale.
    let kedaPrefix = "keda-hpa-"
    if draft.service.hasPrefix(kedaPrefix) {
      draft.service = String(draft.service.dropFirst(kedaPrefix.count))
    }
    draft.scaling = .init(to: to, reason: String(match.2))
    return .change(draft)
  }

  /// KEDA wakes and puts to sleep: between nothing and one.
  private static func keda(_ event: KubernetesEvent, _ draft: MarkerDraft) -> WebhookFinding {
    var draft = draft
    draft.kind = .scaling
    let sizes = event.message.firstMatch(of: #/from (\d+) to (\d+)/#)
    let isWoken = event.reason == "KEDAScaleTargetActivated"
    draft.scaling = .init(
      from: sizes.flatMap { number($0.1) } ?? (isWoken ? 0 : nil),
      to: sizes.flatMap { number($0.2) } ?? (isWoken ? 1 : 0), reason: event.message)
    return .change(draft)
  }

  private static func number(_ text: Substring?) -> Int? {
    text.flatMap { Int($0) }.flatMap { $0 <= MarkerLimits().instancesMax ? $0 : nil }
  }

  private static func unreadable(_ event: KubernetesEvent) -> WebhookFinding {
    .problem(
      MarkerProblem("message", "\"\(shown(event.message))\" is not what \(event.reason) says."))
  }
}

extension WebhookReader {
  /// What an event of Kubernetes means that came another way, such as in an OTLP log record.
  public func read(
    _ event: KubernetesEvent, received: Nanos, tenant: TenantID,
    address: WebhookAddress = WebhookAddress()
  ) -> WebhookReading {
    read(
      [KubernetesWebhook.finding(event)],
      of: WebhookMessage(body: .null, received: received, address: address), from: .kubernetes,
      tenant: tenant)
  }
}
