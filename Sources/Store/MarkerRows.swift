internal import GRDB
internal import Model

/// The tables `markers` and `marker_aliases`.
enum MarkerRows {
  private static let columns = """
    id, tenant, kind, service, namespace, environment, version, time, end_time, dedupe_key, \
    inferred, details, state
    """

  /// How many markers around a new one are looked at.
  private static let neighboursMax = 1_000

  /// Adds a marker, or finds the one that stands for it already and adds what it says.
  static func insert(_ db: Database, _ marker: Marker, rule: MarkerRule) throws -> MarkerInsertion {
    let standing = try resolve(db, marker.id)
    if let existing = try fetch(db, standing, tenant: marker.tenant) {
      if existing.id == marker.id { try update(db, existing, with: marker, rule: rule) }
      return MarkerInsertion(id: existing.id, existed: true)
    }
    let others = try neighbours(db, of: marker, nearNanos: rule.nearNanos)
    switch rule.place(marker, others) {
    case .within(let other):
      try alias(db, marker.id, to: other)
      return MarkerInsertion(id: other, existed: true)
    case .replacing(let replaced):
      try makeRoom(db)
      try write(db, marker)
      try replace(db, replaced, by: marker.id)
      return MarkerInsertion(id: marker.id, existed: false)
    }
  }

  private static func update(
    _ db: Database, _ existing: Marker, with marker: Marker, rule: MarkerRule
  ) throws {
    if marker.inferred {
      // A span that came late shows that the version was there earlier than known.
      let isMoved = marker.kind == .scaling ? marker != existing : marker.time < existing.time
      if isMoved { try write(db, marker) }
      return
    }
    let merged = existing.merged(with: marker)
    guard merged != existing else { return }
    try write(db, merged)
    // What it says now may be what an inferred marker says too.
    let others = try neighbours(db, of: merged, nearNanos: rule.nearNanos)
    guard case .replacing(let replaced) = rule.place(merged, others) else { return }
    try replace(db, replaced, by: merged.id)
  }

  private static func replace(
    _ db: Database, _ replaced: [MarkerID], by marker: MarkerID
  ) throws {
    for id in replaced where id != marker {
      try delete(db, id)
      try alias(db, id, to: marker)
    }
  }

  /// The id under which what had this id stands now.
  static func resolve(_ db: Database, _ id: MarkerID) throws -> MarkerID {
    let statement = try db.cachedStatement(sql: "SELECT marker FROM marker_aliases WHERE id = ?")
    let row = try Row.fetchOne(statement, arguments: [id.raw.signed])
    return row.map { MarkerID($0.unsigned(0)) } ?? id
  }

  static func fetch(_ db: Database, _ id: MarkerID, tenant: TenantID) throws -> Marker? {
    let statement = try db.cachedStatement(
      sql: "SELECT \(columns) FROM markers WHERE id = ? AND tenant = ?")
    return try Row.fetchOne(statement, arguments: [id.raw.signed, Int64(tenant.raw)]).map(marker)
  }

  /// The newest first; those of one moment by id.
  static func fetch(_ db: Database, _ filter: MarkerFilter) throws -> [Marker] {
    let query = MarkerQuery(filter)
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(columns) FROM markers WHERE \(query.condition)
        ORDER BY time DESC, id LIMIT \(max(0, filter.countMax))
        """, arguments: query.arguments)
    var markers: [Marker] = []
    while let row = try rows.next() { markers.append(try marker(row)) }
    return markers
  }

  /// With the size before it, where the source did not say it: the one that the scaling of the same
  /// target before it led to. Found when it is read, so that it does not depend on the order in
  /// which they came.
  static func withSizeBefore(_ db: Database, _ marker: Marker) throws -> Marker {
    guard marker.kind == .scaling, let scaling = marker.scaling, scaling.from == nil else {
      return marker
    }
    let statement = try db.cachedStatement(
      sql: """
        SELECT \(columns) FROM markers
        WHERE tenant = ? AND service = ? AND kind = ? AND time < ? AND namespace = ?
        AND environment = ? ORDER BY time DESC, id LIMIT \(earlierMax)
        """)
    let rows = try Row.fetchAll(
      statement,
      arguments: [
        Int64(marker.tenant.raw), marker.service, marker.kind.rawValue,
        Int64(clamping: marker.time),
        marker.namespace, marker.environment,
      ])
    let target = marker.attributes[targetAttribute]
    let earlier = try rows.map(self.marker).first {
      $0.scaling != nil && $0.attributes[targetAttribute] == target
    }
    var found = marker
    found.scaling?.from = earlier?.scaling?.to
    return found
  }

  /// How many earlier scalings are looked at.
  private static let earlierMax = 8
  /// Names what is scaled where a service is scaled by several.
  private static let targetAttribute = "object"

  private static func neighbours(
    _ db: Database, of marker: Marker, nearNanos: Nanos
  ) throws -> [Marker] {
    let filter = MarkerFilter(
      tenant: marker.tenant, start: marker.time.saturatingSubtracting(nearNanos),
      end: marker.time.saturatingAdding(nearNanos).saturatingAdding(1), kind: marker.kind,
      countMax: neighboursMax)
    guard marker.kind == .deployment || marker.kind == .scaling else { return [] }
    var query = MarkerQuery(filter)
    query.require("service = ?", marker.service)
    if marker.kind == .deployment { query.require("version = ?", marker.version) }
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT \(columns) FROM markers WHERE \(query.condition)
        ORDER BY time DESC, id LIMIT \(filter.countMax)
        """, arguments: query.arguments)
    var markers: [Marker] = []
    while let row = try rows.next() { markers.append(try self.marker(row)) }
    return markers
  }

  private static func write(_ db: Database, _ marker: Marker) throws {
    let details = try MarkerDetails(marker).text()
    let statement = try db.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO markers (\(columns)) 
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      marker.id.raw.signed, Int64(marker.tenant.raw), marker.kind.rawValue,
      marker.service, marker.namespace, marker.environment,
      marker.version, Int64(clamping: marker.time),
      marker.endTime.map { Int64(clamping: $0) }, marker.dedupeKey, marker.inferred, details,
      marker.state?.rawValue ?? "",
    ])
  }

  private static func alias(_ db: Database, _ id: MarkerID, to marker: MarkerID) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO marker_aliases (id, marker) VALUES (?, ?)")
      .execute(arguments: [id.raw.signed, marker.raw.signed])
  }

  /// Deletes a marker and the ids that lead to it; returns whether it was there.
  @discardableResult
  static func delete(_ db: Database, _ id: MarkerID) throws -> Bool {
    try db.cachedStatement(sql: "DELETE FROM marker_aliases WHERE marker = ?")
      .execute(arguments: [id.raw.signed])
    try db.cachedStatement(sql: "DELETE FROM markers WHERE id = ?")
      .execute(arguments: [id.raw.signed])
    return db.changesCount > 0
  }

  /// Takes back what was inferred; what somebody announced stays, without the id that led to it.
  static func deleteInferred(_ db: Database, _ id: MarkerID) throws {
    try db.cachedStatement(sql: "DELETE FROM marker_aliases WHERE id = ?")
      .execute(arguments: [id.raw.signed])
    try db.cachedStatement(sql: "DELETE FROM markers WHERE id = ? AND inferred")
      .execute(arguments: [id.raw.signed])
  }

  /// Deletes the oldest marker when there are as many as there may be.
  private static func makeRoom(_ db: Database) throws {
    let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM markers") ?? 0
    guard count >= TileStore.markersMax,
      let oldest = try Row.fetchOne(db, sql: "SELECT id FROM markers ORDER BY time LIMIT 1")
    else { return }
    try delete(db, MarkerID(oldest.unsigned(0)))
  }

  /// Deletes markers that were over before a time, and ids that lead nowhere.
  static func deleteExpired(_ db: Database, before time: Nanos) throws {
    try db.execute(
      sql: "DELETE FROM markers WHERE MAX(time, IFNULL(end_time, time)) < ?",
      arguments: [Int64(clamping: time)])
    guard db.changesCount > 0 else { return }
    try db.execute(
      sql: "DELETE FROM marker_aliases WHERE marker NOT IN (SELECT id FROM markers)")
  }

  private static func marker(_ row: Row) throws -> Marker {
    let id = MarkerID(row.unsigned(0))
    let name: String = row[2]
    guard let tenant = UInt32(exactly: row[1] as Int64), let kind = MarkerKind(rawValue: name)
    else { throw DamagedTile(what: "marker \(id) is of no known kind") }
    let stateName: String = row[12]
    let state = MarkerState(rawValue: stateName)
    guard state != nil || stateName.isEmpty else {
      throw DamagedTile(what: "marker \(id) is in no known state")
    }
    let details = try MarkerDetails.read(row[11], of: id)
    var marker = Marker(
      tenant: TenantID(tenant), kind: kind, service: row[3], namespace: row[4],
      environment: row[5], time: Nanos(clamping: row[7] as Int64),
      endTime: (row[8] as Int64?).map { Nanos(clamping: $0) }, state: state, version: row[6],
      previousVersion: details.previousVersion ?? "",
      scaling: details.scaling.map { .init(from: $0.from, to: $0.to, reason: $0.reason ?? "") },
      source: details.source ?? "", dedupeKey: row[9], url: details.url ?? "",
      attributes: (details.attributes ?? [:]).mapValues(\.value))
    marker.id = id
    marker.inferred = row[10]
    return marker
  }
}
