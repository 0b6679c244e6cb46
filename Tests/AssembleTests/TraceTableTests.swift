import Model
import TestSupport
import Testing

@testable import Assemble

@Suite struct TraceTableTests {
  static let start: Nanos = 1_700_000_000 * .second
  private let start = TraceTableTests.start

  private func limits(_ change: (inout TraceLimits) -> Void = { _ in }) -> TraceLimits {
    var limits = TraceLimits()
    limits.idleNanos = 10 * .second
    limits.maxAgeNanos = 60 * .second
    limits.rememberNanos = 30 * .second
    limits.heldNanosMax = 600 * .second
    change(&limits)
    return limits
  }

  /// Scenario: a trace arrives, is idle, and stays idle.
  /// Guarantees: open until idle for long enough, then closed, then sealed, each at its moment;
  /// late afterwards; nothing is left of it but its id.
  @Test func lifeOfATrace() throws {
    var table = TraceTable(limits: limits())
    #expect(table.nextIdle(now: start) == nil && table.nextToSeal(now: .max) == nil)
    #expect(table.insert(.test(1), key: .test(1), sequence: 5, now: start) == .inserted)
    #expect(table.insert(.test(2), key: .test(1), sequence: 6, now: start + .second) == .inserted)
    #expect(table.traceCount == 1 && table.lowestSequence == 5)

    #expect(table.nextIdle(now: start + 11 * .second - 1) == nil)
    let slot = try present(table.nextIdle(now: start + 11 * .second))
    #expect(table.key(of: slot) == .test(1))
    let open = table.spans(of: slot)
    #expect(open.now == [.test(1), .test(2)] && open.analysed == nil)
    table.close(slot)
    #expect(table.nextIdle(now: .max) == nil && table.nextOpen == nil)
    #expect(table.spans(of: slot).analysed == [.test(1), .test(2)])

    #expect(table.nextToSeal(now: start + 41 * .second - 1) == nil)
    #expect(table.nextToSeal(now: start + 41 * .second) == slot)
    table.seal(slot)
    #expect(table.traceCount == 0 && table.bytes == 0 && table.lowestSequence == nil)
    #expect(table.nextToSeal(now: .max) == nil && table.nextOfAll == nil)
    #expect(table.insert(.test(3), key: .test(1), sequence: 7, now: start) == .late)
    #expect(table.traceCount == 0)
  }

  /// Scenario: a record of traffic arrives, is closed at once, and arrives again; one in a trace that
  /// has spans.
  /// Guarantees: the first is complete as it comes; the copy, and the one in company, wait as spans do.
  @Test func recordsOfTrafficAreComplete() throws {
    var table = TraceTable(limits: limits())
    let trace = TraceID(high: 3, low: 3)
    let key = TraceKey(tenant: .standard, trace: trace)
    let record = SpanRecord(
      trafficIn: trace, TrafficKind(.accessLog, recordedBy: .client), from: NameID(1),
      to: NameID(2), start: 1, end: 2, bytes: 3)
    guard case .complete(let slot) = table.insert(record, key: key, sequence: 1, now: start) else {
      Issue.record("it waits")
      return
    }
    table.close(slot)
    #expect(table.insert(record, key: key, sequence: 2, now: start) == .inserted)
    #expect(table.nextIdle(now: start + 10 * .second) == slot)
    let both = table.spans(of: slot)
    #expect(both.now == [record] && both.analysed == [record])
    #expect(table.takeCopies().map(\.count) == [1])
    _ = table.insert(.test(1), key: .test(1), sequence: 3, now: start)
    #expect(table.insert(record, key: .test(1), sequence: 4, now: start) == .inserted)
  }

  /// Scenario: a span arrives for a closed trace.
  /// Guarantees: open again, and the spans its findings were computed from are kept until it is
  /// analysed anew; it closes only when idle again.
  @Test func reopening() throws {
    var table = TraceTable(limits: limits())
    _ = table.insert(.test(2), key: .test(1), sequence: 1, now: start)
    let slot = try present(table.nextIdle(now: start + 10 * .second))
    _ = table.spans(of: slot)
    table.close(slot)
    let closedBytes = table.bytes
    #expect(
      table.insert(.test(1), key: .test(1), sequence: 2, now: start + 20 * .second) == .inserted)
    #expect(table.bytes > closedBytes)
    let spans = table.spans(of: slot)
    #expect(spans.now == [.test(1), .test(2)] && spans.analysed == [.test(2)])
    #expect(table.nextToSeal(now: start + 40 * .second) == nil)
    #expect(table.nextIdle(now: start + 30 * .second - 1) == nil)
    #expect(table.nextIdle(now: start + 30 * .second) == slot)
    table.close(slot)
    let closed = table.spans(of: slot)
    #expect(closed.now == closed.analysed && closed.now.count == 2)
    #expect(table.lowestSequence == 1)
    table.seal(slot)
    #expect(table.bytes == 0)
  }

  /// Scenario: late spans come one by one, each after the trace was idle again.
  /// Guarantees: analysed four times over, then only when its age has doubled; what waits is sealed in
  /// its time, shown by a flush, and taken first when memory asks; nothing is left of it.
  @Test func postponing() throws {
    var table = TraceTable(limits: limits { $0.heldNanosMax = .hour })
    for id in UInt64(1)...100 {
      _ = table.insert(.test(id), key: .test(1), sequence: 1, now: start)
    }
    var closings: [Nanos] = []
    for round in Nanos(1)...30 {
      let now = start + round * 20 * .second
      if let slot = table.nextIdle(now: now) {
        #expect(table.spans(of: slot).now.count == 99 + Int(round))
        table.close(slot)
        closings.append(round * 20)
      }
      let insertion = table.insert(.test(100 + round), key: .test(1), sequence: 1, now: now)
      if case .due(let slot) = insertion {
        table.markAnalysed(slot, now: now)
        closings.append(round * 20)
      }
    }
    // Four times because it was idle; then at ages about twice the last.
    #expect(closings == [20, 40, 60, 80, 120, 200, 360])
    let last = start + 600 * .second
    #expect(table.nextIdle(now: last + 10 * .second) == nil)
    #expect(table.nextToSeal(now: last + 40 * .second - 1) == nil)
    let slot = try present(table.nextToSeal(now: last + 40 * .second))
    #expect(table.nextOpen == slot && table.nextOfAll == slot)
    let spans = table.spans(of: slot)
    #expect(spans.now.count == 130 && spans.analysed?.count == 117)
    // One more span: open again, with the findings that stood.
    _ = table.insert(.test(200), key: .test(1), sequence: 1, now: last + 11 * .second)
    #expect(table.spans(of: slot).analysed?.count == 117)
    #expect(table.nextToSeal(now: last + 40 * .second) == nil)
    table.seal(slot)
    #expect(table.bytes == 0 && table.nextOfAll == nil && table.lowestSequence == nil)
  }

  /// Scenario: a trace grows without end.
  /// Guarantees: due at its maximal age, then each time its age has doubled; what was analysed is
  /// kept; sealed when held as long as any may be.
  @Test func growingTrace() throws {
    var table = TraceTable(limits: limits())
    var due: [Nanos] = []
    for second in Nanos(0)..<600 {
      let now = start + second * .second
      let span = SpanRecord.test(second + 1)
      guard case .due(let slot) = table.insert(span, key: .test(1), sequence: 1, now: now) else {
        continue
      }
      #expect(table.spans(of: slot).now.count == Int(second) + 1)
      #expect(table.spans(of: slot).analysed?.count == due.last.map { Int($0) + 1 })
      table.markAnalysed(slot, now: now)
      due.append(second)
      #expect(table.spans(of: slot).analysed?.count == Int(second) + 1)
    }
    #expect(due == [60, 120, 240, 480])
    #expect(table.nextIdle(now: start + 600 * .second) == nil)
    let slot = try present(table.nextToSeal(now: start + 600 * .second))
    #expect(table.nextToSeal(now: start + 600 * .second - 1) == nil)
    table.seal(slot)
    #expect(table.bytes == 0 && table.nextOpen == nil)
  }

  /// Scenario: a trace is looked at in the moment it began, or the clock goes back.
  /// Guarantees: no trap, and the next look is not at once again for ever.
  @Test func clockGoingBack() {
    var table = TraceTable(limits: limits { $0.maxAgeNanos = 0 })
    guard case .due(let slot) = table.insert(.test(1), key: .test(1), sequence: 1, now: start)
    else {
      Issue.record("a trace without a maximal age is due at once")
      return
    }
    table.markAnalysed(slot, now: 0)
    #expect(table.insert(.test(2), key: .test(1), sequence: 1, now: 0) == .inserted)
    #expect(
      table.insert(.test(3), key: .test(1), sequence: 1, now: .max) == .due(slot: slot))
    table.markAnalysed(slot, now: .max)
    #expect(table.nextIdle(now: 0) == nil && table.nextToSeal(now: 0) == nil)
  }

  /// Scenario: a trace reaches the number of spans any may have.
  /// Guarantees: due and full from that span on, and not one span before.
  @Test func fullTrace() {
    var table = TraceTable(limits: limits { $0.spansPerTraceMax = 100 })
    for id in UInt64(1)..<100 {
      #expect(table.insert(.test(id), key: .test(1), sequence: 1, now: start) == .inserted)
    }
    guard case .due(let slot) = table.insert(.test(100), key: .test(1), sequence: 1, now: start)
    else {
      Issue.record("a full trace is due")
      return
    }
    let isFull = table.isFull(slot)
    #expect(isFull && table.spans(of: slot).now.count == 100)
    table.seal(slot)
    #expect(table.insert(.test(101), key: .test(1), sequence: 2, now: start) == .late)
  }

  /// Scenario: a sender repeats the spans of a trace that lacks but one span to be full.
  /// Guarantees: copies do not fill it; they are looked for once in a while, not for each; the span
  /// that fills it is noticed soon.
  @Test func copiesDoNotFill() throws {
    var table = TraceTable(limits: limits { $0.spansPerTraceMax = 100 })
    for id in UInt64(1)...99 {
      _ = table.insert(.test(id), key: .test(1), sequence: 1, now: start)
    }
    for round in UInt64(0)..<5000 {
      let span = SpanRecord.test(1 + round % 99)
      #expect(table.insert(span, key: .test(1), sequence: 1, now: start) == .inserted)
      #expect(table.spanCount <= 99 + 99 / 8 + 1)
    }
    #expect(table.takeCopies().count < 5000 / 10)
    let slot = try present(table.nextOpen)
    var isFull = table.isFull(slot)
    #expect(!isFull)
    var isDue = false
    for id in UInt64(100)...115 where !isDue {
      isDue = table.insert(.test(id), key: .test(1), sequence: 1, now: start) == .due(slot: slot)
    }
    isFull = table.isFull(slot)
    #expect(isDue && isFull)
  }

  /// Scenario: traces may have very few spans.
  /// Guarantees: they are full with these.
  @Test(arguments: [1, 2, 31, 33]) func smallLimits(spansMax: Int) {
    var table = TraceTable(limits: limits { $0.spansPerTraceMax = spansMax })
    for id in UInt64(1)...UInt64(spansMax) {
      let insertion = table.insert(.test(id), key: .test(1), sequence: 1, now: start)
      #expect((insertion == .inserted) == (id < spansMax))
    }
  }

  /// Scenario: a sender repeats its spans, some corrected, in random order.
  /// Guarantees: the same spans stay and the same number of copies is counted, whatever the order.
  @Test func copiesAreOrderIndependent() throws {
    var random = SeededGenerator()
    let originals = (0..<80).map { SpanRecord.test(UInt64(1 + $0)) }
    let corrected = (0..<40).map { index -> SpanRecord in
      var span = originals[index]
      span.end += UInt64(index)
      return span
    }
    let arrivals = originals + originals + corrected
    var expected: [SpanRecord]?
    for _ in 0..<20 {
      var table = TraceTable(limits: limits())
      for span in arrivals.shuffled(using: &random) {
        _ = table.insert(span, key: .test(1, tenant: 3), sequence: 1, now: start)
      }
      let slot = try present(table.nextOpen)
      let spans = table.spans(of: slot).now
      let copies = table.takeCopies()
      #expect(copies.reduce(0) { $0 + $1.count } == arrivals.count - originals.count)
      #expect(copies.allSatisfy { $0.tenant == TenantID(3) && $0.count > 0 })
      #expect(copies.last?.traceEnd == spans.map(\.end).max())
      #expect(table.takeCopies().isEmpty)
      #expect(spans == expected ?? spans && spans.count == 80 && table.spanCount == 80)
      expected = spans
    }
  }

  /// Scenario: copies of one span by the thousand.
  /// Guarantees: they are dropped as they come: the table holds a few, not all.
  @Test func copiesAreDroppedAsTheyCome() {
    var table = TraceTable(limits: limits())
    for _ in 0..<5000 {
      _ = table.insert(.test(1), key: .test(1), sequence: 1, now: start)
      #expect(table.spanCount <= 32)
    }
    let copies = table.takeCopies().reduce(0) { $0 + $1.count }
    #expect(copies + table.spanCount == 5000)
  }

  /// Scenario: more arrives than memory may hold, and the caller seals what it is told to.
  /// Guarantees: at the limit after every span; closed traces go first, the longest idle before.
  @Test func memoryPressure() throws {
    var random = SeededGenerator()
    let bytesMax = 64 << 10
    var table = TraceTable(limits: limits { $0.bytesMax = bytesMax })
    var sealedCount = 0
    for step in 0..<20_000 {
      let now = start + Nanos(step) * .millisecond
      let key = TraceKey.test(UInt64(random.below(400)))
      let span = SpanRecord.test(UInt64(1 + random.below(1000)))
      if case .due(let slot) = table.insert(span, key: key, sequence: UInt64(step), now: now) {
        table.markAnalysed(slot, now: now)
      }
      if random.once(in: 50), let slot = table.nextOpen {
        _ = table.spans(of: slot)
        table.close(slot)
      }
      while let slot = table.nextUnderPressure() {
        #expect(table.bytes > bytesMax)
        table.seal(slot)
        sealedCount += 1
      }
      #expect(table.bytes <= bytesMax)
    }
    #expect(sealedCount > 0)

    var small = TraceTable(limits: limits { $0.bytesMax = 0 })
    for id: UInt64 in [1, 2, 3] {
      _ = small.insert(.test(1), key: .test(id), sequence: id, now: start + id)
    }
    let second = try present(small.slot(.test(2)))
    _ = small.spans(of: second)
    small.close(second)
    var order: [TraceKey] = []
    while let slot = small.nextUnderPressure() {
      order.append(small.key(of: slot))
      small.seal(slot)
    }
    #expect(order == [.test(2), .test(1), .test(3)])
  }

  /// Scenario: one trace alone takes more than memory may hold.
  /// Guarantees: it is the one to be sealed.
  @Test func oneTraceTooLarge() {
    var table = TraceTable(limits: limits { $0.bytesMax = 2000 })
    for id in UInt64(1)...100 where table.traceCount > 0 || id < 30 {
      _ = table.insert(.test(id), key: .test(1), sequence: 1, now: start)
      if let slot = table.nextUnderPressure() { table.seal(slot) }
      #expect(table.bytes <= 2000)
    }
    #expect(table.traceCount == 0)
  }

  /// Scenario: a flush closes everything, a shutdown seals everything.
  /// Guarantees: all traces are handed out, each once, in the order of their last span.
  @Test func flushAndShutdown() {
    var table = TraceTable(limits: limits())
    for id in UInt64(1)...5 { _ = table.insert(.test(1), key: .test(id), sequence: id, now: start) }
    _ = table.insert(.test(2), key: .test(1), sequence: 9, now: start + 1)
    var closed: [TraceKey] = []
    while let slot = table.nextOpen {
      _ = table.spans(of: slot)
      closed.append(table.key(of: slot))
      table.close(slot)
    }
    #expect(closed == [2, 3, 4, 5, 1].map { .test($0) })
    _ = table.insert(.test(2), key: .test(3), sequence: 10, now: start + 2)
    var sealed: [TraceKey] = []
    while let slot = table.nextOfAll {
      sealed.append(table.key(of: slot))
      table.seal(slot)
    }
    #expect(sealed == [2, 4, 5, 1, 3].map { .test($0) })
    #expect(table.traceCount == 0 && table.bytes == 0)
  }

  /// Scenario: traces begin and are sealed in random order, slots are used again.
  /// Guarantees: the lowest sequence is that of the oldest trace still held.
  @Test func lowestSequence() {
    var random = SeededGenerator()
    var table = TraceTable(limits: limits { $0.sealedTracesRemembered = 1 })
    var held: [UInt64: UInt64] = [:]
    for sequence in UInt64(1)...2000 {
      let id = UInt64(random.below(60))
      let insertion = table.insert(.test(sequence), key: .test(id), sequence: sequence, now: start)
      if insertion != .late, held[id] == nil { held[id] = sequence }
      if random.once(in: 3), let victim = held.keys.sorted().randomElement(using: &random),
        let slot = table.slot(.test(victim))
      {
        table.seal(slot)
        held[victim] = nil
      }
      #expect(table.lowestSequence == held.values.min())
      #expect(table.traceCount == held.count)
    }
    #expect(table.slots.count <= 60)
  }

  /// Scenario: seals are replayed after a restart; more traces are sealed than are remembered.
  /// Guarantees: replayed ones are late; the oldest are forgotten first and begin anew.
  @Test func rememberedTraces() throws {
    var table = TraceTable(limits: limits { $0.sealedTracesRemembered = 3 })
    for id in UInt64(1)...3 { table.rememberSealed(.test(id)) }
    table.rememberSealed(.test(3))
    for id in UInt64(1)...3 {
      #expect(table.insert(.test(1), key: .test(id), sequence: 1, now: start) == .late)
    }
    #expect(table.insert(.test(1), key: .test(1, tenant: 1), sequence: 1, now: start) == .inserted)
    table.seal(try present(table.nextOfAll))
    #expect(table.insert(.test(1), key: .test(1), sequence: 1, now: start) == .inserted)
    #expect(table.insert(.test(1), key: .test(2), sequence: 1, now: start) == .late)
  }

  /// Scenario: random spans, clocks and decisions, as a shard would make them.
  /// Guarantees: what stands, taken back and added as the table says, is at last one analysis of
  /// all the spans of each trace; no byte is left in the count.
  @Test func standingAnalysesAddUp() throws {
    var random = SeededGenerator()
    var table = TraceTable(limits: limits { $0.spansPerTraceMax = 60 })
    var all: [TraceKey: Set<SpanRecord>] = [:]
    var standing: [TraceKey: [SpanRecord]] = [:]
    var sealed: [TraceKey: [SpanRecord]] = [:]
    var now = start

    func look(_ slot: Int32, _ table: inout TraceTable) {
      let key = table.key(of: slot)
      let spans = table.spans(of: slot)
      #expect(standing[key] == spans.analysed, "what is taken back is what was added")
      standing[key] = spans.now
    }
    func seal(_ slot: Int32, _ table: inout TraceTable) {
      look(slot, &table)
      sealed[table.key(of: slot)] = standing.removeValue(forKey: table.key(of: slot))
      table.seal(slot)
    }

    for _ in 0..<6000 {
      now += random.anyMagnitude() % (20 * .second) / 8
      let key = TraceKey.test(UInt64(random.below(40)))
      let span = SpanRecord.test(UInt64(1 + random.below(90)))
      switch table.insert(span, key: key, sequence: 1, now: now) {
      case .late: #expect(sealed[key] != nil)
      case .inserted: all[key, default: []].insert(span)
      case .due(let slot):
        all[key, default: []].insert(span)
        if table.spans(of: slot).now.count >= 60 {
          seal(slot, &table)
        } else {
          look(slot, &table)
          table.markAnalysed(slot, now: now)
        }
      case .complete: Issue.record("a span is never all there is")
      }
      while let slot = table.nextIdle(now: now) {
        look(slot, &table)
        table.close(slot)
      }
      while let slot = table.nextToSeal(now: now) { seal(slot, &table) }
      if sealed.count == 40 { break }
    }
    while let slot = table.nextOfAll { seal(slot, &table) }
    #expect(standing.isEmpty && table.bytes == 0 && table.placesStanding == 0)
    #expect(sealed.mapValues { Set($0) } == all)
  }
}

/// Requires a value that was asked of a table: requirements take no values that cannot be copied.
private func present<Value>(_ value: Value?) throws -> Value { try #require(value) }

extension TraceTable {
  func slot(_ key: TraceKey) -> Int32? { index.find(key, in: slots) }
}

extension TraceKey {
  static func test(_ low: UInt64, tenant: UInt32 = 0) -> TraceKey {
    TraceKey(tenant: TenantID(tenant), trace: TraceID(high: 0, low: low))
  }
}

extension SpanRecord {
  static func test(_ id: UInt64) -> SpanRecord {
    SpanRecord(
      id: SpanID(id), start: TraceTableTests.start, end: TraceTableTests.start + id,
      service: NameID(1))
  }
}

extension TraceTable {
  /// Spans of all traces, copies included.
  fileprivate var spanCount: Int { slots.reduce(0) { $0 + $1.spans.count } }
}
