import Foundation
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct PathRoutesTests {
  private func fixture() -> QueryFixture {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let front = state.node("frontend", namespace: "shop")
      let operation = Name(tenant: .standard, kind: .operation, scope: front, text: "GET /")
      state.names[operation.id] = operation
      var finding = Finding(
        window: 0, key: .path(1, below: 0, operation: operation.id), latency: 5 * .millisecond,
        ownTime: 5 * .millisecond)
      finding.counters[.traces] = 1
      finding.counters[.requestsAdjusted] = 256
      finding.counters[.criticalPathNanos] = 5_000_000
      state.window.add(finding)
    }
    return fixture
  }

  /// Scenario: the critical path is asked for in both forms, over a range within minutes.
  /// Guarantees: whole minutes are read and echoed; JSON and folded stacks.
  @Test func criticalPath() async throws {
    let fixture = fixture()
    let answer = try await fixture.ask(
      "/api/v1/critical-path?service=frontend&operation=GET%20/&start=1790000005&end=1790000065")
    #expect(answer.status == .ok)
    #expect(try answer.json()["entry"] as? String == "shop/frontend GET /")
    #expect(
      fixture.backend.state.withLock(\.asked).last
        == 1_789_999_980 * Nanos.second..<1_790_000_100 * Nanos.second)
    let folded = try await fixture.ask("/api/v1/critical-path?format=folded")
    #expect(folded.text == "shop/frontend GET / 5000000\n")
    let unknown = try await fixture.ask("/api/v1/critical-path?service=fronted")
    #expect(unknown.status == .notFound && unknown.text.contains("Spelled alike: frontend"))
  }

  /// Scenario: what-if with what it needs, without, and with numbers out of range.
  /// Guarantees: an effect for each entry point; all that is wrong at once.
  @Test func whatIf() async throws {
    let fixture = fixture()
    let answer = try await fixture.ask(
      "/api/v1/what-if?service=frontend&delta_ms=-2&error_rate=0.5")
    #expect(answer.status == .ok)
    let latency = try #require(try answer.json()["latency"] as? [[String: Any]])
    #expect(latency.first?["change_ms"] as? Double == -2)
    let errors = try await fixture.ask("/api/v1/what-if?delta_ms=x&error_rate=2").fieldErrors()
    #expect(Set(errors.keys) == ["service", "delta_ms", "error_rate"])
    let neither = try await fixture.ask("/api/v1/what-if?service=frontend").fieldErrors()
    #expect(neither["delta_ms"]?.contains("error_rate") == true)
  }
}
