import TestSupport
import Testing

@testable import Impact

/// What attribution says of simulated rollouts; how often it is right, `make accuracy` measures.
@Suite struct AttributionSimulationTests {
  private func run(_ attributed: AttributionCase, runs: Int, seed: UInt64) async
    -> [AttributionTrial]
  {
    await onOwnThread { AttributionSimulation.run(attributed, runs: runs, seed: seed) }
  }

  /// Scenario: every case, and one of them again and with another seed.
  /// Guarantees: probabilities of all hypotheses sum to 1; the same seed gives the same trials, another
  /// seed others; the truth has more than half of all probability over the cases.
  @Test func trials() async throws {
    var saidOfTruth = 0.0
    var count = 0.0
    for attributed in AttributionCase.all {
      for trial in await run(attributed, runs: 1, seed: 1) {
        let sum = trial.probabilities.values.reduce(0, +)
        #expect(abs(sum - 1) < 1e-9, "\(trial.name)")
        saidOfTruth += trial.probabilities[trial.truth] ?? 0
        count += 1
      }
    }
    #expect(saidOfTruth / count > 0.8)
    // One in which no piece of evidence is as strong as one may be, so that figures differ.
    let quiet = try #require(AttributionCase.all.first { $0.name == "latency +5 %" })
    let first = await run(quiet, runs: 2, seed: 7)
    let again = await run(quiet, runs: 2, seed: 7)
    let other = await run(quiet, runs: 2, seed: 8)
    #expect(first.map(\.probabilities) == again.map(\.probabilities))
    #expect(first.map(\.probabilities) != other.map(\.probabilities))
  }

  /// Scenario: a rollout for each hypothesis that is the truth of it, beside the old version and in its
  /// place.
  /// Guarantees: each truth is found, and only this deployment's own fault counts as its own.
  @Test(arguments: [
    "no effect", "latency +20 %", "dependency deployed, both +30 %", "requests x2, both +20 %",
    "4 to 2 instances, both +20 %", "both versions +30 %", "everything +30 %",
    "slow operations, both +20 %", "replaced, latency +15 %", "replaced, dependency +30 %",
    "replaced, dep. deployed +30 %",
  ])
  func tellsApart(name: String) async throws {
    let attributed = try #require(AttributionCase.all.first { $0.name == name })
    for trial in await run(attributed, runs: 1, seed: 3) {
      #expect(trial.isRight && !trial.isConfused, "\(trial.probabilities)")
      #expect((trial.thisDeployment > 0.5) == (trial.truth == .thisDeployment))
    }
  }
}
