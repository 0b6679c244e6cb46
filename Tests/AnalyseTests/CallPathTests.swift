import Model
import TestSupport
import Testing

@testable import Analyse

/// The call paths of a trace, readable: "a>b own+gap" in milliseconds, callers before callees.
private func paths(_ trace: TraceSketch) -> [String] {
  var analyser = TraceAnalyser()
  var findings: [Finding] = []
  analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
  var labels: [UInt64: String] = [:]
  return findings.filter { $0.key.kind == .path }.map { finding in
    let text = trace.names[NameID(finding.key.third)] ?? "?"
    let label = (labels[finding.key.second].map { $0 + ">" } ?? "") + text
    labels[finding.key.first] = label
    let own = (finding.ownTime ?? 0) / .millisecond
    let gap = (finding.clientLatency ?? 0) / .millisecond
    let whole = finding.latency.map { " of \($0 / .millisecond)" } ?? ""
    return "\(label) \(own)+\(gap)\(whole)"
  }
}

@Suite struct CallPathTests {
  /// Scenario: a request that calls another service and a database there, each for part of its time.
  /// Guarantees: own time, the gap of the call, and the time of what does not report, each under
  /// the way to it; together they are the duration.
  @Test func chain() {
    var trace = TraceSketch()
    let root = trace.span("front", .server, 0, 100, operation: "GET /")
    let call = trace.span("front", .client, under: root, 10, 90, operation: "call")
    let entry = trace.span("back", .server, under: call, 15, 85, operation: "Place")
    trace.span(
      "back", .client, under: entry, 20, 50, traits: .database, peer: "orders",
      peerKind: .database, operation: "select")
    #expect(paths(trace) == ["GET / 20+0 of 100", "GET />Place 40+10", "GET />Place>orders 30+0"])
  }

  /// Scenario: two calls side by side, of which the shorter never matters.
  /// Guarantees: what is not on the critical path has no path.
  @Test func besideThePath() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, operation: "a")
    let long = trace.span("a", .client, under: root, 0, 100)
    let short = trace.span("a", .client, under: root, 10, 60)
    trace.span("b", .server, under: long, 0, 100, operation: "b")
    trace.span("c", .server, under: short, 10, 60, operation: "c")
    #expect(paths(trace) == ["a 0+0 of 100", "a>b 100+0"])
  }

  /// Scenario: the same operation is called three times in a row.
  /// Guarantees: one path with the time of all three.
  @Test func repeated() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 90, operation: "a")
    for number in 0..<3 {
      let call = trace.span("a", .client, under: root, Nanos(number) * 30, Nanos(number) * 30 + 30)
      trace.span(
        "b", .server, under: call, Nanos(number) * 30 + 5, Nanos(number) * 30 + 25, operation: "b")
    }
    #expect(paths(trace) == ["a 0+0 of 90", "a>b 60+30"])
  }

  /// Scenario: services that call each other a thousand deep.
  /// Guarantees: a path has a bounded length, and no time is lost.
  @Test func deep() {
    var trace = TraceSketch()
    var parent = SpanID.none
    for depth in 0..<1000 {
      parent = trace.span(
        depth % 2 == 0 ? "a" : "b", .server, under: parent, Nanos(depth), 2000 - Nanos(depth),
        operation: depth % 2 == 0 ? "a" : "b")
    }
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
    let found = findings.filter { $0.key.kind == .path }
    #expect(found.count == TraceAnalyser.pathDepthMax + 1)
    #expect(found.reduce(0) { $0 + $1.counters[.criticalPathNanos] } == 2000 * 1_000_000)
  }

  /// Scenario: the same way, while two versions of the service in its middle run.
  /// Guarantees: it is one path before that service and two from there on; the version is part of the
  /// id and can be told from it; every part says how long the whole took.
  @Test func versions() {
    var ids: [String: Set<UInt64>] = [:]
    for version in ["v1", "v2"] {
      var trace = TraceSketch()
      let root = trace.span("a", .server, 0, 90, version: "old", operation: "a")
      let b = trace.span("b", .server, under: root, 0, 60, version: version, operation: "b")
      trace.span("c", .server, under: b, 0, 20, operation: "c")
      var analyser = TraceAnalyser()
      var findings: [Finding] = []
      analyser.analyse(trace.spans, key: TraceSketch.key, into: &findings)
      for finding in findings where finding.key.kind == .path {
        let text = trace.names[NameID(finding.key.third)] ?? "?"
        ids[text, default: []].insert(finding.key.first)
        #expect(finding.whole == 90 * .millisecond)
        guard text == "b" else { continue }
        let expected = SeriesKey.pathID(
          of: NameID(finding.key.third), version: trace.name(version, .version),
          below: finding.key.second)
        #expect(finding.key.first == expected)
      }
    }
    #expect(ids.mapValues(\.count) == ["a": 1, "b": 2, "c": 2])
  }

  /// Scenario: random traces of every sort.
  /// Guarantees: the paths hold all the time that is on the critical path, no more and no less;
  /// callers come first; each path once a trace; ids follow from the way alone.
  @Test(arguments: CriticalPathRule.allCases)
  func holdAllTime(rule: CriticalPathRule) {
    var random = SeededGenerator()
    var analyser = TraceAnalyser(criticalPathRule: rule)
    for round in 0..<400 {
      var spans =
        round % 2 == 0 ? random.tree(20, wide: true) : random.garbage(1 + random.below(20))
      for index in spans.indices { spans[index].weight = SpanRecord.weightOne }
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      var expected = [Nanos](repeating: 0, count: analyser.forest.spans.count)
      for section in TracePath(analyser.forest, rule: rule).sections {
        expected[section.span] &+= section.until.saturatingSubtracting(section.from)
      }
      #expect(analyser.criticalTimes == expected, "seed \(random.seed)")
      let found = findings.filter { $0.key.kind == .path }
      let spent = found.reduce(Int64(0)) { $0 &+ $1.counters[.criticalPathNanos] }
      let window = Outcome(findings, names: [:]).window
      let whole = window.series[.coverage(.standard)]?.counters[.criticalPathNanos]
      // Absurd claims are cut where they are counted, span by span or path by path.
      if let whole, whole < 1 << 49 { #expect(spent == whole) }
      #expect(Set(found.map(\.key)).count == found.count)
      var seen: Set<UInt64> = [0]
      for finding in found {
        #expect(seen.contains(finding.key.second))
        seen.insert(finding.key.first)
        #expect(finding.window.isMultiple(of: .minute))
        let versions = [NameID.none] + Set(spans.map(\.version)).sorted()
        #expect(
          versions.contains { version in
            finding.key.first
              == SeriesKey.pathID(
                of: NameID(finding.key.third), version: version, below: finding.key.second)
          })
        // So the bands of an entry point hold all its time.
        if finding.counters[.criticalPathNanos] > 0 { #expect(finding.whole != nil) }
      }
      for origin in findings where origin.key.kind == .errorPath {
        #expect(seen.contains(origin.key.first) && origin.latency != nil)
      }
    }
  }

  /// Scenario: a call by the name of a proxy's cluster, that was answered, and one that was not.
  /// Guarantees: it is known which service and version the name stands for; the failure is noted
  /// once a trace, with the address it went to.
  @Test func answers() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100)
    let call = trace.span("a", .client, under: root, 0, 40, peer: "b-v2")
    trace.span("b", .server, under: call, 5, 35, version: "v2")
    for _ in 0..<2 {
      trace.span("a", .client, under: root, 50, 60, traits: .error, peer: "b-v2")
      trace.spans[trace.spans.count - 1].peerAddress = trace.name("10.0.0.5", .address)
    }
    trace.span(
      "a", .client, under: root, 60, 70, traits: [.error, .database], peer: "db",
      peerKind: .database)
    let outcome = trace.analysed()
    let names = trace.names
    func found(_ kind: SeriesKind) -> [String] {
      outcome.window.series.filter { $0.key.kind == kind }.map { key, sums in
        key.names.map { names[$0] ?? "-" }.joined(separator: " ")
          + " \(sums.counters[.requests]) \(sums.counters[.errorTraces])"
      }
    }
    #expect(found(.answered) == ["b-v2 b v2 1 0"])
    #expect(found(.unreached) == ["b-v2 10.0.0.5 a 0 1"])
  }

  /// Scenario: a request that calls one operation twice, one of them failing, and a database; and
  /// another of the same operation that calls nothing.
  /// Guarantees: calls, failures and that they were absorbed, and how many of the requests made the
  /// call at all.
  @Test func structure() {
    var trace = TraceSketch()
    let root = trace.span("a", .server, 0, 100, operation: "GET /")
    for number in 0..<2 {
      let call = trace.span("a", .client, under: root, Nanos(number) * 30, Nanos(number) * 30 + 20)
      trace.span(
        "b", .server, under: call, Nanos(number) * 30, Nanos(number) * 30 + 20,
        traits: number == 0 ? .error : [], operation: "Place")
    }
    trace.span(
      "a", .client, under: root, 70, 80, traits: .database, peer: "orders", peerKind: .database)
    trace.span("a", .server, 0, 10, operation: "GET /")
    let outcome = trace.analysed()
    let found = outcome.window.series.filter { $0.key.kind == .call }.map { key, sums in
      key.names.map { trace.names[$0] ?? "-" }.joined(separator: ">")
        + " \(sums.counters[.requests])/\(sums.counters[.errors]) \(sums.counters[.traces])"
        + " \(sums.counters[.absorbedAdjusted] / 256)"
    }
    #expect(found.sorted() == ["GET />Place 2/1 1 1", "GET />orders 1/0 1 0"])
  }
}
