import Model

/// CDEvents in CloudEvents: in the headers, as one JSON object, or several in an array.
/// - Source: cdevents.dev, "Continuous Deployment Events", "Continuous Operations Events" and
///   "CloudEvents Binding"; CloudEvents, "HTTP Protocol Binding".
enum CDEventsWebhook {
  static func read(_ message: WebhookMessage) -> [WebhookFinding] {
    if case .array(let events) = message.body { return events.map(structured) }
    guard message.header("ce-type").isEmpty else {
      return [
        event(
          message.body, type: message.header("ce-type"), id: message.header("ce-id"),
          source: message.header("ce-source"), time: .text(message.header("ce-time")))
      ]
    }
    return [structured(message.body)]
  }

  /// A CloudEvent with a CDEvent in it, or a CDEvent alone.
  private static func structured(_ value: JSONValue) -> WebhookFinding {
    guard value["data"].isObject || value["context"].isObject else {
      return .problem(MarkerProblem("type", "A CloudEvent with a CDEvent in it is required."))
    }
    return event(
      value["data"].isObject ? value["data"] : value, type: value["type"].text,
      id: value["id"].text, source: value["source"].text, time: value["time"])
  }

  private static func event(
    _ body: JSONValue, type sentType: String, id sentID: String, source sentSource: String,
    time: JSONValue
  ) -> WebhookFinding {
    let context = body["context"]
    let type = sentType.isEmpty ? context["type"].text : sentType
    let id = sentID.isEmpty ? context["id"].text : sentID
    let source = sentSource.isEmpty ? context["source"].text : sentSource
    let content = body["subject"]["content"]
    var draft = MarkerDraft()
    draft.service = body["subject"]["id"].text
    draft.environment = content["environment"]["id"].text
    draft.time = context["timestamp"] == .null ? time : context["timestamp"]
    draft.endTime = draft.time
    draft.key = "\(source):\(id)"
    draft.version = version(of: content["artifactId"].text)
    draft.attributes = ["artifact": content["artifactId"], "event_source": .text(source)]
    // `dev.cdevents.service.deployed.0.1.1`: the version of the event changes nothing.
    let words = type.split(separator: ".")
    switch (words.count > 3 ? words[2] : "", words.count > 3 ? words[3] : "") {
    case ("service", "deployed"), ("service", "upgraded"): draft.state = .finished
    case ("service", "rolledback"): draft.state = .rolledBack
    case ("service", "removed"):
      draft.kind = .infrastructure
      draft.state = .finished
      draft.attributes["action"] = .text("removed")
    case ("incident", "detected"), ("incident", "reported"), ("incident", "resolved"):
      incident(&draft, body, source, isOver: words[3] == "resolved")
    default: return .ignored("the event \(shown(type)) changes nothing that runs")
    }
    guard !id.isEmpty else { return .problem(MarkerProblem("id", "Is required.")) }
    return .change(draft)
  }

  /// What is told of one incident is one marker.
  private static func incident(
    _ draft: inout MarkerDraft, _ body: JSONValue, _ source: String, isOver: Bool
  ) {
    let content = body["subject"]["content"]
    draft.kind = .incident
    draft.state = isOver ? .finished : .started
    draft.key = "\(source):incident:\(body["subject"]["id"].text)"
    draft.service = content["service"]["id"].text
    draft.url = content["ticketURI"].text
    draft.attributes["incident"] = body["subject"]["id"]
    draft.attributes["description"] = content["description"]
  }

  /// What a package URL says after `@`, or its tag.
  /// - Source: the Package URL specification.
  static func version(of packageURL: String) -> String {
    guard packageURL.hasPrefix("pkg:") else { return "" }
    let parts = packageURL.prefix { $0 != "#" }
      .split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let tags = (parts.count > 1 ? parts[1] : "").split(separator: "&")
      .filter { $0.hasPrefix("tag=") }
    if let tag = tags.first { return decoded(tag.dropFirst(4)) }
    guard let at = parts[0].lastIndex(of: "@") else { return "" }
    return decoded(parts[0][parts[0].index(after: at)...])
  }

  private static func decoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      let digits = String(rest.prefix(2)) ?? ""
      if byte == UInt8(ascii: "%"), digits.count == 2, let value = UInt8(digits, radix: 16) {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
