import Foundation
import Testing

@testable import Commands

private let answer = """
  {"marker":{"id":"mk_0123456789abcdef","kind":"deployment","service":"checkout","version":"v42",
  "time":"t"},"service":"shop/checkout","environment":null,"assessment":"no_worse",
  "verdict":"promote","confidence":0.99,"comparison":"concurrent","reasons":["all is well\\u001b"],
  "before":{"start":"a","end":"b"},"during":null,"after":{"start":"b","end":"c"},"metrics":[
  {"metric":"error_rate","before":0.01,"during":null,"after":0.02,"effect_kind":"difference",
  "effect":0.01,"interval":[-0.01,0.03],"decision":"undecided"},
  {"metric":"latency_p95_ms","before":100,"during":null,"after":150,"effect_kind":"ratio",
  "effect":1.5,"interval":[1.2,null],"decision":"harmed"}],"evidence":[],
  "affected":[{"service":"shop/front","latency_before_ms":200,"latency_after_ms":260,
  "error_rate_before":0,"error_rate_after":null}],"causes":[],"data_until":null}
  """

@Suite struct ImpactCommandTests {
  /// Scenario: the impact of a marker as a table, as JSON and as a page; an answer that is none; a
  /// marker nobody knows.
  /// Guarantees: the assessment, reasons, figures with their effect, and those upstream; the page is
  /// asked for and printed as it is; 70; 64 with what the server said.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, answer)
    #expect(await world.run("impact", "mk_0123456789abcdef", "--environment", "prod") == 0)
    #expect(
      world.output == """
        no worse  deployment v42 of shop/checkout at t
        the gate says promote

        - all is well�

        METRIC       BEFORE  DURING   AFTER  EFFECT         INTERVAL  DECISION
        error rate    1.00%       –   2.00%  +1.00%  -1.00% – +3.00%  undecided
        latency p95  100 ms       –  150 ms  +50.0%       +20.0% – ?  harmed

        UPSTREAM    LATENCY BEFORE   SINCE  ERRORS BEFORE  SINCE
        shop/front          200 ms  260 ms             0%      –

        """)
    let url = world.requests.first?.url
    #expect(url?.path() == "/api/v1/markers/mk_0123456789abcdef/impact")
    #expect(url?.query() == "environment=prod")
    world.answer(200, "# deployment\n")
    #expect(await world.run("impact", "mk_1", "--format", "markdown") == 0)
    #expect(world.requests.last?.url.query() == "format=markdown")
    #expect(world.output.hasSuffix("# deployment\n"))
    world.answer(200, answer)
    #expect(await world.run("impact", "mk_1", "--format", "json") == 0)
    world.answer(200, "<html>")
    #expect(await world.run("impact", "mk_1") == 70)
    world.answer(404, #"{"detail":"There is no marker mk_1."}"#)
    #expect(await world.run("impact", "mk_1") == 64)
    #expect(world.errors.contains("There is no marker mk_1"))
  }

  /// Scenario: the week of a service as a table and as a page, with a range; without a namespace; with
  /// both a marker and a service, with neither, and with a range but no service.
  /// Guarantees: the right address is asked; deployments, standings and levels are shown without control
  /// characters; what contradicts itself is 64.
  @Test func weekly() async {
    let week = """
      {"service":"shop/cart","environment":null,"start":"a","end":"b",
      "begin_standing":{"health":100,"error_rate":0,"latency_p95_ms":20,"latency_p99_ms":21,
      "objective_met":true},"end_standing":{"health":null,"error_rate":null,"latency_p95_ms":null,
      "latency_p99_ms":null},"deployments":[{"marker":{"id":"mk_1","kind":"deployment",
      "service":"cart","version":"v42\\u001b","time":"t"},"verdict":"rollback","outcome":"worse",
      "rolled_back":true,"metrics":[]}],"rollbacks":1,"worst":"mk_1","others":[],
      "shifts":[{"metric":"self_time_ms","onset":"s","before":1,"after":2,"explained_by":null}]}
      """
    let world = FakeWorld()
    world.answer(200, week)
    #expect(
      await world.run(
        "impact", "--weekly", "shop/cart", "--start", "1", "--environment", "prod") == 0)
    for part in ["shop/cart from a to b", "worse, rolled back", "self time"] {
      #expect(world.output.contains(part), "\(world.output)")
    }
    #expect(world.output.contains("met") && !world.output.contains("\u{1B}"))
    let url = world.requests.last?.url
    #expect(url?.path() == "/api/v1/services/shop/cart/impact")
    #expect(url?.query() == "start=1&environment=prod")
    world.answer(200, "# cart\n")
    #expect(await world.run("impact", "--weekly", "cart", "--format", "markdown") == 0)
    #expect(world.requests.last?.url.path() == "/api/v1/services/-/cart/impact")
    #expect(await world.run("impact") == 64)
    #expect(await world.run("impact", "mk_1", "--weekly", "cart") == 64)
    #expect(await world.run("impact", "mk_1", "--end", "1") == 64)
  }
}
