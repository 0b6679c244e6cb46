import Model
import TestSupport

@testable import Analyse

/// Short ways to write traces down for tests of critical paths. Ids are numbers from 1.
enum PathSketch {
  static func span(
    _ id: UInt64, under parent: UInt64 = 0, _ start: Nanos, _ end: Nanos,
    _ kind: SpanKind = .internal, error: Bool = false
  ) -> SpanRecord {
    SpanRecord(
      id: SpanID(id), parent: SpanID(parent), start: start, end: end, service: NameID(1),
      kind: kind, traits: error ? .error : [])
  }

  /// The sections of a trace as "id from–until", root by root, latest first.
  static func sections(_ spans: [SpanRecord], _ rule: CriticalPathRule) -> [String] {
    let forest = forest(spans)
    return TracePath(forest, rule: rule).sections.map {
      "\(forest.spans[$0.span].id.raw) \($0.from)–\($0.until)"
    }
  }

  /// Exclusive times by span id.
  static func exclusive(_ spans: [SpanRecord], _ rule: CriticalPathRule) -> [UInt64: Nanos] {
    let forest = forest(spans)
    let shares = TracePath(forest, rule: rule).shares
    return Dictionary(
      shares.map { (forest.spans[$0.span].id.raw, $0.exclusive) }, uniquingKeysWith: &+)
  }

  static func forest(_ spans: [SpanRecord]) -> TraceForest {
    var forest = TraceForest()
    forest.build(spans)
    return forest
  }
}

extension SeededGenerator {
  /// A random tree of spans in which children follow each other closely: most end within a few
  /// nanoseconds of where the next one begins, some run beside the others, some are calls.
  mutating func pipeline(_ count: Int) -> [SpanRecord] {
    var spans = [PathSketch.span(1, 1_000, 1_000 + 4_000 * (1 + below(9)), .server)]
    var cursors = [spans[0].start]
    while spans.count < count {
      let above = below(spans.count)
      let parent = spans[above]
      let isCall = parent.kind == .client
      let jitter = Nanos(below(9))
      let start = max(cursors[above] + jitter, 4) - 4
      let length = parent.durationNanos
      let end = start + (isCall ? max(length + jitter, 4) - 4 : length / 3)
      cursors[above] = once(in: 4) ? cursors[above] : end
      let kinds: [SpanKind] = [.internal, .client, .server, .producer, .consumer, .client]
      spans.append(
        PathSketch.span(
          UInt64(spans.count + 1), under: parent.id.raw, start, end,
          isCall ? .server : kinds[below(kinds.count)], error: once(in: 3)))
      cursors.append(start)
    }
    return spans
  }
}
