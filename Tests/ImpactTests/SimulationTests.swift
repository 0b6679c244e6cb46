import Foundation
import TestSupport
import Testing

@testable import Impact

@Suite struct SimulationTests {
  /// Scenario: one run of every simulated rollout, looked at after every window for thirty minutes.
  /// Guarantees: each has a floor, and none of them allows more than 1 % of false rollbacks; each ends.
  /// (Whether as many runs as the floors ask for reach them takes a release build: the acceptance tests
  /// run `spangate-gate-table`.)
  @Test func everyScenarioHasAFloor() async throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("gate-floors.json")
    let floors = try JSONDecoder().decode(GateFloors.self, from: Data(contentsOf: file))
    #expect(floors.falseRollbackMax <= 0.01)
    #expect(floors.scenarios.map(\.name) == GateScenario.all.map(\.name))
    let seed = floors.seed
    let outcomes = await onOwnThread {
      GateScenario.all.map { GateSimulation.run($0, runs: 1, seed: seed) }
    }
    #expect(outcomes.allSatisfy { $0.rollbacks.count + $0.promotions.count <= 2 * $0.runs })
    #expect(GateSimulation.table(outcomes).split(separator: "\n").count == outcomes.count + 1)
  }

  /// Scenario: outcomes that are at their floors to the digit, and beyond each of them.
  /// Guarantees: nothing is said of the former; of the latter each floor, and what has none.
  @Test func namesWhatIsBelowItsFloor() throws {
    let floors = try JSONDecoder().decode(
      GateFloors.self,
      from: Data(
        """
        {"seed": 1, "falseRollbackMax": 0.01, "scenarios": [
          {"name": "no effect", "runs": 9, "promoteMin": 0.9, "promoteMinutesMax": 2},
          {"name": "errors x3", "runs": 9, "detectionMin": 0.5, "detectionMinutesMax": 1,
            "promoteMax": 0.25}]}
        """.utf8))
    func outcomes(_ harmless: [Int], _ promoted: [Int], _ detected: [Int], _ missed: [Int])
      -> [SimulatedOutcome]
    {
      [
        SimulatedOutcome(
          scenario: GateScenario.all[0], runs: 100, rollbacks: harmless, promotions: promoted),
        SimulatedOutcome(
          scenario: GateScenario.all[1], runs: 4, rollbacks: detected, promotions: missed),
      ]
    }
    let promoted = Array(repeating: 12, count: 90)
    #expect(floors.shortfalls(of: outcomes([3], promoted, [6, 6], [30])) == [])
    let late = Array(repeating: 18, count: 89)
    #expect(
      floors.shortfalls(of: outcomes([3, 4], late, [12], [30, 40])) == [
        "no effect: rolled back falsely in 2 % of runs, not at most 1 %",
        "no effect: promoted in 89 % of runs, not at least 90 %",
        "no effect: promoted after 3.0 min, not within 2.0 min",
        "errors x3: detected in 25 % of runs, not at least 50 %",
        "errors x3: detected after 2.0 min, not within 1.00 min",
        "errors x3: promoted in 50 % of runs, not at most 25 %",
      ])
    let never = SimulatedOutcome(
      scenario: GateScenario.all[1], runs: 4, rollbacks: [], promotions: [])
    let other = SimulatedOutcome(
      scenario: GateScenario.all[2], runs: 4, rollbacks: [], promotions: [])
    #expect(
      floors.shortfalls(of: [never, other]) == [
        "errors x3: detected in 0 % of runs, not at least 50 %",
        "errors x3: detected never, not within 1.00 min",
        "errors x10: has no floor", "no effect: was not simulated",
      ])
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
