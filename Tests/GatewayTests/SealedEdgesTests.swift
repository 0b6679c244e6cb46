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
    #expect(metrics[2].samples.map(\.value) == (13...18).map(Double.init))
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
}
