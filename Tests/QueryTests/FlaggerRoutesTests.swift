import Hummingbird
import HummingbirdTesting
import Impact
import Model
import Testing

@testable import Query

private let path = "/api/v1/flagger/"
private let canary = #"""
  {"name": "checkout", "namespace": "test", "phase": "Progressing", "checksum": "85d557f47b",
   "metadata": {"version": "v42", "token": "16688eb5e9f289f1991c"}, "buildId": 7}
  """#

/// What each hook is answered, in the order of `VerdictExample`.
private let statuses: [(String, [Int])] = [
  ("confirm-rollout", [200, 403, 200, 200, 200]),
  ("pre-rollout", [200, 403, 200, 200, 200]),
  ("confirm-traffic-increase", [200, 403, 403, 200, 200]),
  ("rollout", [200, 403, 200, 200, 200]),
  ("confirm-promotion", [200, 403, 403, 403, 403]),
  ("rollback", [403, 200, 403, 403, 403]),
]

@Suite struct FlaggerRoutesTests {
  /// Scenario: every hook, with every verdict, before the canary has traffic, and of a version that
  /// nobody has seen.
  /// Guarantees: 200 where Flagger shall go on, or roll back where that is the hook; 403 otherwise;
  /// the verdict and its reason as text; a verdict with evidence is kept.
  @Test(arguments: statuses)
  func everyVerdict(hook: String, expected: [Int]) async throws {
    for (example, status) in zip(VerdictExample.allCases, expected) {
      let fixture = QueryFixture()
      fixture.backend.state.withLock { $0.report = example.report }
      let answer = try await fixture.ask(path + hook, .post, body: canary)
      #expect(answer.status.code == status, "\(hook) \(example)")
      #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
      let verdict = [.promote, .rollback].contains(example) ? example.rawValue : "wait"
      #expect(answer.text.hasPrefix("\(verdict): ") && answer.text.hasSuffix("\n"))
      #expect(answer.text.count > 20, "\(answer.text)")
      let kept = fixture.backend.state.withLock(\.verdicts)
      #expect(kept.count == (example == .unknown ? 0 : 1))
    }
  }

  /// Scenario: the service, the version and the rest are named by the body, by its metadata and by
  /// the address; fields and parameters nobody knows come too.
  /// Guarantees: the address counts more than the metadata, and that more than the canary's name;
  /// the canary's namespace is none of `service.namespace`; what is unknown is passed over.
  @Test func theQuestion() async throws {
    let fixture = QueryFixture()
    _ = try await fixture.ask(path + "rollout", .post, body: canary)
    _ = try await fixture.ask(
      path + "rollout?service=shop/cart&version=v43&namespace=-&environment=prod&deadline=30m"
        + "&min_health=90&timeout=5s", .post, body: canary)
    let named = #"""
      {"name": "checkout", "metadata": {"service": "cart", "version": 7, "namespace": "shop",
       "environment": "-", "min_health": "50", "deadline": "2h"}}
      """#
    _ = try await fixture.ask(path + "rollout", .post, body: named)
    #expect(
      fixture.backend.state.withLock(\.gateRequests) == [
        GateRequest(service: "checkout", version: "v42"),
        GateRequest(
          service: "shop/cart", namespace: "", environment: "prod", version: "v43",
          deadline: .after(30 * .minute), minHealth: 90),
        GateRequest(
          service: "cart", namespace: "shop", environment: "", version: "7",
          deadline: .after(2 * .hour), minHealth: 50),
      ])
  }

  /// Scenario: no version, no name, a body that is no JSON or of another shape, values that cannot
  /// be read or are too long, a type of hook the gate has no answer to.
  /// Guarantees: 400 or 404 with what to do, never a status Flagger takes for success; the gate is
  /// not asked.
  @Test func refused() async throws {
    let fixture = QueryFixture()
    let long = String(repeating: "v", count: 1_025)
    let bodies: [(String, String)] = [
      (#"{"name": "checkout", "metadata": {}}"#, "version"),
      (#"{"metadata": {"version": "v42"}}"#, "service"),
      (#"{"name": "a", "metadata": {"version": "\#(long)"}}"#, "version"),
      (#"{"name": "a", "metadata": {"version": "v1", "deadline": "soon"}}"#, "deadline"),
      (#"{"name": "a", "metadata": {"version": "v1", "min_health": "101"}}"#, "min_health"),
      ("", "body"), ("{", "body"), (String(repeating: "[", count: 9_999), "body"),
    ]
    for (body, field) in bodies {
      for hook in FlaggerHook.allCases {
        let answer = try await fixture.ask(path + hook.rawValue, .post, body: body)
        #expect(answer.status == .badRequest)
        #expect(try answer.fieldErrors()[field] != nil, "\(body.prefix(60)): \(answer.text)")
      }
    }
    for body in ["null", "7", "[]", #""text""#] {
      let answer = try await fixture.ask(path + "rollback", .post, body: body)
      #expect(answer.status == .badRequest)
      #expect(try Set(answer.fieldErrors().keys) == ["service", "version"])
    }
    for hook in ["event", "post-rollout", "promote", "ROLLBACK"] {
      let answer = try await fixture.ask(path + hook, .post, body: canary)
      #expect(answer.status == .notFound && answer.text.contains("confirm-promotion"))
    }
    #expect(try await fixture.ask(path + "rollout").status == .methodNotAllowed)
    #expect(fixture.backend.state.withLock { $0.gateRequests.isEmpty })
  }

  /// Scenario: the gateway is not ready, and its store fails.
  /// Guarantees: neither is a success, of a rollback hook either.
  @Test func notNow() async throws {
    for hook in FlaggerHook.allCases {
      let fixture = QueryFixture()
      fixture.backend.state.withLock { $0.readiness = .notReady("replaying") }
      let early = try await fixture.ask(path + hook.rawValue, .post, body: canary)
      #expect(early.status == .serviceUnavailable)
      fixture.backend.state.withLock { state in
        state.readiness = .ready
        state.failure = CancellationError()
      }
      let failed = try await fixture.ask(path + hook.rawValue, .post, body: canary)
      #expect(failed.status == .serviceUnavailable)
    }
  }
}
