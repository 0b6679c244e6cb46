internal import Foundation
internal import GRDB
internal import Model

/// The table `tiles`.
enum TileRows {
  static func newest(_ db: Database, _ width: TileWidth) throws -> Nanos? {
    try bound(db, width, "MAX")
  }

  static func oldest(_ db: Database, _ width: TileWidth) throws -> Nanos? {
    try bound(db, width, "MIN")
  }

  private static func bound(_ db: Database, _ width: TileWidth, _ bound: String) throws -> Nanos? {
    let statement = try db.cachedStatement(sql: "SELECT \(bound)(start) FROM tiles WHERE width = ?")
    return try Int64.fetchOne(statement, arguments: [width.rawValue]).map(Nanos.init(seconds:))
  }

  /// Adds sums to the tiles of one width: reads, merges, writes.
  /// - Parameter sums: By the start of a tile of that width.
  static func add(_ db: Database, _ width: TileWidth, _ sums: WindowSums) throws {
    let writer = try TileWriter(db)
    for start in sums.windows.keys.sorted() {
      guard let window = sums.windows[start] else { continue }
      let isNew = try !exists(db, width, start)
      // In the order of the primary key, so that neighbours are written together.
      for key in window.series.keys.sorted() {
        guard let added = window.series[key] else { continue }
        try writer.add(added, to: TileAddress(width: width, start: start, key: key), isNew: isNew)
      }
    }
  }

  private static func exists(_ db: Database, _ width: TileWidth, _ start: Nanos) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: "SELECT EXISTS (SELECT 1 FROM tiles WHERE width = ? AND start = ?)")
    return try Bool.fetchOne(statement, arguments: [width.rawValue, start.seconds]) ?? false
  }

  /// Merges all series of tiles that begin in a range.
  static func merge(
    _ db: Database, _ piece: TileRange, _ kinds: [SeriesKind]?, into merge: inout TileMerge
  ) throws {
    let filter = kinds.map { kinds in
      " AND kind IN (\(kinds.map { String($0.rawValue) }.joined(separator: ", ")))"
    }
    let statement = try db.cachedStatement(
      sql: """
        SELECT start, kind, first, second, third, sums FROM tiles
        WHERE width = ? AND start >= ? AND start < ?\(filter ?? "")
        ORDER BY start, kind, first, second, third
        """)
    let rows = try Row.fetchCursor(
      statement,
      arguments: [piece.width.rawValue, piece.start.seconds, piece.end.seconds])
    var bytes: [UInt8] = []
    while let row = try rows.next() {
      guard let number = UInt8(exactly: row[1] as Int64), let kind = SeriesKind(rawValue: number)
      else { throw DamagedTile(what: "a series is of no known kind (\(row[1] as Int64))") }
      let key = SeriesKey(kind, row.unsigned(2), row.unsigned(3), row.unsigned(4))
      bytes.removeAll(keepingCapacity: true)
      try row.withUnsafeData(atIndex: 5) { data in if let data { bytes.append(contentsOf: data) } }
      var reader = ByteReader(bytes)
      do {
        try merge.add(&reader, at: key)
        guard reader.isAtEnd else { throw MalformedBytes() }
      } catch {
        let address = TileAddress(width: piece.width, start: Nanos(seconds: row[0]), key: key)
        throw DamagedTile(what: "\(address) cannot be read")
      }
    }
  }

  /// Adds the selected series of a range, tile by tile. Asked for by the primary key: the tiles of a
  /// busy stretch hold far more than what is selected.
  /// - Parameter width: windows narrower than it are summed, nanoseconds.
  static func add(
    _ db: Database, _ piece: TileRange, _ selection: SeriesSelection, by width: Nanos,
    to sums: inout WindowSums
  ) throws {
    let address = "width = ? AND start = ? AND kind = ?"
    let all = try db.cachedStatement(
      sql: "SELECT first, second, third, sums FROM tiles WHERE \(address)")
    let one = try db.cachedStatement(
      sql: "SELECT first, second, third, sums FROM tiles WHERE \(address) AND first = ?")
    // Every tile is asked for, so not those before the first there is: who asks may name any time.
    guard let oldest = try oldest(db, piece.width), let newest = try newest(db, piece.width) else {
      return
    }
    let first = max(piece.start, oldest)
    let end = min(piece.end, newest.saturatingAdding(piece.width.nanos))
    for start in stride(from: first, to: max(first, end), by: Int(piece.width.nanos)) {
      for (kind, part) in selection.parts {
        let place: [any DatabaseValueConvertible] = [
          piece.width.rawValue, start.seconds, kind.rawValue,
        ]
        let window = start.floored(to: max(width, piece.width.nanos))
        func add(_ rows: RowCursor) throws {
          while let row = try rows.next() {
            let key = SeriesKey(kind, row.unsigned(0), row.unsigned(1), row.unsigned(2))
            let address = TileAddress(width: piece.width, start: start, key: key)
            sums.merge(try TileRows.sums(row, 3, address), at: key, window: window)
          }
        }
        switch part {
        case .all: try add(Row.fetchCursor(all, arguments: StatementArguments(place)))
        case .first(let ids):
          for id in ids {
            try add(Row.fetchCursor(one, arguments: StatementArguments(place + [id.signed])))
          }
        }
      }
    }
  }

  static func sums(_ row: Row, _ index: Int, _ address: TileAddress) throws -> Sums {
    let bytes = try row.withUnsafeData(atIndex: index) { data in data.map { [UInt8]($0) } ?? [] }
    var reader = ByteReader(bytes)
    do {
      let sums = try Sums(from: &reader)
      guard reader.isAtEnd else { throw MalformedBytes() }
      return sums
    } catch {
      throw DamagedTile(what: "\(address) cannot be read")
    }
  }

  /// Deletes one tile; returns how many series it had.
  static func delete(_ db: Database, _ width: TileWidth, _ start: Nanos) throws -> Int {
    try db.cachedStatement(sql: "DELETE FROM tiles WHERE width = ? AND start = ?")
      .execute(arguments: [width.rawValue, start.seconds])
    return db.changesCount
  }
}

/// Where a series stands in the table.
struct TileAddress: CustomStringConvertible {
  var width: TileWidth
  var start: Nanos
  var key: SeriesKey

  var arguments: [DatabaseValue] {
    [
      Int64(width.rawValue).databaseValue, start.seconds.databaseValue,
      Int64(key.kind.rawValue).databaseValue, key.first.signed.databaseValue,
      key.second.signed.databaseValue, key.third.signed.databaseValue,
    ]
  }

  var description: String {
    "series \(key.kind.rawValue)/\(key.first.hexadecimal)/\(key.second.hexadecimal)/"
      + "\(key.third.hexadecimal) of the tile of \(width.nanos / .second) s at \(start.seconds)"
  }
}

/// The three statements that writing a tile takes.
private struct TileWriter {
  private let select: Statement
  private let replace: Statement
  private let delete: Statement

  init(_ db: Database) throws {
    let address = "width = ? AND start = ? AND kind = ? AND first = ? AND second = ? AND third = ?"
    select = try db.cachedStatement(sql: "SELECT sums FROM tiles WHERE \(address)")
    replace = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO tiles (width, start, kind, first, second, third, sums)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """)
    delete = try db.cachedStatement(sql: "DELETE FROM tiles WHERE \(address)")
  }

  /// - Parameter isNew: The tile has no series yet, so there is none to merge with.
  func add(_ added: Sums, to address: TileAddress, isNew: Bool) throws {
    var sums = added
    let key = address.arguments
    if !isNew, let row = try Row.fetchOne(select, arguments: StatementArguments(key)) {
      sums.merge(try TileRows.sums(row, 0, address))
      if sums.isZero { return try delete.execute(arguments: StatementArguments(key)) }
    }
    try replace.execute(arguments: StatementArguments(key + [Data(sums.bytes).databaseValue]))
  }
}
