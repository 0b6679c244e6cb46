internal import GRDB
public import Model

extension TileStore {
  /// The series deleted in one transaction: what a commit that comes meanwhile waits for at most.
  /// A single tile may have more.
  static let deletedSeriesMax = 10_000
  /// The pages given back to the file system in one step.
  static let vacuumedPagesMax = 2_000

  /// Deletes tiles that are older than their width is kept, or than the retention, markers older
  /// and verdicts than the retention, names and versions no tile refers to any more, and gives their disk space
  /// back.
  /// - Units: `now` Unix nanoseconds, `retention` nanoseconds.
  public func deleteExpired(now: Nanos, retention: Nanos) throws(StoreError) {
    let isNewHour = try advanceHorizons(to: Horizons(now: now, retention: retention))
    for width in TileWidth.allCases { while try deleteSomeTiles(width) {} }
    try deleteMarkers(before: now.saturatingSubtracting(retention))
    try deleteVerdicts(before: now.saturatingSubtracting(retention))
    if isNewHour { try deleteUnusedNames() }
    try vacuum()
  }

  /// Deletes the names and versions that no tile refers to. `deleteExpired` does it by itself when hours were
  /// deleted.
  public func deleteUnusedNames() throws(StoreError) {
    let countMax = TileStore.deletedSeriesMax
    var deletedCount = countMax
    while deletedCount == countMax {
      deletedCount = try StoreError.wrapping(.delete, path) {
        try pool.write { db in
          let horizons = try Horizons.fetch(db)
          try VersionRows.deleteUnused(db, horizons: horizons)
          return try NameRows.deleteUnused(db, horizons: horizons, countMax: countMax)
        }
      }
    }
  }

  /// Returns whether hours fell out with it.
  private func advanceHorizons(to wanted: Horizons) throws(StoreError) -> Bool {
    try StoreError.wrapping(.delete, path) {
      try pool.write { db in
        let before = try Horizons.fetch(db)
        var after = before
        after.advance(to: wanted)
        guard after != before else { return false }
        try after.save(db)
        return after[.hour] != before[.hour]
      }
    }
  }

  /// Deletes whole tiles, the oldest first; returns whether there are more.
  private func deleteSomeTiles(_ width: TileWidth) throws(StoreError) -> Bool {
    try StoreError.wrapping(.delete, path) {
      try pool.write { db in
        let horizon = try Horizons.fetch(db)[width]
        var deletedCount = 0
        while let oldest = try TileRows.oldest(db, width), oldest < horizon {
          guard deletedCount < TileStore.deletedSeriesMax else { return true }
          deletedCount += try TileRows.delete(db, width, oldest)
        }
        return false
      }
    }
  }

  private func vacuum() throws(StoreError) {
    try StoreError.wrapping(.delete, path) {
      try pool.writeWithoutTransaction { db in
        var freePages = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        while freePages > 0 {
          try db.execute(sql: "PRAGMA incremental_vacuum(\(TileStore.vacuumedPagesMax))")
          let left = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
          guard left < freePages else { break }
          freePages = left
        }
        // Only when the log is copied back does the file become shorter.
        try db.checkpoint(.passive)
      }
    }
  }
}
