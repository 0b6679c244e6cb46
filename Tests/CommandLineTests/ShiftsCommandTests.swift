import Foundation
import Testing

@testable import Commands

private let answer = """
  {"start":"s","end":"e","history_start":"h","window_seconds":10,"series":9,
  "false_alarm_rate":0.01,"shifts":[
  {"metric":"self_time_ms","service":"shop/payment\\u001b[2J","other":null,"operation":"POST /pay",
  "version":null,"onset":"t1","onset_earliest":"t0","onset_latest":"t2","ended":null,
  "before":10,"after":31.23456,"ratio":3.1,"interval":[3,3.2],"deviation":9,"worse":true,
  "explained_by":null,"origin":{"kind":"self_time","service":"shop/payment"},
  "marker":"mk_0123456789abcdef"},
  {"metric":"call_probability","service":"shop/front","other":"shop/cart","operation":null,
  "version":null,"onset":"t3","onset_earliest":"t3","onset_latest":"t4","ended":"t5",
  "before":1,"after":0.5,"difference":-0.5,"interval":[-0.6,-0.4],"deviation":5,"worse":false,
  "explained_by":"operation_mix","origin":null,"marker":null},
  {"metric":"request_rate","service":null,"other":null,"operation":null,"version":"v2","onset":"t6",
  "onset_earliest":"t6","onset_latest":"t6","ended":null,"before":0,"after":2,"ratio":2,
  "interval":[1,3],"deviation":5,"worse":false,"explained_by":"platform",
  "origin":{"kind":"platform","service":null},"marker":null}]}
  """

@Suite struct ShiftsCommandTests {
  /// Scenario: shifts as a table, and as JSON.
  /// Guarantees: when, where, what, the levels, what explains it, where it began, the change; no control
  /// characters; what was chosen is asked for.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, answer)
    #expect(
      await world.run(
        "shifts", "--service", "payment", "--environment", "test", "--start", "1790000000", "--end",
        "x") == 0)
    #expect(
      world.output == """
        s – e, known from h on

        ONSET  ENDED  WHERE                       WHAT              LEVEL             EXPLAINED BY   ORIGIN                     CHANGE
        t1     –      shop/payment�[2J POST /pay  self time ms      10 → 31.2  worse  –              self time of shop/payment  mk_0123456789abcdef
        t3     t5     shop/front → shop/cart      call probability  1 → 0.5           operation mix  –                          –
        t6     –      everywhere v2               request rate      0 → 2             platform       platform of everything     –

        """)
    let url = world.requests.first?.url
    #expect(url?.path == "/api/v1/shifts")
    let query = url?.query() ?? ""
    for part in ["service=payment", "environment=test", "start=1790000000", "end=x"] {
      #expect(query.contains(part))
    }
    world.answer(200, answer)
    #expect(await world.run("shifts", "--format", "json") == 0)
    #expect(world.output.contains(#""metric":"request_rate""#))
  }

  /// Scenario: nothing moved; an answer that is none; a misspelt option.
  /// Guarantees: a sentence; 70; 64, and the server is not asked.
  @Test func nothing() async {
    let world = FakeWorld()
    world.answer(200, #"{"start":"s","end":"e","history_start":"h","shifts":[]}"#)
    #expect(await world.run("shifts") == 0)
    #expect(world.output.hasSuffix("nothing went over to another level\n"))
    world.answer(200, "<html>")
    #expect(await world.run("shifts") == 70)
    #expect(await world.run("shifts", "--servce", "x") == 64)
    #expect(world.requests.count == 2)
  }
}
