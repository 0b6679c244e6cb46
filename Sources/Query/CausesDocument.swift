import Graph
import Impact
import Model

/// The answer about root causes.
struct CausesDocument {
  let compared: ComparedWindows
  let causes: [RootCause]
  let markers: [Marker]

  /// Evidence of one cause that is shown, the strongest.
  private static let evidenceMax = 12
  private static let affectedMax = 100

  var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.member("start", Timestamp.text(compared.current.start))
      json.member("end", Timestamp.text(compared.current.end))
      json.member("base_start", Timestamp.text(compared.base.start))
      json.member("base_end", Timestamp.text(compared.base.end))
      json.member("window_seconds", Double(compared.width) / Double(Nanos.second) as Double?)
      json.key("causes")
      json.array(causes) { json, cause in write(cause, &json) }
    }
    return json
  }

  private func write(_ cause: RootCause, _ json: inout JSONText) {
    let name = compared.names[cause.node]
    let identity = name.map { NodeIdentity(text: $0.text) }
    json.object { json in
      json.member("kind", cause.kind.rawValue)
      json.key("service")
      if let label = label(cause.node) { json.string(label) } else { json.null() }
      if let identity, !identity.namespace.isEmpty {
        json.member("namespace", identity.namespace)
      }
      if let identity, !identity.environment.isEmpty {
        json.member("environment", identity.environment)
      }
      json.member("score", cause.score as Double?)
      json.member("confidence", cause.confidence as Double?)
      json.key("evidence")
      json.array(cause.evidence.prefix(CausesDocument.evidenceMax)) { json, evidence in
        json.object { json in
          json.member("metric", evidence.metric.rawValue)
          json.key("other")
          if let label = label(evidence.other) { json.string(label) } else { json.null() }
          json.member("before", evidence.before as Double?)
          json.member("after", evidence.after as Double?)
          json.member("deviation", evidence.deviation as Double?)
          json.member("events_before", evidence.eventsBefore as Double?)
          json.member("events_after", evidence.eventsAfter as Double?)
        }
      }
      json.member("path", cause.path.compactMap(label))
      json.member("affected", cause.affected.prefix(CausesDocument.affectedMax).compactMap(label))
      json.key("marker")
      if let marker = identity.flatMap(marker) { json.string("\(marker.id)") } else { json.null() }
    }
  }

  /// A node by its id, an operation behind the id of its service.
  private func label(_ id: NameID) -> String? {
    guard let name = compared.names[id] else { return nil }
    if name.kind == .operation, let service = compared.names[name.scope] {
      return "\(NodeLabel.id(of: service) ?? "") \(name.text)"
    }
    return NodeLabel.id(of: name)
  }

  /// Of the changes to a service, the one nearest to where the range begins.
  private func marker(of service: NodeIdentity) -> Marker? {
    func distance(_ marker: Marker) -> Nanos {
      marker.time > compared.current.start
        ? marker.time - compared.current.start : compared.current.start - marker.time
    }
    return markers.filter { !$0.service.isEmpty && $0.concerns(service) }.min {
      distance($0) != distance($1) ? distance($0) < distance($1) : $0.id < $1.id
    }
  }
}
