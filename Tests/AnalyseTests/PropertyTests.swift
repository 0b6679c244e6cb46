import Model
import TestSupport
import Testing

@testable import Analyse

@Suite struct PropertyTests {
  private func sums(_ spans: [SpanRecord], _ analyser: inout TraceAnalyser) -> WindowSums {
    var findings: [Finding] = []
    analyser.analyse(spans, key: TraceSketch.key, into: &findings)
    var sums = WindowSums()
    sums.add(findings)
    return sums
  }

  /// Scenario: random spans of every sort arrive in another order, some of them again.
  /// Guarantees: the same findings, also from an analyser that has seen other traces.
  @Test func orderDoesNotMatter() {
    var random = SeededGenerator()
    var used = TraceAnalyser(clockSkewNanosMax: .second)
    for round in 0..<400 {
      let spans =
        round % 2 == 0 ? random.tree(20, wide: true) : random.garbage(1 + random.below(20))
      var fresh = TraceAnalyser(clockSkewNanosMax: .second)
      let expected = sums(spans, &fresh)
      let again = spans.filter { _ in random.once(in: 3) }
      let isSame = sums((spans + again).shuffled(using: &random), &used) == expected
      #expect(isSame)
    }
  }

  /// Scenario: garbage: few ids, every kind and trait, times and weights from one end to the other.
  /// Guarantees: nothing traps; every span is covered once; requests of nodes agree with what is
  /// counted by operation; what was added is taken back to nothing.
  @Test func garbageIsSurvived() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser(clockSkewNanosMax: 10 * .minute)
    for _ in 0..<2000 {
      let spans = random.garbage(1 + random.below(24))
      var findings: [Finding] = []
      let copies = analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let window = Outcome(findings, names: [:]).window
      #expect(
        window.series[.coverage(.standard)]?.counters[.requests] == Int64(spans.count - copies))
      func requests(_ kind: SeriesKind, where matches: (SeriesKey) -> Bool = { _ in true }) -> Int64
      {
        window.series.filter { $0.key.kind == kind && matches($0.key) }
          .reduce(0) { $0 + $1.value.counters[.requests] }
      }
      let ofPeers = requests(.node) { $0.first >= SeededGenerator.peersFrom }
      #expect(requests(.node) == requests(.operation) + ofPeers)
      // A queue also counts messages of whose sending nobody tells.
      let toPeers = requests(.edge) { $0.second >= SeededGenerator.peersFrom }
      let fromQueues = requests(.edge) { $0.first >= SeededGenerator.peersFrom }
      #expect(toPeers <= ofPeers && ofPeers <= toPeers + fromQueues)
      for (key, sums) in window.series where key.kind == .edge {
        #expect(key.first != key.second, "no service calls itself")
        #expect(sums.counters[.errors] <= sums.counters[.requests])
      }
      var left = WindowSums()
      left.add(findings)
      left.add(findings.shuffled(using: &random), sign: -1)
      #expect(left.isEmpty)
    }
  }

  /// Scenario: a chain of 20 000 spans.
  /// Guarantees: no recursion: it ends, quickly, with every edge.
  @Test(.timeLimit(.minutes(3))) func deepChain() {
    let count = 20_000
    var spans: [SpanRecord] = []
    for index in 1...UInt64(count) {
      spans.append(
        SpanRecord(
          id: SpanID(index), parent: SpanID(index - 1), start: index,
          end: 2 * UInt64(count) - index, service: NameID(1 + index % 2), kind: .server))
    }
    var analyser = TraceAnalyser()
    let sums = sums(spans.reversed(), &analyser)
    let window = sums.merged(from: 0, to: .max)
    #expect(
      window.series[.edge(NameID(1), NameID(2), .direct)]?.counters[.requests] == 10_000 - 1
        || window.series[.edge(NameID(2), NameID(1), .direct)]?.counters[.requests] == 10_000 - 1)
    #expect(
      window.series[.coverage(.standard)]?.counters[.criticalPathNanos] == 2 * Int64(count) - 2)
  }

  /// Scenario: one client span with 20 000 servers and 20 000 spans of its own below it, which end
  /// later.
  /// Guarantees: it ends quickly, with every call.
  @Test(.timeLimit(.minutes(3))) func wideFanOut() {
    var spans = [
      SpanRecord(id: SpanID(1), start: 0, end: 1_000_000, service: NameID(1), kind: .client)
    ]
    for index in 0..<UInt64(20_000) {
      spans.append(
        SpanRecord(
          id: SpanID(10 + index), parent: SpanID(1), start: index, end: index + 5,
          service: NameID(2), kind: .server))
      spans.append(
        SpanRecord(
          id: SpanID(100_000 + index), parent: SpanID(1), start: 500_000, end: 600_000,
          service: NameID(1)))
    }
    var analyser = TraceAnalyser()
    let window = sums(spans, &analyser).merged(from: 0, to: .max)
    let edge = window.series[.edge(NameID(1), NameID(2), .direct)]
    #expect(edge?.counters[.requests] == 20_000 && edge?.clientLatency.weight == 256)
  }

  /// Scenario: a sender gives 20 000 spans one id, each in a service of its own, and lets 20 000
  /// others name it as their parent.
  /// Guarantees: it ends quickly: nobody looks at them all.
  @Test(.timeLimit(.minutes(3))) func sharedIDOfThousands() {
    var spans: [SpanRecord] = []
    for index in 0..<UInt64(20_000) {
      spans.append(
        SpanRecord(id: SpanID(1), start: 0, end: 9, service: NameID(index + 1), kind: .server))
      spans.append(
        SpanRecord(
          id: SpanID(10 + index), parent: SpanID(1), start: 0, end: 9, service: NameID(50_000)))
    }
    var analyser = TraceAnalyser()
    let window = sums(spans, &analyser).merged(from: 0, to: .max)
    #expect(window.series[.coverage(.standard)]?.counters[.requests] == 40_000)
  }
}

extension SeededGenerator {
  /// Peers of `garbage` have ids from here on, services below.
  static let peersFrom: UInt64 = 1000

  /// Spans in which everything that can be wrong is.
  mutating func garbage(_ count: Int) -> [SpanRecord] {
    let times: [Nanos] = [0, 1, .second, 1_700_000_000 * .second, .max / 2, .max - 1, .max]
    return (0..<count).map { _ in
      SpanRecord(
        id: SpanID(UInt64(below(count + 1))), parent: SpanID(UInt64(below(count + 2))),
        start: times[below(times.count)], end: times[below(times.count)],
        service: NameID(UInt64(1 + below(3))), version: NameID(UInt64(below(3))),
        instance: NameID(UInt64(below(3))), operation: NameID(UInt64(1 + below(2))),
        peer: once(in: 2) ? .none : NameID(SeededGenerator.peersFrom + UInt64(below(2))),
        weight: UInt32(truncatingIfNeeded: anyMagnitude()), kind: SpanKind.allCases[below(5)],
        traits: SpanTraits(rawValue: UInt32(truncatingIfNeeded: next())),
        links: UInt16(truncatingIfNeeded: anyMagnitude()), host: UInt32(below(3)))
    }
  }
}
