import Model
import TestSupport
import Testing

@testable import Analyse

@Suite("Every span is counted once, as paired or under a reason")
struct CoverageTests {
  /// Scenario: random traces and garbage, with links among their spans and to others; spans sampled.
  /// Guarantees: paired spans and reasons add up to the spans of the trace, and so does what they stand
  /// for; all are counted in the window of the trace's coverage.
  @Test func countsAddUp() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser(clockSkewNanosMax: .second)
    for round in 0..<2000 {
      let spans = random.linked(
        round % 2 == 0 ? random.tree(20, wide: true) : random.garbage(1 + random.below(24)))
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let outcome = Outcome(findings, names: [:])
      let kept = analyser.forest.spans
      #expect(outcome.coverage[.requests] == Int64(kept.count))
      #expect(outcome.spansByPartner == Int64(kept.count))
      let weights = analyser.reasonCounts.reduce(0) { $0 &+ $1.weight }
      #expect(weights == kept.reduce(0) { $0 &+ Int64($1.weight) })
      let ofSpans = findings.filter { finding in
        finding.key == .paired(.standard) || finding.key == .coverage(.standard)
          || UnpairedReason.allCases.contains {
            $0.isOfSpan && finding.key == .unpaired(.standard, $0)
          }
      }
      #expect(Set(ofSpans.map(\.window)).count == 1)
      #expect(Set(ofSpans.map(\.key)).count == ofSpans.count, "one finding a reason")
    }
  }

  /// Scenario: random traces in which each span can be recognised in the edges it makes.
  /// Guarantees: who needs no partner made no edge; whoever is paired made one, or called somebody
  /// below it who did.
  @Test func pairedIsWhoMadeAnEdge() {
    var random = SeededGenerator()
    var analyser = TraceAnalyser()
    var (made, called, standalone) = (0, 0, 0)
    for round in 0..<1000 {
      var spans = round % 2 == 0 ? random.tree(20, wide: true) : random.garbage(20)
      for index in spans.indices {
        spans[index].dimensions = NameID(1_000_000 + UInt64(index))
        // Who created a message and who sent it stand for one another.
        spans[index].traits.remove(.creates)
        // What was created in other traces makes its edges there.
        if spans[index].sendsMessages { spans[index].links = 0 }
      }
      var findings: [Finding] = []
      analyser.analyse(spans, key: TraceSketch.key, into: &findings)
      let makers = Set(
        findings.filter { $0.key.kind == .dimensionEdge && $0.counters[.requests] > 0 }
          .map(\.key.third))
      let forest = analyser.forest
      var isAboveMaker = [Bool](repeating: false, count: forest.spans.count)
      for index in forest.order.reversed().map({ Int($0) }) {
        let isMaker = makers.contains(forest.spans[index].dimensions.raw)
        switch analyser.reason(index) {
        case nil:
          #expect(isMaker || isAboveMaker[index])
          if isMaker { made += 1 } else { called += 1 }
        case let reason? where reason.isStandalone:
          #expect(!isMaker, "\(reason)")
          standalone += 1
        case _?: break  // What is missing goes before the edges it made.
        }
        if let parent = forest.parent(of: index), isMaker || isAboveMaker[index] {
          isAboveMaker[parent] = true
        }
      }
    }
    #expect(made > 1000 && called > 1000 && standalone > 1000)
  }

  /// Scenario: an application behind its proxy that works, calls itself and is asked by a timer; polls
  /// and what they brought; takers whose senders only links tell of.
  /// Guarantees: the reason of each that needs no partner.
  @Test func whatNeedsNoPartner() {
    var trace = TraceSketch()
    let proxy = trace.span("a", .server, 0, 100, traits: .proxy)
    let server = trace.span("a", .server, under: proxy, 10, 90)
    trace.span("a", .internal, under: server, 20, 30)
    trace.span("a", .client, under: server, 40, 50, traits: .database, peer: "db")
    trace.span("timer", .internal, 0, 100)
    let poll = trace.span(
      "b", .client, 0, 10, traits: [.messaging, .receives, .namesQueue], peer: "orders",
      peerKind: .messaging)
    trace.span("b", .consumer, under: poll, 2, 9)
    trace.span("c", .consumer, 0, 10, links: 2)
    let outcome = trace.analysed()
    #expect(
      outcome.standalone == [
        "background_work 1", "entry_point 1", "inner_request 1", "inner_work 1",
        "message_counted 1", "told_by_links 1",
      ])
    #expect(outcome.paired == 2 && outcome.unpaired.isEmpty)
    #expect(outcome.spansByPartner == 8)
  }

  /// Scenario: a proxy whose caller was not sent, and which calls a service; a client's span of which
  /// the parent was not sent.
  /// Guarantees: that something is missing shows, though both make edges.
  @Test func whatIsMissingGoesFirst() {
    var trace = TraceSketch()
    let proxy = trace.span("edge", .server, under: SpanID(99), 0, 50)
    trace.span("a", .server, under: proxy, 5, 45)
    trace.span("b", .client, under: SpanID(98), 0, 10, traits: .database, peer: "db")
    let outcome = trace.analysed()
    #expect(outcome.edges == ["b→db database 1/0", "edge→a 1/0"])
    #expect(outcome.unpaired == ["parent_missing 2"] && outcome.paired == 1)
    #expect(outcome.standalone.isEmpty)
  }

  /// Scenario: a span of another trace, and one of this trace, link to work that calls nobody.
  /// Guarantees: the work is an end of the links' edges; so is who links to it from its own trace, and
  /// the links are no spans.
  @Test func linksMakeEnds() {
    var traces = LinkedTraces()
    let root = traces.span(1, "a", .server, 0, 100)
    let work = traces.span(1, "a", .internal, under: root, 10, 20)
    traces.span(1, "b", .internal, 30, 40, links: [work])
    traces.span(2, "c", .internal, 30, 40, links: [work])
    let outcome = traces.analysed()
    #expect(outcome.edges == ["a→b link 1/0", "a→c link 1/0"])
    #expect(outcome.paired == 2 && outcome.unpaired.isEmpty)
    #expect(outcome.standalone == ["background_work 1", "entry_point 1"])
    #expect(outcome.spansByPartner == outcome.coverage[.requests])
  }
}

extension SeededGenerator {
  /// The spans with records of links: of their own trace and of another, to one of them or to nobody.
  mutating func linked(_ spans: [SpanRecord]) -> [SpanRecord] {
    var records = spans
    for span in spans where once(in: 3) {
      let target = once(in: 8) ? SpanID(12_345) : spans[below(spans.count)].id
      let trace = once(in: 2) ? TraceSketch.key.trace : TraceID(high: 5, low: 5)
      records.append(
        SpanRecord(
          linkOf: span, in: trace, to: SpanLink(trace: TraceSketch.key.trace, span: target)))
    }
    return records
  }
}
