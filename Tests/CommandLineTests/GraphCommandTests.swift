import Foundation
import Testing

@testable import Commands

private let graph = """
  {"start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:15:00Z","revision":7,
  "nodes":[{"id":"shop/front","environment":"prod","versions":["v1","v2"],"requests":1234.0,
  "errors":12.5,"error_rate":0.01,"error_origins":5.0,"latency_ms":{"p50":0.34,"p95":12.3,"p99":1240},
  "self_time_ms":{"p95":2},"critical_path_share":0.31},{"id":"back\\u001b[2J"}],
  "edges":[{"client":"shop/front","server":"back","connection_type":"database","requests":10,
  "failed":2,"client_latency_ms":{"p50":150,"p95":2,"p99":3},"gap_ms":{"p95":0},
  "critical_path_share":1}],
  "coverage":{"spans":100,"traces":50,"late_spans":3,"duplicates":4,
  "unpaired":{"parent_missing":5},"overflow":{"services":6}}}
  """

@Suite struct GraphCommandTests {
  /// Scenario: the graph is asked for as a table.
  /// Guarantees: edges, nodes and what was left out, aligned; no control character of a name.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, graph)
    #expect(await world.run("graph") == 0)
    #expect(
      world.output == """
        2026-11-23T09:00:00Z – 2026-11-23T09:15:00Z, 2 nodes, 1 edge, 100 spans, 50 traces

        CLIENT      SERVER  TYPE      CALLS  FAILED     P50      P95      P99  GAP P95  PATH
        shop/front  back    database     10       2  150 ms  2.00 ms  3.00 ms     0 µs  100%

        NODE               VERSIONS  REQUESTS  ERRORS  BEGAN HERE     P50      P95     P99  SELF P95   PATH
        shop/front (prod)  v1 v2         1234    12.5           5  340 µs  12.3 ms  1.24 s   2.00 ms  31.0%
        back�[2J                            –       –           –       –        –       –         –      –

        left out or merged: 3 late, 4 sent more than once, 5 parent_missing, 6 over services

        """)
  }

  /// Scenario: a graph with traffic that no span tells of.
  /// Guarantees: a table of its own between edges and nodes, marked with its source; what is not known is
  /// not made up.
  @Test func traffic() async {
    let world = FakeWorld()
    world.answer(
      200,
      """
      {"start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:15:00Z","nodes":[],"edges":[],
      "traffic":[{"client":"client:10.0.0.1","server":"shop/front","source":"access_log",
      "recorded_by":["server"],"records":9,"requests":9.0,"failed":1.0,"bytes":5000,
      "latency_ms":{"mean":2,"p50":2,"p90":2,"p95":3,"p99":4,"max":4}},
      {"client":"a","server":"b","source":"flow_log","recorded_by":[],"records":2,
      "requests":null,"failed":0.0,"bytes":70,"latency_ms":null}]}
      """)
    #expect(await world.run("graph") == 0)
    #expect(
      world.output == """
        2026-11-23T09:00:00Z – 2026-11-23T09:15:00Z, 0 nodes, 0 edges

        TRAFFIC FROM     TO          SOURCE      CALLS  FAILED  BYTES      P50      P95      P99
        client:10.0.0.1  shop/front  access_log      9       1   5000  2.00 ms  3.00 ms  4.00 ms
        a                b           flow_log        –       0     70        –        –        –

        """)
  }

  /// Scenario: every option is given, with characters that mean something in a URL.
  /// Guarantees: they reach the server as they were typed; the token goes along.
  @Test func question() async throws {
    let world = FakeWorld()
    world.answer(200, "digraph {}")
    let code = await world.run(
      "graph", "--format", "dot", "--service", "shop/a+b&c", "--depth=2", "--direction=up",
      "--start", "2026-11-23T10:00:00+01:00", "--end=1700000000", "--namespace", "x y",
      "--environment", "é", "--cluster=eu-1", "--dimension", "tier:gold", "--server",
      "gateway:9/base/",
      environment: ["SPANGATE_TOKEN": "secret", "SPANGATE_SERVER": "http://other:1"])
    #expect(code == 0)
    #expect(world.output == "digraph {}\n")
    let request = try #require(world.requests.first)
    #expect(
      request.url.absoluteString == "http://gateway:9/base/api/v1/graph?format=dot"
        + "&service=shop/a%2Bb%26c&namespace=x%20y&environment=%C3%A9&cluster=eu-1"
        + "&dimension=tier:gold&depth=2&direction=up"
        + "&start=2026-11-23T10:00:00%2B01:00&end=1700000000")
    #expect(request.headers == ["Authorization": "Bearer secret"])
    #expect(request.method == "GET")
  }

  /// Scenario: no server is named, one by the environment.
  /// Guarantees: the standard address, or that one.
  @Test func whichServer() async {
    let world = FakeWorld()
    world.answer(200, "{}")
    world.answer(200, "{}")
    #expect(await world.run("graph", "--format=json") == 0)
    let code = await world.run(
      "graph", "--format=json", environment: ["SPANGATE_SERVER": "https://h"])
    #expect(code == 0)
    #expect(
      world.requests.map(\.url.absoluteString) == [
        "http://127.0.0.1:4320/api/v1/graph?format=json", "https://h/api/v1/graph?format=json",
      ])
  }

  /// Scenario: the server answers other than with a graph, or not at all.
  /// Guarantees: the exit code of the contract, and what the server said.
  @Test(
    arguments: [
      (400, 64, "no such service; service: did you mean back?"), (401, 77, "SPANGATE_TOKEN"),
      (403, 77, "no such service"), (404, 64, "no such service"), (500, 70, "answered 500"),
      (503, 69, "not ready"), (0, 69, "network is down"),
    ] as [(Int, Int32, String)])
  func refusals(status: Int, code: Int32, text: String) async {
    let world = FakeWorld()
    let problem = """
      {"title":"t","status":\(status),"detail":"no such service",
      "errors":[{"field":"service","message":"did you mean back?"}]}
      """
    if status != 0 { world.answer(status, problem) }
    #expect(await world.run("graph") == code)
    #expect(world.errors.contains(text), "\(world.errors)")
    #expect(world.output.isEmpty)
  }

  /// Scenario: a refusal whose fields say what its detail says, or more than it.
  /// Guarantees: each sentence is printed once, and no full stop is followed by other punctuation.
  @Test func saysThingsOnce() async {
    let world = FakeWorld()
    world.answer(
      400,
      "{\"detail\":\"start: No time.\",\"errors\":[{\"field\":\"start\",\"message\":\"No time.\"}]}"
    )
    #expect(await world.run("graph", "--start", "abc") == 64)
    #expect(world.errors == "spangate: start: No time.\n")
    let several = FakeWorld()
    several.answer(
      400,
      """
      {"detail":"2 are wrong.","errors":[{"field":"start","message":"No time."},
      {"field":"depth","message":"No number."}]}
      """)
    #expect(await several.run("graph") == 64)
    #expect(
      several.errors == "spangate: 2 are wrong; start: No time; depth: No number.\n")
    let notAllowed = FakeWorld()
    notAllowed.answer(401, "{\"detail\":\"No token.\"}")
    #expect(await notAllowed.run("graph") == 77)
    #expect(notAllowed.errors.contains("No token. Set SPANGATE_TOKEN"))
  }

  /// Scenario: something else than a gateway answers.
  /// Guarantees: 70 and advice; texts that are no problem documents are shown as they are.
  @Test func notAGateway() async {
    let world = FakeWorld()
    world.answer(200, "<html>")
    #expect(await world.run("graph") == 70)
    #expect(world.errors.contains("is no graph"))
    world.answer(500, "")
    #expect(await world.run("graph") == 70)
    #expect(world.errors.contains("status 500"))
    world.answer(502, "Bad\u{1B} Gateway")
    #expect(await world.run("graph") == 69)
    #expect(world.errors.contains("Bad\u{FFFD} Gateway"))
  }

  /// Scenario: the token comes from a file, from a missing one, or is none.
  /// Guarantees: blanks around it do not count; what cannot be a token is not sent.
  @Test func tokens() async throws {
    try await withFolder { folder in
      try write("from file\n".utf8.filter { $0 != 0x20 }, to: folder + "/token")
      try write("two words".utf8, to: folder + "/bad")
      let world = FakeWorld()
      world.answer(200, "{}")
      let code = await world.run(
        "graph", "--format=json", "--token-file", folder + "/token",
        environment: ["SPANGATE_TOKEN": "other"])
      #expect(code == 0)
      #expect(world.requests.first?.headers == ["Authorization": "Bearer fromfile"])
      #expect(await world.run("graph", "--token-file", folder + "/bad") == 64)
      #expect(await world.run("graph", "--token-file", folder + "/missing") == 70)
    }
  }

  /// Scenario: figures of every size.
  /// Guarantees: three digits that matter, and a dash for none.
  @Test func figures() {
    #expect(Figure.count(nil) == "–")
    #expect(Figure.count(0.25) == "0.3")
    #expect(Figure.count(1e15) == "1000000000000000")
    #expect(Figure.count(1, "edge") == "1 edge")
    #expect(Figure.count(0, "batch", plural: "batches") == "0 batches")
    #expect(Figure.count(1.25, "span") == "1.3 spans")
    #expect(Figure.count(nil, "span") == "– spans")
    #expect(Figure.milliseconds(.nan) == "–")
    #expect(Figure.milliseconds(0.001) == "1.00 µs")
    #expect(Figure.milliseconds(61_000) == "61.0 s")
    #expect(Figure.percent(nil) == "–")
    #expect(Figure.percent(0.00123) == "0.12%")
  }

  /// Scenario: the real client asks a port nobody listens at.
  /// Guarantees: unreachable, with the address and advice.
  @Test func realNetwork() async throws {
    let url = try #require(URL(string: "http://127.0.0.1:9/api/v1/graph?x=1"))
    let error = await #expect(throws: CommandFailure.self) {
      _ = try await NetworkExchange().send(HTTPRequest(url: url))
    }
    #expect(error?.kind == .unreachable)
    #expect(error?.message.hasPrefix("http://127.0.0.1:9 is out of reach") == true)
  }
}
