import Model
import TestSupport
import Testing

@Suite struct SpanRecordTests {
  /// Scenario: random spans that differ in few fields are compared in pairs and triples.
  /// Guarantees: a total order: exactly one of before, after, equal; and no circles.
  @Test func precedesIsATotalOrder() {
    var random = SeededGenerator()
    let spans = (0..<60).map { _ in random.nearlyEqualSpan() }
    for a in spans {
      for b in spans {
        let count = [a.precedes(b), b.precedes(a), a == b].count { $0 }
        #expect(count == 1)
        for c in spans.prefix(20) where a.precedes(b) && b.precedes(c) {
          #expect(a.precedes(c))
        }
      }
    }
  }

  /// Scenario: copies of one span that differ in each field.
  /// Guarantees: id, kind and service are its identity; of the rest, later end then later start
  /// stay.
  @Test func identity() {
    let span = SpanRecord(id: SpanID(1), start: 5, end: 9, service: NameID(1), kind: .client)
    var other = span
    other.end = 10
    other.start = 0
    #expect(span.hasSameIdentity(as: other) && span.precedes(other))
    other = span
    other.start = 6
    #expect(span.precedes(other))
    for change: (inout SpanRecord) -> Void in [
      { $0.id = SpanID(2) }, { $0.kind = .server }, { $0.service = NameID(2) },
    ] {
      var different = span
      change(&different)
      #expect(!span.hasSameIdentity(as: different))
    }
    for change: (inout SpanRecord) -> Void in [
      { $0.parent = SpanID(1) }, { $0.version = NameID(1) }, { $0.instance = NameID(1) },
      { $0.operation = NameID(1) }, { $0.peer = NameID(1) }, { $0.weight = 257 },
      { $0.traits = .error }, { $0.links = 1 },
    ] {
      var copy = span
      change(&copy)
      #expect(span.hasSameIdentity(as: copy) && span.precedes(copy) && !copy.precedes(span))
    }
  }

  /// Scenario: span kinds as numbers of the wire.
  /// Guarantees: the five known ones; everything else is internal.
  @Test func kinds() {
    for (number, kind): (Int64, SpanKind) in [
      (1, .internal), (2, .server), (3, .client), (4, .producer), (5, .consumer), (0, .internal),
      (6, .internal), (7, .internal), (-1, .internal), (.max, .internal), (.min, .internal),
      (259, .internal),
    ] {
      #expect(SpanKind(number: number) == kind)
    }
    #expect(SpanKind.allCases.filter(\.isEntry) == [.server, .consumer])
    #expect(SpanKind.allCases.filter(\.isExit) == [.client, .producer])
  }

  /// Scenario: a span whose end lies before its start, and an error.
  /// Guarantees: no trap: the duration is 0; traits are told apart.
  @Test func durationAndError() {
    var span = SpanRecord(id: SpanID(1), start: 9, end: 5, service: NameID(1))
    #expect(span.durationNanos == 0 && !span.isError && span.weight == 256)
    span.end = .max
    #expect(span.durationNanos == Nanos.max - 9)
    span.traits = [.error, .proxy]
    #expect(span.isError)
    let traits: [SpanTraits] = [
      .error, .proxy, .upstreamIsOwnApplication, .peerIsLocalHost, .endBeforeStart, .database,
      .messaging, .outboundProxy,
    ]
    #expect(traits.map(\.rawValue) == (0..<8).map { 1 << $0 })
  }
}

@Suite struct SpanBatchTests {
  /// Scenario: spans of several traces are appended.
  /// Guarantees: each stays with its trace.
  @Test func tracesAreParallel() {
    var batch = SpanBatch()
    #expect(batch.isEmpty)
    for index in 1...3 {
      batch.append(
        SpanRecord(id: SpanID(UInt64(index)), start: 0, end: 1, service: NameID(1)),
        trace: TraceID(high: 0, low: UInt64(index)))
    }
    #expect(batch.count == 3 && !batch.isEmpty)
    #expect(zip(batch.traces, batch.spans).allSatisfy { $0.low == $1.id.raw })
    #expect(SpanBatch(traces: batch.traces, spans: batch.spans) == batch)
  }

  /// Scenario: a batch with a trace missing.
  /// Guarantees: that is a programming error and stops.
  @Test func lengthsMustAgree() async {
    await #expect(processExitsWith: .failure) {
      _ = SpanBatch(traces: [TraceID(high: 0, low: 1)], spans: [])
    }
  }
}

@Suite struct PartitionTests {
  /// Scenario: ids as senders make them: random, counting, with a time in front, of many tenants.
  /// Guarantees: every partition takes its share, within a third of the mean.
  @Test func tracesSpread() {
    var random = SeededGenerator()
    let time: UInt64 = 0x6541_2B00 << 32
    let makers: [(inout SeededGenerator, UInt64) -> TraceKey] = [
      { random, _ in TraceKey(low: random.next(), high: random.next()) },
      { _, index in TraceKey(low: index, high: 0) },
      { _, index in TraceKey(low: 0, high: index) },
      { random, index in TraceKey(low: random.next(), high: time | index << 32) },
      { _, index in TraceKey(low: 7, high: 9, tenant: UInt32(index)) },
    ]
    for make in makers {
      var counts = Array(repeating: 0, count: Partition.count)
      for index in 0..<UInt64(64_000) { counts[Partition.of(make(&random, index))] += 1 }
      #expect(counts.allSatisfy { $0 > 667 && $0 < 1333 }, "\(counts.min()!)…\(counts.max()!)")
    }
  }

  /// Scenario: fixed keys.
  /// Guarantees: their partitions do not change between versions, because journals refer to them.
  @Test func partitionsAreStable() {
    #expect(Partition.count == 64)
    let keys: [(TraceKey, Int)] = [
      (TraceKey(low: 0, high: 0), 0),
      (TraceKey(low: 1, high: 0), 42),
      (TraceKey(low: 0, high: 1), 47),
      (TraceKey(low: 0x8448_EB21_1C80_319C, high: 0x0AF7_6519_16CD_43DD), 34),
      (TraceKey(low: 0x8448_EB21_1C80_319C, high: 0x0AF7_6519_16CD_43DD, tenant: 1), 59),
    ]
    for (key, partition) in keys { #expect(Partition.of(key) == partition) }
  }
}

extension TraceKey {
  init(low: UInt64, high: UInt64, tenant: UInt32 = 0) {
    self.init(tenant: TenantID(tenant), trace: TraceID(high: high, low: low))
  }
}

extension SeededGenerator {
  /// A span of which every field has two values only.
  mutating func nearlyEqualSpan() -> SpanRecord {
    SpanRecord(
      id: SpanID(UInt64(1 + below(2))), parent: SpanID(UInt64(below(2))), start: UInt64(below(2)),
      end: UInt64(2 + below(2)), service: NameID(UInt64(1 + below(2))),
      version: NameID(UInt64(below(2))), instance: NameID(UInt64(below(2))),
      operation: NameID(UInt64(below(2))), peer: NameID(UInt64(below(2))),
      peerAddress: NameID(UInt64(below(2))), weight: UInt32(256 + below(2)),
      kind: once(in: 2) ? .client : .server,
      traits: once(in: 2) ? .error : [])
  }
}
