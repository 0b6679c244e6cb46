import Model

// Two hosts' clocks are never quite the same. Where a span and the one above it were timed by
// different clocks and the times cannot both be right, the lower one is moved, with all that the same
// clock timed below it. What has another explanation than clocks is left as it was sent.
// - Source: Jaeger, the clock skew adjuster of its query service, whose rule this is; the exceptions
//   (queues, work nobody waits for, callers that gave up) are Spangate's.

/// How far the times of a trace's spans were moved so that callees lie within their callers.
/// - Cost: O(n), no allocation for traces whose times agree.
struct ClockSkew: Sendable {
  /// Parallel to the spans: by how much each was moved, nanoseconds, modulo 2^64; empty where none
  /// was.
  private(set) var deltas: [UInt64] = []
  /// Parallel to the spans where any is further off than clocks are corrected for; empty otherwise.
  private var isOverLimit: [Bool] = []
  /// Spans that were moved.
  private(set) var adjustedCount = 0
  /// Spans that were left alone because they would have been moved by more than the maximum.
  private(set) var overLimitCount = 0

  /// Moves the times of `spans`, callers first.
  /// - Parameters:
  ///   - order: every span after its parent.
  ///   - nanosMax: by how much a span is moved at most; 0 moves none.
  mutating func adjust(
    _ spans: inout [SpanRecord], parents: [Int32], order: [Int32], nanosMax: Nanos
  ) {
    deltas.removeAll(keepingCapacity: true)
    isOverLimit.removeAll(keepingCapacity: true)
    adjustedCount = 0
    overLimitCount = 0
    guard nanosMax > 0 else { return }
    for index32 in order {
      let index = Int(index32)
      let parent = Int(parents[index])
      guard parent >= 0 else { continue }
      if ClockSkew.areOfOneClock(spans[index], spans[parent]) {
        inherit(index, from: parent, &spans)
      } else if let move = ClockSkew.move(
        of: spans[index], under: spans[parent],
        isSent: TraceForest.isSent(index, under: parent, spans) { Int(parents[$0]) })
      {
        if move.distance <= nanosMax {
          shift(index, by: move.delta, &spans)
        } else {
          noteOverLimit(index, of: spans.count)
        }
      }
    }
  }

  private mutating func inherit(_ index: Int, from parent: Int, _ spans: inout [SpanRecord]) {
    if !deltas.isEmpty, deltas[parent] != 0 { shift(index, by: deltas[parent], &spans) }
    if !isOverLimit.isEmpty, isOverLimit[parent] { noteOverLimit(index, of: spans.count) }
  }

  /// Moves a span, unless its times would leave what a number holds.
  private mutating func shift(_ index: Int, by delta: UInt64, _ spans: inout [SpanRecord]) {
    let start = spans[index].start &+ delta
    let end = spans[index].end &+ delta
    let goesBack = Int64(bitPattern: delta) < 0
    guard goesBack ? start < spans[index].start : end > spans[index].end, start <= end else {
      return
    }
    if deltas.isEmpty { deltas.append(contentsOf: repeatElement(0, count: spans.count)) }
    spans[index].start = start
    spans[index].end = end
    deltas[index] = delta
    adjustedCount += 1
  }

  private mutating func noteOverLimit(_ index: Int, of count: Int) {
    if isOverLimit.isEmpty {
      isOverLimit.append(contentsOf: repeatElement(false, count: count))
    }
    isOverLimit[index] = true
    overLimitCount += 1
  }

  /// Two spans of one host were timed by one clock. Where a host is not said, those of one service
  /// are taken to be: a sidecar seldom says where it runs, and runs beside its application.
  static func areOfOneClock(_ child: SpanRecord, _ parent: SpanRecord) -> Bool {
    if child.host != 0, parent.host != 0 { return child.host == parent.host }
    return child.service == parent.service
  }

  /// By how much a span has to be moved to agree with the one above it; nil where it need not.
  private static func move(
    of child: SpanRecord, under parent: SpanRecord, isSent: Bool
  ) -> (delta: UInt64, distance: Nanos)? {
    let startsBefore = child.start < parent.start
    guard startsBefore || child.end > parent.end, !isSent, !isExplained(child, under: parent)
    else {
      return nil
    }
    let slack = parent.durationNanos.subtractingReportingOverflow(child.durationNanos)
    // A span longer than the one above it does not fit: then it may at least not begin earlier.
    guard !slack.overflow || startsBefore else { return nil }
    let start = slack.overflow ? parent.start : parent.start &+ slack.partialValue / 2
    guard start != child.start else { return nil }
    let distance = start > child.start ? start &- child.start : child.start &- start
    // What is half of all time or more has no direction in 64 bits.
    return (start &- child.start, min(distance, Nanos(Int64.max)))
  }

  /// Whether something else than clocks explains that a span reaches beyond the one above it.
  private static func isExplained(_ child: SpanRecord, under parent: SpanRecord) -> Bool {
    // Time in a queue: what is sent is taken when somebody has time for it.
    if child.kind == .consumer || child.traits.contains(.receives) { return true }
    guard child.start >= parent.start, child.end > parent.end else { return false }
    // Nobody waits for it (`CriticalPath.isAsynchronous`).
    guard child.kind == .server, parent.kind == .client else { return true }
    // Whoever called gave up while the callee worked on.
    return parent.isError && child.start <= parent.end
  }
}
