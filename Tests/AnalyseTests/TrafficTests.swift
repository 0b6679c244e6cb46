import Model
import TestSupport
import Testing

@testable import Analyse

@Suite("What records of traffic say") struct TrafficTests {
  private let key = TraceKey(tenant: .standard, trace: TraceID(high: 1, low: 1))
  private let client = NameID(11)
  private let server = NameID(12)
  private static let start: Nanos = 1_700_000_065 * .second

  private func record(
    _ kind: TrafficKind = TrafficKind(.accessLog, recordedBy: .client), bytes: UInt64 = 500,
    from client: NameID? = nil, to server: NameID? = nil,
    addresses: (NameID, NameID) = (.none, .none),
    traits: SpanTraits = []
  ) -> SpanRecord {
    SpanRecord(
      trafficIn: key.trace, kind, from: client ?? self.client, to: server ?? self.server,
      start: TrafficTests.start, end: TrafficTests.start + 30 * .millisecond, bytes: bytes,
      clientAddress: addresses.0, serverAddress: addresses.1, traits: traits)
  }

  private func findings(_ spans: [SpanRecord]) -> [Finding] {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(spans, key: key, into: &findings)
    return findings
  }

  /// Scenario: a call out of an access log, and a failed one.
  /// Guarantees: one finding, in the window in which it ended: a record, its bytes, its time, its
  /// failure; no node, edge or coverage is touched.
  @Test func calls() {
    for isFailed in [false, true] {
      let found = findings([record(traits: isFailed ? .error : [])])
      #expect(found.count == 1)
      #expect(found[0].window == TrafficTests.start.floored(to: 10 * .second))
      #expect(
        found[0].key
          == .traffic(from: client, to: server, TrafficKind(.accessLog, recordedBy: .client)))
      var counters = Counters()
      counters[.requests] = 1
      counters[.requestsAdjusted] = 256
      counters[.bytes] = 500
      if isFailed {
        counters[.errors] = 1
        counters[.errorsAdjusted] = 256
      }
      #expect(found[0].counters == counters)
      #expect(found[0].latency == 30 * .millisecond && found[0].exemplar == nil)
    }
  }

  /// Scenario: a record without a duration, a flow, and a claim of more bytes than there are.
  /// Guarantees: no latency is made up; the claim is cut to what sums bear.
  @Test func whatIsNotKnown() {
    #expect(findings([record(traits: .endBeforeStart)])[0].latency == nil)
    let flow = findings([record(TrafficKind(.flowLog, recordedBy: .unknown), bytes: .max)])
    #expect(flow[0].latency == nil && flow[0].counters[.bytes] == 1 << 50)
  }

  /// Scenario: records that name one side only, or none.
  /// Guarantees: counted under their reason and nowhere else.
  @Test func nobodyOnTheOtherSide() {
    for spans in [
      [record(from: NameID.none)], [record(to: NameID.none)],
      [record(from: NameID.none, to: NameID.none)],
    ] {
      let found = findings(spans)
      #expect(found.map(\.key) == [.unpaired(.standard, .trafficWithoutPeer)])
      #expect(found[0].counters[.requests] == 1)
    }
  }

  /// Scenario: a record that says where both ends are; one whose names found no room.
  /// Guarantees: the locations by the minute; the overflow under its limit.
  @Test func locationsAndOverflow() {
    let found = findings([record(addresses: (NameID(21), NameID(22)))])
    #expect(
      found.dropFirst().map(\.key) == [
        .location(of: client, at: NameID(21)), .location(of: server, at: NameID(22)),
      ])
    #expect(found.dropFirst().allSatisfy { $0.window == TrafficTests.start.floored(to: .minute) })
    let full = findings([record(traits: [.overflow(.external), .overflow(.client)])])
    #expect(
      full.map(\.key).prefix(2) == [
        .overflow(.standard, .external), .overflow(.standard, .client),
      ])
    #expect(full.count == 3)
  }

  /// Scenario: a record sent three times; a record beside spans under an id chosen for it, in any order.
  /// Guarantees: counted once; the spans say what they say without it.
  @Test func copiesAndCompany() {
    var random = SeededGenerator()
    let record = record()
    let spans = (UInt64(1)...6).map { index -> SpanRecord in
      let end = TrafficTests.start + index * .millisecond
      return SpanRecord(
        id: SpanID(index), parent: SpanID(index / 2), start: TrafficTests.start, end: end,
        service: NameID(1 + index % 3), kind: index % 2 == 0 ? .client : .server)
    }
    let alone = findings(spans)
    let own = findings([record])
    for _ in 0..<10 {
      var mixed = spans + [record, record, record]
      for index in mixed.indices {
        mixed.swapAt(index, random.below(mixed.count))
      }
      var sums = WindowSums()
      var expected = WindowSums()
      sums.add(findings(mixed))
      expected.add(alone + own)
      #expect(sums.hasSameCounts(as: expected), "seed \(random.seed)")
    }
    var analyser = TraceAnalyser()
    var none: [Finding] = []
    #expect(analyser.analyse([record, record, record], key: key, into: &none) == 2)
  }
}
