import Graph
import Impact
import Model

/// What a change did, as JSON.
struct ImpactDocument {
  let report: ImpactReport

  private static let causesMax = 10
  private static let affectedMax = 100

  init(_ report: ImpactReport) { self.report = report }

  var json: JSONText {
    var json = JSONText()
    json.object { json in
      json.key("marker")
      json.marker(report.marker)
      json.optional("service", report.service.flatMap(NodeLabel.id))
      json.optional(
        "environment",
        report.service.map { NodeIdentity(text: $0.text).environment }.flatMap {
          $0.isEmpty ? nil : $0
        })
      json.member("assessment", report.assessment.rawValue)
      json.optional("verdict", report.answer?.verdict.rawValue)
      json.member("confidence", report.answer?.confidence)
      json.optional("comparison", report.answer?.comparison?.rawValue)
      json.member("reasons", report.reasons)
      for (name, phase) in [
        ("before", report.before), ("during", report.during), ("after", report.after),
      ] {
        json.key(name)
        if let phase { write(phase, &json) } else { json.null() }
      }
      json.key("metrics")
      json.array(report.impact?.effects ?? []) { write($1, &$0) }
      json.key("evidence")
      json.array(report.answer?.evidence ?? []) { GateDocument.write($1, to: &$0) }
      json.key("attribution")
      json.array(report.answer?.attribution ?? []) { GateDocument.write($1, to: &$0) }
      json.key("affected")
      json.array((report.impact?.affected ?? []).prefix(ImpactDocument.affectedMax)) {
        write($1, &$0)
      }
      json.key("causes")
      json.array((report.impact?.causes ?? []).prefix(ImpactDocument.causesMax)) { json, cause in
        json.object { json in
          json.optional("service", label(cause.node))
          json.member("kind", cause.kind.rawValue)
          json.member("confidence", cause.confidence as Double?)
        }
      }
      json.optional("data_until", report.gate?.subject.until.map(Timestamp.text))
    }
    return json
  }

  private func label(_ node: NameID) -> String? { report.names[node].flatMap(NodeLabel.id) }

  private func write(_ phase: ImpactReport.Phase, _ json: inout JSONText) {
    json.object { json in
      json.member("start", Timestamp.text(phase.start))
      json.member("end", Timestamp.text(phase.end))
    }
  }

  private func write(_ effect: ChangeEffect, _ json: inout JSONText) {
    ImpactDocument.write(effect, &json)
  }

  static func write(_ effect: ChangeEffect, _ json: inout JSONText) {
    json.object { json in
      json.member("metric", effect.metric.rawValue)
      json.member("before", effect.before)
      json.member("during", effect.during)
      json.member("after", effect.after)
      json.member("effect_kind", effect.isDifference ? "difference" : "ratio")
      json.member("effect", effect.effect)
      json.key("interval")
      if let interval = effect.interval {
        json.array([interval.lower, interval.upper]) { $0.number($1) }
      } else {
        json.null()
      }
      json.optional("decision", effect.decision?.rawValue)
    }
  }

  private func write(_ other: AffectedService, _ json: inout JSONText) {
    json.object { json in
      json.optional("service", label(other.node))
      json.member("latency_before_ms", other.latencyBefore)
      json.member("latency_after_ms", other.latencyAfter)
      json.member("error_rate_before", other.errorRateBefore)
      json.member("error_rate_after", other.errorRateAfter)
    }
  }
}
