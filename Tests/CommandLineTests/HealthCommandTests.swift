import Foundation
import Testing

@testable import Commands

private let service = """
  "service":"shop/payment\\u001b[2J","environment":"prod","health":61.25,"parts":[
  {"name":"errors","score":50,"weight":0.8,"why":"5 % of 1 000 requests failed by themselves"},
  {"name":"self_time","score":90,"weight":0.2,"why":"takes 12 ms itself"}],
  "upstream":[{"service":"shop/checkout","calls":1000,"failed":50,"propagated":40,"absorbed":10,
  "lost_ms":1500,"added_ms":0.5}],"downstream":[{"service":"database:orders","calls":10,"failed":0,
  "propagated":0,"absorbed":0,"lost_ms":0,"added_ms":null}]
  """
private let range = #""start":"s","end":"e","base_start":"bs","base_end":"s""#

@Suite struct HealthCommandTests {
  /// Scenario: the health of all services; of none.
  /// Guarantees: a line each with what takes most away, or why there is no score; no control characters.
  @Test func all() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {\(range),"services":[{\(service)},{"service":"idle","health":null,"why":"no request came",
      "parts":[],"upstream":[],"downstream":[]}]}
      """)
    #expect(await world.run("health", "--environment", "prod", "--base-start", "1") == 0)
    #expect(
      world.output == """
        s – e against bs – s

        HEALTH  SERVICE           ENVIRONMENT  MOST OF IT
          61.3  shop/payment�[2J  prod         errors: 5 % of 1 000 requests failed by themselves
             –  idle              –            no request came

        """)
    #expect(world.requests.first?.url.path() == "/api/v1/health")
    #expect(world.requests.first?.url.query()?.contains("environment=prod") == true)
    world.answer(200, "{\(range),\"services\":[]}")
    #expect(await world.run("health") == 0)
    #expect(world.output.hasSuffix("no service was seen\n"))
  }

  /// Scenario: one service by its id, by a name without a namespace, as JSON; an answer that is none.
  /// Guarantees: parts, those that call it and those it calls; the path holds both; 70.
  @Test func one() async {
    let world = FakeWorld()
    world.answer(200, "{\(range),\(service)}")
    #expect(await world.run("health", "shop/pay ment") == 0)
    #expect(world.requests.last?.url.absoluteString.contains("/health/shop/pay%20ment") == true)
    #expect(
      world.output == """
        61.3  shop/payment�[2J, prod
        s – e against bs – s

        PART       SCORE  WEIGHT  WHY
        errors        50   80.0%  5 % of 1 000 requests failed by themselves
        self_time     90   20.0%  takes 12 ms itself

        CALLED BY      CALLS  FAILED  PROPAGATED  ABSORBED    LOST   ADDED
        shop/checkout   1000      50          40        10  1.50 s  500 µs

        CALLS            CALLS  FAILED  PROPAGATED  ABSORBED  LOST  ADDED
        database:orders     10       0           0         0  0 µs      –

        """)
    world.answer(200, "{\(range),\(service)}")
    #expect(await world.run("health", "payment", "--format", "json") == 0)
    #expect(world.requests.last?.url.path().hasSuffix("/health/-/payment") == true)
    #expect(world.output.contains(#""health":61.25"#))
    world.answer(200, "<html>")
    #expect(await world.run("health", "payment") == 70)
  }
}
