internal import Model

/// A rollout whose cause is known, to hold what attribution says against.
public struct AttributionCase: Sendable {
  /// Whose doing it is, as far as a simulation of one service can tell apart.
  public enum Truth: String, Sendable, CaseIterable {
    case thisDeployment = "this deployment"
    /// Something that reaches every version or every service.
    case elsewhere
    case nothing
  }

  public let name: String
  public let truth: Truth
  let scenario: GateScenario

  private init(
    _ name: String, _ truth: Truth, _ change: (inout GateScenario) -> Void = { _ in }
  ) {
    self.name = name
    self.truth = truth
    scenario = GateScenario(name, isHarmful: truth == .thisDeployment, change)
  }

  /// All of them, in the order of the table.
  public static let all: [AttributionCase] = [
    AttributionCase("no effect", .nothing),
    AttributionCase("error bursts of 3", .nothing) { $0.burst = 3 },
    AttributionCase("error bursts of 8", .nothing) { $0.burst = 8 },
    AttributionCase("errors x3", .thisDeployment) { $0.errorsFactor = 3 },
    AttributionCase("errors x10", .thisDeployment) { $0.errorsFactor = 10 },
    AttributionCase("latency +5 %", .thisDeployment) { $0.latencyFactor = 1.05 },
    AttributionCase("latency +10 %", .thisDeployment) { $0.latencyFactor = 1.1 },
    AttributionCase("latency +20 %", .thisDeployment) { $0.latencyFactor = 1.2 },
    AttributionCase("sampled 10 %, errors x10", .thisDeployment) {
      $0.sampled = 0.1
      $0.errorsFactor = 10
    },
    AttributionCase("both versions +10 %", .elsewhere) { $0.shared.latencyFactor = 1.1 },
    AttributionCase("both versions +30 %", .elsewhere) { $0.shared.latencyFactor = 1.3 },
    AttributionCase("both versions err x5", .elsewhere) { $0.shared.errorsFactor = 5 },
    AttributionCase("requests x2, both +20 %", .elsewhere) {
      $0.shared.requestsFactor = 2
      $0.shared.latencyFactor = 1.2
    },
    AttributionCase("shock for six minutes", .elsewhere) { $0.hasSharedShock = true },
    AttributionCase("latency +20 %, both +30 %", .thisDeployment) {
      $0.latencyFactor = 1.2
      $0.shared.latencyFactor = 1.3
    },
    AttributionCase("replaced", .nothing) { $0.replacement = .init() },
    AttributionCase("replaced, latency +15 %", .thisDeployment) {
      $0.replacement = .init()
      $0.latencyFactor = 1.15
    },
    AttributionCase("replaced, errors x5", .thisDeployment) {
      $0.replacement = .init()
      $0.errorsFactor = 5
    },
    AttributionCase("replaced, all +15 %", .elsewhere) { $0.replacement = .init(shock: 1.15) },
    AttributionCase("replaced, all +50 %", .elsewhere) { $0.replacement = .init(shock: 1.5) },
    AttributionCase("replaced, +15 %, all +15 %", .thisDeployment) {
      $0.replacement = .init(shock: 1.15)
      $0.latencyFactor = 1.15
    },
  ]
}

/// What attribution said about one run, held against the truth.
public struct AttributionTrial: Sendable {
  public let name: String
  public let truth: AttributionCase.Truth
  /// Of `this_deployment`, of `noise`, and of all others together.
  let probabilities: [AttributionCase.Truth: Double]

  public var thisDeployment: Double { probabilities[.thisDeployment] ?? 0 }

  /// The most likely of the three.
  public var found: AttributionCase.Truth {
    probabilities.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key ?? .nothing
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
      let question = question(
        attributed.scenario, seed: SimulatedRandom.seed(seed, run: index))
      var probabilities: [AttributionCase.Truth: Double] = [:]
      for hypothesis in Attribution(question).hypotheses {
        let truth: AttributionCase.Truth =
          switch hypothesis.kind {
          case .thisDeployment: .thisDeployment
          case .noise: .nothing
          default: .elsewhere
          }
        probabilities[truth, default: 0] += hypothesis.probability
      }
      return AttributionTrial(
        name: attributed.name, truth: attributed.truth, probabilities: probabilities)
    }
  }

  private static func question(_ scenario: GateScenario, seed: UInt64) -> GateQuestion {
    if scenario.replacement != nil {
      let replacement = SimulatedReplacement(scenario, seed: seed)
      return GateQuestion(beforeAfter: replacement.question(after: minutes))
    }
    var traffic = SimulatedTraffic(scenario, seed: seed)
    let history = traffic.historyWithLatency()
    let windows = (0..<minutes * 6).map { _ in traffic.nextWindow() }
    return GateQuestion(
      concurrent: ConcurrentQuestion(
        version: "v42", baseline: "v41", start: SimulatedTraffic.start,
        until: SimulatedTraffic.start + Nanos(minutes) * .minute, windows: windows,
        history: history))
  }
}
