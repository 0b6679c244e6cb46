import Foundation
import Testing

@testable import Commands

private let one = """
  {"id":"mk_0123456789abcdef","kind":"deployment","service":"checkout","namespace":"shop",
  "environment":"prod","time":"2026-11-23T09:00:00Z","version":"v42","previous_version":"v41",
  "state":"finished","source":"github","attributes":{"commit_sha":"a\\u001bb","tries":2,"manual":true},"inferred":true}
  """

@Suite struct MarkerCommandTests {
  /// Scenario: a marker is posted with every option.
  /// Guarantees: what was typed is what is sent; the id is printed.
  @Test func post() async throws {
    let world = FakeWorld()
    world.answer(201, #"{"id":"mk_0123456789abcdef"}"#)
    let code = await world.run(
      "marker", "post", "--kind", "scaling", "--service=checkout", "--namespace", "shop",
      "--environment", "prod", "--version", "v42", "--previous-version", "v41", "--time",
      "1790000000",
      "--end-time", "1790000001", "--state", "failed", "--from", "3", "--to", "5", "--reason",
      "cpu", "--source", "ci",
      "--dedupe-key", "k", "--url", "https://x", "--attribute", "b=1=2", "--attribute", "a=",
      "--server", "gateway:9", environment: ["SPANGATE_TOKEN": "secret"])
    #expect(code == 0, "\(world.errors)")
    #expect(world.output == "mk_0123456789abcdef\n")
    let request = try #require(world.requests.first)
    #expect(request.method == "POST")
    #expect(request.url.absoluteString == "http://gateway:9/api/v1/markers")
    #expect(request.headers["Authorization"] == "Bearer secret")
    #expect(request.headers["Content-Type"] == "application/json")
    #expect(
      String(decoding: request.body, as: UTF8.self) == """
        {"kind":"scaling","service":"checkout","namespace":"shop","environment":"prod",\
        "time":"1790000000","end_time":"1790000001","state":"failed","version":"v42","previous_version":"v41",\
        "source":"ci","dedupe_key":"k","url":"https://x",\
        "scaling":{"from":3,"to":5,"reason":"cpu"},"attributes":{"a":"","b":"1=2"}}
        """)
  }

  /// Scenario: the marker was there already; the answer is wanted as it is; options are wrong.
  /// Guarantees: a note; the server's own words; exit code 64 and nothing sent.
  @Test func postVariants() async {
    let world = FakeWorld()
    world.answer(200, #"{"id":"mk_1"}"#)
    #expect(await world.run("marker", "post", "--service", "a", "--version", "v1") == 0)
    #expect(world.output == "mk_1  (was there already)\n")
    world.answer(201, #"{"id":"mk_2"}"#)
    #expect(await world.run("marker", "post", "--service", "a", "--format", "json") == 0)
    #expect(world.output.hasSuffix("{\"id\":\"mk_2\"}\n"))
    #expect(await world.run("marker", "post", "--attribute", "x") == 64)
    #expect(await world.run("marker", "post", "--from", "1") == 64)
    #expect(world.requests.count == 2)
  }

  /// Scenario: markers are listed as a table.
  /// Guarantees: one row each, without control characters; an empty list says its range.
  @Test func list() async throws {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"a","end":"b","truncated":true,"markers":[\(one),
      {"id":"mk_2","kind":"scaling","service":"cart","time":"t","scaling":{"to":5}},
      {"id":"mk_3","kind":"incident","service":"","time":"t\\u001b"}]}
      """)
    let code = await world.run(
      "marker", "list", "--service", "shop/checkout", "--kind", "deployment", "--limit", "3",
      "--start", "2026-11-23T10:00:00+01:00")
    #expect(code == 0)
    #expect(
      world.output == """
        TIME                  KIND        SERVICE        CHANGE     STATE     ENVIRONMENT  SOURCE  ID
        2026-11-23T09:00:00Z  deployment  shop/checkout  v41 → v42  finished  prod         github  mk_0123456789abcdef
        t                     scaling     cart           ? → 5                                     mk_2
        t\u{FFFD}                    incident    –                                                        mk_3

        There are older ones: name --limit or --end.

        """)
    #expect(
      world.requests.first?.url.absoluteString
        == "http://127.0.0.1:4320/api/v1/markers?start=2026-11-23T10:00:00%2B01:00"
        + "&service=shop/checkout&kind=deployment&limit=3")
    world.answer(200, #"{"start":"a","end":"b","markers":[]}"#)
    #expect(await world.run("marker", "list") == 0)
    #expect(world.output.hasSuffix("no markers from a to b\n"))
  }

  /// Scenario: one marker is shown, and deleted.
  /// Guarantees: every field that is known, names of attributes as they were given.
  @Test func showAndDelete() async throws {
    let world = FakeWorld()
    world.answer(200, one)
    #expect(await world.run("marker", "show", "mk_0123456789abcdef") == 0)
    #expect(
      world.output == """
        id           mk_0123456789abcdef
        kind         deployment
        service      shop/checkout
        environment  prod
        time         2026-11-23T09:00:00Z
        state        finished
        change       v41 → v42
        source       github
        inferred     yes
        commit_sha   a\u{FFFD}b
        manual       true
        tries        2

        """)
    world.answer(204, "")
    #expect(await world.run("marker", "delete", "mk_0123456789abcdef") == 0)
    #expect(world.output.hasSuffix("mk_0123456789abcdef deleted\n"))
    let request = try #require(world.requests.last)
    #expect(request.method == "DELETE")
    #expect(request.url.path == "/api/v1/markers/mk_0123456789abcdef")
  }

  /// Scenario: ids that are none, answers that are refusals or no markers, no answer.
  /// Guarantees: the exit codes of the contract, with what the server said.
  @Test func refusals() async {
    let world = FakeWorld()
    #expect(await world.run("marker", "show", "../graph") == 64)
    #expect(world.requests.isEmpty)
    for (status, code) in [(400, 64), (401, 77), (404, 64), (413, 70), (503, 69)] {
      world.answer(status, #"{"detail":"so it is"}"#)
      #expect(await world.run("marker", "post", "--service", "a") == Int32(code))
    }
    #expect(world.errors.contains("so it is"))
    world.answer(200, "<html>")
    #expect(await world.run("marker", "list") == 70)
    #expect(await world.run("marker", "list") == 69)
  }
}
