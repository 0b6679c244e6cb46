internal import Foundation
internal import GRDB
internal import Model

/// The table `names`. Each row knows the newest hour tile that refers to it, so that a name nobody
/// refers to any more is found without looking at the tiles.
enum NameRows {
  static func fetchAll(_ db: Database) throws -> [Name] {
    let rows = try Row.fetchCursor(
      db, sql: "SELECT id, tenant, kind, scope, text FROM names")
    var names: [Name] = []
    while let row = try rows.next() { names.append(try name(row)) }
    return names
  }

  static func fetchServices(_ db: Database, tenant: TenantID) throws -> [Name] {
    let rows = try Row.fetchCursor(
      db,
      sql: "SELECT id, tenant, kind, scope, text FROM names WHERE kind = ? AND tenant = ?",
      arguments: [NameKind.service.rawValue, Int64(tenant.raw)])
    var names: [Name] = []
    while let row = try rows.next() { names.append(try name(row)) }
    return names
  }

  /// The names behind the ids, as far as they are known.
  static func fetch(_ db: Database, _ ids: Set<NameID>) throws -> [NameID: Name] {
    let statement = try db.cachedStatement(
      sql: "SELECT id, tenant, kind, scope, text FROM names WHERE id = ?")
    var names: [NameID: Name] = [:]
    names.reserveCapacity(ids.count)
    for id in ids {
      guard let row = try Row.fetchOne(statement, arguments: [id.raw.signed]) else { continue }
      names[id] = try name(row)
    }
    return names
  }

  private static func name(_ row: Row) throws -> Name {
    let id = NameID(row.unsigned(0))
    guard let tenant = UInt32(exactly: row[1] as Int64),
      let number = UInt8(exactly: row[2] as Int64), let kind = NameKind(rawValue: number)
    else { throw DamagedTile(what: "name \(id.raw.hexadecimal) is of no known kind") }
    var name = Name(
      tenant: TenantID(tenant), kind: kind, scope: NameID(row.unsigned(3)),
      text: String(decoding: row[4] as Data, as: UTF8.self))
    // The id is that of the bytes that were sent; in the text they may stand repaired.
    name.id = id
    return name
  }

  /// Adds names that are not there yet, and notes for all that the sums refer to in which hour.
  static func save(_ db: Database, _ names: [Name], usedBy sums: WindowSums) throws {
    let newest = newestHours(sums)
    let insert = try db.cachedStatement(
      sql: """
        INSERT INTO names (id, tenant, kind, scope, text, newest) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING
        """)
    let newestOfAll = newest.values.max() ?? 0
    for name in names {
      try insert.execute(arguments: [
        name.id.raw.signed, Int64(name.tenant.raw), Int64(name.kind.rawValue),
        name.scope.raw.signed, Data(name.text.utf8), newest[name.id] ?? newestOfAll,
      ])
    }
    let touch = try db.cachedStatement(
      sql: "UPDATE names SET newest = ?2 WHERE id = ?1 AND newest < ?2")
    for (id, hour) in newest { try touch.execute(arguments: [id.raw.signed, hour]) }
  }

  /// For each name the sums refer to, the newest hour in which they do, in seconds.
  private static func newestHours(_ sums: WindowSums) -> [NameID: Int64] {
    var newest: [NameID: Int64] = [:]
    for (start, window) in sums.windows {
      let hour = start.floored(to: .hour).seconds
      for key in window.series.keys {
        for name in key.names where !name.isNone {
          newest[name] = max(newest[name] ?? 0, hour)
        }
      }
    }
    return newest
  }

  /// Deletes at most `countMax` names no hour tile refers to; returns how many.
  static func deleteUnused(_ db: Database, horizons: Horizons, countMax: Int) throws -> Int {
    try db.cachedStatement(
      sql: """
        DELETE FROM names WHERE id IN (SELECT id FROM names WHERE newest < ? LIMIT ?)
        """
    ).execute(arguments: [horizons[.hour].seconds, countMax])
    return db.changesCount
  }
}

extension Nanos {
  /// Whole seconds since 1970: what tables hold times in, so that they can be read by eye.
  var seconds: Int64 { Int64(self / .second) }

  /// A damaged file may hold any number: what is beyond the end of time becomes it.
  init(seconds: Int64) { self = Swift.min(Nanos(clamping: seconds), .max / .second) * .second }
}
