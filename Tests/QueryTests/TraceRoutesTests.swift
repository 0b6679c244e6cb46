import Foundation
import Graph
import Model
import Testing

@testable import Query

@Suite struct TraceRoutesTests {
  /// A chain of spans, a second each shorter than the one before; the last two failed.
  static func view(spans count: Int) -> TraceView {
    let epoch = 1_790_000_000 * Nanos.second
    let spans = (1...UInt64(count)).map { number in
      TraceView.Span(
        id: SpanID(number), parent: SpanID(number - 1), service: "shop/front", version: "v1",
        operation: "GET /", kind: .server, start: epoch + number, end: epoch + .second,
        own: 2 * .millisecond, critical: number == 1 ? .millisecond : 0,
        isError: number + 1 >= count)
    }
    return TraceView(
      trace: TraceID(high: 0xABC, low: UInt64(count)), state: .sealed, isComplete: true,
      spans: spans, rule: .wallclock,
      criticalPath: [.init(span: SpanID(1), start: epoch + 1, end: epoch + .second)],
      errorPath: [SpanID(UInt64(count) - 1), SpanID(UInt64(count))])
  }

  /// Scenario: a trace that is kept.
  /// Guarantees: what it is and each span, in the units the names say; ids of either case.
  @Test func show() async throws {
    let fixture = QueryFixture()
    let view = TraceRoutesTests.view(spans: 2)
    fixture.backend.state.withLock { $0.traces[view.trace] = view }
    let path = "/api/v1/traces/\(view.trace)"
    let answer = try await fixture.ask(path)
    #expect(
      answer.text == """
        {"trace_id":"\(view.trace)","start":"2026-09-21T14:13:20.000000001Z",\
        "duration_ms":999.999999,"state":"sealed","complete":true,"span_count":2,\
        "truncated":false,"spans":[{"span_id":"0000000000000001","parent_span_id":null,\
        "service":"shop/front","version":"v1","instance":"","operation":"GET /","kind":"server",\
        "start_unix_nano":1790000000000000001,"duration_ms":999.999999,"self_ms":2.0,\
        "critical_ms":1.0,"error":true},{"span_id":"0000000000000002",\
        "parent_span_id":"0000000000000001","service":"shop/front","version":"v1","instance":"",\
        "operation":"GET /","kind":"server","start_unix_nano":1790000000000000002,\
        "duration_ms":999.999998,"self_ms":2.0,"critical_ms":0.0,"error":true}],\
        "rule":"wallclock","critical_path":[{"span_id":"0000000000000001",\
        "start_unix_nano":1790000000000000001,"end_unix_nano":1790000001000000000}],\
        "error_path":["0000000000000001","0000000000000002"]}
        """)
    #expect(
      try await fixture.ask(path.uppercased().replacing("/API/V1/TRACES", with: "/api/v1/traces"))
        .status == .ok)
  }

  /// Scenario: a trace with very many spans.
  /// Guarantees: as many as are asked for, a thousand unless said otherwise, and the count of all.
  @Test func manySpans() async throws {
    let fixture = QueryFixture()
    let view = TraceRoutesTests.view(spans: 30_000)
    fixture.backend.state.withLock { $0.traces[view.trace] = view }
    for (query, count) in [("", 1_000), ("?limit=7", 7), ("?limit=10000", 10_000)] {
      let json = try await fixture.ask("/api/v1/traces/\(view.trace)\(query)").json()
      #expect((json["spans"] as? [Any])?.count == count)
      #expect(json["span_count"] as? Int == 30_000 && json["truncated"] as? Bool == true)
    }
    let problem = try await fixture.ask("/api/v1/traces/\(view.trace)?limit=10001")
    #expect(problem.status == .badRequest)
    #expect(try problem.fieldErrors().keys.sorted() == ["limit"])
  }

  /// Scenario: a trace nobody kept; ids that are none.
  /// Guarantees: 404 that says which traces are kept; 400 that says what an id is.
  @Test func others() async throws {
    let fixture = QueryFixture()
    let unknown = try await fixture.ask("/api/v1/traces/\(TraceID(high: 1, low: 2))")
    #expect(unknown.status == .notFound)
    let json = try unknown.json()
    #expect(json["type"] as? String == "urn:spangate:problem:unknown-trace")
    #expect((json["detail"] as? String)?.contains("limits.exemplars_bytes") == true)
    for id in ["12", "zz" + String(repeating: "0", count: 30), String(repeating: "0", count: 33)] {
      let answer = try await fixture.ask("/api/v1/traces/\(id)")
      #expect(answer.status == .badRequest)
      #expect(try answer.fieldErrors() == ["trace_id": "Must be 32 hexadecimal digits."])
    }
  }
}
