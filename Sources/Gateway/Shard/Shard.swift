// The hot path, top to bottom. Batches come in durable; traces are assembled, closed ones analysed,
// their findings stand in the windows until the trace is sealed. Stages meet here and only here.

import Analyse
import Assemble
public import Model
import Windows

/// A share of the traces and everything computed from them. Owned by one event loop; never shared.
public struct Shard: ~Copyable {
  private var traces: TraceTable
  private var analyser: TraceAnalyser
  private var windows: ShardWindows
  private var pathLimiter = PathLimiter()
  /// Traces sealed since the last checkpoint began.
  private var sealedKeys: [TraceKey] = []
  /// Those of them that may turn out to be examples.
  private var candidates: ExemplarCandidates
  public private(set) var counters = ShardCounters()
  /// The latest end of all spans that came: how far event time has gone. Unix nanoseconds. Records of
  /// traffic do not move it: they come from other clocks, and late.
  private(set) var newestEnd: Nanos = 0
  private var findings: [Finding] = []
  private let sealedBytesMax: Int
  /// What findings that stand may take before closing waits for sealing.
  private let overlayBytesMax: Int

  /// - Parameters:
  ///   - stored: the last checkpoint the store holds.
  ///   - next: the number of the checkpoint to come.
  public init(limits: TraceLimits, stored: UInt64 = 0, next: UInt64 = 1) {
    traces = TraceTable(limits: limits)
    analyser = TraceAnalyser(
      clockSkewNanosMax: limits.clockSkewNanosMax, criticalPathRule: limits.criticalPathRule)
    sealedBytesMax = limits.sealedBytesMax
    overlayBytesMax = limits.bytesMax / 2
    candidates = ExemplarCandidates(bytesMax: limits.exemplarBytesMax)
    windows = ShardWindows(stored: stored, next: next)
  }

  /// Folds a durable batch in.
  /// - Parameter sequence: the batch's number in the journal, which never falls.
  public mutating func fold(_ batch: borrowing SpanBatch, sequence: UInt64, now: Nanos) {
    for index in 0..<batch.count {
      let span = batch.spans[index]
      if span.kind != .traffic { newestEnd = max(newestEnd, span.end) }
      let key = TraceKey(tenant: batch.tenant, trace: batch.traces[index])
      let insertion = traces.insert(span, key: key, sequence: sequence, now: now)
      if insertion == .late {
        countLate(span, tenant: batch.tenant)
        // The sender of the message says nothing any more, but others that took it may.
        if let late = span.late(for: key) {
          let insertion = traces.insert(late.record, key: late.key, sequence: sequence, now: now)
          attend(to: insertion, now: now)
        }
      } else {
        counters.spans &+= 1
        attend(to: insertion, now: now)
      }
    }
    relieve()
  }

  /// Closes what has been idle, seals what has been idle for long; as far as there is room for what
  /// that makes. A trace as it came takes a fraction of its findings, so one that has to wait for the
  /// store waits as it is.
  public mutating func advance(to now: Nanos) {
    while windows.overlayBytes < overlayBytesMax, let slot = traces.nextIdle(now: now) {
      close(slot)
    }
    while !isOverfull, let slot = traces.nextToSeal(now: now) { seal(slot) }
    relieve()
  }

  /// Closes every open trace. Seals none: what arrives later still corrects the graph.
  public mutating func closeAll() {
    while let slot = traces.nextOpen { close(slot) }
  }

  /// Seals every trace, closed or open: for a run that is to leave nothing behind.
  public mutating func sealAll() {
    while let slot = traces.nextOfAll { seal(slot) }
  }

  /// What the traces held take in memory, together with the findings that stand for them.
  public var bytes: Int { traces.bytes + windows.overlayBytes }

  /// How many series of sealed sums wait for the store.
  var sealedSeriesCount: Int { windows.sealedBytes / WindowSums.bytesPerSeries }

  /// Sealed sums wait for the store and leave no room for more: take in nothing until they are
  /// stored.
  public var isOverfull: Bool { windows.sealedBytes > sealedBytesMax }

  public var traceCount: Int { traces.traceCount }

  /// Spans of this trace are late from now on: it was sealed before a restart.
  public mutating func rememberSealed(_ key: TraceKey) { traces.rememberSealed(key) }
}

extension Shard {
  private mutating func attend(to insertion: TraceTable.Insertion, now: Nanos) {
    switch insertion {
    case .inserted, .late: break
    case .due(let slot): look(at: slot, now: now)
    case .complete(let slot): close(slot)
    }
  }

  private mutating func close(_ slot: Int32) {
    replaceStanding(slot)
    traces.close(slot)
    counters.tracesClosed &+= 1
  }

  /// A trace that grows for long is analysed as it is; one that is full is sealed.
  private mutating func look(at slot: Int32, now: Nanos) {
    if traces.isFull(slot) {
      counters.tracesFull &+= 1
      return seal(slot, isCut: true)
    }
    replaceStanding(slot)
    traces.markAnalysed(slot, now: now)
  }

  /// Takes back the findings that stood for a trace and lets those of its present spans stand.
  private mutating func replaceStanding(_ slot: Int32) {
    let (spans, analysed) = traces.spans(of: slot)
    let key = traces.key(of: slot)
    if let analysed { windows.retract(analyse(analysed, key)) }
    windows.stand(analyse(spans, key))
    countCopies()
  }

  /// - Parameter isCut: more of its spans may have been to come.
  private mutating func seal(_ slot: Int32, isCut: Bool = false) {
    let (spans, analysed) = traces.spans(of: slot)
    let key = traces.key(of: slot)
    if let analysed { windows.retract(analyse(analysed, key)) }
    _ = analyse(spans, key)
    counters.skewAdjusted &+= UInt64(analyser.forest.skewedCount)
    counters.skewOverLimit &+= UInt64(analyser.forest.skewOverLimitCount)
    pathLimiter.limit(&findings, of: key.tenant)
    counters.pathsOverflowed = pathLimiter.pathOverflows
    counters.callsOverflowed = pathLimiter.callOverflows
    let isExample = windows.seal(findings)
    countCopies()
    traces.seal(slot)
    if isExample {
      candidates.offer(ExemplarTrace(key: key, spans: spans.withoutLinks, isCut: isCut))
    }
    sealedKeys.append(key)
    counters.tracesSealed &+= 1
  }

  private mutating func relieve() {
    while let slot = traces.nextUnderPressure(besides: windows.overlayBytes) {
      counters.tracesSealedForMemory &+= 1
      seal(slot, isCut: true)
    }
  }

  private mutating func analyse(_ spans: [SpanRecord], _ key: TraceKey) -> [Finding] {
    findings.removeAll(keepingCapacity: true)
    counters.spansAnalysed &+= UInt64(spans.count)
    analyser.analyse(spans, key: key, into: &findings)
    return findings
  }

  private mutating func countLate(_ span: SpanRecord, tenant: TenantID) {
    counters.late &+= 1
    seal(.late, 1, window: span.end, tenant)
  }

  private mutating func countCopies() {
    for copies in traces.takeCopies() {
      counters.duplicates &+= UInt64(copies.count)
      seal(.duplicates, Int64(copies.count), window: copies.traceEnd, copies.tenant)
    }
  }

  private mutating func seal(
    _ field: Counters.Field, _ count: Int64, window: Nanos, _ tenant: TenantID
  ) {
    var sums = Counters()
    sums[field] = count
    windows.seal([
      Finding(
        window: window.floored(to: windowNanos), key: .coverage(tenant), counters: sums)
    ])
  }
}

// What leaves the shard: snapshots for readers, sealed sums for the store.
extension Shard {
  func snapshot() -> WindowsSnapshot { windows.snapshot() }

  var hasUnstoredSums: Bool { windows.hasUnstoredSums || !sealedKeys.isEmpty }

  /// Hands over what was sealed since the last checkpoint.
  /// - Parameter folded: every batch of this shard below this sequence was folded.
  mutating func beginCheckpoint(_ number: UInt64, folded: UInt64) -> ShardCheckpoint {
    defer { sealedKeys.removeAll(keepingCapacity: true) }
    return ShardCheckpoint(
      sums: windows.beginCheckpoint(number), sealed: sealedKeys,
      mark: traces.lowestSequence ?? folded, candidates: candidates.take())
  }

  /// A trace that is in the table still, or was sealed since the last checkpoint.
  mutating func trace(_ key: TraceKey) -> (trace: ExemplarTrace, isSealed: Bool)? {
    if let spans = traces.spans(of: key)?.withoutLinks, !spans.isEmpty {
      return (ExemplarTrace(key: key, spans: spans, isCut: false), false)
    }
    return candidates.trace(key).map { ($0, true) }
  }

  /// Bytes of traces that may turn out to be examples, and how many found no room.
  var candidateFigures: (bytes: Int, dropped: UInt64) { (candidates.bytes, candidates.dropped) }

  mutating func dropGenerations(through checkpoint: UInt64) {
    windows.drop(through: checkpoint)
  }
}

/// One shard's part of a checkpoint.
struct ShardCheckpoint: Sendable {
  var sums: WindowSums
  var sealed: [TraceKey]
  /// The lowest journal sequence this shard still needs.
  var mark: UInt64
  /// Sealed traces that may turn out to be examples.
  var candidates: [ExemplarTrace]
}

/// What happened in a shard since it began. Never falls.
public struct ShardCounters: Sendable, Equatable {
  public var spans: UInt64 = 0
  /// Spans whose trace was sealed before they came.
  public var late: UInt64 = 0
  /// Copies of spans that were there already.
  public var duplicates: UInt64 = 0
  /// Spans analysed, each as often as its trace was: when its findings are taken back as well.
  public var spansAnalysed: UInt64 = 0
  public var tracesClosed: UInt64 = 0
  public var tracesSealed: UInt64 = 0
  /// Traces sealed because they reached their span limit, and because memory asked.
  public var tracesFull: UInt64 = 0
  public var tracesSealedForMemory: UInt64 = 0
  /// Spans of sealed traces that were moved because clocks disagreed, and that would have been moved too
  /// far.
  public var skewAdjusted: UInt64 = 0
  public var skewOverLimit: UInt64 = 0
  /// Steps of paths, and calls of operations, of sealed traces that were not told apart.
  public var pathsOverflowed: UInt64 = 0
  public var callsOverflowed: UInt64 = 0

  public init() {}

  public mutating func add(_ other: ShardCounters) {
    spans &+= other.spans
    late &+= other.late
    duplicates &+= other.duplicates
    spansAnalysed &+= other.spansAnalysed
    tracesClosed &+= other.tracesClosed
    tracesSealed &+= other.tracesSealed
    tracesFull &+= other.tracesFull
    tracesSealedForMemory &+= other.tracesSealedForMemory
    skewAdjusted &+= other.skewAdjusted
    skewOverLimit &+= other.skewOverLimit
    pathsOverflowed &+= other.pathsOverflowed
    callsOverflowed &+= other.callsOverflowed
  }
}
