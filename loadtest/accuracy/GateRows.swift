import Foundation
import Impact

/// What the gate says about simulated rollouts, with the floors of `make gate-table`.
struct GateRows {
  let outcomes: [SimulatedOutcome]

  /// - Parameter share: of the runs the floors ask for, at least one.
  init(_ floors: GateFloors, seed: UInt64?, share: Double) {
    outcomes = GateScenario.all.map { scenario in
      let runs = floors.scenarios.first { $0.name == scenario.name }?.runs ?? 1
      return GateSimulation.run(
        scenario, runs: max(1, Int(Double(runs) * share)), seed: seed ?? floors.seed)
    }
  }

  static func floors(_ path: String) throws -> GateFloors {
    try JSONDecoder().decode(GateFloors.self, from: Data(contentsOf: URL(filePath: path)))
  }

  var lines: [String] {
    let innocent = outcomes.filter { !$0.scenario.isHarmful }
    let harmful = outcomes.filter { $0.scenario.isHarmful }
    return [TableText.heading("gate, innocent rollouts: rolled back falsely")]
      + innocent.map {
        TableText.row(.init(name: $0.scenario.name, runs: $0.runs, wrong: $0.falseRollbackShare))
      }
      + [TableText.heading("gate, harmful rollouts: rolled back, minutes")]
      + harmful.map {
        TableText.row(
          .init(
            name: $0.scenario.name, runs: $0.runs, right: $0.detectionShare,
            median: $0.detectionMinutesMedian))
      }
  }
}
