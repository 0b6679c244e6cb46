import Foundation
import Testing

@testable import Commands

private let id = "0000000000000abc0000000000000002"

private func span(
  _ number: Int, under parent: Int?, at start: Int, _ more: String = "", error: Bool = false
) -> String {
  """
  {"span_id":"s\(number)","parent_span_id":\(parent.map { "\"s\($0)\"" } ?? "null"),
  "service":"shop/s\(number)","version":"","instance":"","operation":"GET /","kind":"server",
  "start_unix_nano":\(1_790_000_000_000_000_000 + start * 1_000_000),"duration_ms":\(90 - start),
  "self_ms":10,"critical_ms":\(number == 3 ? 0 : 8),"error":\(error)\(more)}
  """
}

private func answer(_ spans: [String], count: Int? = nil, state: String = "sealed") -> String {
  """
  {"trace_id":"\(id)","start":"2026-11-23T09:00:00Z","duration_ms":90,"state":"\(state)",
  "complete":\(state == "sealed"),"span_count":\(count ?? spans.count),"truncated":false,
  "spans":[\(spans.joined(separator: ","))],"critical_path":[],"error_path":["s1","s2"]}
  """
}

@Suite struct TraceCommandTests {
  /// Scenario: a trace is asked for as a table; a parent comes after its child; a control character.
  /// Guarantees: spans below their parents with their figures; failures on the error path are marked.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(
      200,
      answer([
        span(1, under: nil, at: 0, error: true), span(4, under: 2, at: 20),
        span(2, under: 1, at: 10, #","peer":"external:x\u001b[2J""#, error: true),
        span(3, under: 1, at: 30, error: true),
      ]))
    #expect(await world.run("trace", id.uppercased()) == 0)
    #expect(
      world.output == """
        \(id), 2026-11-23T09:00:00Z, 90.0 ms, 4 spans

             AT  DURATION     SELF  ON PATH  KIND    FAILED           SPAN
           0 µs   90.0 ms  10.0 ms  8.00 ms  server  failed, on path  shop/s1 GET /
        10.0 ms   80.0 ms  10.0 ms  8.00 ms  server  failed, on path    shop/s2 GET / → external:x�[2J
        20.0 ms   70.0 ms  10.0 ms  8.00 ms  server                       shop/s4 GET /
        30.0 ms   60.0 ms  10.0 ms           server  failed             shop/s3 GET /

        """)
    #expect(world.requests.first?.url.path() == "/api/v1/traces/\(id)")
  }

  /// Scenario: a trace that grows and is not whole, with more spans than are shown; spans in a circle;
  /// very many below one another.
  /// Guarantees: it says so; every span is shown once.
  @Test func strangeTraces() async {
    let world = FakeWorld()
    let circle = [span(1, under: 2, at: 0), span(2, under: 1, at: 1), span(3, under: 3, at: 2)]
    world.answer(200, answer(circle, count: 900, state: "growing"))
    #expect(await world.run("trace", id, "--limit", "3") == 0)
    #expect(world.requests.last?.url.query() == "limit=3")
    #expect(world.output.contains("900 spans, still growing, not complete\n"))
    #expect(world.output.hasSuffix("… and 897 more; --limit says how many are shown\n"))
    for number in 1...3 { #expect(world.output.contains("shop/s\(number) GET /\n")) }
    let deep = (1...3_000).map { span($0, under: $0 == 1 ? nil : $0 - 1, at: 0) }
    world.answer(200, answer(deep))
    #expect(await world.run("trace", id) == 0)
    #expect(world.output.contains("shop/s3000 GET /\n"))
  }

  /// Scenario: JSON; an id that is none; a trace that is not kept; an answer that is no trace.
  /// Guarantees: as it came; 64 without a question; 64 with the server's words; 70.
  @Test func others() async {
    let world = FakeWorld()
    world.answer(200, answer([]))
    #expect(await world.run("trace", id, "--format", "json") == 0)
    #expect(world.output == answer([]) + "\n")
    let asked = world.requests.count
    #expect(await world.run("trace", "../markers") == 64)
    #expect(world.requests.count == asked)
    world.answer(404, #"{"detail":"There is no trace."}"#)
    #expect(await world.run("trace", id) == 64)
    world.answer(200, "{}")
    #expect(await world.run("trace", id) == 70)
  }
}
