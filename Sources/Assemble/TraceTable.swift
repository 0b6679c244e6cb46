// Assemble gathers spans into traces and decides when a trace is looked at: closed once nothing
// arrives for a while, looked at again when something does, sealed when that is over for good. It
// knows nothing of what a trace means. Time is an argument, so a test owns it.

public import Model

/// The open and the remembered traces of one shard. Owned by one event loop.
///
/// A trace is *open* while spans arrive, *closed* once idle (its findings stand), and *sealed* when
/// it is idle for long, too large, too old, or when memory asks: then it leaves the table, and only
/// its id is remembered for a while, so that what still arrives is known to be late.
/// - Cost: amortised O(1) a span; copies of a span are removed whenever a trace has doubled. However
///   its spans trickle in, a trace is analysed as often as `analysesMax` says, and once more each
///   time its age doubles.
public struct TraceTable: ~Copyable {
  let limits: TraceLimits
  var slots: [Trace] = []
  var freeSlots: [Int32] = []
  var index: TraceIndex
  /// Traces by the time of their last span, oldest first: those waiting to close, those waiting to seal.
  var open = TraceList()
  var closed = TraceList()
  var postponed = TraceList()
  /// All traces in the order they began, for the journal's mark.
  var begun = TraceList()
  var sealedTraces: RememberedTraces
  /// Places for spans in the arrays of all traces, taken or not: what memory they really take.
  var placesHeld = 0
  /// The same for spans held a second time because their findings stand while the trace grows.
  var placesStanding = 0
  /// Copies removed since `takeCopies`.
  var copies: [Copies] = []

  public init(limits: TraceLimits) {
    self.limits = limits
    index = TraceIndex()
    sealedTraces = RememberedTraces(countMax: limits.sealedTracesRemembered)
  }

  /// What became of a span.
  public enum Insertion: Equatable, Sendable {
    case inserted
    /// Its trace was sealed before: it makes no edge.
    case late
    /// Inserted, and the trace is due for a look although it still grows.
    case due(slot: Int32)
    /// Inserted, and nothing else belongs to its trace: there is nothing to wait for.
    case complete(slot: Int32)
  }

  public var traceCount: Int { index.count }

  /// What the table takes in memory, as the limit counts it.
  public var bytes: Int {
    (placesHeld + placesStanding) * MemoryLayout<SpanRecord>.stride
      + index.count * TraceTable.bytesPerTrace
  }

  /// A trace's own fields (half as much again, since their array grows ahead of need), its places in
  /// the index, and the headers of its span array.
  static let bytesPerTrace =
    MemoryLayout<Trace>.stride * 3 / 2 + 4 * MemoryLayout<Int32>.stride + 48

  /// Takes in a span of the batch with the given journal sequence.
  public mutating func insert(
    _ span: SpanRecord, key: TraceKey, sequence: UInt64, now: Nanos
  ) -> Insertion {
    if sealedTraces.contains(key) { return .late }
    let slot = index.find(key, in: slots) ?? begin(key, sequence: sequence, now: now)
    reopenIfClosed(slot)
    changeSpans(of: slot) { $0.append(span) }
    slots[Int(slot)].isTidy = false
    if slots[Int(slot)].spans.count >= slots[Int(slot)].nextTidyCount { tidy(slot) }
    touch(slot, now: now)
    if span.kind == .traffic, slots[Int(slot)].spans.count == 1 { return .complete(slot: slot) }
    return isDue(slot, now: now) ? .due(slot: slot) : .inserted
  }

  /// The spans of a trace without copies, and those its standing findings were computed from (nil:
  /// none stand).
  public mutating func spans(of slot: Int32) -> (now: [SpanRecord], analysed: [SpanRecord]?) {
    tidy(slot)
    let trace = slots[Int(slot)]
    return (trace.spans, trace.state == .closed ? trace.spans : trace.analysed)
  }

  /// The spans of a trace without copies; nil when it is not in the table.
  public mutating func spans(of key: TraceKey) -> [SpanRecord]? {
    guard let slot = index.find(key, in: slots) else { return nil }
    return spans(of: slot).now
  }

  public func key(of slot: Int32) -> TraceKey { slots[Int(slot)].key }

  /// How often the spans of a trace may be analysed because it was idle, on average over its present
  /// spans. Beyond it late spans wait until its age has doubled: were a large trace analysed again
  /// for each of them, they would cost as many times what they are worth.
  static let analysesMax = 4

  /// The next open trace that has been idle long enough to be closed. Those analysed often enough
  /// already are postponed on the way.
  public mutating func nextIdle(now: Nanos) -> Int32? {
    while let slot = open.first, isPast(slots[Int(slot)].lastArrival, limits.idleNanos, now) {
      if isWorthAnalysing(slot, now: now) { return slot }
      move(slot, to: .postponed)
    }
    return nil
  }

  /// Any trace that has spans its findings were not computed from, open ones first: for a flush.
  public var nextOpen: Int32? { open.first ?? postponed.first }

  /// The next trace to be sealed: idle for long, or held as long as any may be, or over its span limit.
  public func nextToSeal(now: Nanos) -> Int32? {
    let quiet = limits.idleNanos.saturatingAdding(limits.rememberNanos)
    if let slot = closed.first, isPast(slots[Int(slot)].lastArrival, quiet, now) { return slot }
    if let slot = postponed.first, isPast(slots[Int(slot)].lastArrival, quiet, now) { return slot }
    if let slot = begun.first, isPast(slots[Int(slot)].firstArrival, limits.heldNanosMax, now) {
      return slot
    }
    return nil
  }

  /// The trace to be sealed first when memory asks: the closed one longest idle, else the open one.
  /// - Parameter otherBytes: what else counts against the same limit.
  public func nextUnderPressure(besides otherBytes: Int = 0) -> Int32? {
    guard bytes + otherBytes > limits.bytesMax else { return nil }
    return nextOfAll
  }

  /// Any trace, closed ones first: for a shutdown that seals everything.
  public var nextOfAll: Int32? { closed.first ?? postponed.first ?? open.first }

  /// Whether a trace has as many spans as any may have. Copies do not count.
  public mutating func isFull(_ slot: Int32) -> Bool {
    tidy(slot)
    return slots[Int(slot)].spans.count >= limits.spansPerTraceMax
  }

  /// The trace was analysed because it was idle: its findings stand until it grows again.
  public mutating func close(_ slot: Int32) {
    // Closing goes in the order of last arrival, except for a flush; sealing needs only roughly that.
    move(slot, to: .closed)
    stand(nil, at: slot)
    let trace = slots[Int(slot)]
    noteAnalysis(of: slot, age: trace.lastArrival.saturatingSubtracting(trace.firstArrival))
  }

  /// The trace was analysed although it grows: it stays open, and is due again at twice the age.
  public mutating func markAnalysed(_ slot: Int32, now: Nanos) {
    stand(slots[Int(slot)].spans, at: slot)
    noteAnalysis(of: slot, age: max(now.saturatingSubtracting(slots[Int(slot)].firstArrival), 1))
  }

  /// Removes a trace for good and remembers its id.
  public mutating func seal(_ slot: Int32) {
    let trace = slots[Int(slot)]
    leaveList(slot)
    begun.remove(slot, link: \.byBeginning, in: &slots)
    placesHeld -= trace.spans.capacity
    placesStanding -= trace.analysed?.capacity ?? 0
    sealedTraces.insert(trace.key)
    index.remove(trace.key, in: slots)
    slots[Int(slot)] = Trace.vacant
    freeSlots.append(slot)
  }

  /// Copies of spans found in one trace.
  public struct Copies: Equatable, Sendable {
    public var tenant: TenantID
    public var count: Int
    /// The latest end in the trace, Unix nanoseconds.
    public var traceEnd: Nanos
  }

  /// The copies removed since the last call.
  public mutating func takeCopies() -> [Copies] {
    defer { copies.removeAll(keepingCapacity: true) }
    return copies
  }

  /// Remembers a trace that was sealed before a restart.
  public mutating func rememberSealed(_ key: TraceKey) { sealedTraces.insert(key) }

  /// The smallest journal sequence a trace in the table still needs; nil when it is empty.
  public var lowestSequence: UInt64? { begun.first.map { slots[Int($0)].firstSequence } }
}

extension TraceTable {
  private mutating func begin(_ key: TraceKey, sequence: UInt64, now: Nanos) -> Int32 {
    let slot: Int32
    var trace = Trace(
      key: key, firstArrival: now, firstSequence: sequence, nextLookAge: limits.maxAgeNanos)
    trace.nextTidyCount = nextTidyCount(after: 0, dropped: 0)
    if let free = freeSlots.popLast() {
      slot = free
      slots[Int(slot)] = trace
    } else {
      slot = Int32(slots.count)
      slots.append(trace)
    }
    index.insert(slot, in: slots)
    open.append(slot, link: \.byArrival, in: &slots)
    begun.append(slot, link: \.byBeginning, in: &slots)
    return slot
  }

  private mutating func reopenIfClosed(_ slot: Int32) {
    let state = slots[Int(slot)].state
    guard state != .open else { return }
    move(slot, to: .open)
    if state == .closed { stand(slots[Int(slot)].spans, at: slot) }
  }

  private mutating func move(_ slot: Int32, to state: Trace.State) {
    leaveList(slot)
    slots[Int(slot)].state = state
    switch state {
    case .open: open.append(slot, link: \.byArrival, in: &slots)
    case .closed: closed.append(slot, link: \.byArrival, in: &slots)
    case .postponed: postponed.append(slot, link: \.byArrival, in: &slots)
    }
  }

  private mutating func leaveList(_ slot: Int32) {
    switch slots[Int(slot)].state {
    case .open: open.remove(slot, link: \.byArrival, in: &slots)
    case .closed: closed.remove(slot, link: \.byArrival, in: &slots)
    case .postponed: postponed.remove(slot, link: \.byArrival, in: &slots)
    }
  }

  private func isWorthAnalysing(_ slot: Int32, now: Nanos) -> Bool {
    let trace = slots[Int(slot)]
    guard trace.analysed != nil else { return true }
    if now.saturatingSubtracting(trace.firstArrival) >= trace.nextLookAge { return true }
    return trace.analysedCount + trace.spans.count <= TraceTable.analysesMax * trace.spans.count
  }

  /// It is due again at twice the age, and not before its maximal age.
  private mutating func noteAnalysis(of slot: Int32, age: Nanos) {
    slots[Int(slot)].analysedCount += slots[Int(slot)].spans.count
    slots[Int(slot)].nextLookAge = max(age.saturatingAdding(age), limits.maxAgeNanos)
  }

  private mutating func touch(_ slot: Int32, now: Nanos) {
    slots[Int(slot)].lastArrival = now
    open.remove(slot, link: \.byArrival, in: &slots)
    open.append(slot, link: \.byArrival, in: &slots)
  }

  private func isDue(_ slot: Int32, now: Nanos) -> Bool {
    let trace = slots[Int(slot)]
    // Copies do not fill a trace, so only one that was just rid of them is known to be full.
    if trace.isTidy, trace.spans.count >= limits.spansPerTraceMax { return true }
    return now.saturatingSubtracting(trace.firstArrival) >= trace.nextLookAge
  }

  /// The one place where spans are changed: keeps count of the memory they take.
  private mutating func changeSpans(of slot: Int32, _ change: (inout [SpanRecord]) -> Void) {
    let before = slots[Int(slot)].spans.capacity
    change(&slots[Int(slot)].spans)
    placesHeld += slots[Int(slot)].spans.capacity - before
  }

  private mutating func stand(_ spans: [SpanRecord]?, at slot: Int32) {
    placesStanding += (spans?.capacity ?? 0) - (slots[Int(slot)].analysed?.capacity ?? 0)
    slots[Int(slot)].analysed = spans
  }

  /// Sorts a trace and drops copies. Done each time it has doubled, so that a sender who repeats
  /// himself does not fill it, and before it is read. Which copy stays does not depend on the order
  /// of arrival.
  private mutating func tidy(_ slot: Int32) {
    let position = Int(slot)
    guard !slots[position].isTidy else { return }
    let before = slots[position].spans.count
    changeSpans(of: slot) { $0.removeCopies() }
    slots[position].isTidy = true
    let count = slots[position].spans.count
    let dropped = before - count
    slots[position].nextTidyCount = nextTidyCount(after: count, dropped: dropped)
    guard dropped > 0, let last = slots[position].spans.map(\.end).max() else { return }
    copies.append(
      Copies(tenant: slots[position].key.tenant, count: dropped, traceEnd: last))
  }

  /// The number of spans at which copies are looked for again: twice as many, or as many as fill a
  /// trace. Where there were copies at least an eighth more, so that whoever repeats the spans of an
  /// almost full trace does not have all of it sorted again for each.
  private func nextTidyCount(after count: Int, dropped: Int) -> Int {
    let fullCount = max(limits.spansPerTraceMax, dropped > 0 ? count + count / 8 + 1 : 0)
    return min(max(32, 2 * count), fullCount)
  }

  private func isPast(_ since: Nanos, _ wait: Nanos, _ now: Nanos) -> Bool {
    now.saturatingSubtracting(since) >= wait
  }
}
