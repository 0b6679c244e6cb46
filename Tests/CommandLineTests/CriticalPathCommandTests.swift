import Foundation
import Testing

@testable import Commands

private let answer = """
  {"start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:15:00Z","revision":7,
  "entry":"shop/front GET /","traces":90,"requests":100.0,
  "duration_ms":{"mean":80.5,"p50":80,"p90":90,"p95":120,"p99":130,"max":140},
  "paths":[{"path":["shop/front GET /","back\\u001b[2J"],"traces":80,
  "exclusive_ms":{"sum":800,"mean":10,"p50":9,"p95":20,"p99":30},
  "gap_ms":{"sum":8,"mean":0.1,"p50":0.1,"p95":0.2,"p99":0.3},"share":0.75,"error_traces":0,
  "exemplars":[]},
  {"path":["shop/front GET /"],"traces":90,"exclusive_ms":{"sum":1,"mean":2,"p50":2,"p95":4,
  "p99":5},"gap_ms":{"sum":0,"mean":null,"p50":null,"p95":null,"p99":null},"share":0.25,
  "error_traces":0,"exemplars":[]}],
  "entries":[{"entry":"shop/front GET /","service":"shop/front","operation":"GET /",
  "requests":100,"traces":90},{"entry":"shop/front GET /help","service":"shop/front",
  "operation":"GET /help","requests":1,"traces":1}]}
  """

@Suite struct CriticalPathCommandTests {
  /// Scenario: the critical path is asked for as a table.
  /// Guarantees: the entry point, its ways, and which others there are; no control characters.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, answer)
    #expect(await world.run("critical-path", "--service", "front", "--operation", "GET /") == 0)
    #expect(
      world.output == """
        shop/front GET /, 2026-11-23T09:00:00Z – 2026-11-23T09:15:00Z, 90 traces, mean 80.5 ms, p95 120 ms

        SHARE  TRACES  OWN MEAN  OWN P95  GAP MEAN  PATH
        75.0%      80   10.0 ms  20.0 ms    100 µs  shop/front GET / → back�[2J
        25.0%      90   2.00 ms  4.00 ms         –  shop/front GET /

        other entry points: shop/front GET /help

        """)
    #expect(world.requests.first?.url.query()?.contains("operation=GET%20/") == true)
  }

  /// Scenario: folded stacks, a range without traces, an answer that is none, a refusal.
  /// Guarantees: the text as it came; a sentence; 70; 64.
  @Test func others() async {
    let world = FakeWorld()
    world.answer(200, "a;b 5\n")
    #expect(await world.run("critical-path", "--format", "folded") == 0)
    #expect(world.output == "a;b 5\n")
    #expect(world.requests.last?.url.query()?.contains("format=folded") == true)
    world.answer(200, #"{"start":"s","end":"e","entries":[]}"#)
    #expect(await world.run("critical-path") == 0)
    #expect(world.output.hasSuffix("no entry point was seen from s to e\n"))
    world.answer(200, "<html>")
    #expect(await world.run("critical-path") == 70)
    world.answer(404, #"{"detail":"No service."}"#)
    #expect(await world.run("critical-path", "--service", "x") == 64)
  }
}
