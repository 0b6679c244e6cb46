import Foundation
import Model
import Testing

@testable import Graph

@Suite struct NodeGraphTests {
  private func names(_ fields: Any?) -> Set<String> {
    Set((fields as? [[String: Any]] ?? []).compactMap { $0["field_name"] as? String })
  }

  /// Scenario: the shop in the form of the data source.
  /// Guarantees: nodes and edges have exactly the fields that are announced; edges name the ids of
  /// nodes; arcs are a whole circle; ids differ.
  @Test func dataHasTheFields() throws {
    var shop = Shop()
    shop.fixture.call(shop.frontend, shop.checkout, .messagingSystem)
    let fields = try NodeGraph.fields.parsed()
    let data = try NodeGraph.data(try shop.fixture.graph()).parsed()
    let nodes = try #require(data["nodes"] as? [[String: Any]])
    let edges = try #require(data["edges"] as? [[String: Any]])
    for node in nodes {
      #expect(Set(node.keys) == names(fields["nodes_fields"]))
      let arcs = ["arc__success", "arc__failed"].compactMap { node[$0] as? Double }
      #expect(arcs.reduce(0, +) == 1)
    }
    let ids = Set(nodes.compactMap { $0["id"] as? String })
    for edge in edges {
      #expect(Set(edge.keys) == names(fields["edges_fields"]))
      #expect(ids.contains(edge["source"] as? String ?? ""))
      #expect(ids.contains(edge["target"] as? String ?? ""))
    }
    #expect(ids.count == nodes.count)
    #expect(Set(edges.compactMap { $0["id"] as? String }).count == edges.count)
    let checkout = try #require(nodes.first { $0["id"] as? String == "shop/checkout" })
    #expect(checkout["title"] as? String == "checkout")
    #expect(checkout["subTitle"] as? String == "shop")
    #expect(checkout["mainStat"] as? String == "40 ms")
    #expect(checkout["secondaryStat"] as? String == "8/s")
    #expect(checkout["arc__failed"] as? Double == 0.1)
  }

  /// Scenario: one service in two environments.
  /// Guarantees: two nodes with ids of their own, and edges that name them.
  @Test func environmentsStayApart() throws {
    var fixture = GraphFixture()
    for environment in ["prod", "test"] {
      fixture.call(
        fixture.node("a", environment: environment), fixture.node("b", environment: environment))
    }
    let data = try NodeGraph.data(try fixture.graph()).parsed()
    let nodes = try #require(data["nodes"] as? [[String: Any]])
    #expect(
      nodes.map { $0["id"] as? String } == ["a (prod)", "a (test)", "b (prod)", "b (test)"])
    let edge = try #require((data["edges"] as? [[String: Any]])?.first)
    #expect(edge["source"] as? String == "a (prod)")
    #expect(edge["target"] as? String == "b (prod)")
  }
}
