import Model
import TestSupport

@testable import Analyse

/// Several traces written down for a test, with links between their spans. Times are milliseconds
/// after a fixed moment.
struct LinkedTraces {
  private(set) var traces: [UInt64: TraceSketch] = [:]
  private var spanCount: UInt64 = 0

  static func id(_ trace: UInt64) -> TraceID { TraceID(high: trace, low: 1) }

  /// A span of one of the traces.
  struct Place {
    var trace: UInt64
    var id: SpanID

    var link: SpanLink { SpanLink(trace: LinkedTraces.id(trace), span: id) }
  }

  /// Adds a span, with the records of its links where decoding puts them.
  /// - Parameters:
  ///   - queue: of a span with anything to do with messages: as it calls the queue.
  ///   - unread: how many links it has besides that nobody can follow.
  @discardableResult
  mutating func span(
    _ trace: UInt64, _ service: String, _ kind: SpanKind, under parent: Place? = nil,
    _ from: Nanos = 0, _ until: Nanos = 10, queue: String? = nil, system: String? = nil,
    traits: SpanTraits = [], weight: UInt32 = SpanRecord.weightOne, links: [Place] = [],
    unread: UInt16 = 0
  ) -> Place {
    spanCount += 1
    var traits = traits
    if queue != nil { traits.formUnion([.messaging, .namesQueue]) }
    if system != nil { traits.insert(.messaging) }
    var sketch = traces[trace] ?? TraceSketch()
    sketch.span(
      service, kind, under: parent?.id ?? .none, from, until, traits: traits,
      peer: queue ?? system, peerKind: .messaging, weight: weight)
    var span = sketch.spans.removeLast()
    span.id = SpanID(spanCount)
    if span.takesMessages { span.links = UInt16(links.count) + unread }
    if span.sendsCreatedMessages { span.links = UInt16(links.count) }
    sketch.spans.append(span)
    traces[trace] = sketch
    let own = LinkedTraces.id(trace)
    for (place, link) in links.enumerated() {
      add(
        SpanRecord(linkOf: span, in: own, to: link.link, isFirst: place == 0), to: link.trace)
    }
    if unread > 0 { add(SpanRecord(unreadLinks: unread, of: span, in: own), to: trace) }
    return Place(trace: trace, id: span.id)
  }

  private mutating func add(_ record: SpanRecord, to trace: UInt64) {
    traces[trace, default: TraceSketch()].spans.append(record)
  }

  /// The same, but that nobody sent one of the traces: neither its spans nor what its links tell.
  func without(_ trace: UInt64) -> LinkedTraces {
    var left = self
    for (other, sketch) in traces {
      left.traces[other]?.spans = sketch.spans.filter { span in
        span.kind == .link ? !span.isLink(outOf: LinkedTraces.id(trace)) : other != trace
      }
    }
    return left
  }

  /// What all traces together say.
  func analysed() -> Outcome {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    for (trace, sketch) in traces {
      analyser.analyse(sketch.spans, key: LinkedTraces.key(trace), into: &findings)
    }
    return Outcome(findings, names: names)
  }

  /// The same where spans come one by one in some order, and what a trace said is taken back each time.
  func analysed(spanBySpan random: inout SeededGenerator) -> Outcome {
    var analyser = TraceAnalyser()
    var arrived: [UInt64: [SpanRecord]] = [:]
    var sums = WindowSums()
    let all = traces.flatMap { trace, sketch in sketch.spans.map { (trace, $0) } }
    for (trace, span) in all.shuffled(using: &random) {
      var before: [Finding] = []
      var after: [Finding] = []
      if let spans = arrived[trace] {
        analyser.analyse(spans, key: LinkedTraces.key(trace), into: &before)
      }
      arrived[trace, default: []].append(span)
      analyser.analyse(arrived[trace] ?? [], key: LinkedTraces.key(trace), into: &after)
      sums.add(before.shuffled(using: &random), sign: -1)
      sums.add(after)
    }
    return Outcome(sums, names: names)
  }

  private static func key(_ trace: UInt64) -> TraceKey {
    TraceKey(tenant: .standard, trace: id(trace))
  }

  private var names: [NameID: String] {
    traces.values.reduce(into: [:]) { $0.merge($1.names) { old, _ in old } }
  }
}

extension Outcome {
  /// Queues that are called otherwise where they are taken from.
  var queueAliases: [String] {
    window.series.keys.filter { $0.kind == .queueAlias }
      .map { "\(names[NameID($0.first)] ?? "?")=\(names[NameID($0.second)] ?? "?")" }.sorted()
  }
}
