// The store keeps what is sealed: sums per series in tiles of four widths, the names behind the
// ids, and how far the journal is covered; and the markers of what changed. One SQLite file, one writer, readers that each see one
// checkpoint.
//
// Three rules make the rest simple:
// - A checkpoint is one transaction: sums, names and mark are there together or not at all.
// - Every width is written at every checkpoint, so a wide tile is always the sum of its finer ones
//   and a reader may cover a range with whichever widths fit.
// - Age only deletes. Before tiles of a width are deleted, the horizon below which they are not to
//   be used is stored, so a reader never takes a half-deleted stretch for a quiet one.
//
// SCHEMA.md describes every table.

internal import Foundation
internal import GRDB
public import Model

/// Tiles, names, markers and the checkpoint on disk.
public final class TileStore: Sendable {
  /// The name of the file in the store's directory.
  public static let fileName = "spangate.sqlite"

  let pool: DatabasePool
  let path: String
  let rule: MarkerRule

  /// Opens `spangate.sqlite` in a directory, makes both when they are not there, and brings an
  /// older schema up to date.
  /// - Parameter rule: which markers stand for the same change; none do unless it says so.
  /// - Errors: `StoreError` with path, cause and remedy; a store of a newer version is refused.
  public init(path directory: String, markers rule: MarkerRule = .apart) throws(StoreError) {
    let path = "\(directory)/\(TileStore.fileName)"
    self.path = path
    self.rule = rule
    pool = try StoreError.wrapping(.open, path) {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      let pool = try DatabasePool(path: path, configuration: TileStore.configuration)
      try TileStore.refuseNewer(pool, path)
      try StoreMigrations.migrator.migrate(pool)
      // GRDB asks for less in WAL mode: a commit could be lost with the power.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      return pool
    }
  }

  /// Ends all connections. Not needed for what was committed to stay.
  public func close() throws(StoreError) {
    try StoreError.wrapping(.close, path) { try pool.close() }
  }

  /// The last checkpoint and the journal sequence below which every batch is sealed in it; zeros in
  /// a new store.
  public var committed: (checkpoint: UInt64, mark: UInt64) {
    get throws(StoreError) {
      let row = try StoreError.wrapping(.read, path) {
        try pool.read { try CheckpointRow.fetch($0) }
      }
      return (row.number, row.mark)
    }
  }

  /// All names, in no order; for filling the name table at start.
  public func allNames() throws(StoreError) -> [Name] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try NameRows.fetchAll($0) }
    }
  }

  /// The names behind ids, as far as they are there.
  public func names(_ ids: Set<NameID>) throws(StoreError) -> [NameID: Name] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try NameRows.fetch($0, ids) }
    }
  }

  /// The start of the newest tile of the finest width that has one, Unix nanoseconds; nil in an
  /// empty store.
  public func newestWindow() throws(StoreError) -> Nanos? {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        for width in TileWidth.allCases {
          if let newest = try TileRows.newest(db, width) { return newest }
        }
        return nil
      }
    }
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "store"
    // No table refers to another by constraint: names may be gone before the last tile is.
    configuration.foreignKeysEnabled = false
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      guard !db.configuration.readonly else { return }
      // Holds only when said before the first table is made.
      try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
      // The write-ahead log gives back what a large checkpoint took beyond this.
      try db.execute(sql: "PRAGMA journal_size_limit = \(64 << 20)")
    }
    return configuration
  }

  private static func refuseNewer(_ pool: DatabasePool, _ path: String) throws {
    let isNewer = try pool.read { try StoreMigrations.migrator.hasBeenSuperseded($0) }
    if isNewer { throw StoreError.newerVersion(path: path) }
  }
}
