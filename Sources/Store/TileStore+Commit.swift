internal import GRDB
internal import Model

extension TileStore {
  /// Adds a checkpoint in one transaction: its sums to the tiles of every width, its names, the
  /// versions it tells of and the deployments and scalings they show, its mark. After an error nothing of it is in the store.
  /// - Errors: `StoreError.checkpointNotNew` when its number is not above the last one's.
  public func commit(_ content: CheckpointContent) throws(StoreError) {
    try StoreError.wrapping(.commit, path) {
      try pool.write { db in
        let last = try CheckpointRow.fetch(db)
        guard content.number > last.number else {
          throw StoreError.checkpointNotNew(number: content.number, committed: last.number)
        }
        try NameRows.save(db, content.names, usedBy: content.sums)
        try VersionRows.save(db, content.sums.versionSightings)
        for id in content.retracted { try MarkerRows.deleteInferred(db, id) }
        for marker in content.inferred { _ = try MarkerRows.insert(db, marker, rule: rule) }
        var sums = content.sums
        for width in TileWidth.allCases {
          // Each width is summed from the finer one: there is less and less to go through.
          sums = sums.regrouped(to: width)
          try TileRows.add(db, width, sums)
        }
        try CheckpointRow(number: content.number, mark: content.mark).save(db)
      }
    }
  }
}

extension WindowSums {
  /// The same sums by the starts of tiles of a width.
  func regrouped(to width: TileWidth) -> WindowSums {
    var tiles = WindowSums()
    for (start, window) in windows {
      let tile = start.floored(to: width.nanos)
      for (key, sums) in window.series { tiles.merge(sums, at: key, window: tile) }
    }
    return tiles
  }
}
