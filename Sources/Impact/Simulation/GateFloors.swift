/// What the gate must reach at least, scenario by scenario: `gate-floors.json` beside the tests.
public struct GateFloors: Decodable, Equatable, Sendable {
  /// Of one scenario; what is nil may be anything.
  public struct Floor: Decodable, Equatable, Sendable {
    public let name: String
    public let runs: Int
    let detectionMin: Double?
    let detectionMinutesMax: Double?
    let promoteMin: Double?
    let promoteMax: Double?
    let promoteMinutesMax: Double?
  }

  public let seed: UInt64
  /// However often one looks.
  public let falseRollbackMax: Double
  public let scenarios: [Floor]

  /// A sentence for each floor that is not reached, and for each scenario that has none.
  public func shortfalls(of outcomes: [SimulatedOutcome]) -> [String] {
    let simulated = outcomes.map(\.scenario.name)
    var shortfalls: [String] = []
    for outcome in outcomes {
      let name = outcome.scenario.name
      let floor = scenarios.first { $0.name == name }
      let sentences = floor.map { self.shortfalls(of: outcome, below: $0) } ?? ["has no floor"]
      shortfalls += sentences.map { "\(name): \($0)" }
    }
    for floor in scenarios where !simulated.contains(floor.name) {
      shortfalls.append("\(floor.name): was not simulated")
    }
    return shortfalls
  }

  private func shortfalls(of outcome: SimulatedOutcome, below floor: Floor) -> [String] {
    let promoted = outcome.promoteShare
    return [
      atMost(outcome.falseRollbackShare, falseRollbackMax, "rolled back falsely"),
      atLeast(outcome.detectionShare, floor.detectionMin, "detected"),
      within(outcome.detectionMinutesMedian, floor.detectionMinutesMax, "detected"),
      atLeast(promoted, floor.promoteMin, "promoted"),
      atMost(promoted, floor.promoteMax, "promoted"),
      within(outcome.promoteMinutesMedian, floor.promoteMinutesMax, "promoted"),
    ].compactMap { $0 }
  }

  private func atLeast(_ share: Double, _ least: Double?, _ verb: String) -> String? {
    guard let least, share < least else { return nil }
    return "\(verb) in \(percent(share)) of runs, not at least \(percent(least))"
  }

  private func atMost(_ share: Double, _ most: Double?, _ verb: String) -> String? {
    guard let most, share > most else { return nil }
    return "\(verb) in \(percent(share)) of runs, not at most \(percent(most))"
  }

  /// What never happened did not happen in time.
  private func within(_ minutes: Double?, _ most: Double?, _ verb: String) -> String? {
    guard let most, (minutes ?? .infinity) > most else { return nil }
    let found = minutes.map { "after \(decimals($0)) min" } ?? "never"
    return "\(verb) \(found), not within \(decimals(most)) min"
  }
}
