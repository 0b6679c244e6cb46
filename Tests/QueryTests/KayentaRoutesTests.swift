import Foundation
import Hummingbird
import HummingbirdTesting
import Impact
import Model
import TestSupport
import Testing

@testable import Query

private let path = "/api/v1/kayenta/"

/// As Argo Rollouts writes it.
private func body(
  scope: String = "v42", region: String = "", end: String = "", pass: String = "90",
  marginal: String = "75"
) -> String {
  """
  {"scopes": {"default": {
     "controlScope": {"scope": "v41", "region": "", "step": 60, "start": "", "end": ""},
     "experimentScope": {"scope": "\(scope)", "region": "\(region)", "step": 60,
       "start": "2026-09-21T14:00:00Z", "end": "\(end)"}}},
   "thresholds": {"pass": \(pass), "marginal": \(marginal)}}
  """
}

@Suite struct KayentaRoutesTests {
  private func start(
    _ fixture: QueryFixture, _ body: String, application: String = "checkout"
  ) async throws -> String {
    let answer = try await fixture.ask(
      "\(path)canary/spangate?application=\(application)&metricsAccountName=a"
        + "&configurationAccountName=b&storageAccountName=c", .post, body: body)
    #expect(answer.status == .ok, "\(answer.text)")
    return try #require(try answer.json()["canaryExecutionId"] as? String)
  }

  /// Scenario: the configurations are looked up.
  /// Guarantees: a list with one that is called `spangate`, for the application that was named.
  @Test func configurations() async throws {
    let answer = try await QueryFixture().ask(
      "\(path)canaryConfig?application=checkout&configurationAccountName=s3")
    #expect(
      answer.text == """
        [{"id":"spangate","name":"spangate","updatedTimestamp":0,\
        "updatedTimestampIso":"1970-01-01T00:00:00Z","applications":["checkout"]}]
        """)
  }

  /// Scenario: an execution is started, and asked for with every verdict.
  /// Guarantees: not complete while the gate waits; else a score on the right side of both
  /// thresholds, with the reason; the gate's own answer beside it.
  @Test func everyVerdict() async throws {
    for example in VerdictExample.allCases {
      let fixture = QueryFixture()
      fixture.backend.state.withLock { $0.report = example.report }
      let id = try await start(fixture, body())
      let answer = try await fixture.ask("\(path)canary/\(id)")
      #expect(answer.status == .ok)
      let json = try answer.json()
      let gate = try #require(json["gate"] as? [String: Any])
      let isVerdict = [.promote, .rollback].contains(example)
      #expect(gate["verdict"] as? String == (isVerdict ? example.rawValue : "wait"))
      #expect(json["complete"] as? Bool == isVerdict, "\(example)")
      #expect(json["status"] as? String == (isVerdict ? "succeeded" : "running"))
      let result = json["result"] as? [String: [String: Any]]
      #expect((result != nil) == isVerdict)
      guard let result else { continue }
      let score = try #require(result["judgeResult"]?["score"] as? [String: Any])
      let number = try #require(score["score"] as? Double)
      #expect(example == .promote ? number >= 90 : number < 75)
      #expect(score["classification"] as? String == (example == .promote ? "Pass" : "Fail"))
      let reason = try #require(score["classificationReason"] as? String)
      #expect(reason.hasPrefix("\(example): ") && reason.count > 20)
    }
  }

  /// Scenario: the end of the experiment is ahead, and has passed, without a verdict.
  /// Guarantees: it is complete after the end, between the thresholds; the gate is told the end as
  /// its deadline.
  @Test func theEnd() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.report = VerdictExample.wait.report }
    for (end, isOver) in [
      ("2026-09-21T14:13:26Z", false), ("2026-09-21T14:13:25Z", true),
      ("2026-09-21T10:00:00Z", true),
    ] {
      let id = try await start(fixture, body(end: end))
      let json = try await fixture.ask("\(path)canary/\(id)").json()
      #expect(json["complete"] as? Bool == isOver, "\(end)")
      guard isOver else { continue }
      let result = json["result"] as? [String: [String: Any]]
      let score = result?["judgeResult"]?["score"] as? [String: Any]
      #expect(score?["score"] as? Double == 75)
      #expect(score?["classification"] as? String == "Marginal")
    }
    let asked = fixture.backend.state.withLock(\.gateRequests)
    #expect(asked.first?.deadline == .at(fixture.backend.now + .second))
  }

  /// Scenario: an execution is started at one gateway and asked for at another.
  /// Guarantees: the second asks the same question: nothing was kept.
  @Test func anotherGateway() async throws {
    let id = try await start(
      QueryFixture(), body(scope: "v\\u00e9 \\\"42\\\"", region: "-"), application: "shop/cart")
    #expect(id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    let other = QueryFixture()
    #expect(try await other.ask("\(path)canary/\(id)").status == .ok)
    #expect(
      other.backend.state.withLock(\.gateRequests) == [
        GateRequest(service: "shop/cart", environment: "", version: "vé \"42\"")
      ])
  }

  /// Scenario: several scopes, none called `default`; one with a location beside a region; one without
  /// anything in it.
  /// Guarantees: the first by its name is read; the location counts; the version is left to the gate where none is named.
  @Test func otherScopes() async throws {
    let fixture = QueryFixture()
    for scopes in [
      #"{"b": {"experimentScope": {"scope": "v1"}}, "a": {"experimentScope": {"scope": "v2"}}}"#,
      #"{"default": {"experimentScope": {"location": "prod", "region": "x"}}}"#,
      #"{"default": {}}"#, "{}", "null",
    ] {
      let id = try await start(
        fixture, #"{"scopes": \#(scopes), "thresholds": {"pass": 90.5, "marginal": 1e300}}"#)
      _ = try await fixture.ask("\(path)canary/\(id)")
    }
    let asked = fixture.backend.state.withLock(\.gateRequests)
    #expect(asked.map(\.version) == ["v2", nil, nil, nil, nil])
    #expect(asked.map(\.environment) == [nil, "prod", nil, nil, nil])
  }

  /// Scenario: thresholds of every order and sign.
  /// Guarantees: compared as Argo Rollouts does, a promotion succeeds, a rollback fails, and what
  /// waited in vain never succeeds.
  @Test func thresholds() {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    let edges = [-1_000_000, -1, 0, 1, 75, 90, 100, 101, 1_000_000]
    var pairs = edges.flatMap { pass in edges.map { (pass, $0) } }
    for _ in 0..<200 {
      pairs.append(
        (Int.random(in: -200...200, using: &generator), .random(in: -200...200, using: &generator)))
    }
    for (pass, marginal) in pairs {
      func phase(_ verdict: Verdict) -> String {
        let score = KayentaScore(verdict, pass: pass, marginal: marginal).score
        return score >= pass ? "Successful" : score >= marginal ? "Inconclusive" : "Failed"
      }
      #expect(phase(.promote) == "Successful", "\(pass) \(marginal), seed \(seed)")
      #expect(phase(.rollback) == "Failed", "\(pass) \(marginal), seed \(seed)")
      let waiting = marginal < pass ? "Inconclusive" : "Failed"
      #expect(phase(.wait) == waiting, "\(pass) \(marginal), seed \(seed)")
    }
  }

  /// Scenario: ids nobody gave, configurations there are not, bodies that cannot be read.
  /// Guarantees: 404 or 400 with what to do; the gate is not asked; no trap.
  @Test func refused() async throws {
    let fixture = QueryFixture()
    let hexadecimal = { (text: String) in
      text.utf8.map { String(format: "%02x", $0) }.joined()
    }
    for id in [
      "0", "zz", "spangate", "00ff", hexadecimal("{}"), hexadecimal(#"{"service":"a"}"#),
      hexadecimal(#"{"service":7,"pass":1,"marginal":1}"#), hexadecimal("[[[["), "%00",
    ] {
      let answer = try await fixture.ask("\(path)canary/\(id)")
      #expect(answer.status == .notFound, "\(id): \(answer.text)")
    }
    let wrong = try await fixture.ask(
      "\(path)canary/other?application=a", .post, body: body())
    #expect(wrong.status == .notFound && wrong.text.contains("spangate"))
    let long = String(repeating: "v", count: 1_025)
    let cases: [(String, String, String)] = [
      ("?application=a", "{", "body"), ("", body(), "application"),
      ("?application=a", body(end: "later"), "end"),
      ("?application=a", body(pass: "null"), "thresholds"),
      ("?application=a", body(marginal: #""75""#), "thresholds"),
      ("?application=a", body(scope: long), "scope"),
      ("?application=\(long)", body(), "application"), ("?application=a", "{}", "thresholds"),
    ]
    for (query, body, field) in cases {
      let answer = try await fixture.ask("\(path)canary/spangate\(query)", .post, body: body)
      #expect(answer.status == .badRequest)
      #expect(try answer.fieldErrors()[field] != nil, "\(field): \(answer.text)")
    }
    #expect(fixture.backend.state.withLock { $0.gateRequests.isEmpty })
  }
}
