internal import Dispatch
internal import GRDB
public import Model
internal import Synchronization

extension TileStore {
  /// The series of all windows in [start, end), merged, read from the widest tiles that fit, with
  /// the names their keys refer to. All of it as one checkpoint left it.
  /// - Parameters:
  ///   - kinds: The kinds of series to read; nil for all.
  ///   - now: The present, Unix nanoseconds: what is too old for a width is read from a wider one
  ///     even where it is not deleted yet. nil: whatever is not deleted is used.
  public func read(
    from start: Nanos, to end: Nanos, kinds: Set<SeriesKind>? = nil, now: Nanos? = nil
  ) throws(StoreError) -> StoreReading {
    try StoreError.wrapping(.read, path) {
      let question = TileQuestion(
        start: start, end: end, kinds: kinds?.sorted { $0.rawValue < $1.rawValue }, now: now)
      let first = try halves(of: question)
      return try (first ?? pool.read { try question.answer($0, half: nil) }).reading
    }
  }

  /// A long range is read by two connections at once. Each sees a checkpoint of its own: nil when
  /// one was stored in between, or when the range is too short for it.
  private func halves(of question: TileQuestion) throws -> TileAnswer? {
    guard question.end.saturatingSubtracting(question.start) >= TileQuestion.halvedNanosMin else {
      return nil
    }
    let results = Mutex<[Int: Result<TileAnswer, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: 2) { half in
      let result = Result { try pool.read { try question.answer($0, half: half) } }
      results.withLock { $0[half] = result }
    }
    let found = results.withLock { $0 }
    guard var answer = try found[0]?.get(), let other = try found[1]?.get(),
      answer.checkpoint == other.checkpoint, answer.cover == other.cover
    else { return nil }
    answer.merge.add(other.merge)
    answer.names.merge(other.names) { name, _ in name }
    return answer
  }
}

/// What is read of the tiles, in one transaction.
private struct TileQuestion: Sendable {
  var start: Nanos
  var end: Nanos
  /// In the order of their numbers; nil for all.
  var kinds: [SeriesKind]?
  var now: Nanos?

  /// Shorter ranges are read by one connection.
  static let halvedNanosMin = 20 * Nanos.minute

  /// - Parameter half: the earlier tiles (0), the later ones (1), or all (nil).
  func answer(_ db: Database, half: Int?) throws -> TileAnswer {
    var horizons = try Horizons.fetch(db)
    if let now { horizons.advance(to: Horizons(now: now)) }
    let cover = TileCover(from: start, to: end, horizons: horizons)
    var merge = TileMerge()
    for piece in half.map({ cover.halves[$0] }) ?? cover.pieces {
      try TileRows.merge(db, piece, kinds, into: &merge)
    }
    return TileAnswer(
      checkpoint: try CheckpointRow.fetch(db).number, cover: cover,
      names: try NameRows.fetch(db, merge.names), merge: merge)
  }
}

/// Of all tiles asked for, or of half of them.
private struct TileAnswer: Sendable {
  var checkpoint: UInt64
  var cover: TileCover
  var names: [NameID: Name]
  var merge: TileMerge

  var reading: StoreReading {
    StoreReading(
      checkpoint: checkpoint, start: cover.start, end: cover.end, window: merge.window,
      names: names)
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
