import TestSupport
import Testing

@testable import Model

@Suite struct HistogramTests {
  /// Scenario: random durations of every magnitude, and those around each edge.
  /// Guarantees: each lies between the edges of its bucket, and buckets do not overlap.
  @Test func everyValueLiesInItsBucket() {
    var random = SeededGenerator()
    var values: [Nanos] = [0, 1, 980, 981, 982, 1000, .hour, .hour + 1, .max, .max - 1]
    for index in 1...HistogramScale.overIndex {
      let edge = Nanos(HistogramScale.lowerEdgeNanos(index))
      values += [edge - 1, edge, edge + 1]
    }
    for _ in 0..<20_000 { values.append(random.anyMagnitude()) }
    for value in values {
      let index = HistogramScale.index(of: value)
      #expect(index <= HistogramScale.overIndex)
      #expect(HistogramScale.lowerEdgeNanos(index) <= Double(value))
      if index < HistogramScale.overIndex {
        #expect(Double(value) < HistogramScale.upperEdgeNanos(index))
      }
    }
  }

  /// Scenario: the edges of the scale.
  /// Guarantees: each bucket ends where the next begins, 2.2 % higher; 1 µs and 1 h are regular.
  @Test func edgesFollowOneAnother() {
    for index in HistogramScale.underIndex..<HistogramScale.overIndex {
      #expect(
        HistogramScale.upperEdgeNanos(index) == HistogramScale.lowerEdgeNanos(index + 1))
      if index > HistogramScale.underIndex {
        let ratio = HistogramScale.upperEdgeNanos(index) / HistogramScale.lowerEdgeNanos(index)
        #expect(ratio > 1.0218 && ratio < 1.0220)
      }
    }
    let over = HistogramScale.overIndex
    #expect(HistogramScale.upperEdgeNanos(over) == HistogramScale.lowerEdgeNanos(over))
    #expect(HistogramScale.index(of: 1000) == 1)
    #expect(HistogramScale.index(of: .hour) == over - 1)
    #expect(HistogramScale.index(of: 0) == HistogramScale.underIndex)
    #expect(HistogramScale.index(of: .max) == over)
  }

  /// Scenario: fixed values.
  /// Guarantees: their buckets never change, because the store keeps bucket numbers.
  @Test func bucketsAreStable() {
    let expected: [(Nanos, UInt16)] = [
      (1000, 1), (1_000_000, 320), (1_000_000_000, 639), (60_000_000_000, 828),
    ]
    for (value, index) in expected { #expect(HistogramScale.index(of: value) == index) }
    #expect(HistogramScale.overIndex == 1018)
  }

  /// Scenario: quantiles of random durations between 1 µs and 1 h, against the sorted list.
  /// Guarantees: off by at most 2.2 %; the mean by rounding only; the maximum is its bucket's edge.
  @Test func quantilesAreNear() throws {
    var random = SeededGenerator()
    for _ in 0..<40 {
      var histogram = Histogram()
      var values: [Nanos] = []
      for _ in 0..<(1 + random.below(400)) {
        let value = 1000 + random.anyMagnitude() % (.hour - 1000)
        values.append(value)
        histogram.add(value, weight: 256)
      }
      values.sort()
      for quantile in [0.01, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 1] {
        let rank = max(1, Int((quantile * Double(values.count)).rounded(.up)))
        let exact = Double(values[rank - 1])
        let estimate = try #require(histogram.quantileNanos(quantile))
        #expect(abs(estimate - exact) / exact <= 0.022)
      }
      let mean = Double(values.reduce(0, +)) / Double(values.count)
      #expect(abs(try #require(histogram.meanNanos) - mean) / mean < 1e-9)
      let maximum = try #require(histogram.maximumNanos)
      #expect(maximum > Double(values[values.count - 1]))
      #expect(maximum / Double(values[values.count - 1]) <= 1.022)
      #expect(histogram.weight == Int64(values.count) * 256)
    }
  }

  /// Scenario: quantiles out of range, and of nothing.
  /// Guarantees: clamped to 0…1; nil without events; no trap for what is no number.
  @Test func quantilesAtTheLimits() {
    var histogram = Histogram()
    #expect(histogram.isEmpty && histogram.quantileNanos(0.5) == nil)
    #expect(histogram.meanNanos == nil && histogram.maximumNanos == nil)
    histogram.add(5 * .millisecond, weight: 256)
    histogram.add(.max, weight: 256)
    #expect(!histogram.isEmpty)
    #expect(histogram.quantileNanos(-1) == histogram.quantileNanos(0))
    #expect(histogram.quantileNanos(7) == histogram.quantileNanos(1))
    #expect(histogram.quantileNanos(1) == histogram.maximumNanos)
    #expect(histogram.quantileNanos(.nan) != nil)
    histogram.add(0, weight: 256)
    #expect(histogram.quantileNanos(0) == 0)
  }

  /// Scenario: weights: one span stands for many.
  /// Guarantees: quantiles and mean count it so; a weight of 0 adds nothing.
  @Test func weights() throws {
    var histogram = Histogram()
    histogram.add(1 * .millisecond, weight: 256 * 99)
    histogram.add(100 * .millisecond, weight: 256)
    histogram.add(.second, weight: 0)
    #expect(try #require(histogram.quantileNanos(0.5)) < 1.03e6)
    #expect(try #require(histogram.quantileNanos(1)) > 99e6)
    #expect(try #require(histogram.meanNanos) == (99.0 + 100.0) / 100 * 1e6)
    #expect(histogram.buckets.count == 2)
  }

  /// Scenario: the longest claims with the greatest weights.
  /// Guarantees: nothing traps, a sum is never negative for one event, and all is taken back
  /// exactly.
  @Test func hostileClaims() {
    var histogram = Histogram()
    for value: Nanos in [0, .hour, .day, .max] {
      for weight: Int64 in [1, 255, Int64(UInt32.max), .max] {
        var single = Histogram()
        single.add(value, weight: weight)
        #expect(single.sumNanos >= 0)
        histogram.add(value, weight: weight)
      }
    }
    for value: Nanos in [0, .hour, .day, .max] {
      for weight: Int64 in [1, 255, Int64(UInt32.max), .max] {
        histogram.add(value, weight: -weight)
      }
    }
    #expect(histogram == Histogram())
    histogram.add(.max, weight: .min)
  }

  /// Scenario: random events are added in two orders, and some are taken away again.
  /// Guarantees: what is left equals what was never taken away.
  @Test func subtractionIsExact() {
    var random = SeededGenerator()
    for _ in 0..<50 {
      let kept = random.events(60)
      let taken = random.events(60)
      var expected = Histogram()
      for event in kept { expected.add(event.value, weight: event.weight) }
      var actual = Histogram()
      for event in (kept + taken).shuffled(using: &random) {
        actual.add(event.value, weight: event.weight)
      }
      for event in taken.shuffled(using: &random) {
        actual.add(event.value, weight: -event.weight)
      }
      #expect(actual == expected)
    }
  }

  /// Scenario: three random histograms are merged in every grouping, then one is taken away.
  /// Guarantees: merging is commutative and associative, and a negative merge undoes it.
  @Test func mergingIsASum() {
    var random = SeededGenerator()
    for _ in 0..<50 {
      let a = Histogram(random.events(30))
      let b = Histogram(random.events(30))
      let c = Histogram(random.events(30))
      #expect(a.merging(b) == b.merging(a))
      #expect(a.merging(b).merging(c) == a.merging(b.merging(c)))
      #expect(a.merging(b).merging(b, sign: -1) == a)
      #expect(a.merging(a, sign: -1) == Histogram())
    }
  }

  /// Scenario: a histogram is put together from parts that cannot be.
  /// Guarantees: nil for buckets out of order, twice, of weight 0 or beyond the scale.
  @Test func partsAreChecked() {
    typealias Bucket = Histogram.Bucket
    let good = [Bucket(index: 3, weight: 1), Bucket(index: 1018, weight: 2)]
    #expect(Histogram(buckets: good, sumNanos: 9)?.buckets == good)
    let bad: [[Bucket]] = [
      [Bucket(index: 3, weight: 1), Bucket(index: 3, weight: 1)],
      [Bucket(index: 4, weight: 1), Bucket(index: 3, weight: 1)],
      [Bucket(index: 4, weight: 0)],
      [Bucket(index: 1019, weight: 1)],
    ]
    for buckets in bad { #expect(Histogram(buckets: buckets, sumNanos: 0) == nil) }
  }
}

extension Histogram {
  init(_ events: [(value: Nanos, weight: Int64)]) {
    self.init()
    for event in events { add(event.value, weight: event.weight) }
  }

  func merging(_ other: Histogram, sign: Int64 = 1) -> Histogram {
    var sum = self
    sum.merge(other, sign: sign)
    return sum
  }
}

extension SeededGenerator {
  mutating func events(_ count: Int) -> [(value: Nanos, weight: Int64)] {
    (0..<count).map { _ in (anyMagnitude(), Int64(1 + anyMagnitude() % UInt64(UInt32.max))) }
  }
}

@Suite("Sums of extreme values")
struct HistogramExtremeTests {
  /// Scenario: many events that claim the greatest duration and the greatest weight, added, written,
  /// read back and taken away.
  /// Guarantees: the mean stays between the values, nothing wraps, and nothing is left at the end.
  @Test func claimsDoNotWrapTheSum() throws {
    var histogram = Histogram()
    for _ in 0..<1_000 { histogram.add(.max, weight: Int64(UInt32.max)) }
    #expect(try #require(histogram.meanNanos) > Double(Nanos.day))
    var sums = Sums()
    sums.latency = histogram
    var reader = ByteReader(sums.bytes)
    #expect(try Sums(from: &reader) == sums)
    for _ in 0..<1_000 { histogram.add(.max, weight: -Int64(UInt32.max)) }
    #expect(histogram == Histogram())
  }
}
