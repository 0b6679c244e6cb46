import Foundation
import Graph
import HummingbirdTesting
import Impact
import Model
import Testing

@testable import Query

private let path = "/api/v1/gate"
private let start: Nanos = 1_790_000_000 * .second

/// An answer in all its parts, with numbers that print short.
private enum Example {
  static let subject: GateReport.Subject = {
    var subject = GateReport.Subject()
    subject.service = "shop/checkout"
    subject.environment = "prod"
    subject.version = "v42"
    subject.baseline = "v41"
    subject.marker = MarkerID(0xab)
    subject.start = start
    subject.until = start + 10 * .minute
    subject.deadline = start + .hour
    return subject
  }()

  static let answer = GateAnswer(
    verdict: .rollback, confidence: 0.995, reasons: ["it \"fails\""],
    evidence: [
      Evidence(
        metric: .errors, baseline: 0.005, current: 0.25, ratio: 50,
        interval: RatioInterval(lower: 12.5, upper: nil), decision: .harmed),
      Evidence(
        metric: .errorRate, baseline: 0.01, current: nil, ratio: nil, interval: nil,
        decision: .undecided),
      Evidence(
        metric: .latency, baseline: 50, current: 50.5, ratio: 1.01,
        interval: RatioInterval(lower: 0.99, upper: 1.03), decision: .safe),
    ],
    comparison: .concurrent, health: Health(parts: []),
    smallestDetectable: SmallestDetectable(errorsRatio: 1.5), etaSeconds: 190)

  /// A report of two versions that differ, of 30 windows.
  static var report: GateReport {
    let windows = (0..<30).map { index in
      ComparedWindow(
        start: start + Nanos(index) * windowNanos,
        current: Side(
          traces: 50, errorTraces: 1, latency: LogLatency(weight: 50, mean: 17, variance: 0.1)),
        baseline: Side(traces: 450, errorTraces: 2), unknownFailures: index == 3 ? 4 : 0)
    }
    let side = Side(traces: 100, errorTraces: 3)
    let stretch = Stretch(before: side, after: .nothing)
    return GateReport(
      tenant: .standard, subject: subject,
      question: GateQuestion(
        concurrent: ConcurrentQuestion(
          version: "v42", baseline: "v41", start: start, until: start + 10 * .minute,
          windows: windows),
        beforeAfter: BeforeAfterQuestion(
          version: "v42", start: start, until: start + 10 * .minute,
          subject: StretchSeries(now: stretch, earlier: [nil, stretch]), controls: [])))
  }
}

private let readableDeadlines: [(String, GateRequest.Deadline)] = [
  ("0s", .after(0)), ("90s", .after(90 * .second)), ("2h", .after(2 * .hour)),
  ("1d", .after(.day)), ("365d", .after(365 * .day)), ("0000007m", .after(7 * .minute)),
  ("31536000s", .after(365 * .day)), ("1790000000", .at(start)), ("1790000000000", .at(start)),
  ("1790000000000000000", .at(start)), ("2026-09-21T14:13:20Z", .at(start)),
]

private let malformedValues: [(String, String)] = [
  ("deadline", "366d"), ("deadline", "99999999d"), ("deadline", "99999999h"),
  ("deadline", "31536001s"), ("deadline", "99999999999999999999s"), ("deadline", "m"),
  ("deadline", "-5m"), ("deadline", "+5m"), ("deadline", "5"), ("deadline", "5%20m"),
  ("deadline", "5w"), ("deadline", "1.5h"), ("deadline", "%D9%A3m"), ("deadline", ""),
  ("deadline", "2300-01-01T00:00:00Z"), ("deadline", "tomorrow"),
  ("min_health", "nan"), ("min_health", "inf"), ("min_health", "-1"), ("min_health", "100.1"),
  ("min_health", ""), ("min_health", "many"), ("min_health", "1e400"),
  ("errors_tolerated", "0"), ("errors_tolerated", "0.51"), ("errors_tolerated", "1%25"),
  ("service", ""), ("version", ""), ("marker", ""), ("namespace", ""), ("environment", ""),
  ("verison", "v42"),
]

@Suite struct GateRoutesTests {
  /// Scenario: every parameter is given, and as few as may be.
  /// Guarantees: each reaches the question; what is left out is nil; `-` stands for none.
  @Test func parameters() async throws {
    let fixture = QueryFixture()
    let all = try await fixture.ask(
      "\(path)?service=shop/checkout&namespace=-&environment=prod&version=v%2042&marker=mk_1"
        + "&deadline=30m&min_health=99.5&errors_tolerated=0.005")
    #expect(all.status == .ok)
    _ = try await fixture.ask("\(path)?service=checkout")
    _ = try await fixture.ask("\(path)?marker=mk_0000000000000001&environment=-")
    _ = try await fixture.ask("\(path)?service=a&deadline=2026-09-21T14:13:20Z&min_health=0")
    let asked = fixture.backend.state.withLock(\.gateRequests)
    #expect(
      asked == [
        GateRequest(
          service: "shop/checkout", namespace: "", environment: "prod", version: "v 42",
          marker: "mk_1", deadline: .after(30 * .minute), minHealth: 99.5,
          errorsTolerated: 0.005),
        GateRequest(service: "checkout"),
        GateRequest(environment: "", marker: "mk_0000000000000001"),
        GateRequest(service: "a", deadline: .at(start), minHealth: 0),
      ])
  }

  /// Scenario: durations and times as a deadline.
  /// Guarantees: seconds, minutes, hours, days, up to a year; Unix time of every precision.
  @Test(arguments: readableDeadlines)
  func deadlines(text: String, deadline: GateRequest.Deadline) async throws {
    let fixture = QueryFixture()
    #expect(try await fixture.ask("\(path)?service=a&deadline=\(text)").status == .ok)
    #expect(fixture.backend.state.withLock(\.gateRequests).last?.deadline == deadline)
  }

  /// Scenario: values that cannot be read, some of them as large as they may be long.
  /// Guarantees: 400 that names the field and what is right; the gate is not asked; no trap.
  @Test(arguments: malformedValues)
  func malformed(field: String, value: String) async throws {
    let fixture = QueryFixture()
    let service = field == "service" ? "" : "service=a&"
    let answer = try await fixture.ask("\(path)?\(service)\(field)=\(value)")
    #expect(answer.status == .badRequest)
    #expect(answer.headers[.contentType] == "application/problem+json")
    #expect(Array(try answer.fieldErrors().keys) == [field])
    #expect(fixture.backend.state.withLock { $0.gateRequests.isEmpty })
  }

  /// Scenario: everything is wrong at once; neither service nor marker is named; a parameter is
  /// given twice, one is too long.
  /// Guarantees: all are told in one answer.
  @Test func allAtOnce() async throws {
    let fixture = QueryFixture()
    let answer = try await fixture.ask("\(path)?deadline=x&min_health=y&verison=z&version=")
    #expect(answer.status == .badRequest)
    let errors = try answer.fieldErrors()
    #expect(Set(errors.keys) == ["deadline", "min_health", "verison", "version", "service"])
    #expect(errors["verison"]?.contains("\"version\"") == true)
    #expect(errors["service"]?.contains("marker") == true)
    let none = try await fixture.ask(path).fieldErrors()
    #expect(Array(none.keys) == ["service"])
    let long = String(repeating: "a", count: 1_025)
    #expect(
      try await Array(fixture.ask("\(path)?service=\(long)").fieldErrors().keys) == ["service"])
    let twice = try await fixture.ask("\(path)?service=a&service=b")
    #expect(try Array(twice.fieldErrors().keys) == ["service"])
    #expect(fixture.backend.state.withLock { $0.gateRequests.isEmpty })
  }

  /// Scenario: nothing is known of what is asked.
  /// Guarantees: 200 and `wait`, every key there, null where nothing is known; no id, since nothing
  /// is kept.
  @Test func nothingKnown() async throws {
    let fixture = QueryFixture()
    let answer = try await fixture.ask("\(path)?service=checkout")
    #expect(answer.status == .ok && answer.headers[.contentType] == "application/json")
    #expect(
      answer.text == """
        {"verdict":"wait","score":null,"confidence":0.0,"marker":null,"service":null,\
        "environment":null,"version":null,"baseline":null,"start":null,\
        "reasons":["nothing is known"],"evidence":[],"attribution":[],\
        "health":{"score":null,"parts":[]},"comparison":null,"data_until":null,"deadline":null,\
        "eta_seconds":null,"smallest_detectable":{"errors_ratio":null,"latency_ratio":null}}
        """)
    #expect(fixture.backend.state.withLock { $0.verdicts.isEmpty })
  }

  /// Scenario: an answer with everything in it.
  /// Guarantees: this text, to the letter.
  @Test func text() {
    let report = GateReport(tenant: .standard, subject: Example.subject)
    let bytes = GateDocument.bytes(report, Example.answer, id: VerdictID(0xcd))
    #expect(
      String(decoding: bytes, as: UTF8.self) == """
        {"id":"vd_00000000000000cd","verdict":"rollback","score":null,"confidence":0.995,\
        "marker":"mk_00000000000000ab","service":"shop/checkout","environment":"prod",\
        "version":"v42","baseline":"v41","start":"2026-09-21T14:13:20Z",\
        "reasons":["it \\"fails\\""],"evidence":[\
        {"metric":"errors","baseline":0.005,"current":0.25,"ratio":50.0,"interval":[12.5,null],\
        "decision":"harmed"},\
        {"metric":"error_rate","baseline":0.01,"current":null,"ratio":null,"interval":null,\
        "decision":"undecided"},\
        {"metric":"latency","baseline":50.0,"current":50.5,"ratio":1.01,"interval":[0.99,1.03],\
        "decision":"safe"}],"attribution":[],"health":{"score":null,"parts":[]},\
        "comparison":"concurrent","data_until":"2026-09-21T14:23:20Z",\
        "deadline":"2026-09-21T15:13:20Z","eta_seconds":190,\
        "smallest_detectable":{"errors_ratio":1.5,"latency_ratio":null}}
        """)
  }

  /// Scenario: an answer that says how false rollbacks are held off and what to go back to; one that
  /// rolls nothing back; one by the rules of kept verdicts.
  /// Guarantees: both are told; the version only with a rollback; the last is written as it was.
  @Test func rollbackTarget() throws {
    var report = Example.report
    report.subject.rollbackTo = "v40"
    func json(_ answer: GateAnswer) throws -> [String: Any] {
      let bytes = GateDocument.bytes(report, answer, id: nil)
      return try #require(
        try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }
    #expect(try json(Example.answer)["rollback_to"] as? String == "v40")
    #expect(try json(Example.answer)["error_control"] == nil)
    #expect(try json(.waiting("for more"))["rollback_to"] == nil)
    let control = try #require(try json(report.answer)["error_control"] as? [String: Any])
    #expect(control["method"] as? String == "mean_of_e_values")
    #expect(control["alpha"] as? Double == 0.01)
    #expect(control["alpha_sequential"] as? Double == 0.008)
    #expect(control["alpha_final"] as? Double == 0.002)
    #expect(try #require(control["threshold"] as? Double).rounded() == 125)
    #expect(control["e_value"] is Double)
  }

  /// Scenario: the gate has evidence; the verdict is asked for, listed and shown in full.
  /// Guarantees: it is kept under the id that is answered; the answer as it was given; the same
  /// comes of its windows again; windows and stretches with both sides.
  @Test func keptAndShown() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.report = Example.report }
    let given = try await fixture.ask("\(path)?service=checkout")
    let id = try #require(try given.json()["id"] as? String)
    let kept = try #require(fixture.backend.state.withLock(\.verdicts).first)
    #expect("\(kept.id)" == id && kept.since == kept.until)
    #expect(kept.until == start + 10 * .minute && kept.service == "shop/checkout")
    #expect(kept.version == "v42" && kept.verdict == "rollback")
    #expect(try GateReport(bytes: kept.report) == Example.report)

    let list = try await fixture.ask("/api/v1/verdicts").json()
    let listed = try #require(list["verdicts"] as? [[String: String]])
    #expect(
      listed == [
        [
          "id": id, "service": "shop/checkout", "version": "v42", "verdict": "rollback",
          "since": "2026-09-21T14:23:20Z", "data_until": "2026-09-21T14:23:20Z",
        ]
      ])
    #expect(list["truncated"] as? Bool == false)

    let shown = try await fixture.ask("/api/v1/verdicts/\(id)")
    let json = try shown.json()
    #expect(json["recomputed_identically"] as? Bool == true)
    let windows = try #require(json["windows"] as? [[String: Any]])
    #expect(windows.count == 30)
    #expect(windows[3]["unknown_failures"] as? Int == 4)
    #expect(windows[3]["start"] as? String == "2026-09-21T14:13:50Z")
    #expect(windows[3]["end"] as? String == "2026-09-21T14:14:00Z")
    let current = try #require(windows[3]["current"] as? [String: Any])
    #expect(current["traces"] as? Int == 50 && current["error_traces"] as? Int == 1)
    let latency = try #require(current["typical_latency_ms"] as? Double)
    #expect((latency - 24.155).magnitude < 0.001)
    let baseline = try #require(windows[3]["baseline"] as? [String: Any])
    #expect(baseline["typical_latency_ms"] is NSNull && baseline["unseen_failures"] as? Int == 0)
    let stretches = try #require(json["stretches"] as? [[String: [String: Any]]])
    #expect(stretches.count == 2 && stretches[1]["before"]?["traces"] as? Int == 100)
    let answer = try #require(json["answer"] as? [String: Any])
    #expect(answer["id"] == nil && answer["verdict"] as? String == "rollback")
    #expect(
      NSDictionary(dictionary: answer).isEqual(to: try given.json().filter { $0.key != "id" }))
  }

  /// Scenario: the answer that was kept is not the one that comes of what it was based on; what it
  /// was based on cannot be read.
  /// Guarantees: the first is shown as it was given, and said; the second is a 500 that tells
  /// nothing of the inside.
  @Test func changedAndDamaged() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.report = Example.report }
    let id = try await fixture.ask("\(path)?service=a").json()["id"] as? String ?? ""
    fixture.backend.state.withLock { $0.verdicts[0].answer = Array(#"{"verdict":"promote"}"#.utf8) }
    let changed = try await fixture.ask("/api/v1/verdicts/\(id)").json()
    #expect(changed["recomputed_identically"] as? Bool == false)
    #expect((changed["answer"] as? [String: String]) == ["verdict": "promote"])
    fixture.backend.state.withLock { _ = $0.verdicts[0].report.popLast() }
    let damaged = try await fixture.ask("/api/v1/verdicts/\(id)")
    #expect(damaged.status == .internalServerError)
    #expect(!damaged.text.contains("MalformedBytes"))
  }

  /// Scenario: ids that are none, and one nobody has; a parameter besides.
  /// Guarantees: 404 that says how to find one; 400.
  @Test func unknownVerdict() async throws {
    let fixture = QueryFixture()
    for id in ["x", "vd_1", "vd_0123456789abcdef", "mk_0123456789abcdef", "vd_%C3%A9"] {
      let answer = try await fixture.ask("/api/v1/verdicts/\(id)")
      #expect(answer.status == .notFound)
      #expect(try answer.json()["type"] as? String == "urn:spangate:problem:unknown-verdict")
      #expect(answer.text.contains("GET /api/v1/verdicts lists"))
    }
    #expect(try await fixture.ask("/api/v1/verdicts/vd_1?x=1").status == .badRequest)
    #expect(try await fixture.ask("\(path)?service=a", .post).status == .methodNotAllowed)
  }

  /// Scenario: the list without and with every parameter, more verdicts than asked for, and
  /// mistakes.
  /// Guarantees: the last 24 hours and what data may be ahead; each parameter is passed on; that
  /// there are more is said; each mistake is refused.
  @Test func list() async throws {
    let fixture = QueryFixture()
    _ = try await fixture.ask("/api/v1/verdicts")
    fixture.backend.state.withLock { state in
      for number in 0..<3 as Range<UInt64> {
        state.verdicts.append(
          StoredVerdict(
            id: VerdictID(number), tenant: .standard, rollout: RolloutID(1), service: "a",
            version: "b", verdict: "wait", since: 1, until: 2, report: [], answer: []))
      }
    }
    let limited = try await fixture.ask(
      "/api/v1/verdicts?start=1790000000&end=1790000100&service=checkout&version=v42&limit=2"
    ).json()
    #expect((limited["verdicts"] as? [Any])?.count == 2)
    #expect(limited["truncated"] as? Bool == true)
    #expect(limited["start"] as? String == "2026-09-21T14:13:20Z")
    let filters = fixture.backend.state.withLock(\.verdictFilters)
    let now = fixture.backend.now
    let end = now + 10 * .minute + windowNanos + 1
    #expect(filters[0] == VerdictFilter(start: end - .day, end: end, countMax: 101))
    #expect(
      filters[1]
        == VerdictFilter(
          start: start, end: start + 100 * .second, service: "checkout", version: "v42",
          countMax: 3))
    for (query, field) in [
      ("limit=0", "limit"), ("limit=1001", "limit"), ("start=x", "start"), ("service=", "service"),
      ("verdict=wait", "verdict"), ("start=1790000100&end=1790000000", "start"),
    ] {
      let answer = try await fixture.ask("/api/v1/verdicts?\(query)")
      #expect(answer.status == .badRequest)
      #expect(Array(try answer.fieldErrors().keys) == [field])
    }
  }

  /// Scenario: the gateway is not ready; the backend fails.
  /// Guarantees: 503 and 500, and no verdict.
  @Test func notReady() async throws {
    struct Broken: Error {}
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.readiness = .notReady("replaying the journal") }
    #expect(try await fixture.ask("\(path)?service=a").status == .serviceUnavailable)
    fixture.backend.state.withLock {
      $0.readiness = .ready
      $0.failure = Broken()
    }
    #expect(try await fixture.ask("\(path)?service=a").status == .internalServerError)
  }

  /// Scenario: the description of the API, and answers with everything in them.
  /// Guarantees: every key of an answer and of a verdict is described, and no other.
  @Test func described() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.report = Example.report }
    let gate = try await fixture.ask("\(path)?service=a").json()
    let id = gate["id"] as? String ?? ""
    let verdict = try await fixture.ask("/api/v1/verdicts/\(id)").json()
    let list = try await fixture.ask("/api/v1/verdicts").json()
    let document = try await fixture.ask("/api/v1/openapi.json").json()
    let schemas = try #require(
      (document["components"] as? [String: [String: [String: Any]]])?["schemas"])
    func described(_ name: String) -> Set<String> {
      Set((schemas[name]?["properties"] as? [String: Any] ?? [:]).keys)
    }
    func first(_ value: Any?) -> Set<String> {
      Set(((value as? [[String: Any]])?.first ?? [:]).keys)
    }
    let window = (verdict["windows"] as? [[String: Any]])?.first ?? [:]
    let health = try #require(gate["health"] as? [String: Any])
    // Only a rollback says what to go back to.
    #expect(described("Gate") == Set(gate.keys).union(["rollback_to"]))
    #expect(described("Evidence") == first(gate["evidence"]))
    #expect(described("Health") == Set(health.keys))
    #expect(described("HealthPart") == first(health["parts"]))
    #expect(
      described("SmallestDetectable")
        == Set((gate["smallest_detectable"] as? [String: Any] ?? [:]).keys))
    #expect(described("VerdictInFull") == Set(verdict.keys))
    #expect(described("VerdictWindow") == Set(window.keys))
    #expect(described("Side") == Set((window["current"] as? [String: Any] ?? [:]).keys))
    #expect(described("Stretch") == first(verdict["stretches"]))
    #expect(described("Verdicts") == Set(list.keys))
    #expect(described("Verdict") == first(list["verdicts"]))
    let paths = try #require(document["paths"] as? [String: Any])
    #expect(
      Set(["/api/v1/gate", "/api/v1/verdicts", "/api/v1/verdicts/{id}"])
        .isSubset(of: Set(paths.keys)))
  }
}
