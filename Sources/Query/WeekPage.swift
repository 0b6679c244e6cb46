import Graph
import Impact
import Model

/// What became of a service over a week, as a page for people: Markdown with one chart.
struct WeekPage {
  let report: WeekReport

  init(_ report: WeekReport) { self.report = report }

  var markdown: String {
    let week = report.week
    let title = NodeLabel.id(of: report.service) ?? NodeIdentity(text: report.service.text).name
    var lines = [
      "# \(plain(title)) from \(Timestamp.text(week.facts.start)) to "
        + Timestamp.text(week.facts.end), "",
    ]
    lines += summary.map { "- \(plain($0))" }
    lines += standings
    lines += deployments
    if let chart = ImpactChart(week) { lines += ["", chart.svg, ""] }
    lines += shifts + others
    return lines.joined(separator: "\n") + "\n"
  }

  /// Sentences, never none.
  private var summary: [String] {
    let week = report.week
    let count = week.deployments.count
    var sentences = [
      count == 0
        ? "nothing was deployed"
        : "\(count) deployment\(count == 1 ? "" : "s"), "
          + "\(week.deployments.count { $0.outcome == .worse }) of them for the worse, "
          + "\(week.deployments.count(where: \.isRolledBack)) rolled back"
    ]
    if let worst = week.worst {
      let harm = worst.effects.filter { $0.decision == .harmed }.map(ImpactText.sentence)
      let said = worst.verdict == Verdict.rollback.rawValue ? ["the gate said rollback"] : []
      sentences.append(
        "the worst: \(name(worst.marker)) at \(Timestamp.text(worst.marker.time)): "
          + (said + harm).joined(separator: "; "))
    }
    if let isMet = week.end.isMet {
      sentences.append(
        isMet ? "it ends within what it is held to" : "it ends outside what it is held to")
    }
    return sentences
  }

  private var standings: [String] {
    let rows = [("first day", report.week.begin), ("last day", report.week.end)].map { day, at in
      let met = at.isMet.map { $0 ? "met" : "missed" } ?? "–"
      return "| \(day) | \(at.health.map { "\(Int($0.rounded()))" } ?? "–") "
        + "| \(HumanText.percent(at.errorRate)) "
        + "| \(HumanText.duration(milliseconds: at.latencyP95)) "
        + "| \(HumanText.duration(milliseconds: at.latencyP99)) | \(met) |"
    }
    return [
      "", "| | health | errors | latency p95 | latency p99 | objective |",
      "|---|---:|---:|---:|---:|---|",
    ] + rows
  }

  private var deployments: [String] {
    let week = report.week
    guard !week.deployments.isEmpty else { return [] }
    let rows = week.deployments.map { deployment in
      func effect(_ metric: ChangeEffect.Metric) -> String {
        deployment.effects.first { $0.metric == metric }.map(ImpactText.effect) ?? "–"
      }
      let outcome = deployment.outcome.rawValue.replacing("_", with: " ")
      return "| \(Timestamp.text(deployment.marker.time)) | \(plain(name(deployment.marker))) "
        + "| \(deployment.verdict ?? "–") "
        + "| \(outcome)\(deployment.isRolledBack ? ", rolled back" : "") "
        + "| \(effect(.errorRate)) | \(effect(.latencyP95)) |"
    }
    return [
      "", "## Deployments", "", "| when | version | gate | outcome | errors | latency p95 |",
      "|---|---|---|---|---:|---:|",
    ] + rows
  }

  private var shifts: [String] {
    guard !report.week.shifts.isEmpty else { return [] }
    let rows = report.week.shifts.map { shift in
      "| \(Timestamp.text(report.week.time(of: shift))) "
        + "| \(shift.metric.rawValue.replacing("_ms", with: "").replacing("_", with: " ")) "
        + "| \(figure(shift.before, shift.metric)) | \(figure(shift.after, shift.metric)) "
        + "| \(shift.explanation?.rawValue.replacing("_", with: " ") ?? "–") |"
    }
    return [
      "", "## Levels that got worse", "", "| since | what | before | after | explained by |",
      "|---|---|---:|---:|---|",
    ] + rows
  }

  private var others: [String] {
    guard !report.week.others.isEmpty else { return [] }
    let rows = report.week.others.map { marker in
      "| \(Timestamp.text(marker.time)) "
        + "| \(marker.kind.rawValue.replacing("_", with: " ")) "
        + "| \(marker.state?.rawValue.replacing("_", with: " ") ?? "–") | \(plain(marker.source)) |"
    }
    return [
      "", "## What else happened", "", "| when | what | state | source |", "|---|---|---|---|",
    ] + rows
  }

  private func name(_ marker: Marker) -> String {
    marker.version.isEmpty ? "a version without a name" : marker.version
  }

  private func figure(_ value: Double, _ metric: LevelShift.Metric) -> String {
    switch metric {
    case .selfTime, .gap: HumanText.duration(milliseconds: value)
    case .errorOrigins, .callProbability: HumanText.percent(value)
    case .requestRate: HumanText.rate(perSecond: value)
    }
  }

  private func plain(_ text: String) -> String { ImpactPage.plain(text) }
}
