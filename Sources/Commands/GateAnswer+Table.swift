import Gateway
import Model

extension GateAnswer {
  /// What was decided about what, how sure that is, then why.
  var table: String {
    var text = PlainTable.printable(heading) + "\n\n" + PlainFields(fields).text
    if let reasons, !reasons.isEmpty {
      text += "\nreasons\n"
      for reason in reasons { text += "  - \(PlainTable.printable(reason))\n" }
    }
    if let evidence, !evidence.isEmpty { text += "\n" + GateAnswer.table(evidence) }
    if let parts = health?.parts, !parts.isEmpty { text += "\n" + GateAnswer.table(parts) }
    return text
  }

  /// `wait  shop/checkout v42 against v41 (concurrent)`, without what is not known.
  private var heading: String {
    var subject = [service, version].compactMap(\.self)
    if let baseline { subject.append("against \(baseline)") }
    if let comparison {
      subject.append(comparison == "before_after" ? "(before and after)" : "(\(comparison))")
    }
    return subject.isEmpty ? verdict.rawValue : "\(verdict)  \(subject.joined(separator: " "))"
  }

  private var fields: [(String, String?)] {
    [
      ("roll back to", rollbackTo), ("score", Figure.count(score)),
      ("confidence", Figure.percent(confidence)),
      ("eta", verdict == .wait ? eta : nil), ("detectable", detectable), ("harm", harm),
      ("environment", environment), ("marker", marker), ("since", start),
      ("data until", dataUntil), ("deadline", deadline),
    ]
  }

  private var eta: String {
    guard let etaSeconds, etaSeconds.isFinite else { return "–" }
    let seconds = Nanos(min(max(etaSeconds, 0), GateAnswer.etaSecondsMax).rounded())
    return DurationText.format(seconds * .second)
  }

  /// Three hundred days: what is shown for whatever the server says beyond.
  private static let etaSecondsMax = 300.0 * 86_400

  /// The least that could be told from noise so far.
  private var detectable: String? {
    let errors = smallestDetectable?.errorsRatio.map { "errors \(Figure.ratio($0)) times as often" }
    let latency = smallestDetectable?.latencyRatio.map { "\(Figure.percent($0 - 1)) slower" }
    let parts = [errors, latency].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// How far what speaks for harm has come, over all metrics.
  private var harm: String? {
    guard let control = errorControl, let value = control.eValue,
      let threshold = control.threshold
    else { return nil }
    return "e-value \(Figure.ratio(value)), \(Figure.ratio(threshold)) rolls back"
  }

  private static func table(_ evidence: [Evidence]) -> String {
    PlainTable(
      header: ["METRIC", "BASELINE", "CURRENT", "RATIO", "INTERVAL", "DECISION"],
      rows: evidence.map { item in
        [
          item.metric, item.text(item.baseline), item.text(item.current),
          Figure.ratio(item.ratio), item.intervalText, item.decision ?? "",
        ]
      }, figures: [1, 2, 3, 4]
    ).text
  }

  private static func table(_ parts: [Health.Part]) -> String {
    PlainTable(
      header: ["HEALTH", "SCORE", "WEIGHT", "WHY"],
      rows: parts.map { part in
        [part.name, Figure.count(part.score), Figure.percent(part.weight), part.why ?? ""]
      }, figures: [1, 2]
    ).text
  }
}

extension GateAnswer.Evidence {
  /// A value in the unit of its metric.
  fileprivate func text(_ value: Double?) -> String {
    switch metric {
    case "errors", "error_rate": Figure.percent(value)
    case "latency": Figure.milliseconds(value)
    default: Figure.ratio(value)
    }
  }

  /// Of the ratio; only for the error rate of the value itself.
  fileprivate var intervalText: String {
    guard let interval, interval.count == 2, let lower = interval[0] else { return "–" }
    let show = metric == "error_rate" ? Figure.percent : Figure.ratio
    guard let upper = interval[1] else { return "≥ \(show(lower))" }
    return "\(show(lower)) – \(show(upper))"
  }
}
