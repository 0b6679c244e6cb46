import Model
import TestSupport
import Testing

@testable import Store

@Suite struct TileMergeTests {
  /// Scenario: tiles with mostly the same series, some with series of their own at either end, some
  /// empty, each in the order of the primary key; some series cancel out.
  /// Guarantees: the window that merging them one by one gives.
  @Test func tilesOfTheSameSeries() throws {
    var random = SeededGenerator()
    for _ in 0..<50 {
      let pool = (0..<40).map { _ in key(&random) }
      var expected = Window()
      var merge = TileMerge()
      for _ in 0..<random.below(12) {
        let keys = Set(pool.filter { _ in !random.once(in: 4) }).sorted { a, b in
          (a.kind.rawValue, signed(a.first), signed(a.second), signed(a.third))
            < (b.kind.rawValue, signed(b.first), signed(b.second), signed(b.third))
        }
        for key in keys {
          let sums = sums(&random)
          expected.merge(sums, at: key)
          var reader = ByteReader(sums.bytes)
          try merge.add(&reader, at: key)
        }
      }
      #expect(merge.window == expected)
    }
  }

  /// Scenario: rows come in no order at all.
  /// Guarantees: slower, and the same window.
  @Test func rowsOutOfOrder() throws {
    var random = SeededGenerator()
    var expected = Window()
    var merge = TileMerge()
    for _ in 0..<300 {
      let key = SeriesKey(.node, UInt64(random.below(20)))
      let sums = sums(&random)
      expected.merge(sums, at: key)
      var reader = ByteReader(sums.bytes)
      try merge.add(&reader, at: key)
    }
    #expect(merge.window == expected)
  }

  private func signed(_ value: UInt64) -> Int64 { Int64(bitPattern: value) }

  private func key(_ random: inout SeededGenerator) -> SeriesKey {
    let kinds: [SeriesKind] = [.node, .edge, .operation]
    return SeriesKey(
      kinds[random.below(3)], random.anyMagnitude(), random.anyMagnitude(), UInt64(random.below(2)))
  }

  /// Few values, of both signs, so that some sums are nothing.
  private func sums(_ random: inout SeededGenerator) -> Sums {
    var sums = Sums()
    sums.counters[.requests] = Int64(random.below(3)) - 1
    if random.once(in: 3) { sums.latency.add(Nanos(random.below(9)) * .second, weight: 256) }
    return sums
  }
}
