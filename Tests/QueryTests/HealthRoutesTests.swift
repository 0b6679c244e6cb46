import Foundation
import Graph
import HummingbirdTesting
import Impact
import Model
import Testing

@testable import Query

@Suite struct HealthRoutesTests {
  /// Checkout fails more than before, by itself; front, which calls it, and a service of another
  /// environment do well.
  private func fixture(_ change: (inout QueryConfiguration) -> Void = { _ in }) -> QueryFixture {
    let fixture = QueryFixture(change)
    fixture.backend.state.withLock { state in
      let front = state.node("front", namespace: "shop")
      let checkout = state.node("checkout", namespace: "shop")
      let other = state.node("elsewhere", environment: "test")
      let idle = state.node("idle")
      func windows(failedOfTwenty: Int, isBase: Bool) -> [Window] {
        (0..<18).map { position in
          var window = Window()
          for node in [front, checkout, other] + (isBase ? [idle] : []) {
            let failed = node == checkout ? failedOfTwenty : 0
            for request in 0..<20 { window.add(finding(.node(node), isError: request < failed)) }
          }
          for request in 0..<20 {
            window.add(
              finding(.edge(front, checkout, .direct), isError: request < failedOfTwenty))
          }
          return window
        }
      }
      state.baseWindows = windows(failedOfTwenty: 0, isBase: true)
      state.currentWindows = windows(failedOfTwenty: 4, isBase: false)
      state.window = state.currentWindows[0]
    }
    return fixture
  }

  private func finding(_ key: SeriesKey, isError: Bool) -> Finding {
    var finding = Finding(
      window: 0, key: key, latency: 10 * .millisecond, ownTime: 10 * .millisecond)
    for (field, value) in [
      (Counters.Field.requests, Int64(1)), (.requestsAdjusted, 256), (.traces, 1),
      (.errors, 1), (.errorsAdjusted, 256), (.errorOriginsAdjusted, 256), (.errorTraces, 1),
      (.absorbedAdjusted, 256),
    ] where isError || [.requests, .requestsAdjusted, .traces].contains(field) {
      finding.counters[field] = value
    }
    return finding
  }

  /// Scenario: the health of all services.
  /// Guarantees: the worst first with its parts, those without data last with the reason; both ranges are
  /// read and echoed.
  @Test func all() async throws {
    let fixture = fixture()
    let answer = try await fixture.ask("/api/v1/health?start=1789999980&end=1790000100")
    #expect(answer.status == .ok)
    let json = try answer.json()
    #expect(json["base_end"] as? String == json["start"] as? String)
    let services = try #require(json["services"] as? [[String: Any]])
    #expect(
      services.map { $0["service"] as? String }
        == ["shop/checkout", "elsewhere", "shop/front", "idle"])
    let checkout = services[0]
    #expect((checkout["health"] as? Double).map { $0 < 80 } == true)
    let parts = try #require(checkout["parts"] as? [[String: Any]])
    let errors = try #require(parts.first)
    #expect(errors["name"] as? String == "errors" && (errors["why"] as? String)?.isEmpty == false)
    let weights = parts.compactMap { $0["weight"] as? Double }
    #expect(weights.count == parts.count && abs(weights.reduce(0, +) - 1) < 1e-9)
    #expect(services[1]["health"] as? Double == 100 && services[2]["health"] as? Double == 100)
    #expect(services[3]["health"] is NSNull)
    #expect((services[3]["why"] as? String)?.contains("no request came") == true)
  }

  /// Scenario: one service; of one environment; one that is not there; an objective that allows what
  /// happens, by name and by id.
  /// Guarantees: who calls it and what came of it; 404 with what is spelled alike; the objective counts,
  /// that for the id before that for the name.
  @Test func one() async throws {
    let fixture = fixture()
    let json = try await fixture.ask("/api/v1/health/shop/checkout").json()
    let upstream = try #require(json["upstream"] as? [[String: Any]])
    #expect(upstream.map { $0["service"] as? String } == ["shop/front"])
    #expect(upstream[0]["failed"] as? Double == 72 && upstream[0]["absorbed"] as? Double == 72)
    #expect((json["downstream"] as? [Any])?.isEmpty == true)
    let front = try await fixture.ask("/api/v1/health/shop/front").json()
    #expect((front["downstream"] as? [[String: Any]])?.first?["calls"] as? Double == 360)
    let inTest = try await fixture.ask("/api/v1/health/-/elsewhere?environment=test")
    #expect(try inTest.json()["environment"] as? String == "test")
    let unknown = try await fixture.ask("/api/v1/health/shop/chekout")
    #expect(unknown.status == .notFound && unknown.text.contains("shop/checkout"))
    #expect(try await fixture.ask("/api/v1/health?servce=x").status == .badRequest)
    let generous = self.fixture {
      $0.objectives = [
        "checkout": ServiceObjective(errorRate: 0.0001),
        "shop/checkout": ServiceObjective(errorRate: 0.3),
      ]
    }
    let allowed = try await generous.ask("/api/v1/health/shop/checkout").json()
    let errors = try #require((allowed["parts"] as? [[String: Any]])?.first)
    #expect(errors["score"] as? Double == 100)
    #expect((errors["why"] as? String)?.contains("30 % is the objective") == true)
  }

  /// Scenario: the graph, the list of services and one service; the graph of one cluster.
  /// Guarantees: each node has its score, one service its parts as well; of a cluster there is none, and
  /// one service says so.
  @Test func wherever() async throws {
    let fixture = fixture()
    let graph = try await fixture.ask("/api/v1/graph").json()
    let nodes = try #require(graph["nodes"] as? [[String: Any]])
    let scores = nodes.reduce(into: [:]) { $0[$1["id"] as? String ?? ""] = $1["health"] as? Double }
    #expect(scores["shop/front"] == 100)
    #expect(scores["shop/checkout"].map { $0 < 100 } == true)
    let list = try await fixture.ask("/api/v1/services").json()
    let listed = try #require(list["services"] as? [[String: Any]])
    #expect(listed.first { $0["id"] as? String == "shop/front" }?["health"] as? Double == 100)
    let one = try await fixture.ask("/api/v1/services/shop/checkout").json()
    let health = try #require(one["health"] as? [String: Any])
    #expect(health["score"] as? Double == scores["shop/checkout"])
    #expect((health["parts"] as? [Any])?.isEmpty == false)
    #expect((one["node"] as? [String: Any])?["health"] as? Double == health["score"] as? Double)
    let part = try await fixture.ask("/api/v1/graph?cluster=eu").json()
    #expect((part["nodes"] as? [[String: Any]])?.allSatisfy { $0["health"] is NSNull } == true)
  }
}
