internal import GRDB
public import Model

extension TileStore {
  /// The series of all windows in [start, end), merged, read from the widest tiles that fit, with
  /// the names their keys refer to. One read transaction: all of it as one checkpoint left it.
  /// - Parameters:
  ///   - kinds: The kinds of series to read; nil for all.
  ///   - now: The present, Unix nanoseconds: what is too old for a width is read from a wider one
  ///     even where it is not deleted yet. nil: whatever is not deleted is used.
  public func read(
    from start: Nanos, to end: Nanos, kinds: Set<SeriesKind>? = nil, now: Nanos? = nil
  ) throws(StoreError) -> StoreReading {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        var horizons = try Horizons.fetch(db)
        if let now { horizons.advance(to: Horizons(now: now)) }
        let cover = TileCover(from: start, to: end, horizons: horizons)
        let sorted = kinds.map { $0.sorted { $0.rawValue < $1.rawValue } }
        var merge = TileMerge()
        for piece in cover.pieces { try TileRows.merge(db, piece, sorted, into: &merge) }
        let window = merge.finish()
        return StoreReading(
          checkpoint: try CheckpointRow.fetch(db).number, start: cover.start, end: cover.end,
          window: window, names: try NameRows.fetch(db, window.names))
      }
    }
  }
}

extension TileStore {
  /// The selected series of [start, end), window by window, with the names their keys refer to.
  /// - Parameters:
  ///   - width: how much time a window covers. Where tiles that fine are not kept any more, those
  ///     there are stand at their own beginnings.
  ///   - now: as in `read`.
  public func windows(
    _ selection: SeriesSelection, from start: Nanos, to end: Nanos, by width: TileWidth,
    now: Nanos? = nil
  ) throws(StoreError) -> StoreWindows {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        var horizons = try Horizons.fetch(db)
        if let now { horizons.advance(to: Horizons(now: now)) }
        let cover = TileCover(from: start, to: end, horizons: horizons, widest: width)
        var sums = WindowSums()
        for piece in cover.pieces {
          try TileRows.add(db, piece, selection, by: width.nanos, to: &sums)
        }
        let names = sums.windows.values.reduce(into: Set<NameID>()) { $0.formUnion($1.names) }
        return StoreWindows(
          checkpoint: try CheckpointRow.fetch(db).number, start: cover.start, end: cover.end,
          sums: sums, names: try NameRows.fetch(db, names))
      }
    }
  }

  /// The finest width that is kept for what ended before `time`.
  public func finestWidth(at time: Nanos, now: Nanos) throws(StoreError) -> TileWidth {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        var horizons = try Horizons.fetch(db)
        horizons.advance(to: Horizons(now: now))
        return horizons.finest(at: time)
      }
    }
  }
}

extension Window {
  /// All names the keys refer to.
  var names: Set<NameID> {
    var names: Set<NameID> = []
    for key in series.keys { for name in key.names where !name.isNone { names.insert(name) } }
    return names
  }
}
