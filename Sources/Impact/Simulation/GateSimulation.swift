internal import Model

/// Rolls out the same scenario many times, asks the gate after every window, and counts what it
/// said: the very code that decides about rollouts, on traffic whose truth is known.
public enum GateSimulation {
  /// Thirty minutes.
  public static let windowsCount = 180

  /// - Parameter seed: the same seed gives the same outcome, on any machine.
  public static func run(_ scenario: GateScenario, runs: Int, seed: UInt64) -> SimulatedOutcome {
    var rollbacks: [Int] = []
    var promotions: [Int] = []
    for index in 0..<runs {
      let course = course(of: scenario, seed: SimulatedRandom.seed(seed, run: index))
      if let window = course.rollback { rollbacks.append(window) }
      if let window = course.promotion { promotions.append(window) }
    }
    return SimulatedOutcome(
      scenario: scenario, runs: runs, rollbacks: rollbacks.sorted(),
      promotions: promotions.sorted())
  }

  /// The first windows after which the gate said rollback, and promote before that; nil for never.
  static func course(of scenario: GateScenario, seed: UInt64) -> (rollback: Int?, promotion: Int?) {
    if scenario.replacement != nil { return replacement(scenario, seed: seed) }
    var traffic = SimulatedTraffic(scenario, seed: seed)
    var comparison = ConcurrentComparison(
      history: traffic.history(), announced: scenario.announced, deadline: scenario.deadline)
    var promotion: Int?
    for count in 1...windowsCount {
      let window = traffic.nextWindow()
      comparison.add(window)
      switch comparison.verdict(until: window.start + windowNanos) {
      case .rollback: return (count, promotion)
      case .promote: promotion = promotion ?? count
      case .wait: break
      }
    }
    return (nil, promotion)
  }

  /// Where no version runs beside it the gate is asked every minute.
  private static func replacement(
    _ scenario: GateScenario, seed: UInt64
  ) -> (rollback: Int?, promotion: Int?) {
    let replacement = SimulatedReplacement(scenario, seed: seed)
    var promotion: Int?
    for minute in 1...SimulatedReplacement.minutesAfter {
      switch Gate.answer(replacement.question(after: minute)).verdict {
      case .rollback: return (minute * 6, promotion)
      case .promote: promotion = promotion ?? minute * 6
      case .wait: break
      }
    }
    return (nil, promotion)
  }

  /// One line a scenario, for people.
  public static func table(_ outcomes: [SimulatedOutcome]) -> String {
    let header = [
      "scenario", "runs", "false rollback", "detected", "median", "promoted", "median",
    ]
    let rows = [header] + outcomes.map(\.cells)
    let widths = header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + padding : padding + cell
      }.joined(separator: "  ")
    }.joined(separator: "\n") + "\n"
  }
}

/// What the gate said about one scenario.
public struct SimulatedOutcome: Equatable, Sendable {
  public let scenario: GateScenario
  public let runs: Int
  /// After how many windows it said so first, ascending; only runs in which it did.
  let rollbacks: [Int]
  let promotions: [Int]

  /// The share of runs in which it said rollback at any look; 0 where that was right.
  public var falseRollbackShare: Double { scenario.isHarmful ? 0 : share(rollbacks) }
  /// The share of runs in which it rightly said rollback; 0 where that would be wrong.
  public var detectionShare: Double { scenario.isHarmful ? share(rollbacks) : 0 }
  /// The share of runs in which it said promote at any look before a rollback.
  public var promoteShare: Double { share(promotions) }
  public var detectionMinutesMedian: Double? { scenario.isHarmful ? median(rollbacks) : nil }
  public var promoteMinutesMedian: Double? { median(promotions) }

  var cells: [String] {
    [
      scenario.name, String(runs), scenario.isHarmful ? "-" : percent(falseRollbackShare),
      scenario.isHarmful ? percent(detectionShare) : "-", minutes(detectionMinutesMedian),
      percent(promoteShare), minutes(promoteMinutesMedian),
    ]
  }

  private func share(_ windows: [Int]) -> Double {
    runs > 0 ? Double(windows.count) / Double(runs) : 0
  }

  private func median(_ windows: [Int]) -> Double? {
    windows.isEmpty ? nil : BeforeAfter.median(windows.map { Double($0) / 6 })
  }

  private func minutes(_ minutes: Double?) -> String {
    minutes.map { "\(decimals($0)) min" } ?? "-"
  }
}
