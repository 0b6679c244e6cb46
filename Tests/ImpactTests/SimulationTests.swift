import Foundation
import Testing

@testable import Impact

/// What the gate must reach at least, scenario by scenario: gate-floors.json.
private struct Floors: Decodable {
  struct Scenario: Decodable {
    let name: String
    let runs: Int
    let detectionMin: Double?
    let detectionMinutesMax: Double?
    let promoteMin: Double?
    let promoteMax: Double?
    let promoteMinutesMax: Double?
  }

  let seed: UInt64
  /// However often one looks.
  let falseRollbackMax: Double
  let scenarios: [Scenario]

  static func read() throws -> Floors {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("gate-floors.json")
    return try JSONDecoder().decode(Floors.self, from: Data(contentsOf: file))
  }
}

@Suite struct SimulationTests {
  /// Scenario: every simulated rollout, looked at after every window for thirty minutes.
  /// Guarantees: false rollbacks in at most 1 % of runs; detection, promotion and their medians no
  /// worse than the floors in the repository.
  @Test func reachesItsFloors() throws {
    let floors = try Floors.read()
    #expect(floors.falseRollbackMax <= 0.01)
    #expect(floors.scenarios.map(\.name) == GateScenario.all.map(\.name))
    var outcomes: [SimulatedOutcome] = []
    for (floor, scenario) in zip(floors.scenarios, GateScenario.all) {
      let outcome = GateSimulation.run(scenario, runs: floor.runs, seed: floors.seed)
      outcomes.append(outcome)
      let name = Comment(rawValue: scenario.name)
      #expect(outcome.falseRollbackShare <= floors.falseRollbackMax, name)
      #expect(outcome.detectionShare >= floor.detectionMin ?? 0, name)
      #expect(outcome.promoteShare >= floor.promoteMin ?? 0, name)
      #expect(outcome.promoteShare <= floor.promoteMax ?? 1, name)
      if let most = floor.detectionMinutesMax {
        #expect(try #require(outcome.detectionMinutesMedian, name) <= most, name)
      }
      if let most = floor.promoteMinutesMax {
        #expect(try #require(outcome.promoteMinutesMedian, name) <= most, name)
      }
    }
    print(GateSimulation.table(outcomes))
  }

  /// Scenario: the same runs twice, and with another seed.
  /// Guarantees: the same outcome, and another one.
  @Test func isTheSameForTheSameSeed() {
    let scenario = GateScenario.all[1]
    let first = GateSimulation.run(scenario, runs: 10, seed: 1)
    #expect(first == GateSimulation.run(scenario, runs: 10, seed: 1))
    #expect(first != GateSimulation.run(scenario, runs: 10, seed: 2))
  }

  /// Scenario: one simulated rollout, asked of the whole gate after every window.
  /// Guarantees: the verdict the simulation saw is the verdict users get.
  @Test func judgesAsTheGateDoes() {
    for scenario in [GateScenario.all[0], GateScenario.all[2]] {
      var traffic = SimulatedTraffic(scenario, seed: 9)
      let history = traffic.history()
      var comparison = ConcurrentComparison(history: history)
      var windows: [ComparedWindow] = []
      for _ in 0..<60 {
        let window = traffic.nextWindow()
        windows.append(window)
        comparison.add(window)
        let until = window.start + 10_000_000_000
        let answer = Gate.answer(
          ConcurrentQuestion(
            version: "v42", baseline: "v41", start: SimulatedTraffic.start, until: until,
            windows: windows, history: history))
        #expect(answer.verdict == comparison.verdict(until: until))
      }
    }
  }

  /// Scenario: outcomes without a run, with none of a kind, and with both.
  /// Guarantees: a table whose lines are equally long, with a dash where there is no number.
  @Test func tableIsAligned() {
    let outcomes = [
      SimulatedOutcome(scenario: GateScenario.all[0], runs: 0, rollbacks: [], promotions: []),
      SimulatedOutcome(
        scenario: GateScenario.all[1], runs: 4, rollbacks: [6, 12], promotions: [30]),
      SimulatedOutcome(scenario: GateScenario.all[0], runs: 200, rollbacks: [6], promotions: []),
    ]
    let lines = GateSimulation.table(outcomes).split(separator: "\n")
    #expect(lines.count == 4)
    #expect(Set(lines.map(\.count)).count == 1)
    #expect(lines[2].contains("50 %  1.50 min") && lines[2].hasSuffix("25 %  5.0 min"))
    #expect(lines[3].contains("0.50 %"))
    #expect(outcomes[1].falseRollbackShare == 0 && outcomes[2].detectionShare == 0)
  }

  /// Scenario: the distributions the simulation draws from, many times.
  /// Guarantees: means and variances are what they should be.
  @Test func drawsAreFair() {
    var random = SimulatedRandom(seed: 4)
    for mean in [0.0, 0.3, 5, 39, 41, 450] {
      let draws = (0..<4000).map { _ in Double(random.poisson(mean)) }
      let average = draws.reduce(0, +) / 4000
      let variance = draws.reduce(0) { $0 + ($1 - average) * ($1 - average) } / 4000
      #expect((average - mean).magnitude <= 5 * (mean / 4000).squareRoot())
      #expect((variance - mean).magnitude <= 0.15 * mean)
    }
    let half = (0..<1000).map { _ in Double(random.binomial(20, chance: 0.5)) }.reduce(0, +) / 1000
    #expect((half - 10).magnitude < 0.5)
  }
}
