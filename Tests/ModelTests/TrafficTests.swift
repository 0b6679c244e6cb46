import Model
import Testing

@Suite("Records of traffic") struct TrafficTests {
  private static let kinds = TrafficSource.allCases.flatMap { source in
    TrafficEnd.allCases.map { TrafficKind(source, recordedBy: $0) }
  }

  /// Scenario: every source at every end.
  /// Guarantees: a number each that stores keep and that leads back; no other number leads anywhere.
  @Test func kindsAreNumbers() {
    #expect(TrafficTests.kinds.map(\.number) == [1, 257, 513, 2, 258, 514])
    for kind in TrafficTests.kinds { #expect(TrafficKind(number: kind.number) == kind) }
    for number: UInt64 in [0, 3, 768, 769, 65_537, .max] {
      #expect(TrafficKind(number: number) == nil)
    }
    #expect(TrafficSource.allCases.map(\.label) == ["access_log", "flow_log"])
  }

  /// Scenario: a record of each kind, with all it can say.
  /// Guarantees: all of it can be read back from the span record it travels as, which is a root of kind
  /// traffic.
  @Test(arguments: kinds) func recordsSayWhatTheyWereMadeOf(kind: TrafficKind) {
    let trace = TraceID(high: 1, low: 6)
    let record = SpanRecord(
      trafficIn: trace, kind, from: NameID(3), to: NameID(4), start: 5, end: 9, bytes: .max,
      clientAddress: NameID(7), serverAddress: NameID(8), traits: .error)
    #expect(record.kind == .traffic && record.id == SpanID(7) && record.isError)
    #expect(record.trafficKind == kind && record.trafficBytes == .max)
    #expect(record.trafficClient == NameID(3) && record.trafficServer == NameID(4))
    #expect(record.trafficClientAddress == NameID(7) && record.trafficServerAddress == NameID(8))
    #expect(record.start == 5 && record.end == 9 && record.weight == SpanRecord.weightOne)
  }

  /// Scenario: contents that differ in a byte, in the tenant, in the source.
  /// Guarantees: each has a trace of its own, the same in every process.
  @Test func tracesComeOfTheContent() {
    func trace(
      _ content: [UInt8], _ tenant: UInt32 = 0, _ source: TrafficSource = .accessLog
    ) -> TraceID {
      TraceID(ofRecord: content.span, tenant: TenantID(tenant), source: source)
    }
    let traces = [
      trace([1]), trace([2]), trace([]), trace([1, 0]), trace([1], 1), trace([1], 0, .flowLog),
    ]
    #expect(Set(traces).count == traces.count)
    #expect(trace([1, 2, 3]) == trace([1, 2, 3]))
    // Journals hold such ids, so they must not change between versions.
    #expect("\(trace([1, 2, 3]))" == "33943f4c3548abeed47a069b910c8bbd")
  }

  /// Scenario: a batch with equal records and spans of one trace, then the next batch of what was sent
  /// together; both again.
  /// Guarantees: equal records become several, spans stay; the second time every id is the same.
  @Test func equalRecordsAreSeveral() {
    let trace = TraceID(high: 1, low: 3)
    let record = SpanRecord(
      trafficIn: trace, TrafficKind(.flowLog, recordedBy: .unknown), from: NameID(1), to: NameID(2),
      start: 0, end: 1, bytes: 1)
    let span = SpanRecord(id: SpanID(1), start: 0, end: 1, service: NameID(1))
    let other = TraceID(high: 9, low: 9)
    func sent() -> [SpanBatch] {
      var counts: [TraceID: UInt64] = [:]
      var first = SpanBatch(
        traces: [trace, other, trace, other], spans: [record, span, record, span])
      var second = SpanBatch(traces: [trace], spans: [record])
      first.tellEqualRecordsApart(&counts)
      second.tellEqualRecordsApart(&counts)
      return [first, second]
    }
    let once = sent()
    #expect(once[0].traces[0] == trace && once[0].traces[1] == other && once[0].traces[3] == other)
    let records = [once[0].traces[0], once[0].traces[2], once[1].traces[0]]
    #expect(Set(records).count == 3)
    #expect(Set([once[0].spans[0].id, once[0].spans[2].id, once[1].spans[0].id]).count == 3)
    #expect(sent() == once)
  }
}
