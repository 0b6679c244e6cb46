import TestSupport
import Testing

@testable import Model

@Suite struct WindowTests {
  /// Scenario: random findings are added in one order, in another, and by way of partial sums.
  /// Guarantees: all ways give the same, exemplars included.
  @Test func addingIsOrderIndependent() {
    var random = SeededGenerator()
    for _ in 0..<30 {
      let findings = random.findings(60)
      let expected = WindowSums(findings)
      let isSame = WindowSums(findings.shuffled(using: &random)) == expected
      #expect(isSame)
      var merged = WindowSums()
      var shards = [WindowSums(), WindowSums(), WindowSums()]
      for finding in findings { shards[random.below(3)].add(finding) }
      for shard in shards.shuffled(using: &random) { merged.merge(shard) }
      let isSameInParts = merged == expected
      #expect(isSameInParts)
    }
  }

  /// Scenario: three random sums of windows are merged in every grouping.
  /// Guarantees: commutative and associative.
  @Test func mergingIsASum() {
    var random = SeededGenerator()
    for _ in 0..<30 {
      let a = WindowSums(random.findings(20))
      let b = WindowSums(random.findings(20))
      let c = WindowSums(random.findings(20))
      #expect(a.merging(b).hasSameCounts(as: b.merging(a)))
      #expect(
        a.merging(b).merging(c).hasSameCounts(as: a.merging(b.merging(c))))
    }
  }

  /// Scenario: findings that stand are taken back while others stay, in any order.
  /// Guarantees: what is left equals what was never taken back; of nothing, nothing is left.
  @Test func subtractionIsExact() {
    var random = SeededGenerator()
    for _ in 0..<30 {
      let kept = random.findings(25)
      let taken = random.findings(25)
      var sums = WindowSums((kept + taken).shuffled(using: &random))
      sums.add(taken.shuffled(using: &random), sign: -1)
      #expect(sums.hasSameCounts(as: WindowSums(kept)))
      sums.merge(WindowSums(kept), sign: -1)
      #expect(sums.isEmpty && sums.seriesCount == 0)
    }
  }

  /// Scenario: one figure differs.
  /// Guarantees: two windows do not count as the same.
  @Test func anyDifferenceIsSeen() {
    var random = SeededGenerator()
    let findings = random.findings(20)
    let sums = WindowSums(findings)
    var change = Finding(window: 0, key: .node(NameID(1)))
    for field in Counters.Field.allCases {
      change.counters = Counters()
      change.counters[field] = 1
      #expect(!sums.hasSameCounts(as: WindowSums(findings + [change])))
    }
    // Wholes count for critical time, so without any they do not count.
    change.counters = Counters()
    change.counters[.criticalPathNanos] = 7
    let withoutWhole = WindowSums(findings + [change])
    var withWhole = change
    withWhole.whole = 5
    #expect(!withoutWhole.hasSameCounts(as: WindowSums(findings + [withWhole])))
    change.counters = Counters()
    for path: WritableKeyPath<Finding, Nanos?> in [\.latency, \.clientLatency, \.ownTime] {
      var finding = change
      finding[keyPath: path] = 5
      #expect(!sums.hasSameCounts(as: WindowSums(findings + [finding])))
    }
    change.latency = 5
    change.window = 990 * windowNanos
    #expect(!sums.hasSameCounts(as: WindowSums(findings + [change])))
  }

  /// Scenario: windows are merged over a range.
  /// Guarantees: those that begin in [start, end) and no others.
  @Test func rangesAreHalfOpen() {
    var sums = WindowSums()
    for window: Nanos in [0, 10, 20, 30] {
      var finding = Finding(window: window * .second, key: .node(NameID(1)))
      finding.counters[.requests] = Int64(window) + 1
      sums.add(finding)
    }
    let merged = sums.merged(from: 10 * .second, to: 30 * .second)
    #expect(merged.series[.node(NameID(1))]?.counters[.requests] == 32)
    #expect(sums.merged(from: 31 * .second, to: .max).isEmpty)
    #expect(sums.merged(from: 0, to: .max).series.count == 1)
    #expect(!sums.isEmpty && sums.seriesCount == 4)
  }

  /// Scenario: sums read from a store are merged at their key.
  /// Guarantees: the same as if their findings had been added.
  @Test func sumsAreMergedAtTheirKey() {
    var random = SeededGenerator()
    let findings = random.findings(40)
    let whole = WindowSums(findings)
    var rebuilt = WindowSums()
    for (start, window) in whole.windows {
      for (key, sums) in window.series { rebuilt.merge(sums, at: key, window: start) }
    }
    let isSame = rebuilt == whole
    #expect(isSame)
  }
}

@Suite struct ExemplarTests {
  /// Scenario: random traces are offered in any order, and again.
  /// Guarantees: the same few stay, each once.
  @Test func choiceIsOrderIndependent() {
    var random = SeededGenerator()
    for count in [0, 1, 2, 3, 4, 50] {
      let traces = (0..<count).map { _ in TraceID(high: random.next(), low: random.next()) }
      let chosen = Exemplars(traces)
      #expect(chosen.traces.count == min(count, Exemplars.countMax))
      for _ in 0..<10 { #expect(Exemplars((traces + traces).shuffled(using: &random)) == chosen) }
    }
  }

  /// Scenario: traces are offered where more are held than shown, and some are taken away again, in
  /// any order; what is left is merged into sums that hold only what they show.
  /// Guarantees: as if those taken away had never been offered, as long as no more of the first ones are
  /// than are held besides; a trace is an example when it is shown.
  @Test func thoseHeldFollow() {
    var random = SeededGenerator()
    let besides = Exemplars.heldMax - Exemplars.countMax
    for count in [1, 3, 4, 8, 9, 40] {
      let traces = (0..<count).map { _ in TraceID(high: random.next(), low: random.next()) }
      let ranked = traces.sorted { Exemplars.place(of: $0) < Exemplars.place(of: $1) }
      let leaving = Set(ranked.prefix(Exemplars.heldMax).shuffled(using: &random).prefix(besides))
      var sums = Sums()
      for trace in traces {
        let isShown = sums.add(finding(trace), examples: Exemplars.heldMax)
        #expect(isShown == sums.exemplars.traces.contains(trace))
      }
      for trace in leaving.shuffled(using: &random) { sums.add(finding(trace), sign: -1) }
      let expected = Array(ranked.filter { !leaving.contains($0) }.prefix(Exemplars.countMax))
      #expect(sums.exemplars.traces == expected)
      let newcomer = TraceID(high: random.next(), low: random.next())
      var merged = Sums()
      merged.add(finding(newcomer))
      merged.merge(sums)
      #expect(merged.exemplars.traces == Exemplars(expected + [newcomer]).traces)
    }
  }

  private func finding(_ trace: TraceID) -> Finding {
    var finding = Finding(window: 0, key: .node(NameID(1)), exemplar: trace)
    finding.counters[.requests] = 1
    return finding
  }

  /// Scenario: a sender chooses ids of the same rank.
  /// Guarantees: the choice still does not depend on the order.
  @Test func equalRanksAreToldApart() {
    var random = SeededGenerator()
    // rank = mix(high ^ low) ^ low: any mix can be met by choosing low.
    let traces = (0..<8).map { _ -> TraceID in
      let exclusive = random.next()
      let low = Exemplars.rank(TraceID(high: exclusive, low: 0))
      return TraceID(high: exclusive ^ low, low: low)
    }
    #expect(Set(traces.map(Exemplars.rank)).count == 1)
    let chosen = Exemplars(traces)
    for _ in 0..<20 { #expect(Exemplars(traces.shuffled(using: &random)) == chosen) }
  }
}

extension WindowSums {
  init(_ findings: [Finding]) {
    self.init()
    add(findings)
  }

  func merging(_ other: WindowSums) -> WindowSums {
    var sum = self
    sum.merge(other)
    return sum
  }
}

extension Exemplars {
  init(_ traces: [TraceID]) {
    self.init()
    for trace in traces { offer(trace) }
  }
}
