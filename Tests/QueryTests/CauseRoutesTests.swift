import Foundation
import Graph
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct CauseRoutesTests {
  /// A service of the shop that takes longer since its deployment, in windows of ten seconds.
  private func fixture() -> QueryFixture {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let checkout = state.node("checkout", namespace: "shop")
      let other = state.node("elsewhere", environment: "test")
      func windows(_ milliseconds: Nanos) -> [Window] {
        (0..<18).map { position in
          var window = Window()
          for node in [checkout, other] {
            for request in 0..<20 {
              let time = (milliseconds + Nanos(position % 3) + Nanos(request % 2)) * .millisecond
              var finding = Finding(window: 0, key: .node(node), latency: time, ownTime: time)
              finding.counters[.requests] = 1
              finding.counters[.requestsAdjusted] = 256
              window.add(finding)
            }
          }
          return window
        }
      }
      state.baseWindows = windows(10)
      state.currentWindows = windows(30)
    }
    return fixture
  }

  /// Scenario: a service is slower than in the hour before; somebody told of a deployment.
  /// Guarantees: the service with what is wrong, its figures, and the deployment; the ranges read are
  /// echoed, the base ends where the range begins.
  @Test func causes() async throws {
    let fixture = fixture()
    let range = "start=1789999980&end=1790000100"
    let posted = try await fixture.ask(
      "/api/v1/markers", .post,
      body: #"{"kind":"deployment","service":"checkout","version":"v2","time":1789999990}"#)
    let marker = try #require(try posted.json()["id"] as? String)
    let answer = try await fixture.ask("/api/v1/root-causes?\(range)")
    #expect(answer.status == .ok)
    let json = try answer.json()
    #expect(json["base_start"] as? String == Timestamp.text(1_789_996_380 * .second))
    #expect(json["base_end"] as? String == json["start"] as? String)
    let causes = try #require(json["causes"] as? [[String: Any]])
    #expect(causes.count == 2)
    let checkout = try #require(causes.first { $0["service"] as? String == "shop/checkout" })
    #expect(checkout["kind"] as? String == "self_time" && checkout["marker"] as? String == marker)
    #expect(checkout["namespace"] as? String == "shop")
    #expect(checkout["path"] as? [String] == ["shop/checkout"])
    let evidence = try #require(checkout["evidence"] as? [[String: Any]])
    #expect(evidence.first?["metric"] as? String == "self_time_ms")
    #expect((evidence.first?["before"] as? Double).map { abs($0 - 11.5) < 0.1 } == true)
  }

  /// Scenario: only one environment; a base of its own; a base that ends before it begins.
  /// Guarantees: nothing of other environments; both ranges are read; the wrong one is named.
  @Test func parameters() async throws {
    let fixture = fixture()
    let inTest = try await fixture.ask("/api/v1/root-causes?environment=test")
    let causes = try #require(try inTest.json()["causes"] as? [[String: Any]])
    #expect(causes.map { $0["service"] as? String } == ["elsewhere"])
    _ = try await fixture.ask(
      "/api/v1/root-causes?start=1790000000&base_start=1789990000&base_end=1789993600")
    #expect(
      fixture.backend.state.withLock(\.asked).dropLast().last
        == 1_789_990_000 * Nanos.second..<1_789_993_600 * Nanos.second)
    let wrong = try await fixture.ask(
      "/api/v1/root-causes?start=1790000000&base_start=1789990000&base_end=1789980000")
    #expect(wrong.status == .badRequest)
    #expect(try wrong.fieldErrors()["base_start"]?.contains("before the end") == true)
    let unknown = try await fixture.ask("/api/v1/root-causes?servce=x")
    #expect(unknown.status == .badRequest)
  }
}
