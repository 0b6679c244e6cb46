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

  /// Scenario: two ranges, named in part and in full.
  /// Guarantees: whole minutes of both are read; the base ends where the range begins unless named, and
  /// is as long.
  @Test func comparedRanges() async throws {
    let fixture = fixture()
    let json = try await fixture.ask(
      "/api/v1/critical-path?start=1789999980&end=1790000100&base_start=1789999800"
    ).json()
    #expect(json["comparison"] as? String == "ranges" && json["change_ms"] as? Double == 0)
    #expect(json["entry"] as? String == "shop/frontend GET /")
    let asked = fixture.backend.state.withLock(\.asked)
    #expect(asked.contains(1_789_999_800 * Nanos.second..<1_789_999_980 * Nanos.second))
    #expect(asked.contains(1_789_999_980 * Nanos.second..<1_790_000_100 * Nanos.second))
    _ = try await fixture.ask(
      "/api/v1/critical-path?start=1789999980&end=1790000100&base_end=1789999800")
    let ended = fixture.backend.state.withLock(\.asked)
    #expect(ended.contains(1_789_999_680 * Nanos.second..<1_789_999_800 * Nanos.second))
  }

  /// Scenario: two versions: seen, not seen, of services on the way and not, and what does not go
  /// together.
  /// Guarantees: the comparison; 404 under the parameter that names what is unknown; 400 for each.
  @Test func comparedVersions() async throws {
    let fixture = fixture()
    fixture.backend.state.withLock { state in
      let front = state.node("frontend", namespace: "shop")
      let operation = Name(tenant: .standard, kind: .operation, scope: front, text: "GET /")
      for text in ["v1", "v2"] {
        state.version(text, of: front)
        let version = Name(tenant: .standard, kind: .version, scope: front, text: text)
        var finding = Finding(
          window: 0,
          key: .path(
            SeriesKey.pathID(of: operation.id, version: version.id, below: 0), below: 0,
            operation: operation.id))
        finding.counters[.traces] = 1
        finding.counters[.requestsAdjusted] = 256
        finding.counters[.criticalPathNanos] = text == "v1" ? 1_000_000 : 4_000_000
        state.window.add(finding)
      }
    }
    let path = "/api/v1/critical-path?service=frontend&version=v2&base_version="
    let json = try await fixture.ask(path + "v1").json()
    #expect(json["comparison"] as? String == "versions" && json["change_ms"] as? Double == 3)
    #expect(json["service"] as? String == "shop/frontend")
    let unknown = try await fixture.ask(path + "v9")
    #expect(unknown.status == .notFound)
    #expect(Array(try unknown.fieldErrors().keys) == ["base_version"])
    let elsewhere = try await fixture.ask(path + "v1&versions_of=nobody")
    #expect(Array(try elsewhere.fieldErrors().keys) == ["versions_of"])
    let wrong = try await fixture.ask(
      "/api/v1/critical-path?versions_of=a&base_end=1790000000&format=folded")
    #expect(wrong.status == .badRequest)
    #expect(
      Set(try wrong.fieldErrors().keys) == ["version", "base_version", "base_end", "format"])
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
