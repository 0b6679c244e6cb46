import Graph
import Impact
import Model

/// What a change did, as a page for people: Markdown with one chart. Nothing a sender wrote is taken
/// for markup.
struct ImpactPage {
  let report: ImpactReport

  init(_ report: ImpactReport) { self.report = report }

  var markdown: String {
    let marker = report.marker
    let version = marker.version.isEmpty ? "" : " to \(ImpactPage.plain(marker.version))"
    var lines = [
      "# \(ImpactPage.plain(marker.kind.rawValue.replacing("_", with: " ")))\(version) of "
        + ImpactPage.plain(report.title),
      "", "**\(ImpactPage.headline(report.assessment))**", "",
    ]
    lines += report.reasons.map { "- \(ImpactPage.plain($0))" }
    lines += ["", "| | from | to |", "|---|---|---|"]
    for (name, phase) in [
      ("before", report.before), ("during", report.during), ("after", report.after),
    ] {
      guard let phase else { continue }
      lines.append("| \(name) | \(Timestamp.text(phase.start)) | \(Timestamp.text(phase.end)) |")
    }
    if let impact = report.impact, !impact.effects.isEmpty {
      lines += [
        "", "| metric | before | during | after | effect | decision |",
        "|---|---:|---:|---:|---:|---|",
      ]
      lines += impact.effects.map(row)
      if let chart = ImpactChart(report) { lines += ["", chart.svg, ""] }
      lines += affected(impact)
    }
    if let answer = report.answer {
      lines += [
        "",
        "The gate says \(answer.verdict.rawValue)"
          + (answer.comparison.map {
            $0 == .concurrent
              ? ", comparing two versions at once." : ", comparing the time before and after."
          }
            ?? "."),
      ]
      lines += attribution(answer.attribution)
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func headline(_ assessment: ImpactReport.Assessment) -> String {
    switch assessment {
    case .notYet: "It has not happened yet."
    case .noData: "There is nothing to go by."
    case .worse: "It got worse."
    case .noWorse: "It did not get worse."
    case .undecided: "It cannot be told yet."
    }
  }

  private func row(_ effect: ChangeEffect) -> String {
    let figures = [effect.before, effect.during, effect.after].map {
      ImpactText.figure($0, effect.metric)
    }
    let cells =
      [ImpactText.title(effect.metric)] + figures
      + [ImpactText.effect(effect), effect.decision?.rawValue ?? ""]
    return "| \(cells.joined(separator: " | ")) |"
  }

  private func affected(_ impact: ChangeImpact) -> [String] {
    guard !impact.affected.isEmpty else { return [] }
    let rows = impact.affected.prefix(ImpactPage.affectedMax).map { other in
      let name = report.names[other.node].flatMap(NodeLabel.id) ?? "–"
      return "| \(ImpactPage.plain(name)) "
        + "| \(HumanText.duration(milliseconds: other.latencyBefore)) "
        + "| \(HumanText.duration(milliseconds: other.latencyAfter)) "
        + "| \(HumanText.percent(other.errorRateBefore)) "
        + "| \(HumanText.percent(other.errorRateAfter)) |"
    }
    return [
      "", "## Upstream", "", "| service | latency before | since | errors before | since |",
      "|---|---:|---:|---:|---:|",
    ] + rows
  }

  /// The likeliest first, with what speaks for and against each.
  private func attribution(_ hypotheses: [Hypothesis]) -> [String] {
    guard !hypotheses.isEmpty else { return [] }
    let rows = hypotheses.sorted { $0.probability > $1.probability }.map { hypothesis in
      let terms = hypothesis.terms.map { term in
        let odds = (term.logOdds * 10).rounded() / 10
        return ImpactPage.plain("\(odds > 0 ? "+" : "")\(odds) \(term.why)")
      }
      let who = hypothesis.identity.map { ": \(ImpactPage.plain($0))" } ?? ""
      return "| \(hypothesis.kind.rawValue.replacing("_", with: " "))\(who) "
        + "| \(HumanText.percent(hypothesis.probability)) | \(terms.joined(separator: "; ")) |"
    }
    return [
      "", "## What may have done it", "", "| hypothesis | probability | log odds |",
      "|---|---:|---|",
    ] + rows
  }

  private static let affectedMax = 50

  /// A text in which nothing is markup, neither of Markdown nor of HTML, and no line ends.
  static func plain(_ text: String) -> String {
    var plain = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": plain += "&amp;"
      case "<": plain += "&lt;"
      case ">": plain += "&gt;"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        plain.unicodeScalars.append("\u{FFFD}")
      case _ where "\\`*_{}[]()#+!|~".unicodeScalars.contains(scalar):
        plain += "\\"
        plain.unicodeScalars.append(scalar)
      default: plain.unicodeScalars.append(scalar)
      }
    }
    return plain
  }
}
