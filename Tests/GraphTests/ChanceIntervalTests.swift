import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct ChanceIntervalTests {
  /// The figures that nodes and edges have; those of calls are in `GraphDiffTests`.
  private static let metrics: [MetricChange.Metric] = [.requestRate, .errorRate, .latencyP95]

  /// A side with so many requests, each a trace, of which some fail, with exponential durations.
  private func side(
    _ random: inout SeededGenerator, mean count: Double, failing: Double, milliseconds: Double,
    weight: Int64 = 256
  ) -> Sums {
    var sums = Sums()
    for _ in 0..<random.poisson(count) {
      var finding = Finding(window: 0, key: .node(NameID(1)), weight: weight)
      finding.counters[.requests] = 1
      finding.counters[.requestsAdjusted] = weight
      finding.counters[.traces] = 1
      if random.uniform() < failing {
        finding.counters[.errors] = 1
        finding.counters[.errorsAdjusted] = weight
        finding.counters[.errorTraces] = 1
      }
      finding.latency = Nanos(-log(random.uniform()) * milliseconds * 1e6)
      sums.add(finding)
    }
    return sums
  }

  private func found(
    _ base: Sums, _ current: Sums, edge: Bool
  ) -> [MetricChange.Metric: Bool] {
    func chance(_ sums: Sums) -> ChanceSide {
      edge
        ? ChanceSide(edge: sums, seconds: 60, latency: sums.latency)
        : ChanceSide(node: sums, seconds: 60)
    }
    let (before, after) = (chance(base), chance(current))
    var found: [MetricChange.Metric: Bool] = [:]
    for metric in ChanceIntervalTests.metrics {
      guard let a = before[metric], let b = after[metric] else { continue }
      found[metric] = !b.difference(from: a).contains(0)
    }
    return found
  }

  /// Scenario: thousands of pairs of ranges that differ by chance alone: few and many requests, rare
  /// and common errors.
  /// Guarantees: of each figure about one in a hundred is called significant and never two.
  @Test(arguments: [(20.0, 0.05), (100, 0.01), (400, 0.2), (400, 0)])
  func falsePositives(count: Double, failing: Double) {
    var random = SeededGenerator()
    let rounds = 1_500
    var called: [MetricChange.Metric: Int] = [:]
    for round in 0..<rounds {
      let pair = (0..<2).map { _ in
        side(&random, mean: count, failing: failing, milliseconds: 40)
      }
      for (metric, isSignificant) in found(pair[0], pair[1], edge: round % 2 == 0)
      where isSignificant {
        called[metric, default: 0] += 1
      }
    }
    for metric in ChanceIntervalTests.metrics {
      let share = Double(called[metric] ?? 0) / Double(rounds)
      #expect(share <= 0.02, "\(metric) \(share), seed \(random.seed)")
    }
  }

  /// Scenario: pairs of ranges that differ by chance alone, in which most requests are kept and a few
  /// stand for forty others each, as where two services sample differently.
  /// Guarantees: about one in a hundred is called significant, as if all were sampled alike.
  @Test func mixedSampling() {
    var random = SeededGenerator()
    let rounds = 1_000
    var called: [MetricChange.Metric: Int] = [:]
    for round in 0..<rounds {
      let pair = (0..<2).map { _ in
        var sums = side(&random, mean: 800, failing: 0.2, milliseconds: 40)
        sums.merge(
          side(&random, mean: 80, failing: 0.2, milliseconds: 40, weight: 40 * 256))
        return sums
      }
      for (metric, isSignificant) in found(pair[0], pair[1], edge: round % 2 == 0)
      where isSignificant {
        called[metric, default: 0] += 1
      }
    }
    for metric in ChanceIntervalTests.metrics {
      let share = Double(called[metric] ?? 0) / Double(rounds)
      #expect(share <= 0.025, "\(metric) \(share), seed \(random.seed)")
    }
  }

  /// Scenario: requests sampled alike at any rate; at mixed rates; as a version stored them that kept
  /// no squares; none.
  /// Guarantees: as many as were seen, never more; Kish's size; as many as were seen; 0.
  @Test func effectiveRequests() {
    func sums(_ groups: [(count: Int64, weight: Int64)]) -> Sums {
      var sums = Sums()
      for group in groups {
        var finding = Finding(window: 0, key: .node(NameID(1)))
        finding.counters[.requests] = group.count
        finding.counters[.requestsAdjusted] = group.count * group.weight * 256
        sums.add(finding)
      }
      return sums
    }
    for weight: Int64 in [1, 10, 16_777_215] {
      #expect((sums([(100, weight)]).effectiveRequests - 100).magnitude < 1e-6)
      #expect(sums([(100, weight)]).effectiveRequests <= 100)
    }
    let mixed = sums([(10_000, 1), (100, 100)])
    let expected = 20_000.0 * 20_000 / (10_000 + 100 * 10_000)
    #expect((mixed.effectiveRequests - expected).magnitude < 1e-6)
    var stored = mixed
    stored.squaredWeightExcess = 0
    #expect(stored.effectiveRequests == 10_100)
    #expect(Sums().effectiveRequests == 0)
  }

  /// Scenario: error rates of two nodes and two edges whose failures came together in few traces, and
  /// were sampled unlike the rest.
  /// Guarantees: the difference that is shown lies within its interval.
  @Test func errorRatesLieWithinTheirIntervals() throws {
    var sides: [GraphInput] = []
    for (failing, weight): (Int64, Int64) in [(1, 1), (40, 50)] {
      var fixture = GraphFixture()
      let nodes = (fixture.node("a"), fixture.node("b"))
      for key in [SeriesKey.node(nodes.1), .edge(nodes.0, nodes.1, .direct), .node(nodes.0)] {
        fixture.add(key, [.requests: 1_000, .requestsAdjusted: 1_000, .traces: 500])
        fixture.add(
          key,
          [
            .requests: failing, .requestsAdjusted: failing * weight, .errors: failing,
            .errorsAdjusted: failing * weight, .traces: 1, .errorTraces: 1,
          ])
      }
      sides.append(fixture.input)
    }
    let diff = try GraphDiff.compare(
      base: sides[0], current: sides[1], tenant: .standard, options: GraphOptions())
    let changes =
      (diff.nodes.changed.map(\.changes) + diff.edges.changed.map(\.changes))
      .flatMap { $0 }.filter { $0.metric == .errorRate }
    #expect(changes.count == 3)
    for change in changes {
      let interval = try #require(change.interval)
      #expect(interval.contains(change.current - change.base))
    }
    let node = try #require(diff.nodes.changed.first?.current)
    #expect(node.figures.effectiveRequests < 200)
    let written = try #require(try diff.json.parsed()["edges"] as? [String: Any])
    let edge = try #require((written["changed"] as? [[String: Any]])?.first)
    let current = try #require(edge["current"] as? [String: Any])
    let effective = try #require(current["effective_requests"] as? Double)
    #expect((effective - node.figures.effectiveRequests).magnitude < 1e-6)
  }

  /// Scenario: twice the requests, five times the errors, twice the durations.
  /// Guarantees: nearly always seen.
  @Test func effectsAreSeen() {
    var random = SeededGenerator()
    var seen: [MetricChange.Metric: Int] = [:]
    for _ in 0..<200 {
      let base = side(&random, mean: 400, failing: 0.03, milliseconds: 40)
      let current = side(&random, mean: 800, failing: 0.15, milliseconds: 80)
      for (metric, isSignificant) in found(base, current, edge: false) where isSignificant {
        seen[metric, default: 0] += 1
      }
    }
    for metric in ChanceIntervalTests.metrics { #expect(seen[metric] ?? 0 > 190) }
  }

  /// Scenario: intervals whose limits can be looked up; nothing to compute one from.
  /// Guarantees: Wilson's for 0 and 5 of 10; a quantile of few events has no upper end; nil.
  @Test func knownValues() throws {
    let none = try #require(ChanceInterval(share: 0, of: 10))
    #expect(none.low == 0 && (none.high - 0.3989).magnitude < 0.001)
    let half = try #require(ChanceInterval(share: 5, of: 10))
    #expect((half.low - 0.1840).magnitude < 0.001 && (half.low + half.high - 1).magnitude < 1e-9)
    let quantile = try #require(
      ChanceInterval(quantile: 0.95, of: Histogram.ofSeconds(10), count: 10))
    #expect(quantile.high == .infinity && quantile.low > 0)
    #expect(ChanceInterval(share: 1, of: 0) == nil && ChanceInterval(share: 3, of: 2) == nil)
    #expect(ChanceInterval(quantile: 0.95, of: Histogram(), count: 3) == nil)
    #expect(ChanceSide(node: Sums(), seconds: 60).rate == nil)
  }

  /// Scenario: two ranges with few requests, then with many.
  /// Guarantees: the same change is called significant only where the numbers bear it; the answer says
  /// so, with the interval.
  @Test func inTheAnswer() throws {
    for (count, expected) in [(4, false), (4_000, true)] {
      var sides: [GraphInput] = []
      for factor in [1, 2] {
        var fixture = GraphFixture()
        let node = fixture.node("a")
        fixture.add(
          .node(node),
          [
            .requestsAdjusted: Int64(count * factor), .requests: Int64(count * factor),
            .traces: Int64(count * factor),
          ], latency: 10 * .millisecond)
        sides.append(fixture.input)
      }
      let diff = try GraphDiff.compare(
        base: sides[0], current: sides[1], tenant: .standard, options: GraphOptions())
      let change = try #require(diff.nodes.changed.first?.changes.first)
      #expect(change.metric == .requestRate && change.isSignificant == expected)
      let nodes = try #require(try diff.json.parsed()["nodes"] as? [String: Any])
      let changed = try #require((nodes["changed"] as? [[String: Any]])?.first)
      let written = try #require((changed["changes"] as? [[String: Any]])?.first)
      #expect(written["significant"] as? Bool == expected)
      #expect((written["interval"] as? [Double])?.count == 2)
    }
  }
}

extension Histogram {
  /// So many events of 1, 2, 3 … seconds.
  fileprivate static func ofSeconds(_ count: Nanos) -> Histogram {
    var histogram = Histogram()
    for value in 1...count { histogram.add(value * .second, weight: 256) }
    return histogram
  }
}

extension SeededGenerator {
  /// Above 0, up to 1.
  fileprivate mutating func uniform() -> Double {
    (Double(next() >> 11) + 1) / 9_007_199_254_740_992
  }

  /// A count of events that come by themselves: as many as fit, at exponential distances.
  fileprivate mutating func poisson(_ mean: Double) -> Int {
    var count = 0
    var left = mean
    while true {
      left += log(uniform())
      guard left > 0 else { return count }
      count += 1
    }
  }
}
