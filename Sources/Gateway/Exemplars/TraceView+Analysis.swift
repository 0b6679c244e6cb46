import Analyse
import Graph
import Model

extension TraceView {
  /// What is to be said of a trace, by the rules the graph rests on. Its spans without copies.
  /// - Parameters:
  ///   - names: those of the spans, as far as they are known.
  ///   - limits: by how much clocks are corrected, and the rule of the critical path.
  init(
    _ trace: ExemplarTrace, isSealed: Bool, names: [NameID: Name], limits: TraceLimits
  ) {
    var analyser = TraceAnalyser(
      clockSkewNanosMax: limits.clockSkewNanosMax, criticalPathRule: limits.criticalPathRule)
    var findings: [Finding] = []
    analyser.analyse(trace.spans, key: trace.key, into: &findings)
    let forest = analyser.forest
    let path = TracePath(analyser.waitForest, rule: limits.criticalPathRule)
    func text(_ id: NameID) -> String { names[id]?.text ?? "" }
    func node(_ id: NameID) -> String { names[id].flatMap { NodeLabel.id(of: $0) } ?? "" }
    // Parents before children where both start together: `order` has them so.
    let shown = forest.order.map(Int.init).enumerated().sorted { a, b in
      let first = forest.spans[a.element].start
      let second = forest.spans[b.element].start
      return first != second ? first < second : a.offset < b.offset
    }.map(\.element)
    self.init(
      trace: trace.key.trace, state: isSealed ? .sealed : .growing,
      isComplete: !trace.isCut
        && forest.rootReasons.allSatisfy { $0 == .hasParent || $0 == .first },
      spans: shown.map { index in
        let span = forest.spans[index]
        return Span(
          id: span.id, parent: span.parent, service: node(span.service),
          environment: NodeIdentity(text: text(span.service)).environment,
          version: text(span.version),
          instance: InstanceIdentity(text: text(span.instance)).instance,
          operation: text(span.operation), peer: node(span.peer), kind: span.kind,
          start: span.start, end: span.end, own: analyser.selfTimes[index],
          critical: analyser.criticalTimes[index], isError: span.isError)
      },
      rule: limits.criticalPathRule,
      criticalPath: path.sections.map {
        Section(span: forest.spans[$0.span].id, start: $0.from, end: $0.until)
      }.sorted { ($0.start, $0.end, $0.span) < ($1.start, $1.end, $1.span) },
      errorPath: forest.errorTrail().map { forest.spans[$0].id })
  }

  /// The names the spans of a trace refer to.
  static func names(of spans: [SpanRecord]) -> Set<NameID> {
    var ids = Set<NameID>()
    for span in spans {
      for id in [span.service, span.version, span.instance, span.operation, span.peer]
      where !id.isNone {
        ids.insert(id)
      }
    }
    return ids
  }
}
