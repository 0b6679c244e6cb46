import Model
import TestSupport
import Testing

@testable import Store

@Suite struct CoverTests {
  /// Scenario: random ranges and random present times.
  /// Guarantees: the pieces follow each other without gap or overlap from start to end; each begins
  /// and ends on a border of its width, is not older than its width is kept, and is as wide as may
  /// be; few pieces; the halves are the same tiles, as many of them in each.
  @Test func piecesMakeUpTheRange() {
    var generator = SeededGenerator("piecesMakeUpTheRange")
    for _ in 0..<3_000 {
      let now = epoch + Nanos.random(in: 0..<Nanos.day, using: &generator)
      let retention = Nanos.random(in: 0..<20 * Nanos.day, using: &generator)
      let horizons = Horizons(now: now, retention: retention)
      let from = now - Nanos.random(in: 0..<15 * Nanos.day, using: &generator)
      let to = from + Nanos.random(in: 1..<15 * Nanos.day, using: &generator)
      let cover = TileCover(from: from, to: to, horizons: horizons)
      #expect(cover.start <= from && cover.end >= to)
      #expect(from - cover.start < horizons.finest(at: from).nanos)
      #expect(cover.end - to < horizons.finest(at: to - 1).nanos)
      var time = cover.start
      for piece in cover.pieces {
        #expect(piece.start == time && piece.end > time)
        #expect(piece.start.isMultiple(of: piece.width.nanos))
        #expect(piece.end.isMultiple(of: piece.width.nanos))
        #expect(piece.width == .hour || piece.start >= horizons[piece.width])
        if piece.width != .hour {
          let wider = piece.width.wider
          let start = (piece.start + wider.nanos - 1).floored(to: wider.nanos)
          #expect(start + wider.nanos > piece.end, "a wider tile fits")
        }
        time = piece.end
      }
      #expect(time == cover.end)
      #expect(cover.pieces.count <= 7)
      // The same tiles in two parts.
      let halves = cover.halves
      let counts = halves.map { $0.reduce(0) { $0 + $1.count } }
      #expect(counts[1] - counts[0] == 0 || counts[1] - counts[0] == 1)
      var end = cover.start
      for piece in halves[0] + halves[1] {
        #expect(piece.start == end && piece.count > 0)
        #expect(cover.pieces.contains { $0.width == piece.width && $0.start <= piece.start })
        end = piece.end
      }
      #expect(end == cover.end)
    }
  }

  /// Scenario: empty ranges, backward ones, and the ends of time.
  /// Guarantees: no trap; nothing or everything is covered.
  @Test func extremeRangesAreCovered() {
    let horizons = Horizons()
    #expect(TileCover(from: 25 * .second, to: 25 * .second, horizons: horizons).pieces.isEmpty)
    #expect(TileCover(from: 50 * .second, to: 20 * .second, horizons: horizons).pieces.isEmpty)
    let all = TileCover(from: 0, to: .max, horizons: horizons)
    #expect(all.start == 0 && all.end > Nanos.max - 3 * .hour)
    #expect(all.pieces.count == 1)
    let last = TileCover(from: .max - 1, to: .max, horizons: Horizons(now: .max))
    #expect(last.start < last.end)
    #expect(Horizons(now: 0) == Horizons())
    #expect(Nanos(seconds: -5) == 0)
    #expect(Nanos(seconds: .max) == .max / .second * .second)
  }

  /// Scenario: an hour and a half, begun and ended between windows, with nothing deleted.
  /// Guarantees: exactly the tiles one would choose by hand.
  @Test func widestTilesThatFit() {
    let from = epoch + 29 * .minute + 41 * .second
    let cover = TileCover(from: from, to: from + 100 * .minute, horizons: Horizons())
    func piece(_ width: TileWidth, _ start: Nanos, _ end: Nanos) -> TileRange {
      TileRange(width: width, start: epoch + start * .second, end: epoch + end * .second)
    }
    #expect(
      cover.pieces == [
        piece(.tenSeconds, 1_780, 1_800), piece(.tenMinutes, 1_800, 3_600),
        piece(.hour, 3_600, 7_200), piece(.minute, 7_200, 7_740),
        piece(.tenSeconds, 7_740, 7_790),
      ])
  }

  /// Scenario: the present is three hours, and three days, after the range.
  /// Guarantees: the range is widened to what is kept for that age.
  @Test func oldRangesAreWidened() {
    let from = epoch + 65 * .second
    let hours = TileCover(
      from: from, to: from + 1, horizons: Horizons(now: from + 3 * .hour))
    #expect(hours.start == epoch + 60 * .second && hours.end == epoch + 120 * .second)
    let days = TileCover(from: from, to: from + 1, horizons: Horizons(now: from + 3 * .day))
    #expect(days.start == epoch && days.end == epoch + 600 * .second)
    let weeks = TileCover(from: from, to: from + 1, horizons: Horizons(now: from + 8 * .day))
    #expect(weeks.start == epoch && weeks.end == epoch + .hour)
  }
}
