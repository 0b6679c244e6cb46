/// What became of a service over a week as the query API gives it: what the table shows of it.
struct WeekAnswer: Decodable {
  struct Standing: Decodable {
    var health: Double?
    var errorRate: Double?
    var latencyP95Ms: Double?
    var objectiveMet: Bool?
  }

  struct Deployment: Decodable {
    var marker: ImpactAnswer.Marker
    var verdict: String?
    var outcome: String
    var rolledBack: Bool
  }

  struct Shift: Decodable {
    var metric: String
    var onset: String
    var explainedBy: String?
  }

  var service: String
  var start: String
  var end: String
  var beginStanding: Standing
  var endStanding: Standing
  var deployments: [Deployment]
  var shifts: [Shift]
}

extension WeekAnswer {
  var table: String {
    var text = PlainTable.printable("\(service) from \(start) to \(end)") + "\n\n"
    text +=
      PlainTable(
        header: ["", "HEALTH", "ERRORS", "LATENCY P95", "OBJECTIVE"],
        rows: [("first day", beginStanding), ("last day", endStanding)].map { day, at in
          [
            day, at.health.map { Figure.ratio($0) } ?? "–", Figure.percent(at.errorRate),
            Figure.milliseconds(at.latencyP95Ms),
            at.objectiveMet.map { $0 ? "met" : "missed" } ?? "–",
          ]
        }, figures: [1, 2, 3]
      ).text
    if !deployments.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["DEPLOYED", "VERSION", "GATE", "OUTCOME"],
          rows: deployments.map { deployment in
            [
              deployment.marker.time, deployment.marker.version ?? "–", deployment.verdict ?? "–",
              deployment.outcome.replacing("_", with: " ")
                + (deployment.rolledBack ? ", rolled back" : ""),
            ]
          }, figures: []
        ).text
    }
    if !shifts.isEmpty {
      text +=
        "\n"
        + PlainTable(
          header: ["WORSE SINCE", "WHAT", "EXPLAINED BY"],
          rows: shifts.map {
            [
              $0.onset, $0.metric.replacing("_ms", with: "").replacing("_", with: " "),
              $0.explainedBy?.replacing("_", with: " ") ?? "–",
            ]
          }, figures: []
        ).text
    }
    return text
  }
}
