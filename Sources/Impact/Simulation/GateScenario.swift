/// A rollout to simulate: traffic, and what is wrong with the new version.
public struct GateScenario: Equatable, Sendable {
  /// Unique; also the key of its floors.
  public let name: String
  /// Whether a rollback would be right. Else it is a false one.
  public let isHarmful: Bool
  /// Requests a second to the new version, and to the one beside it.
  var currentRate = 5.0
  var baselineRate = 45.0
  /// The share of requests that fails with either version if nothing is wrong.
  var errorRate = 0.005
  /// How many times as often, and how many times as long, with the new version.
  var errorsFactor = 1.0
  var latencyFactor = 1.0
  /// How many requests fail together; 1 when errors come alone.
  var burst = 1.0
  /// Whether the hour before was seen.
  var hasHistory = true
  /// The share of traces that is kept.
  var sampled = 1.0
  /// How much each version's latency wanders by itself, and how slowly: from window to window it
  /// keeps this share of its place and moves on by so much (of ln latency).
  var wanderKept = 0.5
  var wanderStep = 0.01
  /// From minute 8 to 14 both versions err ten times as often and take 1.3 times as long: another
  /// deployment, or a dependency.
  var hasSharedShock = false
  /// What reaches both versions from the start on.
  var shared = Shared()

  struct Shared: Equatable, Sendable {
    var latencyFactor = 1.0
    var errorsFactor = 1.0
    var requestsFactor = 1.0
  }

  /// The window at which the new version stops, and how many calls a window fail unseen after.
  var diesAtWindow: Int?
  var unknownFailures: Int64 = 0

  /// What share of the requests the new version is announced to get.
  var announcedShare: Double?
  /// How much the odds of the new version wander from window to window (of their logarithm), as
  /// clients do that keep their connections.
  var splitWander = 0.0
  /// From this window on the new version gets nine times as many requests, of others, which take this
  /// many times as long.
  var jump: Jump?

  struct Jump: Equatable, Sendable {
    var window: Int
    var latencyFactor: Double
  }

  /// For how long after the start, and how often again, instances of the new version are new: they
  /// take this many times as long in their first two minutes.
  var coldFactor = 1.0
  var renewedEveryWindows: Int?
  /// By when a verdict is wanted: the end of the half hour, said half a minute after the start.
  var hasDeadline = false

  /// The old version is gone at once, with this many other services to compare with.
  var replacement: Replacement?

  struct Replacement: Equatable, Sendable {
    var controls = 6
    /// How many times as long everything takes from the moment of the change on, everywhere.
    var shock = 1.0
  }

  init(_ name: String, isHarmful: Bool = false, _ change: (inout GateScenario) -> Void = { _ in }) {
    self.name = name
    self.isHarmful = isHarmful
    change(&self)
  }

  /// All of them, in the order of the table.
  public static let all: [GateScenario] = [
    GateScenario("no effect"),
    GateScenario("errors x3", isHarmful: true) { $0.errorsFactor = 3 },
    GateScenario("errors x10", isHarmful: true) { $0.errorsFactor = 10 },
    GateScenario("latency +5 %", isHarmful: true) { $0.latencyFactor = 1.05 },
    GateScenario("latency +10 %", isHarmful: true) { $0.latencyFactor = 1.1 },
    GateScenario("latency +20 %", isHarmful: true) { $0.latencyFactor = 1.2 },
    GateScenario("error bursts of 3") { $0.burst = 3 },
    GateScenario("error bursts of 8") { $0.burst = 8 },
    GateScenario("bursts of 8, no history") {
      $0.burst = 8
      $0.hasHistory = false
    },
    GateScenario("bursts of 3, errors x10", isHarmful: true) {
      $0.burst = 3
      $0.errorsFactor = 10
    },
    GateScenario("sampled 10 %") { $0.sampled = 0.1 },
    GateScenario("sampled 10 %, errors x10", isHarmful: true) {
      $0.sampled = 0.1
      $0.errorsFactor = 10
    },
    GateScenario("sampled 1 %") { $0.sampled = 0.01 },
    GateScenario("sampled 1 %, errors x10", isHarmful: true) {
      $0.sampled = 0.01
      $0.errorsFactor = 10
    },
    GateScenario("never errs") { $0.errorRate = 0 },
    GateScenario("one request a minute") {
      $0.currentRate = 1 / 60.0
      $0.baselineRate = 1 / 60.0
    },
    GateScenario("busy, slow wander") {
      $0.currentRate = 200
      $0.baselineRate = 1800
      $0.wanderKept = 0.9
      $0.wanderStep = 0.005
    },
    GateScenario("two deployments at once") { $0.hasSharedShock = true },
    GateScenario("dies silently") { $0.diesAtWindow = 6 },
    GateScenario("dies, callers see it") {
      $0.diesAtWindow = 6
      $0.unknownFailures = 20
    },
    GateScenario("split as announced") { $0.announcedShare = 0.1 },
    GateScenario("split as announced, bunched") {
      $0.announcedShare = 0.1
      $0.splitWander = 0.15
    },
    GateScenario("split not as announced") { $0.announcedShare = 0.5 },
    GateScenario("share jumps, other requests") {
      $0.jump = Jump(window: 24, latencyFactor: 1.15)
    },
    GateScenario("cold start") { $0.coldFactor = 2 },
    GateScenario("cold start, latency +10 %", isHarmful: true) {
      $0.coldFactor = 2
      $0.latencyFactor = 1.1
    },
    GateScenario("always cold", isHarmful: true) {
      $0.coldFactor = 2
      $0.renewedEveryWindows = 10
    },
    GateScenario("no effect, deadline") { $0.hasDeadline = true },
    GateScenario("latency +2 %, deadline") {
      $0.latencyFactor = 1.02
      $0.hasDeadline = true
    },
    GateScenario("latency +5 %, deadline", isHarmful: true) {
      $0.latencyFactor = 1.05
      $0.hasDeadline = true
    },
    GateScenario("two deployments, deadline") {
      $0.hasSharedShock = true
      $0.hasDeadline = true
    },
    GateScenario("replaced") { $0.replacement = Replacement() },
    GateScenario("replaced, all +15 %") { $0.replacement = Replacement(shock: 1.15) },
    GateScenario("replaced, all +50 %") { $0.replacement = Replacement(shock: 1.5) },
    GateScenario("replaced, latency +15 %", isHarmful: true) {
      $0.replacement = Replacement()
      $0.latencyFactor = 1.15
    },
    GateScenario("replaced, +15 %, all +15 %", isHarmful: true) {
      $0.replacement = Replacement(shock: 1.15)
      $0.latencyFactor = 1.15
    },
    GateScenario("replaced, errors x5", isHarmful: true) {
      $0.replacement = Replacement()
      $0.errorsFactor = 5
    },
    GateScenario("replaced, no controls", isHarmful: true) {
      $0.replacement = Replacement(controls: 0)
      $0.latencyFactor = 1.3
    },
  ]
}
