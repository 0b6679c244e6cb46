public import Model

/// How well a service does: by itself, because of what it calls, and for those that call it.
public struct ServiceHealth: Equatable, Sendable {
  public var node: NameID
  /// Its score is nil without data.
  public var health: Health
  /// Why there is no score; nil where there is one.
  public var why: String?
  /// Those that call it, and what it does to them; the worst first.
  public var upstream: [HealthNeighbour]
  /// Those it calls, and what they do to it; the worst first.
  public var downstream: [HealthNeighbour]

  /// 0…100; nil without data.
  public var score: Double? { ServiceHealth.rounded(health.score) }

  /// To nine digits: what adding up left over would make a hundred less.
  static func rounded(_ score: Double?) -> Double? { score.map { ($0 * 1e9).rounded() / 1e9 } }
}

/// One end of a service's calls, and what came of them.
public struct HealthNeighbour: Equatable, Sendable {
  public var node: NameID
  /// Calls, and those that failed, adjusted for sampling.
  public var calls: Double
  public var failed: Double
  /// Of the failed ones: after which the caller failed too, and after which it did not.
  public var propagated: Double
  public var absorbed: Double
  /// Milliseconds on critical paths that failed calls cost although the caller went on, or that went
  /// into making them again.
  public var lostMilliseconds: Double
  /// How much longer a call holds up its trace than before, surely; nil without history.
  public var addedMilliseconds: Double?
}
