import Foundation
import Model
import Testing

@testable import Graph

@Suite struct GraphPathsTests {
  private func find(
    _ fixture: GraphFixture, _ from: String, _ to: String, _ options: GraphOptions = GraphOptions(),
    limit: Int = GraphPaths.limitDefault, depth: Int = GraphPaths.depthDefault
  ) throws -> GraphPaths {
    try GraphPaths.find(
      fixture.input, tenant: .standard, from: from, to: to, options: options, limit: limit,
      depth: depth)
  }

  /// Scenario: two ways from a to d, one with two kinds of calls between the same two.
  /// Guarantees: shortest first; a hop has all its edges, and its rate is their sum.
  @Test func hopsAndRates() throws {
    var fixture = GraphFixture()
    let (a, b) = (fixture.node("a"), fixture.node("b"))
    let (c, d) = (fixture.node("c"), fixture.node("d"))
    fixture.call(a, b, requests: 100)
    fixture.call(b, c, requests: 20)
    fixture.call(b, c, .messagingSystem, requests: 30)
    fixture.call(c, d, requests: 70)
    fixture.call(b, d, requests: 10)
    fixture.call(d, a, requests: 1)
    let paths = try find(fixture, "a", "d")
    #expect(paths.paths.map { $0.nodes.map(\.id) } == [["a", "b", "d"], ["a", "b", "c", "d"]])
    #expect(paths.paths.map(\.requestsMin) == [10, 50])
    #expect(paths.paths[1].hops.map(\.count) == [1, 2, 1])
    #expect(paths.distance == 2)
    #expect(paths.truncatedBy == nil)
    let json = try paths.json.parsed()
    #expect(
      Set(json.keys) == [
        "start", "end", "revision", "from", "to", "distance", "paths", "truncated",
        "truncated_by",
      ])
    let path = try #require((json["paths"] as? [[String: Any]])?.last)
    #expect(Set(path.keys) == ["length", "nodes", "edges", "min_request_rate"])
    #expect(path["length"] as? Int == 3)
    #expect(path["min_request_rate"] as? Double == 5)
    #expect((path["edges"] as? [Any])?.count == 4)
    let cut = try find(fixture, "a", "d", limit: 1)
    #expect(cut.truncatedBy == "limit")
    #expect(cut.paths.count == 1)
  }

  /// Scenario: no way back; ends nobody knows, or two are called so; ends by id, of other kinds.
  /// Guarantees: no paths without a distance; the errors of the other questions.
  @Test func ends() throws {
    var shop = Shop()
    #expect(try find(shop.fixture, "mail", "frontend").paths.isEmpty)
    #expect(try find(shop.fixture, "mail", "frontend").distance == nil)
    let orders = try find(shop.fixture, "shop/frontend", "database:orders")
    #expect(orders.paths.map(\.hops.count) == [2])
    let mail = try find(shop.fixture, "frontend", "mail", depth: 2)
    #expect(mail.paths.isEmpty)
    #expect(mail.distance == 3)
    #expect(throws: GraphError.unknownService(service: "maul", nearest: ["mail"])) {
      try find(shop.fixture, "frontend", "maul")
    }
    let other = shop.fixture.node("checkout", namespace: "b2b")
    shop.fixture.add(.node(other), [.requests: 1])
    #expect(throws: GraphError.self) { try find(shop.fixture, "frontend", "checkout") }
    let named = GraphOptions(namespace: "shop")
    #expect(try find(shop.fixture, "frontend", "checkout", named).paths.count == 1)
  }

  /// Scenario: the same two services in two environments.
  /// Guarantees: a path in each; only one when one is asked for.
  @Test func environments() throws {
    var fixture = GraphFixture()
    for environment in ["prod", "test"] {
      fixture.call(
        fixture.node("a", environment: environment), fixture.node("b", environment: environment))
    }
    #expect(try find(fixture, "a", "b").paths.count == 2)
    let test = try find(fixture, "a", "b", GraphOptions(environment: "test"))
    #expect(test.paths.map { $0.nodes.map(\.environment) } == [["test", "test"]])
  }
}
