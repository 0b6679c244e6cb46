internal import GRDB
public import Model

extension TileStore {
  /// How many markers are kept; one more takes the place of the oldest.
  public static let markersMax = 100_000

  /// Adds a marker. One with the same id (so with the same key, or the same content) may be there
  /// already, or another may stand for it by the store's rule: then that one's id is the answer.
  public func insert(_ marker: Marker) throws(StoreError) -> MarkerInsertion {
    try StoreError.wrapping(.commit, path) {
      try pool.write { try MarkerRows.insert($0, marker, rule: rule) }
    }
  }

  /// Adds markers in one transaction.
  public func insert(_ markers: [Marker]) throws(StoreError) -> [MarkerInsertion] {
    try StoreError.wrapping(.commit, path) {
      try pool.write { db in try markers.map { try MarkerRows.insert(db, $0, rule: rule) } }
    }
  }

  /// A marker by its id, or by the id of one it stands for.
  public func marker(_ id: MarkerID, tenant: TenantID) throws(StoreError) -> Marker? {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        try MarkerRows.fetch(db, try MarkerRows.resolve(db, id), tenant: tenant)
          .map { try MarkerRows.withSizeBefore(db, $0) }
      }
    }
  }

  /// The newest first.
  public func markers(_ filter: MarkerFilter) throws(StoreError) -> [Marker] {
    try StoreError.wrapping(.read, path) {
      try pool.read { db in
        try MarkerRows.fetch(db, filter).map { try MarkerRows.withSizeBefore(db, $0) }
      }
    }
  }

  /// Deletes a marker, named by its id or by that of one it stands for.
  /// - Returns: whether there was one.
  public func deleteMarker(_ id: MarkerID, tenant: TenantID) throws(StoreError) -> Bool {
    try StoreError.wrapping(.delete, path) {
      try pool.write { db in
        let standing = try MarkerRows.resolve(db, id)
        guard try MarkerRows.fetch(db, standing, tenant: tenant) != nil else { return false }
        return try MarkerRows.delete(db, standing)
      }
    }
  }

  /// When each version of each service was first and last seen, those seen last first.
  public func versionSightings() throws(StoreError) -> [VersionSighting] {
    try StoreError.wrapping(.read, path) {
      try pool.read { try VersionRows.fetchAll($0) }
    }
  }

  func deleteMarkers(before time: Nanos) throws(StoreError) {
    try StoreError.wrapping(.delete, path) {
      try pool.write { try MarkerRows.deleteExpired($0, before: time) }
    }
  }
}
