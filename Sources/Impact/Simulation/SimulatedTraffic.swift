internal import Glibc
internal import Model

/// Makes the windows of one simulated rollout, one after the other.
///
/// Load and latency wander for both versions together; each version has some noise of its own that
/// lasts for a few windows, as instances have; latencies are log-normal.
struct SimulatedTraffic {
  private let scenario: GateScenario
  private var random: SimulatedRandom
  private var index = 0
  private var sharedDrift = 0.0
  private var currentDrift = 0.0
  private var baselineDrift = 0.0
  private var splitDrift = 0.0

  static let start: Nanos = 1_790_000_000 * .second
  private static let coldWindows = Int(InstanceAges.warmUpNanos / windowNanos)
  private static let logLatency = log(50e6)
  private static let logVariance = 0.25
  private static let secondsPerWindow = 10.0

  init(_ scenario: GateScenario, seed: UInt64) {
    self.scenario = scenario
    random = SimulatedRandom(seed: seed)
  }

  /// The hour before, in which the old version had all traffic; empty where it was not seen.
  mutating func history() -> [Side] {
    (0..<(scenario.hasHistory ? 360 : 0)).map { _ in
      side(
        rate: scenario.currentRate + scenario.baselineRate, errorRate: scenario.errorRate,
        logLatency: nil)
    }
  }

  /// The same with its latency, which a verdict does not need: it wanders as that of later windows does.
  mutating func historyWithLatency() -> [Side] {
    (0..<(scenario.hasHistory ? 360 : 0)).map { _ in
      drift()
      return side(
        rate: scenario.currentRate + scenario.baselineRate, errorRate: scenario.errorRate,
        logLatency: SimulatedTraffic.logLatency + sharedDrift + baselineDrift)
    }
  }

  mutating func nextWindow() -> ComparedWindow {
    defer { index += 1 }
    let minute = Double(index) / 6
    let isShocked = scenario.hasSharedShock && minute >= 8 && minute < 14
    let load = (1 + 0.2 * sin(minute / 30 * 2 * .pi)) * scenario.shared.requestsFactor
    let errorRate = scenario.errorRate * (isShocked ? 10 : 1) * scenario.shared.errorsFactor
    drift()
    let usual =
      SimulatedTraffic.logLatency + sharedDrift + (isShocked ? log(1.3) : 0)
      + log(scenario.shared.latencyFactor)
    let isDead = scenario.diesAtWindow.map { index >= $0 } ?? false
    let jump = scenario.jump.flatMap { index >= $0.window ? $0 : nil }
    let age = scenario.renewedEveryWindows.map { index % $0 } ?? index
    let isCold = scenario.coldFactor > 1 && age < SimulatedTraffic.coldWindows
    let slower =
      log(scenario.latencyFactor) + log(jump?.latencyFactor ?? 1)
      + (isCold ? log(scenario.coldFactor) : 0)
    if scenario.splitWander > 0 {
      splitDrift = 0.5 * splitDrift + scenario.splitWander * random.normal()
    }
    return ComparedWindow(
      start: SimulatedTraffic.start + Nanos(index) * windowNanos,
      current: isDead
        ? .nothing
        : side(
          rate: scenario.currentRate * load * exp(splitDrift) * (jump == nil ? 1 : 9),
          errorRate: errorRate * scenario.errorsFactor,
          logLatency: usual + currentDrift + slower),
      baseline: side(
        rate: scenario.baselineRate * load, errorRate: errorRate,
        logLatency: usual + baselineDrift),
      unknownFailures: isDead ? scenario.unknownFailures : 0, isWarmingUp: isCold)
  }

  private mutating func drift() {
    sharedDrift = 0.9 * sharedDrift + 0.03 * random.normal()
    currentDrift = scenario.wanderKept * currentDrift + scenario.wanderStep * random.normal()
    baselineDrift = scenario.wanderKept * baselineDrift + scenario.wanderStep * random.normal()
  }

  private mutating func side(rate: Double, errorRate: Double, logLatency: Double?) -> Side {
    let requests = random.poisson(rate * scenario.sampled * SimulatedTraffic.secondsPerWindow)
    guard requests > 0 else { return .nothing }
    return Side(
      traces: requests, errorTraces: failures(rate: rate, errorRate: errorRate),
      latency: logLatency.flatMap { latency(mean: $0, count: Double(requests)) })
  }

  /// Bursts as a whole fall into one window; sampling then keeps some of each.
  private mutating func failures(rate: Double, errorRate: Double) -> Int64 {
    let mean = rate * errorRate * SimulatedTraffic.secondsPerWindow
    if scenario.burst <= 1 { return random.poisson(mean * scenario.sampled) }
    let failed = random.poisson(mean / scenario.burst) * Int64(scenario.burst)
    return scenario.sampled < 1 ? random.binomial(failed, chance: scenario.sampled) : failed
  }

  private mutating func latency(mean: Double, count: Double) -> LogLatency? {
    let variance = SimulatedTraffic.logVariance
    let center = mean + (variance / count).squareRoot() * random.normal()
    let spread = (count - 1) / count * (1 + (2 / count).squareRoot() * random.normal())
    return LogLatency(weight: count, mean: center, variance: variance * max(0, spread))
  }
}

extension GateScenario {
  var announced: [AnnouncedShare] {
    announcedShare.map { [AnnouncedShare(from: SimulatedTraffic.start, share: $0)] } ?? []
  }

  var deadline: FixedDeadline? {
    guard hasDeadline else { return nil }
    return FixedDeadline(
      time: SimulatedTraffic.start + Nanos(GateSimulation.windowsCount) * windowNanos,
      fixedAt: SimulatedTraffic.start + 30 * .second)
  }
}
