import Foundation
import Model
import TestSupport

/// Makes traces of a small shop: services that call each other, databases, queues, failures, clock
/// skew, missing parents; links to spans of the same trace, of others and to none; and records of
/// traffic, alone and (as only somebody hostile would send them) among spans. Times are all within a
/// few windows.
struct TraceGenerator {
  var random: SeededGenerator
  let names = NameTable()
  var spansPerTraceMax = 40
  /// Whether messages are polled in one trace and worked on in another: then a trace may take back what
  /// another one counted.
  var hasPolls = true
  /// Spans that links may name.
  private var linkable: [SpanLink] = []

  static let epoch: Nanos = 1_700_000_000 * .second

  init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// A span and the trace it belongs to.
  struct Sent: Sendable {
    var key: TraceKey
    var span: SpanRecord
  }

  /// Links lead to traces that are made together: others may be sealed before the link comes.
  mutating func traces(_ count: Int) -> [Sent] {
    linkable.removeAll()
    return (0..<count).flatMap { _ in trace() }
  }

  mutating func trace() -> [Sent] {
    let key = TraceKey(
      tenant: .standard,
      trace: TraceID(high: random.next() | 1, low: random.next() | 1))
    let begin = TraceGenerator.epoch + Nanos.random(in: 0..<(40 * .second), using: &random)
    if random.once(in: 6) {
      return [record(key, begin)]
    }
    var spans: [SpanRecord] = []
    for index in 0..<Int.random(in: 1...spansPerTraceMax, using: &random) {
      spans.append(span(index, among: spans, begin: begin))
    }
    if spans.count > 2, Int.random(in: 0..<10, using: &random) == 0 { spans.remove(at: 1) }
    return spans.map { Sent(key: key, span: $0) } + links(of: spans, key)
  }

  /// The records of some spans' links.
  private mutating func links(of spans: [SpanRecord], _ key: TraceKey) -> [Sent] {
    for _ in 0..<2 {
      guard let span = spans.randomElement(using: &random) else { continue }
      linkable.append(SpanLink(trace: key.trace, span: span.id))
    }
    var records: [Sent] = []
    for span in spans where random.once(in: 4) {
      var link = linkable.randomElement(using: &random) ?? SpanLink(trace: key.trace, span: span.id)
      if random.once(in: 10) { link.span = SpanID(random.next() | 1) }
      let record =
        random.once(in: 10)
        ? SpanRecord(unreadLinks: 3, of: span, in: key.trace)
        : SpanRecord(linkOf: span, in: key.trace, to: link, isFirst: random.once(in: 2))
      let trace = record.unreadLinks > 0 ? key.trace : link.trace
      records.append(Sent(key: TraceKey(tenant: key.tenant, trace: trace), span: record))
    }
    return records
  }

  private mutating func record(_ key: TraceKey, _ begin: Nanos) -> Sent {
    func node(_ kind: NameKind, _ number: Int) -> NameID {
      names.intern(
        kind: kind, NodeIdentity(name: "10.0.0.\(number)").text, now: TraceGenerator.epoch)
    }
    let kind = TrafficKind(
      random.once(in: 2) ? .accessLog : .flowLog, recordedBy: random.once(in: 2) ? .client : .server
    )
    let span = SpanRecord(
      trafficIn: key.trace, kind, from: node(.client, random.below(3)),
      to: node(.external, random.below(3)), start: begin,
      end: begin + random.below(200 * .millisecond), bytes: random.anyMagnitude(),
      traits: random.once(in: 5) ? .error : [])
    return Sent(key: key, span: span)
  }

  private mutating func span(_ index: Int, among spans: [SpanRecord], begin: Nanos) -> SpanRecord {
    let parent = index == 0 ? nil : spans.randomElement(using: &random)
    let now = TraceGenerator.epoch
    let service = names.intern(
      kind: .service,
      NodeIdentity(namespace: "shop", name: "service\(Int.random(in: 0..<6, using: &random))").text,
      now: now)
    let start = (parent?.start ?? begin) + Nanos.random(in: 0..<(20 * .millisecond), using: &random)
    let kind = SpanKind.allCases.randomElement(using: &random) ?? .internal
    var span = SpanRecord(
      id: SpanID(random.next() | 1), parent: parent?.id ?? .none, start: start,
      end: start + Nanos.random(in: 0..<(200 * .millisecond), using: &random), service: service,
      version: names.intern(
        kind: .version, scope: service, "v\(Int.random(in: 0..<2, using: &random))", now: now),
      instance: names.intern(
        kind: .instance, scope: service, "i\(Int.random(in: 0..<3, using: &random))", now: now),
      operation: names.intern(
        kind: .operation, scope: service, "op\(Int.random(in: 0..<4, using: &random))", now: now),
      kind: kind)
    if Int.random(in: 0..<5, using: &random) == 0 { span.traits.insert(.error) }
    if kind == .producer || span.takesMessages {
      span.peer = names.intern(
        kind: .messaging, NodeIdentity(name: "queue\(random.below(3))").text, now: now)
      span.traits.formUnion([.messaging, .namesQueue])
      span.links = UInt16(random.below(3))
      if kind == .producer, random.once(in: 3) { span.traits.insert(.creates) }
      if span.takesMessages, random.once(in: 3), hasPolls {
        span.traits.insert(.receives)
        if random.once(in: 2) { span.kind = .client }
      }
    } else if kind.isExit, Bool.random(using: &random) {
      span.peer = names.intern(
        kind: .database, NodeIdentity(name: "postgres").text, now: now)
      span.traits.insert(.database)
    }
    if Int.random(in: 0..<8, using: &random) == 0 { span.weight = 256 * 4 }
    return span
  }
}

extension [TraceGenerator.Sent] {
  /// Cuts the spans into batches of random sizes, in the order given.
  func batches(using random: inout SeededGenerator) -> [SpanBatch] {
    var batches: [SpanBatch] = []
    var rest = self[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int.random(in: 1...50, using: &random))
      rest = rest.dropFirst(part.count)
      var batch = SpanBatch()
      for sent in part { batch.append(sent.span, trace: sent.key.trace) }
      batch.names = batch.usedNames
      batches.append(batch)
    }
    return batches
  }
}

extension SpanBatch {
  var usedNames: [NameID] {
    var ids = Set<NameID>()
    for span in spans {
      ids.formUnion([span.service, span.version, span.instance, span.operation, span.peer])
    }
    ids.remove(.none)
    return ids.sorted()
  }
}
