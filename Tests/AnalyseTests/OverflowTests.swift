import Model
import Testing

@testable import Analyse

@Suite struct OverflowTests {
  /// Scenario: a trace in which one span's operation and another's peer found no room.
  /// Guarantees: each is counted once under its own limit, in the window in which the span ended.
  @Test func spansUnderOverflowAreCountedByLimit() {
    let service = NameID(7)
    let start = 100 * Nanos.second
    let spans = [
      SpanRecord(
        id: SpanID(1), start: start, end: start + 5, service: service, operation: NameID(8),
        kind: .server, traits: .overflow(.operation)),
      SpanRecord(
        id: SpanID(2), parent: SpanID(1), start: start, end: start + 4, service: service,
        operation: NameID(9), peer: NameID(10), kind: .client,
        traits: [.overflow(.operation), .overflow(.external)]),
    ]
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    let key = TraceKey(tenant: TenantID(3), trace: TraceID(high: 1, low: 1))
    analyser.analyse(spans, key: key, into: &findings)
    var sums = WindowSums()
    sums.add(findings)
    let window = sums.windows[start]
    func count(_ kind: NameKind) -> Int64? {
      window?.series[.overflow(TenantID(3), kind)]?.counters[.requests]
    }
    #expect(count(.operation) == 2)
    #expect(count(.external) == 1)
    #expect(count(.service) == nil)
  }
}
