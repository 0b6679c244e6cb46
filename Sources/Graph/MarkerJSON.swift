public import Model

extension JSONText {
  /// A marker as users read it, with the keys they write. What is not known is left out.
  public mutating func marker(_ marker: Marker) {
    object { json in
      json.member("id", "\(marker.id)")
      json.member("kind", marker.kind.rawValue)
      json.member("service", marker.service)
      json.member("namespace", marker.namespace)
      json.member("environment", marker.environment)
      json.member("time", Timestamp.text(marker.time))
      if let end = marker.endTime { json.member("end_time", Timestamp.text(end)) }
      json.known("state", marker.state?.rawValue ?? "")
      json.known("version", marker.version)
      json.known("previous_version", marker.previousVersion)
      if let scaling = marker.scaling { json.member("scaling") { $0.members(of: scaling) } }
      json.known("source", marker.source)
      if let key = marker.dedupeKey { json.member("dedupe_key", key) }
      json.known("url", marker.url)
      json.member("attributes") { $0.members(of: marker.attributes) }
      json.member("inferred", marker.inferred)
    }
  }

  private mutating func known(_ key: String, _ text: String) {
    if !text.isEmpty { member(key, text) }
  }

  private mutating func members(of scaling: Marker.Scaling) {
    if let from = scaling.from { member("from", from) }
    member("to", scaling.to)
    known("reason", scaling.reason)
  }

  private mutating func members(of attributes: [String: MarkerAttribute]) {
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
      switch value {
      case .text(let text): member(name, text)
      case .integer(let number): member(name, number)
      case .number(let number): member(name, number as Double?)
      case .boolean(let truth): member(name, truth)
      }
    }
  }
}
