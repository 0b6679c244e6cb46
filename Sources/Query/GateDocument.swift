import Graph
import Impact
import Model

/// An answer of the gate as JSON.
enum GateDocument {
  static func bytes(_ report: GateReport, _ answer: GateAnswer, id: VerdictID?) -> [UInt8] {
    var json = JSONText()
    json.object { write(report, answer, id: id, to: &$0) }
    return json.bytes
  }

  private static func write(
    _ report: GateReport, _ answer: GateAnswer, id: VerdictID?, to json: inout JSONText
  ) {
    let subject = report.subject
    if let id { json.member("id", "\(id)") }
    json.member("verdict", answer.verdict.rawValue)
    json.member("score", answer.health.score)
    json.member("confidence", answer.confidence)
    json.optional("marker", subject.marker.map { "\($0)" })
    json.optional("service", known(subject.service))
    json.optional("environment", known(subject.environment))
    json.optional("version", known(subject.version))
    json.optional("baseline", known(subject.baseline))
    // Only a rollback has one; verdicts kept without one are written as they were.
    if answer.verdict == .rollback, !subject.rollbackTo.isEmpty {
      json.member("rollback_to", subject.rollbackTo)
    }
    json.optional("start", subject.start.map(Timestamp.text))
    json.member("reasons", answer.reasons)
    json.key("evidence")
    json.array(answer.evidence) { write($1, to: &$0) }
    json.key("attribution")
    json.array(answer.attribution) { write($1, to: &$0) }
    json.member("health") { write(answer.health, to: &$0) }
    json.optional("comparison", answer.comparison?.rawValue)
    json.optional("data_until", subject.until.map(Timestamp.text))
    json.optional("deadline", subject.deadline.map(Timestamp.text))
    json.key("eta_seconds")
    if let eta = answer.etaSeconds { json.integer(eta) } else { json.null() }
    json.member("smallest_detectable") { json in
      json.member("errors_ratio", answer.smallestDetectable.errorsRatio)
      json.member("latency_ratio", answer.smallestDetectable.latencyRatio)
    }
    // Answers by older rules are written as they were.
    if let control = answer.control {
      json.member("error_control") { write(control, to: &$0) }
    }
  }

  private static func write(_ control: ErrorControl, to json: inout JSONText) {
    json.member("method", control.method.rawValue)
    json.member("alpha", control.alpha as Double?)
    json.member("alpha_sequential", control.alphaSequential as Double?)
    json.member("alpha_final", control.alphaFinal as Double?)
    json.member("e_value", control.eValue as Double?)
    json.member("threshold", control.threshold as Double?)
  }

  private static func known(_ text: String) -> String? { text.isEmpty ? nil : text }

  static func write(_ evidence: Evidence, to json: inout JSONText) {
    json.object { json in
      json.member("metric", evidence.metric.rawValue)
      json.member("baseline", evidence.baseline)
      json.member("current", evidence.current)
      json.member("ratio", evidence.ratio)
      json.key("interval")
      if let interval = evidence.interval {
        json.array([interval.lower, interval.upper]) { $0.number($1) }
      } else {
        json.null()
      }
      json.member("decision", evidence.decision.rawValue)
    }
  }

  static func write(_ hypothesis: Hypothesis, to json: inout JSONText) {
    json.object { json in
      json.member("hypothesis", hypothesis.kind.rawValue)
      json.member("probability", hypothesis.probability as Double?)
      // Only where somebody is known: verdicts kept before names were are written as they were.
      if let name = hypothesis.name { json.member("name", name) }
      if let caller = hypothesis.caller { json.member("caller", caller) }
      if let change = hypothesis.marker {
        json.member("marker") { json in
          json.member("id", "\(change.marker)")
          json.member("kind", change.kind.rawValue)
          json.optional("service", known(change.service))
          json.optional("version", known(change.version))
          json.member("time", Timestamp.text(change.time))
        }
      }
      json.key("terms")
      json.array(hypothesis.terms) { json, term in
        json.object { json in
          json.member("name", term.name.rawValue)
          json.member("log_odds", term.logOdds as Double?)
          json.member("why", term.why)
        }
      }
    }
  }

  private static func write(_ health: Health, to json: inout JSONText) {
    json.member("score", health.score)
    json.parts(of: health)
  }
}

extension JSONText {
  /// A text, or null where there is none.
  mutating func optional(_ key: String, _ text: String?) {
    self.key(key)
    if let text { string(text) } else { null() }
  }
}
