internal import Model

/// A rollout whose cause is known, to hold what attribution says against.
public struct AttributionCase: Sendable {
  public let name: String
  /// Whose doing it is.
  public let truth: Hypothesis.Kind
  let scenario: GateScenario
  let system: SimulatedSystem.Truth

  private init(
    _ name: String, _ truth: Hypothesis.Kind,
    _ change: (inout GateScenario, inout SimulatedSystem.Truth) -> Void = { _, _ in }
  ) {
    self.name = name
    self.truth = truth
    var system = SimulatedSystem.Truth()
    scenario = GateScenario(name, isHarmful: truth == .thisDeployment) { change(&$0, &system) }
    self.system = system
  }

  /// Something else makes both versions, or the one that replaced the other, so much worse.
  private static func elsewhere(
    _ name: String, _ truth: Hypothesis.Kind, latency: Double = 1, errors: Double = 1,
    isReplaced: Bool = false, _ change: (inout SimulatedSystem.Truth) -> Void = { _ in }
  ) -> AttributionCase {
    AttributionCase(name, truth) { scenario, system in
      system.cause = truth
      system.latencyFactor = latency
      system.errorsFactor = errors
      change(&system)
      if isReplaced {
        // What all others have in common is in the comparison with them.
        scenario.replacement = .init(shock: truth == .platform ? latency : 1)
        system.shock = truth == .platform ? latency : 1
        if truth == .platform { system.latencyFactor = 1 }
        scenario.latencyFactor = truth == .platform ? 1 : latency
        scenario.errorsFactor = errors
      } else {
        scenario.shared.latencyFactor = latency
        scenario.shared.errorsFactor = errors
      }
      scenario.shared.requestsFactor = system.requestsFactor
    }
  }

  /// All of them, in the order of the table.
  public static let all = alone + beside + replaced

  private static let alone: [AttributionCase] = [
    AttributionCase("no effect", .noise),
    AttributionCase("error bursts of 3", .noise) { scenario, _ in scenario.burst = 3 },
    AttributionCase("error bursts of 8", .noise) { scenario, _ in scenario.burst = 8 },
    AttributionCase("no effect, dependency deployed", .noise) { $1.marker = .below },
    AttributionCase("errors x3", .thisDeployment) { scenario, _ in scenario.errorsFactor = 3 },
    AttributionCase("errors x10", .thisDeployment) { scenario, _ in scenario.errorsFactor = 10 },
    AttributionCase("latency +5 %", .thisDeployment) { scenario, _ in
      scenario.latencyFactor = 1.05
    },
    AttributionCase("latency +10 %", .thisDeployment) { scenario, _ in
      scenario.latencyFactor = 1.1
    },
    AttributionCase("latency +20 %", .thisDeployment) { scenario, _ in
      scenario.latencyFactor = 1.2
    },
    AttributionCase("sampled 10 %, errors x10", .thisDeployment) { scenario, _ in
      scenario.sampled = 0.1
      scenario.errorsFactor = 10
    },
    // Decoys: what happened too and did nothing, or did something else.
    AttributionCase("+20 %, dependency deployed", .thisDeployment) {
      $0.latencyFactor = 1.2
      $1.marker = .below
    },
    AttributionCase("+20 %, configuration changed", .thisDeployment) {
      $0.latencyFactor = 1.2
      $1.marker = .own
    },
    AttributionCase("+20 %, requests x1.5", .thisDeployment) {
      $0.latencyFactor = 1.2
      $0.shared.requestsFactor = 1.5
      $1.requestsFactor = 1.5
    },
    AttributionCase("latency +20 %, both +30 %", .thisDeployment) {
      $0.latencyFactor = 1.2
      $0.shared.latencyFactor = 1.3
      $1.cause = .dependency
      $1.latencyFactor = 1.3
    },
  ]

  private static let beside: [AttributionCase] = [
    elsewhere("both versions +10 %", .dependency, latency: 1.1),
    elsewhere("both versions +30 %", .dependency, latency: 1.3),
    elsewhere("both versions err x5", .dependency, errors: 5),
    elsewhere("dependency deployed, both +30 %", .otherChange, latency: 1.3) {
      $0.marker = .below
    },
    elsewhere("configuration, both +20 %", .otherChange, latency: 1.2) { $0.marker = .own },
    elsewhere("requests x2, both +20 %", .load, latency: 1.2) { $0.requestsFactor = 2 },
    elsewhere("4 to 2 instances, both +20 %", .scaling, latency: 1.2) { $0.instances = 2 },
    elsewhere("everything +30 %", .platform, latency: 1.3),
    elsewhere("slow operations, both +20 %", .operationMix, latency: 1.2),
    AttributionCase("shock for six minutes", .dependency) {
      $0.hasSharedShock = true
      $1.cause = .dependency
      $1.latencyFactor = 1.3
      $1.errorsFactor = 10
      $1.minutes = 8...14
    },
  ]

  private static let replaced: [AttributionCase] = [
    AttributionCase("replaced", .noise) { scenario, _ in scenario.replacement = .init() },
    AttributionCase("replaced, latency +15 %", .thisDeployment) { scenario, _ in
      scenario.replacement = .init()
      scenario.latencyFactor = 1.15
    },
    AttributionCase("replaced, errors x5", .thisDeployment) { scenario, _ in
      scenario.replacement = .init()
      scenario.errorsFactor = 5
    },
    AttributionCase("replaced, +15 %, dep. deployed", .thisDeployment) {
      $0.replacement = .init()
      $0.latencyFactor = 1.15
      $1.marker = .below
    },
    elsewhere("replaced, dependency +30 %", .dependency, latency: 1.3, isReplaced: true),
    elsewhere("replaced, dep. deployed +30 %", .otherChange, latency: 1.3, isReplaced: true) {
      $0.marker = .below
    },
    elsewhere("replaced, requests x2 +20 %", .load, latency: 1.2, isReplaced: true) {
      $0.requestsFactor = 2
    },
    elsewhere("replaced, 4 to 2 inst. +20 %", .scaling, latency: 1.2, isReplaced: true) {
      $0.instances = 2
      $0.marker = .own
    },
    elsewhere("replaced, slow operations +20 %", .operationMix, latency: 1.2, isReplaced: true),
    elsewhere("replaced, all +15 %", .platform, latency: 1.15, isReplaced: true),
    elsewhere("replaced, all +50 %", .platform, latency: 1.5, isReplaced: true),
    AttributionCase("replaced, +15 %, all +15 %", .thisDeployment) {
      $0.replacement = .init(shock: 1.15)
      $0.latencyFactor = 1.15
      $1.shock = 1.15
    },
    elsewhere("replaced, dependency +60 %", .dependency, latency: 1.6, isReplaced: true),
  ]
}

/// What attribution said about one run, held against the truth.
public struct AttributionTrial: Sendable {
  public let name: String
  public let truth: Hypothesis.Kind
  /// Of every hypothesis.
  public let probabilities: [Hypothesis.Kind: Double]

  public var thisDeployment: Double { probabilities[.thisDeployment] ?? 0 }

  /// The most likely.
  public var found: Hypothesis.Kind {
    probabilities.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key ?? .noise
  }

  public var isRight: Bool { found == truth }

  /// A cause taken for a coincidence, or a coincidence for the cause.
  public var isConfused: Bool { (found == .thisDeployment) != (truth == .thisDeployment) }
}

/// Asks for the attribution of simulated rollouts a quarter of an hour after their start: by the very
/// code that the gate's answers come from.
public enum AttributionSimulation {
  private static let minutes = 15

  /// - Parameter seed: the same seed gives the same trials, on any machine.
  public static func run(_ attributed: AttributionCase, runs: Int, seed: UInt64)
    -> [AttributionTrial]
  {
    (0..<runs).map { index in
      let found = hypotheses(attributed, seed: SimulatedRandom.seed(seed, run: index))
      let probabilities = found.map { ($0.kind, $0.probability) }
      return AttributionTrial(
        name: attributed.name, truth: attributed.truth,
        probabilities: Dictionary(uniqueKeysWithValues: probabilities))
    }
  }

  /// Of one run, with all terms.
  public static func hypotheses(_ attributed: AttributionCase, seed: UInt64) -> [Hypothesis] {
    Attribution(question(attributed, seed: seed)).hypotheses
  }

  static func question(_ attributed: AttributionCase, seed: UInt64) -> GateQuestion {
    let scenario = attributed.scenario
    var system = SimulatedSystem(scenario, attributed.system, seed: seed)
    let circumstances = system.circumstances(after: minutes)
    if scenario.replacement != nil {
      let replacement = SimulatedReplacement(scenario, seed: seed)
      return GateQuestion(
        beforeAfter: replacement.question(after: minutes), circumstances: circumstances)
    }
    var traffic = SimulatedTraffic(scenario, seed: seed)
    let history = traffic.historyWithLatency()
    let windows = (0..<minutes * 6).map { _ in traffic.nextWindow() }
    return GateQuestion(
      concurrent: ConcurrentQuestion(
        version: "v42", baseline: "v41", start: SimulatedTraffic.start,
        until: SimulatedTraffic.start + Nanos(minutes) * .minute, windows: windows,
        history: history),
      circumstances: circumstances)
  }
}
