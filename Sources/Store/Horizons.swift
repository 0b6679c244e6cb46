internal import GRDB
internal import Model

/// For each width, the time before which its tiles are not used. Each horizon is a border of tiles
/// of the next wider width, so that these take over without a gap and without counting twice.
struct Horizons: Equatable {
  private var starts = [Nanos](repeating: 0, count: TileWidth.allCases.count)

  /// Nothing has been deleted.
  init() {}

  /// What `TileWidth.keptNanos` and the retention leave at a time.
  /// - Units: nanoseconds; `now` Unix.
  init(now: Nanos, retention: Nanos = .max) {
    for width in TileWidth.allCases {
      let kept = min(width.keptNanos ?? .max, retention)
      self[width] = now.saturatingSubtracting(kept).floored(to: width.wider.nanos)
    }
  }

  subscript(width: TileWidth) -> Nanos {
    get { starts[Int(width.rawValue)] }
    set { starts[Int(width.rawValue)] = newValue }
  }

  /// Horizons only ever move forward: what is deleted does not come back.
  mutating func advance(to other: Horizons) {
    for width in TileWidth.allCases { self[width] = max(self[width], other[width]) }
  }

  /// The finest width that still has tiles at a time.
  func finest(at time: Nanos) -> TileWidth {
    TileWidth.allCases.first { time >= self[$0] } ?? .hour
  }
}

extension Horizons {
  static func fetch(_ db: Database) throws -> Horizons {
    let statement = try db.cachedStatement(sql: "SELECT value FROM meta WHERE key = ?")
    var horizons = Horizons()
    for width in TileWidth.allCases {
      guard let seconds = try Int64.fetchOne(statement, arguments: [key(width)]) else { continue }
      horizons[width] = Nanos(seconds: seconds)
    }
    return horizons
  }

  func save(_ db: Database) throws {
    let statement = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
    for width in TileWidth.allCases {
      try statement.execute(arguments: [Horizons.key(width), self[width].seconds])
    }
  }

  private static func key(_ width: TileWidth) -> String {
    "horizon of \(width.nanos / .second) s"
  }
}

extension TileWidth {
  /// The next wider width; the widest is its own.
  var wider: TileWidth { TileWidth(rawValue: rawValue + 1) ?? self }
}
