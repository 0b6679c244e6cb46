internal import GRDB
internal import Model

/// The table `versions`: when each version of a service was first and last seen.
enum VersionRows {
  /// The most that is read at start.
  private static let fetchedMax = 1_000_000

  /// Those seen last come first.
  static func fetchAll(_ db: Database) throws -> [VersionSighting] {
    let rows = try Row.fetchCursor(
      db,
      sql: "SELECT service, version, first, newest FROM versions ORDER BY newest DESC LIMIT ?",
      arguments: [fetchedMax])
    return try sightings(rows)
  }

  static func fetch(_ db: Database, of service: NameID) throws -> [VersionSighting] {
    try sightings(
      Row.fetchCursor(
        db, sql: "SELECT service, version, first, newest FROM versions WHERE service = ?",
        arguments: [service.raw.signed]))
  }

  private static func sightings(_ rows: RowCursor) throws -> [VersionSighting] {
    var sightings: [VersionSighting] = []
    while let row = try rows.next() {
      sightings.append(
        VersionSighting(
          service: NameID(row.unsigned(0)), version: NameID(row.unsigned(1)),
          first: Nanos(seconds: row[2]), newest: Nanos(seconds: row[3])))
    }
    return sightings
  }

  static func save(_ db: Database, _ sightings: [VersionSighting]) throws {
    let statement = try db.cachedStatement(
      sql: """
        INSERT INTO versions (service, version, first, newest) VALUES (?, ?, ?, ?)
        ON CONFLICT (service, version) DO UPDATE SET
          first = MIN(first, excluded.first), newest = MAX(newest, excluded.newest)
        """)
    for sighting in sightings {
      try statement.execute(arguments: [
        sighting.service.raw.signed, sighting.version.raw.signed, sighting.first.seconds,
        sighting.newest.seconds,
      ])
    }
  }

  /// Deletes the versions that no hour tile refers to.
  static func deleteUnused(_ db: Database, horizons: Horizons) throws {
    try db.cachedStatement(sql: "DELETE FROM versions WHERE newest < ?")
      .execute(arguments: [horizons[.hour].seconds])
  }
}
