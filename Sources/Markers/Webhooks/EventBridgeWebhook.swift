import Model

/// What Amazon EventBridge delivers, directly or through an SNS topic.
/// - Source: docs.aws.amazon.com: EC2 Auto Scaling, "EventBridge event reference"; ECS, "Amazon ECS
///   service deployment state change events"; Application Auto Scaling, "Monitor with EventBridge";
///   SNS, "Parsing message formats".
enum EventBridgeWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    switch message.body["Type"].text {
    case "Notification":
      guard let event = try? JSONReader.read(Array(message.body["Message"].text.utf8)) else {
        return [.problem(MarkerProblem("Message", "Must be the JSON of an EventBridge event."))]
      }
      return [finding(event)]
    case "SubscriptionConfirmation", "UnsubscribeConfirmation":
      return [
        .ignored(
          "a subscription is confirmed by whoever set it up: open the SubscribeURL of this message, "
            + "or run `aws sns confirm-subscription` with its Token")
      ]
    default: return [finding(message.body)]
    }
  }

  private static func finding(_ event: JSONValue) -> WebhookFinding {
    guard event["detail"].isObject, !event["id"].text.isEmpty else {
      return .problem(MarkerProblem("detail", "An EventBridge event with its id is required."))
    }
    switch event["detail-type"].text {
    case "EC2 Instance Launch Successful": return instance(event, isLaunch: true)
    case "EC2 Instance Terminate Successful": return instance(event, isLaunch: false)
    case let type where type.hasPrefix("EC2 Auto Scaling Instance Refresh "):
      return refresh(event, String(type.dropFirst("EC2 Auto Scaling Instance Refresh ".count)))
    case "ECS Deployment State Change": return deployment(event)
    case "Application Auto Scaling Scaling Activity State Change": return activity(event)
    case "ECS Service Action"
    where event["detail"]["eventName"].text
      == "SERVICE_DESIRED_COUNT_UPDATED":
      return .ignored("SERVICE_DESIRED_COUNT_UPDATED does not say how many there are")
    case let type: return .ignored("the event \(shown(type)) changes nothing that runs")
    }
  }

  /// Events about instances of one group, in one direction, that begin in the same stretch of time
  /// are one change.
  static let stretchSeconds: Nanos = 300

  private static func instance(_ event: JSONValue, isLaunch: Bool) -> WebhookFinding {
    let detail = event["detail"]
    let group = detail["AutoScalingGroupName"].text
    guard !group.isEmpty else {
      return .problem(MarkerProblem("detail.AutoScalingGroupName", "Is required."))
    }
    guard let stretch = stretch(of: event["time"].text) else {
      return .problem(MarkerProblem("time", "Must be a time such as 2026-11-23T08:00:00Z."))
    }
    let cause = detail["Cause"].text
    let step = cause.firstMatch(of: #/desired capacity from (\d+) to (\d+)/#)
    var draft = draft(event, service: group)
    draft.kind = .scaling
    draft.time = detail["StartTime"] == .null ? event["time"] : detail["StartTime"]
    draft.endTime = event["time"]
    draft.state = .finished
    if let step, let from = Int(step.1), let to = Int(step.2) {
      draft.scaling = .init(from: from, to: to, reason: cause)
    }
    let place = "\(event["account"].text):\(event["region"].text):\(group)"
    draft.key = "\(place):\(isLaunch ? "launch" : "terminate"):\(stretch)"
    // One attribute an instance: the same one told of twice counts once.
    draft.attributes["instance \(detail["EC2InstanceId"].text)"] =
      .text(isLaunch ? "launched" : "terminated")
    return .change(draft)
  }

  /// The minute at which the stretch begins, of a time as EventBridge writes it.
  private static func stretch(of time: String) -> String? {
    let form = #/(\d{4}-\d\d-\d\dT\d\d):(\d\d):\d\d(?:\.\d+)?Z/#
    guard let match = time.wholeMatch(of: form), let minute = Int(match.2) else { return nil }
    let minutes = Int(stretchSeconds / 60)
    let begin = minute / minutes * minutes
    return "\(match.1):\(begin < 10 ? "0" : "")\(begin)"
  }

  private static func refresh(_ event: JSONValue, _ phase: String) -> WebhookFinding {
    let state: MarkerState
    switch phase {
    case "Started": state = .started
    case "Checkpoint Reached": state = .inProgress
    case "Succeeded": state = .finished
    case "Failed", "Cancelled": state = .failed
    case "Rollback Started", "Rollback Succeeded", "Rollback Failed": state = .rolledBack
    default: return .ignored("the event \(shown(event["detail-type"].text)) changes nothing")
    }
    let detail = event["detail"]
    var draft = draft(event, service: detail["AutoScalingGroupName"].text)
    draft.state = state
    draft.endTime = event["time"]
    draft.key = "\(detail["AutoScalingGroupName"].text):\(detail["InstanceRefreshId"].text)"
    return .change(draft)
  }

  private static func deployment(_ event: JSONValue) -> WebhookFinding {
    let detail = event["detail"]
    let service = event["resources"][0].text
    let id = detail["deploymentId"].text
    guard service.contains(":service/"), !id.isEmpty else {
      return .problem(
        MarkerProblem("resources", "The ARN of a service and a deploymentId are required."))
    }
    var draft = draft(event, service: lastPart(of: service))
    switch detail["eventName"].text {
    case "SERVICE_DEPLOYMENT_IN_PROGRESS": draft.state = .inProgress
    case "SERVICE_DEPLOYMENT_COMPLETED": draft.state = .finished
    case "SERVICE_DEPLOYMENT_FAILED": draft.state = .failed
    case let name: return .ignored("the event \(shown(name)) changes nothing that runs")
    }
    // Only the words say that a deployment is taken back: it is this one, or this is the one that
    // takes another back.
    let reason = detail["reason"].text
    if let words = reason.firstMatch(of: #/rolling back to deployment(?:Id)? (\S+?)\.?$/#) {
      if words.1 == id {
        draft.attributes["rollback"] = .boolean(true)
      } else {
        draft.state = .rolledBack
      }
    }
    draft.time = detail["updatedAt"]
    draft.endTime = detail["updatedAt"]
    draft.key = "\(service):\(id)"
    draft.attributes["deployment"] = .text(id)
    draft.attributes["reason"] = draft.state == .inProgress ? .null : .text(reason)
    return .change(draft)
  }

  private static func activity(_ event: JSONValue) -> WebhookFinding {
    let detail = event["detail"]
    guard let to = detail["newDesiredCapacity"].count, to <= MarkerLimits().instancesMax else {
      return .problem(MarkerProblem("detail.newDesiredCapacity", "Must be a whole number."))
    }
    guard detail["statusCode"].text == "Successful" else {
      return .ignored("the activity was not successful")
    }
    var draft = draft(event, service: lastPart(of: detail["resourceId"].text))
    draft.kind = .scaling
    draft.time = detail["startTime"]
    draft.endTime = detail["endTime"]
    draft.state = .finished
    draft.scaling = .init(
      from: detail["oldDesiredCapacity"].count, to: to,
      reason: detail["scaledToMax"].isTrue ? "scaled to the maximum" : "")
    draft.attributes["scaled_to_max"] = detail["scaledToMax"]
    draft.attributes["resource"] = detail["resourceId"]
    return .change(draft)
  }

  private static func draft(_ event: JSONValue, service: String) -> MarkerDraft {
    var draft = MarkerDraft()
    draft.service = service
    draft.time = event["time"]
    draft.key = event["id"].text
    draft.attributes = ["account": event["account"], "region": event["region"]]
    return draft
  }
}
