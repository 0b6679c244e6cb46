internal import Model

/// Tiles of one width that begin in [start, end).
struct TileRange: Equatable {
  var width: TileWidth
  var start: Nanos
  var end: Nanos

  /// How many tiles it is.
  var count: Int { Int((end - start) / width.nanos) }
}

/// The fewest tiles that make up a range exactly: wide ones in the middle, finer ones at the edges.
struct TileCover: Equatable {
  /// The range covered: the one asked for, widened to whole tiles of the finest width there is.
  let start: Nanos
  let end: Nanos
  private(set) var pieces: [TileRange] = []
  private let widest: TileWidth

  /// - Parameter widest: no wider tiles than this where finer ones are kept.
  init(from: Nanos, to: Nanos, horizons: Horizons, widest: TileWidth = .hour) {
    self.widest = widest
    guard from < to else {
      start = from.floored(to: windowNanos)
      end = start
      return
    }
    // The last hours of time itself are left out, so that no sum below can overflow.
    let latest = (Nanos.max - 2 * .hour).floored(to: .hour)
    let last = min(to - 1, latest - 1)
    let first = min(from, last)
    start = first.floored(to: horizons.finest(at: first).nanos)
    let width = horizons.finest(at: last).nanos
    end = last.floored(to: width) + width
    cover(horizons)
  }

  /// Pieces of one width that follow each other are one range: their number depends on how many
  /// widths there are, not on how long the range is.
  private mutating func cover(_ horizons: Horizons) {
    var time = start
    while time < end {
      let width = widest(at: time, horizons)
      let next = time + width.nanos
      let stop = lastStep(width, from: next, horizons)
      if let piece = pieces.last, piece.width == width, piece.end == time {
        pieces[pieces.count - 1].end = stop
      } else {
        pieces.append(TileRange(width: width, start: time, end: stop))
      }
      time = stop
    }
  }

  /// The widest width with a tile that begins at `time` and ends within the range.
  private func widest(at time: Nanos, _ horizons: Horizons) -> TileWidth {
    let finest = horizons.finest(at: time)
    return TileWidth.allCases.last { width in
      width >= finest && width <= max(widest, finest) && time.isMultiple(of: width.nanos)
        && time + width.nanos <= end
    } ?? finest
  }

  /// The same tiles in two parts, the earlier and the later, of about as many tiles each.
  var halves: [[TileRange]] {
    let count = pieces.reduce(0) { $0 + $1.count }
    var halves: [[TileRange]] = [[], []]
    var taken = 0
    for piece in pieces {
      let first = min(piece.count, max(0, count / 2 - taken))
      let middle = piece.start + Nanos(first) * piece.width.nanos
      if first > 0 {
        halves[0].append(TileRange(width: piece.width, start: piece.start, end: middle))
      }
      if first < piece.count {
        halves[1].append(TileRange(width: piece.width, start: middle, end: piece.end))
      }
      taken += piece.count
    }
    return halves
  }

  /// Hours follow each other until the range has no whole one left; of the others, one at a time.
  private func lastStep(_ width: TileWidth, from next: Nanos, _ horizons: Horizons) -> Nanos {
    guard width == .hour else { return next }
    return next + (end - next).floored(to: .hour)
  }
}
