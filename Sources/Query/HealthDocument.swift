import Graph
import Impact
import Model

/// Answers about health as JSON.
struct HealthDocument {
  let inquiry: HealthInquiry

  private static let neighboursMax = 100

  init(_ inquiry: HealthInquiry) { self.inquiry = inquiry }

  /// Every service, the worst first; those without data come last.
  var all: JSONText {
    let found = inquiry.services.map { (name: $0, health: inquiry.system.health(of: $0.id)) }
      .sorted { a, b in
        let scores = (a.health.score ?? 101, b.health.score ?? 101)
        if scores.0 != scores.1 { return scores.0 < scores.1 }
        let ids = (NodeLabel.id(of: a.name) ?? "", NodeLabel.id(of: b.name) ?? "")
        return ids.0 != ids.1 ? ids.0 < ids.1 : a.name.text < b.name.text
      }
    var json = JSONText()
    json.object { json in
      range(&json)
      json.key("services")
      json.array(found) { json, service in
        json.object { members(service.name, service.health, &$0) }
      }
    }
    return json
  }

  func json(_ service: Name) -> JSONText {
    var json = JSONText()
    json.object { json in
      range(&json)
      members(service, inquiry.system.health(of: service.id), &json)
    }
    return json
  }

  private func range(_ json: inout JSONText) {
    let compared = inquiry.compared
    json.member("start", Timestamp.text(compared.current.start))
    json.member("end", Timestamp.text(compared.current.end))
    json.member("base_start", Timestamp.text(compared.base.start))
    json.member("base_end", Timestamp.text(compared.base.end))
  }

  private func members(_ name: Name, _ found: ServiceHealth, _ json: inout JSONText) {
    identity(name, &json)
    json.member("health", found.score)
    if let why = found.why { json.member("why", why) }
    json.parts(of: found.health)
    json.key("upstream")
    json.array(found.upstream.prefix(HealthDocument.neighboursMax)) { write($1, &$0) }
    json.key("downstream")
    json.array(found.downstream.prefix(HealthDocument.neighboursMax)) { write($1, &$0) }
  }

  private func identity(_ name: Name, _ json: inout JSONText) {
    let identity = NodeIdentity(text: name.text)
    json.member("service", NodeLabel.id(of: name) ?? identity.name)
    if !identity.namespace.isEmpty { json.member("namespace", identity.namespace) }
    if !identity.environment.isEmpty { json.member("environment", identity.environment) }
  }

  private func write(_ neighbour: HealthNeighbour, _ json: inout JSONText) {
    json.object { json in
      if let name = inquiry.compared.names[neighbour.node] { identity(name, &json) }
      json.member("calls", neighbour.calls as Double?)
      json.member("failed", neighbour.failed as Double?)
      json.member("propagated", neighbour.propagated as Double?)
      json.member("absorbed", neighbour.absorbed as Double?)
      json.member("lost_ms", neighbour.lostMilliseconds as Double?)
      json.member("added_ms", neighbour.addedMilliseconds)
    }
  }
}

extension JSONText {
  /// What a score is made of.
  mutating func parts(of health: Health) {
    key("parts")
    array(health.parts) { json, part in
      json.object { json in
        json.member("name", part.name)
        json.member("score", part.score as Double?)
        json.member("weight", part.weight as Double?)
        json.member("why", part.why)
      }
    }
  }
}
