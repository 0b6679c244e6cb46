import Model
import Testing

@testable import Commands

/// Every field of the contract, `wait` with a reason and both kinds of intervals.
private let whole = """
  {"id":"vd_1","verdict":"wait","score":88.0,"confidence":0.41,"marker":"mk_0123456789abcdef",
  "service":"shop/checkout","environment":"prod","version":"v42","baseline":"v41",
  "start":"2026-11-23T09:00:00Z","reasons":["312 of about 1 280 requests\\u001b[2J","and more"],
  "evidence":[
  {"metric":"errors","baseline":0.0052,"current":0.0048,"ratio":0.92,"interval":[0.31,null],
  "decision":"undecided"},
  {"metric":"error_rate","baseline":0.01,"current":0.0048,"ratio":0.48,"interval":[0.002,0.009],
  "decision":"safe"},
  {"metric":"latency","baseline":50.0,"current":1240.0,"ratio":1.04,"interval":[0.99,1.09],
  "decision":"harmed"},
  {"metric":"new\\n","baseline":null,"current":2,"ratio":null,"interval":null}],
  "attribution":[],
  "health":{"score":88.0,"parts":[{"name":"errors","score":88.0,"weight":0.4,"why":"3 \\u0007fail"}]},
  "comparison":"concurrent","data_until":"2026-11-23T09:05:00Z","deadline":"2026-11-23T10:00:00Z",
  "eta_seconds":190,"smallest_detectable":{"errors_ratio":4.2,"latency_ratio":1.11}}
  """

@Suite struct GateCommandTests {
  private func verdict(_ verdict: String, _ reason: String = "so") -> String {
    #"{"verdict":"\#(verdict)","reasons":["\#(reason)"]}"#
  }

  /// Scenario: each verdict, without a map.
  /// Guarantees: its exit code; a word about it on standard output, nothing on standard error.
  @Test(arguments: [("promote", 0), ("rollback", 10), ("wait", 11)])
  func verdicts(name: String, code: Int) async {
    let world = FakeWorld()
    world.answer(200, verdict(name))
    #expect(await world.run("gate", "--service", "checkout") == Int32(code))
    #expect(world.output.hasPrefix("\(name)\n"))
    #expect(world.errors.isEmpty && world.sleeps.isEmpty)
  }

  /// Scenario: a rollback that names the version to go back to, and how sure it is over all metrics.
  /// Guarantees: both are in the table; what cannot be printed is not.
  @Test func rollbackTarget() async {
    let world = FakeWorld()
    world.answer(
      200,
      #"{"verdict":"rollback","rollback_to":"v40\u001b[2J","error_control":{"#
        + #""method":"mean_of_e_values","e_value":310.2,"threshold":125}}"#)
    #expect(await world.run("gate", "--service", "checkout") == 10)
    #expect(world.output.contains("roll back to  v40"), "\(world.output)")
    #expect(world.output.contains("e-value 310"), "\(world.output)")
    #expect(world.output.contains("125 rolls back"), "\(world.output)")
    #expect(!world.output.contains("\u{1B}"))
  }

  /// Scenario: a question with every option.
  /// Guarantees: it is asked as it was typed, with the token.
  @Test func question() async throws {
    let world = FakeWorld()
    world.answer(200, verdict("promote"))
    let code = await world.run(
      "gate", "--service", "checkout", "--namespace", "shop", "--version", "v42+1",
      "--environment", "prod", "--marker", "mk_1", "--deadline", "15m", "--min-health", "80",
      "--errors-tolerated", "0.005",
      "--server", "gateway:9", environment: ["SPANGATE_TOKEN": "secret"])
    #expect(code == 0, "\(world.errors)")
    let request = try #require(world.requests.first)
    #expect(request.method == "GET")
    #expect(
      request.url.absoluteString
        == "http://gateway:9/api/v1/gate?service=checkout&namespace=shop&version=v42%2B1"
        + "&environment=prod&marker=mk_1&deadline=15m&min_health=80.0&errors_tolerated=0.005")
    #expect(request.headers == ["Authorization": "Bearer secret"])
  }

  /// Scenario: other exit codes are asked for.
  /// Guarantees: those of the verdicts that were named, and no others.
  @Test(arguments: [
    ("rollback=1,wait=2", [0, 1, 2]), ("promote=3", [3, 10, 11]), ("wait=255", [0, 10, 255]),
    ("rollback=11,wait=10", [0, 11, 10]), ("rollback=10", [0, 10, 11]),
    // Both said to be the same.
    ("rollback=0,promote=0", [0, 0, 11]), ("wait=1,rollback=1", [0, 1, 1]),
  ])
  func map(map: String, codes: [Int32]) async {
    for (name, code) in zip(["promote", "rollback", "wait"], codes) {
      let world = FakeWorld()
      world.answer(200, verdict(name))
      #expect(await world.run("gate", "--service", "a", "--map", map) == code, "\(map) \(name)")
    }
    let world = FakeWorld()
    #expect(await world.run("gate", "--service", "a", "--map", map) == 69)
  }

  /// Scenario: maps that cannot be meant: not pairs, no verdict, no code, twice, or a code that
  /// another verdict keeps.
  /// Guarantees: exit code 64 with what is right, before anything is asked.
  @Test(arguments: [
    ("", "'' is not verdict=code; write rollback=1,wait=2"), ("rollback", "is not verdict=code"),
    ("rollback=1,", "'' is not verdict=code"), ("rollback=1=2", "is not verdict=code"),
    ("rolback=1", "'rolback' is no verdict; those are promote, rollback and wait"),
    ("wait=256", "'256' is no exit code; those are 0 to 255"), ("wait=-1", "is no exit code"),
    ("wait=", "'' is no exit code"), ("wait=1,wait=2", "wait is there twice"),
    ("rollback=0", "0 is the code of promote already"),
    ("rollback=0", "write rollback=0,promote=0"),
    ("wait=10", "10 is the code of rollback already"),
    ("promote=11,rollback=1", "11 is the code of wait already"),
  ])
  func wrongMaps(map: String, message: String) async {
    let world = FakeWorld()
    #expect(await world.run("gate", "--service", "a", "--map", map) == 64)
    #expect(world.errors.contains(message), "\(world.errors)")
    #expect(world.requests.isEmpty && world.output.isEmpty)
  }

  /// Scenario: nothing to decide about, empty values, durations and healths that are none.
  /// Guarantees: exit code 64 with what is right, before anything is asked.
  @Test(arguments: [
    (["--version", "v42"], "--service or --marker"), (["--service", ""], "--service is empty"),
    (["--service", "a", "--version", ""], "--version is empty"),
    (["--marker", ""], "--marker is empty"),
    (["--service", "a", "--wait", "15"], "write ms, s, m, h or d after the number"),
    (["--service", "a", "--wait", "soon"], "'soon' is not a duration"),
    (["--service", "a", "--interval", "999ms"], "--interval is 1s to 10m"),
    (["--service", "a", "--interval", "601s"], "--interval is 1s to 10m"),
    (["--service", "a", "--min-health", "101"], "--min-health is 0 to 100"),
    (["--service", "a", "--min-health", "nan"], "--min-health is 0 to 100"),
    (["--service", "a", "--format", "dot"], "dot"),
  ])
  func usage(arguments: [String], message: String) async {
    let world = FakeWorld()
    #expect(await run(world, arguments) == 64)
    #expect(world.errors.contains(message), "\(world.errors)")
    #expect(world.requests.isEmpty && world.output.isEmpty)
  }

  private func run(_ world: FakeWorld, _ arguments: [String]) async -> Int32 {
    switch arguments.count {
    case 2: await world.run("gate", arguments[0], arguments[1])
    default: await world.run("gate", arguments[0], arguments[1], arguments[2], arguments[3])
    }
  }

  /// Scenario: an answer with every field, and one with hardly any.
  /// Guarantees: everything in its unit, no control character, dashes for what is not known.
  @Test func table() async {
    let world = FakeWorld()
    world.answer(200, whole)
    #expect(await world.run("gate", "--marker", "mk_0123456789abcdef") == 11)
    #expect(
      world.output == """
        wait  shop/checkout v42 against v41 (concurrent)

        score        88
        confidence   41.0%
        eta          3m10s
        detectable   errors 4.20 times as often, 11.0% slower
        environment  prod
        marker       mk_0123456789abcdef
        since        2026-11-23T09:00:00Z
        data until   2026-11-23T09:05:00Z
        deadline     2026-11-23T10:00:00Z

        reasons
          - 312 of about 1 280 requests\u{FFFD}[2J
          - and more

        METRIC      BASELINE  CURRENT  RATIO       INTERVAL  DECISION
        errors         0.52%    0.48%   0.92         ≥ 0.31  undecided
        error_rate     1.00%    0.48%   0.48  0.20% – 0.90%  safe
        latency      50.0 ms   1.24 s   1.04    0.99 – 1.09  harmed
        new\u{FFFD}               –     2.00      –              –

        HEALTH  SCORE  WEIGHT  WHY
        errors     88   40.0%  3 \u{FFFD}fail

        """)
    let bare = FakeWorld()
    bare.answer(
      200,
      #"""
      {"verdict":"rollback","score":null,"service":null,"version":"v42\u001b","reasons":[],
      "comparison":"before_after","health":{"score":null,"parts":[]},"eta_seconds":1e300}
      """#)
    #expect(await bare.run("gate", "--service", "a") == 10)
    #expect(
      bare.output == """
        rollback  v42\u{FFFD} (before and after)

        score       –
        confidence  –

        """)
    bare.answer(200, #"{"verdict":"wait","eta_seconds":1e300}"#)
    #expect(await bare.run("gate", "--service", "a") == 11)
    #expect(bare.output.hasSuffix("eta         300d\n"))
  }

  /// Scenario: the answer is wanted as JSON, after waiting.
  /// Guarantees: the last answer to the byte and a newline, with the verdict's exit code.
  @Test func json() async {
    let world = FakeWorld()
    world.answer(200, whole)
    let last = #"{ "verdict":"rollback", "unknown":[1.50], "reasons":["\u00e9"]}"#
    world.answer(200, last)
    let code = await world.run("gate", "--service", "a", "--wait", "1m", "--format", "json")
    #expect(code == 10)
    #expect(world.output == last + "\n")
  }

  /// Scenario: the gate waits, with a reason that changes, then decides.
  /// Guarantees: one line for each new reason; one question an interval; only the end is printed.
  @Test func waitsForAVerdict() async {
    let world = FakeWorld()
    for reason in ["few", "few", "more\\u001b", "few"] {
      world.answer(200, verdict("wait", reason))
    }
    world.answer(200, #"{"verdict":"wait","reasons":[]}"#)
    world.answer(200, verdict("promote", "enough"))
    let code = await world.run("gate", "--service", "a", "--wait", "15m", "--interval", "30s")
    #expect(code == 0)
    #expect(world.errors == "waiting: few\nwaiting: more\u{FFFD}\nwaiting: few\n")
    #expect(world.output.hasPrefix("promote\n") && !world.output.contains("wait"))
    #expect(world.sleeps == Array(repeating: 30 * .second, count: 5))
    #expect(Set(world.requests.map(\.url)).count == 1)
  }

  /// Scenario: the time is over before the gate knows; the interval does not fit into it.
  /// Guarantees: the last question is asked when the time is over, not after; exit code 11.
  @Test func waitRunsOut() async throws {
    let world = FakeWorld()
    for _ in 0..<9 { world.answer(200, verdict("wait")) }
    #expect(await world.run("gate", "--service", "a", "--wait", "25s") == 11)
    #expect(world.requests.count == 4)
    #expect(world.sleeps.prefix(2) == [10 * .second, 10 * .second])
    let last = try #require(world.sleeps.last)
    #expect(last > 4 * .second && last <= 5 * .second)
    #expect(world.sleeps.reduce(0, +) <= 25 * .second)
    #expect(world.output.hasPrefix("wait\n"))
    let once = FakeWorld()
    once.answer(200, verdict("wait"))
    #expect(await once.run("gate", "--service", "a", "--wait", "0s") == 11)
    #expect(once.requests.count == 1 && once.errors.isEmpty)
  }

  /// Scenario: the gateway is restarted and a proxy is busy while a verdict is waited for.
  /// Guarantees: it is asked again and a line says so once; a later outage is told of again.
  @Test func outOfReachForAWhile() async {
    let world = FakeWorld()
    world.goDown()
    for status in [502, 503, 504, 429] { world.answer(status, "busy") }
    world.answer(200, verdict("wait", "few"))
    world.answer(503, #"{"detail":"not ready"}"#)
    world.answer(200, verdict("wait", "few"))
    world.answer(200, verdict("rollback"))
    #expect(await world.run("gate", "--service", "a", "--wait", "15m") == 10)
    #expect(world.requests.count == 9)
    #expect(
      world.errors == """
        asking again until the time is over: the network is down
        waiting: few
        asking again until the time is over: http://127.0.0.1:4320 is not ready: not ready

        """)
  }

  /// Scenario: the gateway is out of reach, without time to wait and until the time is over, also
  /// after it said wait.
  /// Guarantees: exit code 69 at the end, since nobody knows whether it is still `wait`.
  @Test func outOfReachInTheEnd() async {
    let once = FakeWorld()
    #expect(await once.run("gate", "--service", "a") == 69)
    #expect(once.errors == "spangate: the network is down\n" && once.requests.count == 1)
    let world = FakeWorld()
    world.answer(200, verdict("wait", "few"))
    #expect(await world.run("gate", "--service", "a", "--wait", "20s") == 69)
    #expect(world.requests.count == 3 && world.output.isEmpty)
    #expect(
      world.errors == """
        waiting: few
        asking again until the time is over: the network is down
        spangate: the network is down

        """)
    for status in [429, 502, 503, 504] {
      let busy = FakeWorld()
      busy.answer(status, "")
      #expect(await busy.run("gate", "--service", "a") == 69)
    }
  }

  /// Scenario: the server refuses the question, fails, or is none, while there is time to wait.
  /// Guarantees: the exit codes of the contract at once, with what the server said.
  @Test(arguments: [
    (400, #"{"detail":"so it is"}"#, 64, "so it is"), (401, "no", 77, "Set SPANGATE_TOKEN"),
    (403, "no", 77, "does not allow this"), (404, "no such path", 64, "no such path"),
    (500, "oh", 70, "answered 500: oh"), (200, "<html>", 70, "is no verdict; check that --server"),
    (200, "{}", 70, "is no verdict"), (200, "", 70, "is no verdict"),
    (200, #"{"verdict":"maybe"}"#, 70, "is no verdict"),
    (200, #"{"verdict":null,"reasons":["x"]}"#, 70, "is no verdict"),
  ])
  func refusals(status: Int, body: String, code: Int, message: String) async {
    for format in ["table", "json"] {
      let world = FakeWorld()
      world.answer(status, body)
      let found = await world.run("gate", "--service", "a", "--wait", "1m", "--format", format)
      #expect(found == Int32(code))
      #expect(world.errors.hasPrefix("spangate: ") && world.errors.contains(message))
      #expect(world.requests.count == 1 && world.output.isEmpty && world.sleeps.isEmpty)
    }
  }

  /// Scenario: the token comes from standard input, and the question is asked twice.
  /// Guarantees: it is read once and sent both times.
  @Test func tokenIsReadOnce() async {
    let world = FakeWorld()
    world.answer(200, verdict("wait"))
    world.answer(200, verdict("promote"))
    let code = await world.run(
      "gate", "--service", "a", "--wait", "1m", "--token-file", "-", input: "secret\n")
    #expect(code == 0)
    #expect(world.requests.count == 2)
    #expect(world.requests.allSatisfy { $0.headers == ["Authorization": "Bearer secret"] })
  }
}
