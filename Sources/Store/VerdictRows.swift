internal import Foundation
internal import GRDB
internal import Model

/// The tables `rollouts` and `verdicts`.
enum VerdictRows {
  private static let columns =
    "id, tenant, rollout, service, version, verdict, since, until, report, answer"

  /// Keeps the deadline of a rollout and what was known when it was named, unless it has one already.
  /// - Returns: the one it has.
  static func fixDeadline(
    _ db: Database, _ rollout: RolloutID, since start: Nanos, tenant: TenantID, _ deadline: Nanos,
    knownUntil: Nanos?
  ) throws -> Nanos {
    if let fixed = try self.deadline(db, rollout, since: start) { return fixed }
    try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO rollouts (id, tenant, deadline, known_until) VALUES (?, ?, ?, ?)"
    ).execute(arguments: [
      rollout.raw.signed, Int64(tenant.raw), Int64(clamping: deadline),
      knownUntil.map { Int64(clamping: $0) },
    ])
    return deadline
  }

  static func deadline(
    _ db: Database, _ rollout: RolloutID, since start: Nanos
  ) throws -> Nanos? {
    let statement = try db.cachedStatement(
      sql: "SELECT deadline FROM rollouts WHERE id = ? AND deadline > ?")
    return try Int64.fetchOne(statement, arguments: [rollout.raw.signed, Int64(clamping: start)])
      .map { Nanos(clamping: $0) }
  }

  /// Where finished data ended when the deadline was named; nil where that is not known.
  static func deadlineKnownUntil(
    _ db: Database, _ rollout: RolloutID, since start: Nanos
  ) throws -> Nanos? {
    let statement = try db.cachedStatement(
      sql: "SELECT known_until FROM rollouts WHERE id = ? AND deadline > ?")
    return try Row.fetchOne(
      statement, arguments: [rollout.raw.signed, Int64(clamping: start)]
    ).flatMap { $0[0] as Int64? }.map { Nanos(clamping: $0) }
  }

  /// The verdict given last about a rollout.
  static func newest(_ db: Database, of rollout: RolloutID) throws -> StoredVerdict? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT \(columns) FROM verdicts WHERE rollout = ? ORDER BY until DESC, since DESC LIMIT 1
        """)
    return try Row.fetchOne(statement, arguments: [rollout.raw.signed]).map(verdict)
  }

  static func fetch(_ db: Database, _ id: VerdictID, tenant: TenantID) throws -> StoredVerdict? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns) FROM verdicts WHERE id = ? AND tenant = ?")
    return try Row.fetchOne(statement, arguments: [id.raw.signed, Int64(tenant.raw)])
      .map(verdict)
  }

  /// The newest first.
  static func fetch(_ db: Database, _ filter: VerdictFilter) throws -> [StoredVerdict] {
    var condition = "tenant = ? AND until >= ? AND until < ?"
    var arguments: StatementArguments = [
      Int64(filter.tenant.raw), Int64(clamping: filter.start), Int64(clamping: filter.end),
    ]
    if let service = filter.service {
      // Not LIKE, which takes no notice of case.
      condition += " AND (service = ? OR substr(service, -length(?)) = ?)"
      let end = "/" + service
      arguments += [service, end, end]
    }
    if let version = filter.version {
      condition += " AND version = ?"
      arguments += [version]
    }
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(columns) FROM verdicts WHERE \(condition)
        ORDER BY until DESC, id LIMIT \(max(0, filter.countMax))
        """, arguments: arguments)
    var verdicts: [StoredVerdict] = []
    while let row = try rows.next() { verdicts.append(try verdict(row)) }
    return verdicts
  }

  static func write(_ db: Database, _ verdict: StoredVerdict) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO verdicts (\(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      verdict.id.raw.signed, Int64(verdict.tenant.raw), verdict.rollout.raw.signed,
      verdict.service, verdict.version, verdict.verdict, Int64(clamping: verdict.since),
      Int64(clamping: verdict.until), Data(verdict.report), Data(verdict.answer),
    ])
  }

  /// Deletes the oldest of the rollout, and of all, when there are more than there may be.
  static func trim(_ db: Database, _ rollout: RolloutID, countMax: Int, allMax: Int) throws {
    try db.cachedStatement(
      sql: """
        DELETE FROM verdicts WHERE id IN (
          SELECT id FROM verdicts WHERE rollout = ? ORDER BY until DESC, since DESC
          LIMIT -1 OFFSET ?)
        """
    ).execute(arguments: [rollout.raw.signed, countMax])
    try db.cachedStatement(
      sql: """
        DELETE FROM verdicts WHERE id IN (
          SELECT id FROM verdicts ORDER BY until DESC, since DESC LIMIT -1 OFFSET ?)
        """
    ).execute(arguments: [allMax])
  }

  static func deleteExpired(_ db: Database, before time: Nanos) throws {
    try db.execute(
      sql: "DELETE FROM verdicts WHERE until < ?", arguments: [Int64(clamping: time)])
    try db.execute(
      sql: """
        DELETE FROM rollouts
        WHERE deadline < ? AND id NOT IN (SELECT rollout FROM verdicts)
        """, arguments: [Int64(clamping: time)])
  }

  private static func verdict(_ row: Row) throws -> StoredVerdict {
    let id = VerdictID(row.unsigned(0))
    guard let tenant = UInt32(exactly: row[1] as Int64) else {
      throw DamagedTile(what: "verdict \(id) is of no known tenant")
    }
    return StoredVerdict(
      id: id, tenant: TenantID(tenant), rollout: RolloutID(row.unsigned(2)), service: row[3],
      version: row[4], verdict: row[5], since: Nanos(clamping: row[6] as Int64),
      until: Nanos(clamping: row[7] as Int64), report: [UInt8](row[8] as Data),
      answer: [UInt8](row[9] as Data))
  }
}
