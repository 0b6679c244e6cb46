internal import GRDB
public import Model

extension TileStore {
  /// How many verdicts are kept of one rollout, and in all; one more takes the place of the oldest.
  public static let verdictsOfRolloutMax = 200
  public static let verdictsMax = 5_000

  /// Keeps a verdict. Where the last one about the same rollout was the same, that one is brought up
  /// to date and keeps its id; nothing is written when it has the same data already.
  /// - Parameter verdict: its `id` and `since` as if it were given for the first time.
  /// - Returns: the id under which it stands.
  public func keep(_ verdict: StoredVerdict) throws(StoreError) -> VerdictID {
    try StoreError.wrapping(.commit, path) {
      if let same = try pool.read({ try VerdictRows.newest($0, of: verdict.rollout) }),
        same.verdict == verdict.verdict, same.report == verdict.report,
        same.answer == verdict.answer
      {
        return same.id
      }
      return try pool.write { db in
        var kept = verdict
        if let last = try VerdictRows.newest(db, of: verdict.rollout),
          last.verdict == verdict.verdict, last.since <= verdict.until
        {
          kept.id = last.id
          kept.since = last.since
        }
        try VerdictRows.write(db, kept)
        try VerdictRows.trim(
          db, verdict.rollout, countMax: TileStore.verdictsOfRolloutMax,
          allMax: TileStore.verdictsMax)
        return kept.id
      }
    }
  }

  public func verdict(_ id: VerdictID, tenant: TenantID) throws(StoreError) -> StoredVerdict? {
    try StoreError.wrapping(.read, path) {
      try pool.read { try VerdictRows.fetch($0, id, tenant: tenant) }
    }
  }

  /// The newest first.
  public func verdicts(_ filter: VerdictFilter) throws(StoreError) -> [StoredVerdict] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try VerdictRows.fetch($0, filter) }
    }
  }

  /// The deadline of a rollout: the first that was named stays.
  /// - Parameters:
  ///   - start: when the rollout began; a deadline before it is that of an earlier one of the same
  ///     version.
  ///   - wanted: nil only asks.
  ///   - knownUntil: where finished data ends that may have been the reason to want it.
  public func deadline(
    of rollout: RolloutID, since start: Nanos, tenant: TenantID, wanted: Nanos?,
    knownUntil: Nanos? = nil
  ) throws(StoreError) -> Nanos? {
    try StoreError.wrapping(.commit, path) {
      if let fixed = try pool.read({ try VerdictRows.deadline($0, rollout, since: start) }) {
        return fixed
      }
      guard let wanted else { return nil }
      return try pool.write {
        try VerdictRows.fixDeadline(
          $0, rollout, since: start, tenant: tenant, wanted, knownUntil: knownUntil)
      }
    }
  }

  /// Where finished data ended when the deadline of a rollout was named; nil where there is none, or
  /// nobody said so.
  public func deadlineKnownUntil(
    of rollout: RolloutID, since start: Nanos
  ) throws(StoreError) -> Nanos? {
    try StoreError.wrapping(.read, path) {
      try pool.read { try VerdictRows.deadlineKnownUntil($0, rollout, since: start) }
    }
  }

  /// Until when all windows were declared finished last; 0 for never.
  public func finishedUntil() throws(StoreError) -> Nanos {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        let seconds = try Int64.fetchOne(
          db, sql: "SELECT value FROM meta WHERE key = ?", arguments: [TileStore.finishedKey])
        return Nanos(seconds: seconds ?? 0)
      }
    }
  }

  public func keep(finishedUntil time: Nanos) throws(StoreError) {
    try StoreError.wrapping(.commit, path) {
      try pool.write { db in
        try db.execute(
          sql: "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)",
          arguments: [TileStore.finishedKey, time.seconds])
      }
    }
  }

  private static let finishedKey = "finished until"

  /// The names of all services of a tenant.
  public func serviceNames(tenant: TenantID) throws(StoreError) -> [Name] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try NameRows.fetchServices($0, tenant: tenant) }
    }
  }

  /// When each version of one service was first and last seen.
  public func versionSightings(of service: NameID) throws(StoreError) -> [VersionSighting] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try VersionRows.fetch($0, of: service) }
    }
  }

  func deleteVerdicts(before time: Nanos) throws(StoreError) {
    try StoreError.wrapping(.delete, path) {
      try pool.write { try VerdictRows.deleteExpired($0, before: time) }
    }
  }
}
