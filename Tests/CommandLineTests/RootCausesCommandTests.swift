import Foundation
import Testing

@testable import Commands

private let answer = """
  {"start":"s","end":"e","base_start":"bs","base_end":"s","window_seconds":10,"causes":[
  {"kind":"self_time","service":"shop/payment\\u001b[2J","score":1.2,"confidence":0.8,
  "evidence":[{"metric":"self_time_ms","other":null,"before":10,"after":31.23456,"deviation":9,
  "events_before":100,"events_after":90}],"path":["shop/front","shop/payment"],"affected":[],
  "marker":"mk_0123456789abcdef"},
  {"kind":"platform","service":null,"score":0.3,"confidence":0.2,"evidence":[
  {"metric":"gap_ms","other":"shop/front","before":0.0001,"after":0.5,"deviation":5,
  "events_before":1,"events_after":1}],"path":[],"affected":[],"marker":null}]}
  """

@Suite struct RootCausesCommandTests {
  /// Scenario: root causes as a table, and as JSON.
  /// Guarantees: where, what, the strongest evidence, the change and the way; no control characters; the
  /// ranges are asked for.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, answer)
    #expect(await world.run("root-causes", "--base-start", "1790000000", "--base-end", "x") == 0)
    #expect(
      world.output == """
        s – e against bs – s

        CONFIDENCE  WHERE             WHAT       EVIDENCE                          CHANGE               PATH
             80.0%  shop/payment�[2J  self time  self time ms 10 → 31.2            mk_0123456789abcdef  shop/front → shop/payment
             20.0%  everywhere        platform   gap ms (shop/front) 0.0001 → 0.5  –

        """)
    let query = world.requests.first?.url.query()
    #expect(
      query?.contains("base_start=1790000000") == true && query?.contains("base_end=x") == true)
    world.answer(200, answer)
    #expect(await world.run("root-causes", "--format", "json") == 0)
    #expect(world.output.contains(#""kind":"platform""#))
  }

  /// Scenario: nothing got worse; an answer that is none.
  /// Guarantees: a sentence; 70.
  @Test func nothing() async {
    let world = FakeWorld()
    world.answer(
      200, #"{"start":"s","end":"e","base_start":"b","base_end":"c","causes":[]}"#)
    #expect(await world.run("root-causes") == 0)
    #expect(world.output.hasSuffix("nothing got worse that is more than chance\n"))
    world.answer(200, "<html>")
    #expect(await world.run("root-causes") == 70)
  }
}
