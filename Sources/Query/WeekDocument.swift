import Graph
import Impact
import Model

/// What became of a service over a week, as JSON.
struct WeekDocument {
  let report: WeekReport

  init(_ report: WeekReport) { self.report = report }

  var json: JSONText {
    let week = report.week
    let identity = NodeIdentity(text: report.service.text)
    var json = JSONText()
    json.object { json in
      json.member("service", NodeLabel.id(of: report.service) ?? identity.name)
      json.optional("environment", identity.environment.isEmpty ? nil : identity.environment)
      json.member("start", Timestamp.text(week.facts.start))
      json.member("end", Timestamp.text(week.facts.end))
      json.member("begin_standing") { write(week.begin, &$0) }
      json.member("end_standing") { write(week.end, &$0) }
      json.key("deployments")
      json.array(week.deployments) { json, deployment in
        json.object { json in
          json.key("marker")
          json.marker(deployment.marker)
          json.optional("verdict", deployment.verdict)
          json.member("outcome", deployment.outcome.rawValue)
          json.member("rolled_back", deployment.isRolledBack)
          json.key("metrics")
          json.array(deployment.effects) { ImpactDocument.write($1, &$0) }
        }
      }
      json.member("rollbacks", week.deployments.count(where: \.isRolledBack))
      json.optional("worst", week.worst.map { "\($0.marker.id)" })
      json.key("others")
      json.array(week.others) { $0.marker($1) }
      json.key("shifts")
      json.array(week.shifts) { json, shift in
        json.object { json in
          json.member("metric", shift.metric.rawValue)
          json.member("onset", Timestamp.text(week.time(of: shift)))
          json.member("before", shift.before as Double?)
          json.member("after", shift.after as Double?)
          json.optional("explained_by", shift.explanation?.rawValue)
        }
      }
    }
    return json
  }

  private func write(_ standing: ServiceWeek.Standing, _ json: inout JSONText) {
    json.member("health", standing.health)
    json.member("error_rate", standing.errorRate)
    json.member("latency_p95_ms", standing.latencyP95)
    json.member("latency_p99_ms", standing.latencyP99)
    if let isMet = standing.isMet { json.member("objective_met", isMet) }
  }
}
