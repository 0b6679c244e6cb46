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
  "bands":[{"from_quantile":0,"to_quantile":0.99,"critical_path_ms":1,"share":0.7},
  {"from_quantile":0.99,"to_quantile":1,"critical_path_ms":9,"share":0.99}],
  "exemplars":[]},
  {"path":["shop/front GET /"],"traces":90,"exclusive_ms":{"sum":1,"mean":2,"p50":2,"p95":4,
  "p99":5},"gap_ms":{"sum":0,"mean":null,"p50":null,"p95":null,"p99":null},"share":0.25,
  "error_traces":0,"exemplars":[]}],
  "bands":[{"from_quantile":0,"to_quantile":0.99,"from_ms":0,"to_ms":130,"requests":99},
  {"from_quantile":0.99,"to_quantile":1,"from_ms":130,"to_ms":140,"requests":1}],
  "error_paths":[{"path":["shop/front GET /","back"],"origin":"back","error_traces":3,"errors":3,
  "share":1,"duration_ms":{"sum":240,"mean":80,"p50":80,"p95":90,"p99":90},"exemplars":[]}],
  "entries":[{"entry":"shop/front GET /","service":"shop/front","operation":"GET /",
  "requests":100,"traces":90},{"entry":"shop/front GET /help","service":"shop/front",
  "operation":"GET /help","requests":1,"traces":1}]}
  """

@Suite struct CriticalPathCommandTests {
  /// Scenario: the critical path is asked for as a table.
  /// Guarantees: the entry point, its ways with their part of the slowest requests, the ways of errors,
  /// and which others there are; no control characters.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, answer)
    #expect(await world.run("critical-path", "--service", "front", "--operation", "GET /") == 0)
    #expect(
      world.output == """
        shop/front GET /, 2026-11-23T09:00:00Z – 2026-11-23T09:15:00Z, 90 traces, mean 80.5 ms, p95 120 ms

        SHARE  OF SLOWEST  TRACES  OWN MEAN  OWN P95  GAP MEAN  PATH
        75.0%       99.0%      80   10.0 ms  20.0 ms    100 µs  shop/front GET / → back�[2J
        25.0%           –      90   2.00 ms  4.00 ms         –  shop/front GET /

        slowest: 1 request above p99

        OF ERRORS  TRACES     MEAN  ERROR PATH
             100%       3  80.0 ms  shop/front GET / → back

        other entry points: shop/front GET /help

        """)
    #expect(world.requests.first?.url.query()?.contains("operation=GET%20/") == true)
  }

  /// Scenario: two versions, and two ranges, are compared as a table; what does not go together.
  /// Guarantees: the question as it is asked; what changed most first, with its sign; 64.
  @Test func comparison() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"s","end":"e","comparison":"versions","service":"shop/back","version":"v2",
      "base_version":"v1","entry":"front GET /","base":{"traces":30,"critical_path_ms":25},
      "current":{"traces":10,"critical_path_ms":65},"change_ms":40,"paths":[
      {"path":["front GET /","back","db"],"base":null,"current":{"critical_path_ms":45,
      "share":0.7},"change_ms":45},{"path":["front GET /","back"],"base":{"critical_path_ms":25,
      "share":1},"current":{"critical_path_ms":20,"share":0.3},"change_ms":-5}]}
      """)
    let code = await world.run(
      "critical-path", "--service", "front", "--versions-of", "back", "--version", "v2",
      "--base-version", "v1")
    #expect(code == 0)
    #expect(
      world.output == """
        front GET /, shop/back v1 and v2, s – e
        mean 25.0 ms of 30 traces, then 65.0 ms of 10 traces: +40.0 ms

          CHANGE   BEFORE      NOW  SHARE BEFORE  SHARE NOW  PATH
        +45.0 ms        –  45.0 ms             –      70.0%  front GET / → back → db
        -5.00 ms  25.0 ms  20.0 ms          100%      30.0%  front GET / → back

        """)
    let query = world.requests.first?.url.query() ?? ""
    #expect(query.contains("version=v2&base_version=v1&versions_of=back"))
    world.answer(
      200,
      #"{"start":"s","end":"e","base":{"traces":0,"critical_path_ms":0},"current":{"traces":0,"#
        + #""critical_path_ms":0},"change_ms":0,"paths":[]}"#)
    #expect(await world.run("critical-path", "--base-start", "1700000000") == 0)
    #expect(world.output.hasSuffix("no entry point was seen from s to e\n"))
    #expect(await world.run("critical-path", "--version=v2") == 64)
    #expect(await world.run("critical-path", "--versions-of=a") == 64)
    #expect(await world.run("critical-path", "--base-start=1", "--format=folded") == 64)
    let both = await world.run(
      "critical-path", "--version=v2", "--base-version=v1", "--base-end=1")
    #expect(both == 64)
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
