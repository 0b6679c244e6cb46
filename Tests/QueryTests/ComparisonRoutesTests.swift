import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct ComparisonRoutesTests {
  /// Scenario: a comparison without a base, with one end of it, with both.
  /// Guarantees: the base is as long as the widened range and ends where that begins, unless named.
  @Test(arguments: [
    ("", 1_789_999_000, 1_789_999_500),
    ("&base_end=1789990000", 1_789_989_505, 1_789_990_000),
    ("&base_start=1789999000", 1_789_999_000, 1_789_999_505),
    ("&base_start=1789980000&base_end=1789990000", 1_789_980_000, 1_789_990_000),
  ])
  func baseRanges(base: String, start: UInt64, end: UInt64) async throws {
    let fixture = QueryFixture()
    let response = try await fixture.ask(
      "/api/v1/graph/diff?start=1789999505&end=1790000000\(base)")
    #expect(response.status == .ok)
    let asked = fixture.backend.state.withLock(\.asked)
    #expect(asked[0] == (1_789_999_505 * Nanos.second)..<(1_790_000_000 * Nanos.second))
    #expect(asked[1] == (start * Nanos.second)..<(end * Nanos.second))
    // What operations call is asked for by whole minutes, over as long a stretch.
    #expect(asked.count == 4)
    #expect(asked.suffix(2).allSatisfy { $0.lowerBound.isMultiple(of: .minute) })
  }

  /// Scenario: a comparison of a range with itself.
  /// Guarantees: nothing changed, and how much that is.
  @Test func nothingChanged() async throws {
    let json = try await QueryFixture().ask("/api/v1/graph/diff").json()
    let nodes = try #require(json["nodes"] as? [String: Any])
    #expect(nodes["unchanged"] as? Int == 3)
    #expect((nodes["changed"] as? [Any])?.isEmpty == true)
    #expect((json["edges"] as? [String: Any])?["unchanged"] as? Int == 2)
    #expect((json["calls"] as? [String: Any])?["unchanged"] as? Int == 0)
    #expect(json["min_change"] as? Double == 0.1)
  }

  /// Scenario: two versions of a service.
  /// Guarantees: one range is asked for; both are answered with their figures.
  @Test func versions() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let checkout = state.node("checkout", namespace: "shop")
      for version in ["v1", "v2"] { state.version(version, of: checkout) }
    }
    let path = "/api/v1/graph/diff?service=checkout&version=v2&base_version="
    let json = try await fixture.ask(path + "v1").json()
    #expect(json["comparison"] as? String == "versions")
    let node = try #require(json["node"] as? [String: Any])
    #expect((node["base"] as? [String: Any])?["version"] as? String == "v1")
    #expect((node["current"] as? [String: Any])?["version"] as? String == "v2")
    #expect(fixture.backend.state.withLock(\.asked.count) == 1)
    let unknown = try await fixture.ask(path + "v0")
    #expect(unknown.status == .notFound)
    #expect(try unknown.json()["type"] as? String == "urn:spangate:problem:unknown-version")
    #expect(try unknown.fieldErrors()["base_version"]?.contains("Seen: v1, v2.") == true)
  }

  /// Scenario: what cannot be meant.
  /// Guarantees: 400, each mistake under the parameter it is in.
  @Test(arguments: [
    ("diff?min_change=-1", ["min_change"]),
    ("diff?version=v1", ["service", "base_version"]),
    ("diff?base_version=v1&service=a&base_end=1790000000", ["version", "base_end"]),
    ("diff?base_start=1790000010", ["base_start"]),
    ("diff?depth=1", ["depth"]),
    ("diff?base=1", ["base"]),
    ("paths", ["from", "to"]),
    ("paths?from=a&to=a", ["to"]),
    ("paths?from=a&to=b&limit=0&depth=65", ["limit", "depth"]),
    ("paths?from=&to=b", ["from"]),
  ])
  func refusals(query: String, fields: [String]) async throws {
    let response = try await QueryFixture().ask("/api/v1/graph/\(query)")
    #expect(response.status == .badRequest)
    #expect(Set(try response.fieldErrors().keys) == Set(fields))
  }

  /// Scenario: paths through the shop; ends nobody knows.
  /// Guarantees: the path with its rate; 404 under the end that is unknown.
  @Test func paths() async throws {
    let fixture = QueryFixture()
    let json = try await fixture.ask("/api/v1/graph/paths?from=frontend&to=database:orders").json()
    #expect(json["from"] as? String == "shop/frontend")
    #expect(json["distance"] as? Int == 2)
    let path = try #require((json["paths"] as? [[String: Any]])?.first)
    let ids = (path["nodes"] as? [[String: Any]])?.compactMap { $0["id"] as? String }
    #expect(ids == ["shop/frontend", "shop/checkout", "database:orders"])
    #expect(json["truncated"] as? Bool == false)
    for (query, field) in [("from=x&to=checkout", "from"), ("from=checkout&to=x", "to")] {
      let refused = try await fixture.ask("/api/v1/graph/paths?\(query)")
      #expect(refused.status == .notFound)
      #expect(Array(try refused.fieldErrors().keys) == [field])
    }
  }
}
