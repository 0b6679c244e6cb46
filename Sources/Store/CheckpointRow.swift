internal import GRDB

/// The one row of the table `checkpoint`.
struct CheckpointRow {
  var number: UInt64
  var mark: UInt64

  static func fetch(_ db: Database) throws -> CheckpointRow {
    let statement = try db.cachedStatement(sql: "SELECT number, mark FROM checkpoint WHERE id = 1")
    guard let row = try Row.fetchOne(statement) else {
      throw DamagedTile(what: "the row of the last checkpoint is missing")
    }
    return CheckpointRow(number: row.unsigned(0), mark: row.unsigned(1))
  }

  func save(_ db: Database) throws {
    try db.cachedStatement(sql: "UPDATE checkpoint SET number = ?, mark = ? WHERE id = 1")
      .execute(arguments: [number.signed, mark.signed])
  }
}

// SQLite's integers are signed: ids are stored as the signed number of the same 64 bits.

extension UInt64 {
  var signed: Int64 { Int64(bitPattern: self) }
}

extension Row {
  func unsigned(_ index: Int) -> UInt64 { UInt64(bitPattern: self[index] as Int64) }
}
