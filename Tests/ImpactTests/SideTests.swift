import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

@Suite struct SideTests {
  /// Scenario: counts a broken store could hold: negative, enormous, more errors than traces.
  /// Guarantees: brought into range, so that sums over months of windows cannot overflow.
  @Test func countsAreBroughtIntoRange() {
    let negative = Side(traces: -5, errorTraces: -1, unseenFailures: -2)
    #expect(negative == .nothing)
    let enormous = Side(traces: .max, errorTraces: .max, unseenFailures: .max)
    #expect(enormous.traces == 1 << 40)
    #expect(enormous.requests == 1 << 41)
    #expect(Side(traces: 3, errorTraces: 9).errorTraces == 3)
    #expect(Sample.window(0, .nothing, .nothing, unknown: -4).unknownFailures == 0)
  }

  /// Scenario: the series of a version, with ten requests of 8 ms, sampled one in ten.
  /// Guarantees: counts are the raw ones; the mean latency is 8 ms to within half a bucket.
  @Test func readsASeries() throws {
    var sums = Sums()
    sums.counters[.traces] = 10
    sums.counters[.errorTraces] = 2
    sums.counters[.requestsAdjusted] = 25_600
    for _ in 0..<10 { sums.latency.add(8 * .millisecond, weight: 2560) }
    let side = Side(sums, unseenFailures: 3)
    #expect(side.requests == 13)
    #expect(side.failures == 5)
    let latency = try #require(side.latency)
    #expect(latency.weight == 100)
    #expect(latency.typicalMilliseconds.isNear(8, within: 0.011))
  }

  /// Scenario: random latencies between 1 µs and 1 h in a histogram, against their own logarithms.
  /// Guarantees: the mean is off by less than half a bucket and the variance by 2 %.
  @Test func bucketsCostLittle() throws {
    var random = SeededGenerator()
    for _ in 0..<20 {
      var histogram = Histogram()
      var logarithms: [Double] = []
      let center = Double.random(in: 11...24, using: &random)
      for _ in 0..<2000 {
        let logarithm = center + Double.random(in: -2...2, using: &random)
        let nanos = Nanos(exp(logarithm))
        histogram.add(nanos, weight: 256)
        logarithms.append(log(Double(nanos)))
      }
      let latency = try #require(LogLatency(histogram))
      let mean = logarithms.reduce(0, +) / 2000
      let variance = logarithms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2000
      #expect((latency.mean - mean).magnitude < log(2) / 64)
      #expect(latency.variance.isNear(variance, within: 0.02))
    }
  }

  /// Scenario: nothing, only what lies outside all buckets, one event, a bucket gone negative.
  /// Guarantees: nil without events; else finite, with a variance above zero.
  @Test func edgesOfHistograms() throws {
    #expect(LogLatency(Histogram()) == nil)
    var outside = Histogram()
    outside.add(0, weight: 256)
    outside.add(.max, weight: 256)
    let latency = try #require(LogLatency(outside))
    #expect(latency.mean.isFinite && latency.variance > 100)
    var single = Histogram()
    single.add(5000, weight: 256)
    #expect(try #require(LogLatency(single)).variance > 0)
    #expect(LogLatency.varianceInsideBucket.isNear(pow(log(2) / 32, 2) / 12, within: 1e-12))
    var negative = Histogram()
    negative.add(5000, weight: -256)
    #expect(LogLatency(negative) == nil)
  }

  /// Scenario: figures that are none, given for a latency.
  /// Guarantees: nil.
  @Test func refusesWhatIsNoNumber() {
    #expect(LogLatency(weight: 0, mean: 1, variance: 1) == nil)
    #expect(LogLatency(weight: 1, mean: .nan, variance: 1) == nil)
    #expect(LogLatency(weight: 1, mean: 1, variance: -1) == nil)
    #expect(LogLatency(weight: .infinity, mean: 1, variance: 1) == nil)
  }

  /// Scenario: sides merged, with and without latency.
  /// Guarantees: counts add; mean and variance are those of all events together.
  @Test func merges() throws {
    let first = Side(traces: 10, errorTraces: 1, latency: Sample.latency(1, weight: 30))
    let second = Side(
      traces: 5, errorTraces: 2, unseenFailures: 4, latency: Sample.latency(2, weight: 10))
    let both = first.merged(with: second)
    #expect(both.requests == 19)
    #expect(both.failures == 7)
    let latency = try #require(both.latency)
    #expect(latency.mean.isNear(1.25))
    #expect(latency.variance.isNear(0.25 + 0.1875))
    #expect(first.merged(with: .nothing).latency == first.latency)
    #expect(Side.nothing.merged(with: first).latency == first.latency)
  }
}
