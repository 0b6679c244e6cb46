public import Model

/// Which version to go back to.
public enum RollbackTarget {
  /// A version that ran before.
  public struct Candidate: Equatable, Sendable {
    public let version: String
    /// When it was last seen.
    public let newest: Nanos

    public init(version: String, newest: Nanos) {
      self.version = version
      self.newest = newest
    }
  }

  /// The baseline, unless it was itself to be rolled back: then the one of the others seen last of
  /// which nobody said that. nil when there is none: going back would be no better.
  /// - Parameters:
  ///   - baseline: what the version was compared with, or replaced; nil when not known.
  ///   - others: the versions that ran before the one to be rolled back.
  ///   - condemned: of which the last verdict was `rollback`.
  public static func version(
    baseline: String?, others: [Candidate], condemned: Set<String>
  ) -> String? {
    if let baseline, !baseline.isEmpty, !condemned.contains(baseline) { return baseline }
    return others.filter { !condemned.contains($0.version) && !$0.version.isEmpty }
      .max { ($0.newest, $1.version) < ($1.newest, $0.version) }?.version
  }

  /// The versions of one service of which the newest verdict is `rollback`.
  /// - Parameter verdicts: the newest first.
  public static func condemned(in verdicts: [StoredVerdict]) -> Set<String> {
    var decided: Set<String> = []
    var condemned: Set<String> = []
    for verdict in verdicts
    where verdict.verdict != Verdict.wait.rawValue && decided.insert(verdict.version).inserted {
      if verdict.verdict == Verdict.rollback.rawValue { condemned.insert(verdict.version) }
    }
    return condemned
  }
}
