public import Model

/// Reads what a sender says about a change. Everything that is wrong is found at once.
public struct MarkerReader: Sendable {
  /// How times are written, and which words are spelled alike: the same as everywhere else in the
  /// API, so it is handed in.
  public struct Language: Sendable {
    /// Unix nanoseconds; nil for what is no time.
    var time: @Sendable (String) -> Nanos?
    /// The word meant, if it can be guessed.
    var nearest: @Sendable (String, [String]) -> String?
    /// A time as users read it.
    var written: @Sendable (Nanos) -> String

    public init(
      time: @escaping @Sendable (String) -> Nanos?,
      nearest: @escaping @Sendable (String, [String]) -> String?,
      written: @escaping @Sendable (Nanos) -> String
    ) {
      self.time = time
      self.nearest = nearest
      self.written = written
    }
  }

  /// The keys of a marker, in the order in which they are listed for a person.
  public static let keys = [
    "kind", "service", "namespace", "environment", "time", "end_time", "state", "version",
    "previous_version", "scaling", "source", "dedupe_key", "url", "attributes",
  ]
  public static let scalingKeys = ["from", "to", "reason"]

  private let language: Language
  private let limits: MarkerLimits

  public init(language: Language, limits: MarkerLimits = MarkerLimits()) {
    self.language = language
    self.limits = limits
  }

  /// - Parameter now: the present, Unix nanoseconds: the time of a marker that names none.
  /// - Errors: all that is wrong, by field.
  public func read(
    _ object: [String: JSONValue], tenant: TenantID, now: Nanos
  ) throws(MarkerProblems) -> Marker {
    var fields = MarkerFields(object, language: language, limits: limits)
    fields.refuseUnknown(MarkerReader.keys)
    let kind = kind(&fields)
    let service = service(&fields, kind)
    let namespace = fields.name("namespace")
    let environment = fields.name("environment")
    let (time, endTime) = times(&fields, now: now)
    let state = state(&fields, hasEnd: endTime != nil)
    let version = fields.name("version")
    let previousVersion = fields.name("previous_version")
    let scaling = scaling(&fields, kind)
    let source = fields.name("source")
    let dedupeKey = fields.text("dedupe_key", bytesMax: limits.dedupeKeyBytesMax)
    let url = url(&fields)
    let attributes = fields.attributes("attributes")
    guard fields.problems.isEmpty, let kind else {
      throw MarkerProblems(list: fields.problems)
    }
    return Marker(
      tenant: tenant, kind: kind, service: service, namespace: namespace,
      environment: environment, time: time, endTime: endTime, state: state, version: version,
      previousVersion: previousVersion, scaling: scaling, source: source,
      dedupeKey: dedupeKey.isEmpty ? nil : dedupeKey, url: url, attributes: attributes)
  }

  private func kind(_ fields: inout MarkerFields) -> MarkerKind? {
    guard fields.has("kind") else {
      let choices = MarkerKind.allCases.map(\.rawValue).joined(separator: ", ")
      fields.refuse("kind", "Is required: one of \(choices).")
      return nil
    }
    return choice(&fields, "kind")
  }

  private func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ fields: inout MarkerFields, _ key: String
  ) -> Choice? {
    guard let text = fields.optionalText(key, bytesMax: limits.nameBytesMax) else { return nil }
    if let choice = Choice(rawValue: text) { return choice }
    let choices = Choice.allCases.map(\.rawValue)
    let hint = language.nearest(text, choices).map { "Did you mean \"\($0)\"? " } ?? ""
    fields.refuse(
      key, "Unknown \(key). \(hint)There are \(choices.joined(separator: ", ")).")
    return nil
  }

  private func state(_ fields: inout MarkerFields, hasEnd: Bool) -> MarkerState? {
    let state: MarkerState? = choice(&fields, "state")
    if let state, !state.isOver, hasEnd {
      fields.refuse(
        "end_time", "Is for what is over; the state is \(state.rawValue). Leave one of them out.")
    }
    return state
  }

  /// Without a known kind nothing is said about a service that is missing: one mistake, one message.
  private func service(_ fields: inout MarkerFields, _ kind: MarkerKind?) -> String {
    let known = fields.problems.count
    let service = fields.name("service")
    if service.isEmpty, let kind, kind.needsService, fields.problems.count == known {
      fields.refuse(
        "service",
        "Is required: the name of the service that changed. Only infrastructure and incident "
          + "markers may concern everything.")
    }
    return service
  }

  private func times(_ fields: inout MarkerFields, now: Nanos) -> (Nanos, Nanos?) {
    let time = fields.time("time") ?? now
    let endTime = fields.time("end_time")
    let latest = now.saturatingAdding(limits.aheadNanosMax)
    if time > latest {
      fields.refuse(
        "time",
        "Is more than \(limits.aheadNanosMax / .minute) minutes in the future: it is "
          + "\(language.written(now)) here. Markers are for what has happened or is beginning.")
    }
    if let endTime, endTime < time {
      fields.refuse(
        "end_time",
        "Is before the time: time is \(language.written(time)), end_time "
          + "\(language.written(endTime)).")
    }
    return (time, endTime)
  }

  private func scaling(_ fields: inout MarkerFields, _ kind: MarkerKind?) -> Marker.Scaling? {
    guard var scaling = fields.object("scaling") else { return nil }
    if let kind, kind != .scaling {
      fields.refuse("scaling", "Means something with kind scaling only, not \(kind.rawValue).")
    }
    scaling.refuseUnknown(MarkerReader.scalingKeys)
    let from = scaling.count("from")
    let to = scaling.count("to")
    if !scaling.has("to") {
      scaling.refuse("to", "Is required: how many there are now, or will be.")
    }
    let reason = scaling.text("reason", bytesMax: limits.textBytesMax)
    fields.take(scaling.problems)
    return to.map { Marker.Scaling(from: from, to: $0, reason: reason) }
  }

  /// Reports and comments show it as a link, so it may be nothing but an address on the web.
  private func url(_ fields: inout MarkerFields) -> String {
    let url = fields.text("url", bytesMax: limits.urlBytesMax)
    let lowered = url.lowercased()
    let isWeb = lowered.hasPrefix("https://") || lowered.hasPrefix("http://")
    if !url.isEmpty, !isWeb || url.contains(" ") {
      fields.refuse("url", "Must be an address that begins with https:// or http://.")
    }
    return url
  }
}

/// All that is wrong with a marker.
public struct MarkerProblems: Error, Equatable, Sendable {
  public var list: [MarkerProblem]
}
