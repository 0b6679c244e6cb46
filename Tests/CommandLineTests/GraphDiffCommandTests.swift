import Foundation
import Testing

@testable import Commands

@Suite struct GraphDiffCommandTests {
  /// Scenario: two ranges are compared as a table.
  /// Guarantees: what is new, vanished and changed, with what chance explains; the question as asked;
  /// no control characters.
  @Test func ranges() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"c","end":"d","base_start":"a","base_end":"b","comparison":"ranges",
      "nodes":{"new":[{"id":"new\\u001b"}],"vanished":[{"id":"old"}],"changed":[{"id":"shop/a",
      "changes":[{"metric":"error_rate","base":0.01,"current":0.05,"change":4,"significant":true},
      {"metric":"latency_p95_ms","base":10,"current":9,"change":-0.1,"significant":false}],
      "new_versions":["v2"],"vanished_versions":["v1"]}],"unchanged":3},
      "edges":{"new":[],"vanished":[],"changed":[{"client":"a","server":"b","changes":[
      {"metric":"request_rate","base":0,"current":2,"change":null}]}],"unchanged":1},
      "calls":{"new":[],"vanished":[{"service":"a","operation":"GET /","callee":"b",
      "callee_operation":""}],"changed":[{"service":"a","operation":"PUT /","callee":"b",
      "callee_operation":"pay","changes":[{"metric":"probability","base":0.5,"current":0.25,
      "change":-0.5,"significant":true}]}],"unchanged":1}}
      """)
    let code = await world.run(
      "graph", "diff", "--service", "shop/a", "--depth=2", "--direction=up", "--min-change=0.2",
      "--base-start=1700000000", "--base-end=1700000060")
    #expect(code == 0)
    #expect(
      world.output == """
        a – b and c – d, 4 nodes and edges as they were

        WHAT                                  BEFORE      NOW  CHANGE  BEYOND CHANCE
        new\u{FFFD}             new
        old              vanished
        shop/a           new version                       v2
        shop/a           vanished version         v1
        shop/a           error rate            1.00%    5.00%   +400%  yes
        shop/a           p95                 10.0 ms  9.00 ms  -10.0%  no
        a → b            requests a second         0     2.00       –  –
        a GET / → b      vanished
        a PUT / → b pay  requests that call    50.0%    25.0%  -50.0%  yes

        """)
    let query = world.requests.first?.url.query() ?? ""
    #expect(world.requests.first?.url.path() == "/api/v1/graph/diff")
    #expect(query.contains("depth=2&direction=up&min_change=0.2"))
    #expect(query.contains("base_start=1700000000&base_end=1700000060"))
  }

  /// Scenario: two versions; nothing changed; json; options that do not go together.
  /// Guarantees: the node's changes; a sentence; the answer as it came; 64.
  @Test func others() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"c","end":"d","comparison":"versions","node":{"id":"a","changes":[
      {"metric":"latency_p95_ms","base":10,"current":20,"change":1,"significant":true}]}}
      """)
    let code = await world.run(
      "graph", "diff", "--service=a", "--version=v2", "--base-version=v1")
    #expect(code == 0)
    #expect(world.output.contains("a     p95  10.0 ms  20.0 ms   +100%  yes\n"))
    let none = #"{"new":[],"vanished":[],"changed":[],"unchanged":2}"#
    world.answer(200, #"{"start":"c","end":"d","nodes":\#(none),"edges":\#(none)}"#)
    #expect(await world.run("graph", "diff") == 0)
    #expect(world.output.hasSuffix("c – d, 4 nodes and edges as they were\n\nnothing changed\n"))
    world.answer(200, "{}")
    #expect(
      await world.run(
        "graph", "diff", "--format=json", "--cluster=eu-1", "--dimension=tier:gold") == 0)
    #expect(
      world.requests.last?.url.query()?.contains("cluster=eu-1&dimension=tier:gold") == true)
    #expect(world.output.hasSuffix("{}\n"))
    #expect(await world.run("graph", "diff", "--depth=1") == 64)
    #expect(await world.run("graph", "diff", "--version=v1") == 64)
    #expect(await world.run("graph", "diff", "--version=v1", "--base-version=v2") == 64)
  }
}

@Suite struct GraphPathsCommandTests {
  /// Scenario: paths as a table, none at all, an end that is not named, a service nobody knows.
  /// Guarantees: each with its calls and rate, and that there may be more; a sentence; 64.
  @Test func paths() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"s","end":"e","from":"a","to":"c","distance":2,"paths":[{"length":2,
      "nodes":[{"id":"a"},{"id":"b"},{"id":"c"}],"edges":[{"requests":5,"failed":1},
      {"requests":4,"failed":2}],"min_request_rate":0.25}],"truncated":true,
      "truncated_by":"limit"}
      """)
    #expect(
      await world.run("graph", "paths", "--from", "a", "--to=c", "--limit=1", "--depth=3") == 0)
    #expect(
      world.output == """
        a to c, s – e

        CALLS  A SECOND AT MOST  FAILED  PATH
            2              0.25       3  a → b → c
        … there may be more: --limit

        """)
    #expect(
      world.requests.first?.url.absoluteString
        == "http://127.0.0.1:4320/api/v1/graph/paths?from=a&to=c&limit=1&depth=3")
    world.answer(
      200, #"{"start":"s","end":"e","from":"a","to":"z","paths":[],"truncated":false}"#)
    #expect(
      await world.run(
        "graph", "paths", "--from=a", "--to=z", "--cluster=eu-1", "--dimension=tier:gold") == 0)
    #expect(
      world.requests.last?.url.query() == "from=a&to=z&cluster=eu-1&dimension=tier:gold")
    #expect(world.output.hasSuffix("no way leads from a to z, s – e\n"))
    #expect(await world.run("graph", "paths", "--from=a") == 64)
    world.answer(404, #"{"detail":"No service."}"#)
    #expect(await world.run("graph", "paths", "--from=a", "--to=x") == 64)
  }
}
