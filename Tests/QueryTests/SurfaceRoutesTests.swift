import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct SurfaceRoutesTests {
  /// Scenario: the ranges of Jaeger and Zipkin: none, an end, a length, one longer than is kept.
  /// Guarantees: milliseconds; a day; cut, not refused.
  @Test(arguments: ["/api/dependencies", "/api/v2/dependencies"])
  func lookbacks(path: String) async throws {
    let fixture = QueryFixture()
    for query in [
      "", "?endTs=1790000000000", "?endTs=1790000000000&lookback=60000&unknown=1&endTs=5",
      "?endTs=1790000000000&lookback=9000000000000", "?endTs=0", "?endTs=&lookback=",
    ] {
      #expect(try await fixture.ask(path + query).status == .ok)
    }
    let now = fixture.backend.now
    let end = 1_790_000_000 * Nanos.second
    #expect(
      fixture.backend.state.withLock(\.asked) == [
        (now - .day)..<now, (end - .day)..<end, (end - 60 * .second)..<end,
        (end - 400 * .day)..<end, 0..<Nanos.millisecond, (now - .day)..<now,
      ])
    let refused = try await fixture.ask(path + "?endTs=yesterday&lookback=0")
    #expect(refused.status == .badRequest)
    #expect(Set(try refused.fieldErrors().keys) == ["endTs", "lookback"])
  }

  /// Scenario: the links of the shop.
  /// Guarantees: the documents of both tools; Jaeger's filter by service.
  @Test func dependencies() async throws {
    let fixture = QueryFixture()
    let all = try await fixture.ask("/api/dependencies").json()
    #expect((all["data"] as? [Any])?.count == 2)
    #expect(all["errors"] is NSNull)
    let some = try await fixture.ask("/api/dependencies?service=frontend").json()
    let link = try #require((some["data"] as? [[String: Any]])?.first)
    #expect(link["parent"] as? String == "shop/frontend")
    #expect(link["child"] as? String == "shop/checkout")
    #expect(link["callCount"] as? Int == 10)
    let zipkin = try await fixture.ask("/api/v2/dependencies")
    #expect(
      zipkin.text.contains(
        #"{"parent":"shop/frontend","child":"shop/checkout","callCount":10,"errorCount":1}"#))
  }

  /// Scenario: deep dependencies with, without and with an unknown service.
  /// Guarantees: paths, 400, 404.
  @Test func deepDependencies() async throws {
    let fixture = QueryFixture()
    let json = try await fixture.ask("/api/deep-dependencies?service=checkout&start=0&end=0").json()
    #expect((json["dependencies"] as? [Any])?.count == 2)
    #expect(try await fixture.ask("/api/deep-dependencies").status == .badRequest)
    #expect(try await fixture.ask("/api/deep-dependencies?service=x").status == .notFound)
  }

  /// Scenario: Grafana asks with a query, a service, a variable without a choice, a time range.
  /// Guarantees: the part of the graph it means; what it does not know is ignored.
  @Test func nodeGraph() async throws {
    let fixture = QueryFixture()
    func nodes(_ query: String) async throws -> Int? {
      let json = try await fixture.ask("/api/graph/data\(query)").json()
      return (json["nodes"] as? [Any])?.count
    }
    #expect(try await nodes("") == 3)
    #expect(try await nodes("?query=frontend&depth=1&anything=1") == 2)
    #expect(try await nodes("?query=all%GG") == 3)
    #expect(try await nodes("?query=x&service=database:orders&direction=up&depth=1") == 2)
    #expect(try await nodes("?query=&service=") == 3)
    #expect(try await nodes("?from=1789999000000&to=1790000000000") == 3)
    let asked = fixture.backend.state.withLock { $0.asked.last }
    #expect(asked == (1_789_999_000 * Nanos.second)..<(1_790_000_000 * Nanos.second))
    #expect(try await fixture.ask("/api/graph/data?query=x").status == .notFound)
    #expect(try await fixture.ask("/api/graph/fields").json()["edges_fields"] != nil)
    #expect(try await fixture.ask("/api/health").text == #"{"status":"ok"}"#)
  }

  /// Scenario: the same questions before the gateway is ready.
  /// Guarantees: 503 everywhere spans are asked about; liveness and metrics answer.
  @Test func notReady() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.readiness = .notReady("replaying") }
    for path in [
      "/api/health", "/api/graph/data", "/api/dependencies", "/api/v2/dependencies",
      "/api/v1/graph/diff",
    ] {
      #expect(try await fixture.ask(path).status == .serviceUnavailable)
    }
    #expect(try await fixture.ask("/livez").status == .ok)
    #expect(try await fixture.ask("/metrics").status == .ok)
  }
}
