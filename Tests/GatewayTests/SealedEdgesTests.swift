import Model
import Testing

@testable import Gateway

@Suite struct SealedEdgesTests {
  private func sums(_ keys: [SeriesKey]) -> WindowSums {
    var sums = WindowSums()
    for (number, key) in keys.enumerated() {
      var finding = Finding(window: Nanos(number % 3) * windowNanos, key: key)
      finding.counters[.requests] = 1
      sums.add(finding)
    }
    return sums
  }

  /// Scenario: each reason that there is, shown under `/metrics`.
  /// Guarantees: it is in one metric, by whether something is missing.
  @Test func reasonsByWhetherTheyAreFaults() throws {
    let counts = Dictionary(
      uniqueKeysWithValues: UnpairedReason.allCases.map { ($0, Int64($0.rawValue)) })
    let metrics = GatewayMetrics.partners(100, counts)
    #expect(
      metrics.map(\.name) == [
        "spangate_spans_paired_total", "spangate_spans_unpaired_total",
        "spangate_spans_standalone_total",
      ])
    #expect(metrics[0].samples.map(\.value) == [100])
    #expect(metrics[1].samples.map(\.value) == (1...12).map(Double.init))
    #expect(metrics[2].samples.map(\.value) == (13...19).map(Double.init))
  }

  /// Scenario: checkpoints with edges beyond the bound, and with spans of two tenants that made no edge.
  /// Guarantees: edges beyond are summed under one; spans without an edge are counted by reason whatever
  /// room there is, and nothing falls.
  @Test func edgesAndWhatMadeNone() {
    var sealed = SealedEdges(seriesMax: 2)
    let tenants = [TenantID.standard, TenantID(9)]
    for round in 1...3 {
      let edges = (1...4).map { SeriesKey.edge(NameID(UInt64($0)), NameID(9), .direct) }
      let unpaired = tenants.map { SeriesKey.unpaired($0, .parentMissing) }
      let paired = tenants.map { SeriesKey.paired($0) }
      sealed.add(
        sums(
          edges + unpaired + paired
            + [.unpaired(.standard, .ownApplication), .coverage(.standard)]))
      #expect(sealed.window.series.count == 3)
      let all = sealed.window.series.values.reduce(0) { $0 + $1.counters[.requests] }
      #expect(all == Int64(4 * round))
      #expect(sealed.paired == Int64(2 * round))
      #expect(
        sealed.unpaired == [
          .parentMissing: Int64(2 * round), .ownApplication: Int64(round),
        ])
    }
  }

  /// Scenario: a trace takes back what another one counted on an edge: in the same checkpoint, in a later
  /// one, or in one before; and what nobody counted.
  /// Guarantees: no figure ever falls; what was taken back is missing from what is counted next, so that
  /// the sums are right again.
  @Test func nothingFalls() {
    let key = SeriesKey.edge(NameID(1), NameID(2), .messagingSystem)
    func sums(_ count: Int64, _ latency: Nanos, at key: SeriesKey) -> WindowSums {
      var sums = WindowSums()
      var finding = Finding(
        window: 0, key: key, latency: latency, ownTime: latency / 2, weight: 256 * count)
      finding.counters[.requests] = count
      finding.counters[.requestsAdjusted] = 256 * count
      sums.add(finding)
      return sums
    }
    var sealed = SealedEdges(seriesMax: 8)
    var shown = Sums()
    func add(_ parts: [(Int64, Nanos)], total: Int64) {
      var all = WindowSums()
      for (count, latency) in parts { all.merge(sums(count, latency, at: key)) }
      sealed.add(all)
      let now = sealed.window.series[key] ?? Sums()
      #expect(now.counters[.requests] == total)
      #expect(now.counters[.requestsAdjusted] == 256 * total)
      for (old, new) in [(shown.latency, now.latency), (shown.ownTime, now.ownTime)] {
        #expect(new.weight >= old.weight && new.sumNanos >= old.sumNanos)
        let isLess = old.buckets.contains { bucket in
          !new.buckets.contains { $0.index == bucket.index && $0.weight >= bucket.weight }
        }
        #expect(!isLess)
      }
      shown = now
    }
    add([(3, .second), (-1, .second)], total: 2)
    add([(-2, .second)], total: 2)
    add([(1, .second)], total: 2)
    add([(3, .second), (2, .millisecond)], total: 6)
    add([(-1, .second)], total: 6)
    add([(1, .second)], total: 6)
    let other = SeriesKey.edge(NameID(3), NameID(4), .messagingSystem)
    sealed.add(sums(-1, .second, at: other))
    sealed.add(sums(1, .second, at: other))
    #expect(sealed.window.series[other] == nil)
    sealed.add(sums(1, .second, at: other))
    #expect(sealed.window.series[other]?.counters[.requests] == 1)
  }
}
