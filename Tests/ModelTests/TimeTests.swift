import Model
import TestSupport
import Testing

@Suite struct TimeTests {
  /// Scenario: arithmetic on times at and beside the limits.
  /// Guarantees: it saturates instead of trapping, and is exact inside.
  @Test func saturating() {
    #expect(Nanos(5).saturatingSubtracting(3) == 2)
    #expect(Nanos(3).saturatingSubtracting(5) == 0)
    #expect(Nanos(0).saturatingSubtracting(.max) == 0)
    #expect(Nanos.max.saturatingSubtracting(.max) == 0)
    #expect(Nanos(2).saturatingAdding(3) == 5)
    #expect(Nanos.max.saturatingAdding(0) == .max)
    #expect(Nanos.max.saturatingAdding(1) == .max)
    #expect(Nanos.max.saturatingAdding(.max) == .max)
  }

  /// Scenario: random times are floored to every width of tile.
  /// Guarantees: the floor is a multiple of the width, not after the time, and less than a width
  /// before.
  @Test(arguments: TileWidth.allCases)
  func floored(width: TileWidth) {
    var random = SeededGenerator()
    for _ in 0..<500 {
      let time = random.anyMagnitude()
      let floor = time.floored(to: width.nanos)
      #expect(floor % width.nanos == 0 && floor <= time && time - floor < width.nanos)
    }
    #expect(Nanos.max.floored(to: width.nanos) <= .max)
  }

  /// Scenario: a duration counts for several spans.
  /// Guarantees: value × weight ÷ 256, rounded down; the largest value where that does not fit.
  @Test func weighted() {
    #expect(Nanos(1000).weighted(by: 256) == 1000)
    #expect(Nanos(1000).weighted(by: 512) == 2000)
    #expect(Nanos(3).weighted(by: 128) == 1)
    #expect(Nanos(1000).weighted(by: 0) == 0)
    #expect(Nanos.max.weighted(by: 256) == .max)
    #expect(Nanos.max.weighted(by: 255) < .max)
    #expect(Nanos.max.weighted(by: .max) == .max)
    #expect(Nanos.hour.weighted(by: 256 * 1_000_000) == .hour * 1_000_000)
  }

  /// Scenario: the widths of tiles.
  /// Guarantees: each wider one is a multiple of the finer one and is kept longer, the widest until
  /// retention ends it; the numbers the store keeps do not change.
  @Test func tileWidths() {
    let widths = TileWidth.allCases
    for (fine, wide) in zip(widths, widths.dropFirst()) {
      #expect(fine < wide && !(wide < fine))
      #expect(wide.nanos % fine.nanos == 0)
      #expect((fine.keptNanos ?? .max) < (wide.keptNanos ?? .max))
    }
    #expect(widths.map(\.rawValue) == [0, 1, 2, 3])
    #expect(widths.map { $0.nanos / .second } == [10, 60, 600, 3600])
    #expect(widths.map { $0.keptNanos.map { $0 / .hour } } == [2, 48, 168, nil])
    #expect(windowNanos == 10 * .second)
    #expect(Nanos.day == 86_400 * .second && Nanos.second == 1000 * .millisecond)
  }
}
