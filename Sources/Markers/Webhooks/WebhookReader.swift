public import Model

/// Reads what sources send, each in its own shape, into markers.
public struct WebhookReader: Sendable {
  /// Events in one message; what is beyond is a problem of the message.
  public static let eventsMax = 1_000
  /// Reasons and problems told of one message.
  static let toldMax = 8

  private let language: MarkerReader.Language
  private let limits: MarkerLimits

  public init(language: MarkerReader.Language, limits: MarkerLimits = MarkerLimits()) {
    self.language = language
    self.limits = limits
  }

  public func read(
    _ message: WebhookMessage, from source: WebhookSource, tenant: TenantID
  ) -> WebhookReading {
    read(source.read(message), of: message, from: source, tenant: tenant)
  }

  func read(
    _ findings: [WebhookFinding], of message: WebhookMessage, from source: WebhookSource,
    tenant: TenantID
  ) -> WebhookReading {
    var reading = WebhookReading()
    if findings.count > WebhookReader.eventsMax {
      note(
        MarkerProblem(
          "items", "\(findings.count) events; the first \(WebhookReader.eventsMax) are read."),
        &reading)
    }
    for finding in findings.prefix(WebhookReader.eventsMax) {
      switch finding {
      case .change(let draft): add(draft, message, source, tenant, &reading)
      case .ignored(let reason): note(reason, &reading)
      case .problem(let problem): note(problem, &reading)
      }
    }
    return reading
  }

  private func note(_ reason: String, _ reading: inout WebhookReading) {
    guard !reading.ignored.contains(reason), reading.ignored.count < WebhookReader.toldMax else {
      return
    }
    reading.ignored.append(reason)
  }

  private func note(_ problem: MarkerProblem, _ reading: inout WebhookReading) {
    guard !reading.problems.contains(problem), reading.problems.count < WebhookReader.toldMax else {
      return
    }
    reading.problems.append(problem)
  }

  private func add(
    _ draft: MarkerDraft, _ message: WebhookMessage, _ source: WebhookSource, _ tenant: TenantID,
    _ reading: inout WebhookReading
  ) {
    let address = message.address
    let service = cut(address.service ?? draft.service, limits.nameBytesMax)
    guard !service.isEmpty || !draft.kind.needsService else {
      return note(
        MarkerProblem(
          "service", "The message names none: add ?service=NAME to the webhook's address."),
        &reading)
    }
    let time = time(draft.time) ?? message.received
    let isOver = draft.state?.isOver == true
    let endTime = isOver ? max(time, self.time(draft.endTime) ?? time) : nil
    for (field, time) in [("time", time), ("end_time", endTime ?? time)]
    where time > message.received.saturatingAdding(limits.aheadNanosMax) {
      return note(
        MarkerProblem(
          field,
          "Is \(language.written(time)), more than \(limits.aheadNanosMax / .minute) minutes ahead: "
            + "it is \(language.written(message.received)) here. One of the two clocks is wrong."),
        &reading)
    }
    var marker = Marker(
      tenant: tenant, kind: draft.kind, service: service,
      namespace: cut(address.namespace ?? draft.namespace, limits.nameBytesMax),
      environment: cut(address.environment ?? draft.environment, limits.nameBytesMax),
      time: time, endTime: endTime, state: draft.state,
      version: cut(draft.version, limits.nameBytesMax),
      previousVersion: cut(draft.previousVersion, limits.nameBytesMax), scaling: draft.scaling,
      source: source.rawValue, dedupeKey: draft.key.map { key(source, $0, address) },
      url: url(draft.url), attributes: attributes(draft.attributes))
    marker.scaling?.reason = cut(draft.scaling?.reason ?? "", limits.textBytesMax)
    guard marker.dedupeKey?.utf8.count ?? 0 <= limits.dedupeKeyBytesMax else {
      return note(
        MarkerProblem(
          "dedupe_key",
          "What identifies the change is longer than \(limits.dedupeKeyBytesMax) bytes."),
        &reading)
    }
    reading.markers.append(marker)
  }

  /// The same message sent to addresses of different services is a change of each of them.
  private func key(_ source: WebhookSource, _ key: String, _ address: WebhookAddress) -> String {
    let parts = [address.service, address.namespace, address.environment]
    let isPlain = parts.allSatisfy { $0 == nil }
    let suffix = isPlain ? "" : "?" + parts.map { $0 ?? "" }.joined(separator: "/")
    return "\(source.rawValue):\(key)\(suffix)"
  }

  /// RFC 3339 and Unix time, also with a blank before the offset and without its colon, as GitLab
  /// writes it. Nothing for the times Go and others write for "never".
  private func time(_ value: JSONValue) -> Nanos? {
    let text = value.plain
    if let time = language.time(text) { return time }
    let written = #/(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(UTC|[+-]\d\d:?\d\d)/#
    guard text.utf8.count <= 64, let match = text.wholeMatch(of: written) else { return nil }
    let digits = match.3.filter(\.isNumber)
    let offset =
      match.3 == "UTC" ? "Z" : "\(match.3.prefix(1))\(digits.prefix(2)):\(digits.suffix(2))"
    return language.time("\(match.1)T\(match.2)\(offset)")
  }

  private func url(_ url: String) -> String {
    let lowered = url.lowercased()
    let isWeb = lowered.hasPrefix("https://") || lowered.hasPrefix("http://")
    let isShort = url.utf8.count <= limits.urlBytesMax
    return isWeb && isShort && !url.contains(where: \.isWhitespace) ? url : ""
  }

  private func attributes(_ values: [String: JSONValue]) -> [String: MarkerAttribute] {
    var attributes: [String: MarkerAttribute] = [:]
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard attributes.count < limits.attributesMax else { break }
      let name = cut(name, limits.attributeKeyBytesMax)
      switch value {
      case .text(let text) where !text.isEmpty:
        attributes[name] = .text(cut(text, limits.textBytesMax))
      case .integer(let number): attributes[name] = .integer(number)
      case .number(let number): attributes[name] = .number(number)
      case .boolean(let truth): attributes[name] = .boolean(truth)
      case .text, .array, .object, .null: break
      }
    }
    return attributes
  }

  /// The beginning of a text that is too long, without control characters.
  private func cut(_ text: String, _ bytesMax: Int) -> String {
    var kept = String.UnicodeScalarView()
    var room = bytesMax
    for scalar in text.unicodeScalars {
      let shown = scalar.properties.generalCategory == .control ? " " : scalar
      room -= UTF8.width(shown)
      guard room >= 0 else { break }
      kept.append(shown)
    }
    return String(kept)
  }
}
