import Foundation
import Model
import Testing

@testable import Graph

@Suite struct DimensionTests {
  private static let east = Dimensions.Pair(attribute: Dimensions.cluster, value: "east")
  private static let west = Dimensions.Pair(attribute: Dimensions.cluster, value: "west")
  private static let gold = Dimensions.Pair(attribute: "tier", value: "gold")

  /// frontend (east) calls checkout in both clusters; only checkout in the west calls its database.
  private func fixture() -> GraphFixture {
    var fixture = GraphFixture()
    let frontend = fixture.node("frontend", namespace: "shop")
    let checkout = fixture.node("checkout", namespace: "shop")
    let orders = fixture.node("orders", kind: .database)
    let east = fixture.part(.dimensions, of: .none, Dimensions([Self.east]).text)
    let west = fixture.part(.dimensions, of: .none, Dimensions([Self.west]).text)
    let gold = fixture.part(.dimensions, of: .none, Dimensions([Self.gold, Self.west]).text)
    let overflow = fixture.part(.dimensions, of: .none, Name.overflowText)
    func requests(_ count: Int64, failed: Int64 = 0) -> [Counters.Field: Int64] {
      [.requests: count, .requestsAdjusted: count, .errorsAdjusted: failed]
    }
    fixture.add(.node(frontend), requests(10))
    fixture.add(.dimension(frontend, east), requests(10))
    fixture.add(.node(checkout), requests(10, failed: 3))
    fixture.add(.dimension(checkout, east), requests(4, failed: 1))
    fixture.add(.dimension(checkout, west), requests(3, failed: 2))
    fixture.add(.dimension(checkout, gold), requests(2))
    fixture.add(.dimension(checkout, overflow), requests(1))
    fixture.call(frontend, checkout, requests: 10, failed: 3)
    fixture.add(.dimensionEdge(frontend, checkout, east), requests(4, failed: 1))
    fixture.add(.dimensionEdge(frontend, checkout, west), requests(3, failed: 2))
    fixture.add(.dimensionEdge(frontend, checkout, gold), requests(2))
    fixture.call(checkout, orders, .database, requests: 5)
    fixture.add(.node(orders), requests(5))
    fixture.add(.dimension(orders, gold), requests(5))
    fixture.add(.dimensionEdge(checkout, orders, gold), requests(5))
    let version = fixture.part(.version, of: checkout, "v1")
    fixture.add(.version(checkout, version), requests(10))
    fixture.add(.operation(checkout, fixture.part(.operation, of: checkout, "Pay")), requests(10))
    fixture.add(.coverage(.standard), [.requests: 99])
    return fixture
  }

  private func described(_ graph: ServiceGraph) -> [String] {
    graph.nodes.map { "\($0.id) \(Int($0.figures.requests))/\(Int($0.figures.errors))" }
      + graph.edges.map {
        "\($0.client)→\($0.server) \($0.connectionType.label) \(Int($0.requests))/\(Int($0.failed))"
      }
  }

  /// Scenario: the graph of everything, of each cluster, of one attribute's value, of both at once, and
  /// of a cluster nobody has.
  /// Guarantees: only nodes and edges with traffic there, and who called them, with the figures of it;
  /// combinations are summed; types of connections are kept.
  @Test func parts() throws {
    let fixture = fixture()
    func graph(_ pairs: Dimensions.Pair...) throws -> [String] {
      described(try fixture.graph(GraphOptions(dimensions: pairs)))
    }
    #expect(
      try graph() == [
        "database:orders 5/0", "shop/checkout 10/3", "shop/frontend 10/0",
        "shop/checkout→database:orders database 5/0", "shop/frontend→shop/checkout  10/3",
      ])
    #expect(
      try graph(Self.east) == [
        "shop/checkout 4/1", "shop/frontend 10/0", "shop/frontend→shop/checkout  4/1",
      ])
    #expect(
      try graph(Self.west) == [
        "database:orders 5/0", "shop/checkout 5/2", "shop/frontend 0/0",
        "shop/checkout→database:orders database 5/0", "shop/frontend→shop/checkout  5/2",
      ])
    #expect(try graph(Self.gold) == graph(Self.gold, Self.west))
    #expect(try graph(Self.gold).first == "database:orders 5/0")
    #expect(try graph(Self.gold, Self.east).isEmpty)
    #expect(try graph(.init(attribute: Dimensions.cluster, value: "north")).isEmpty)
    let whole = try fixture.graph()
    #expect(whole.nodes.map(\.clusters) == [["west"], ["east", "west"], ["east"]])
    let part = try fixture.graph(GraphOptions(dimensions: [Self.east]))
    #expect(part.nodes[0].clusters == ["east", "west"] && part.nodes[0].versions == ["v1"])
    #expect(part.coverage.spans == 99)
  }

  /// Scenario: one service, as a whole and in a cluster.
  /// Guarantees: its requests by the values of each attribute; in a cluster what is not counted by it is
  /// left out and named; one that the cluster does not have is unknown there.
  @Test func service() throws {
    let fixture = fixture()
    func view(_ name: String, _ pairs: [Dimensions.Pair] = []) throws -> ServiceView {
      try GraphBuilder.service(
        fixture.input, tenant: .standard, namespace: "shop", name: name, environment: nil,
        dimensions: pairs)
    }
    let whole = try view("checkout")
    #expect(
      whole.dimensions.map { dimension in
        dimension.attribute
          + dimension.values.map { " \($0.value) \(Int($0.figures.requests))" }.joined()
      } == ["k8s.cluster.name east 4 west 5", "tier gold 2"])
    #expect(whole.versions.count == 1 && whole.operations.count == 1 && whole.notCounted.isEmpty)
    let json = try whole.json.parsed()
    let dimensions = try #require(json["dimensions"] as? [[String: Any]])
    #expect(dimensions[0]["attribute"] as? String == "k8s.cluster.name")
    let values = try #require(dimensions[0]["values"] as? [[String: Any]])
    #expect(values[1]["value"] as? String == "west" && values[1]["errors"] as? Double == 2)
    #expect(json["not_counted"] == nil)
    let part = try view("checkout", [Self.west])
    #expect(part.node.figures.requests == 5 && part.upstream.first?.requests == 5)
    #expect(part.versions.isEmpty && part.operations.isEmpty)
    #expect(try part.json.parsed()["not_counted"] as? [String] == ["operations", "versions"])
    #expect(throws: GraphError.self) { try view("frontend", [Self.gold, Self.east]) }
  }

  /// Scenario: two ranges, and paths, in one cluster.
  /// Guarantees: both are about that cluster alone.
  @Test func differencesAndPaths() throws {
    let fixture = fixture()
    let options = GraphOptions(dimensions: [Self.east])
    let empty = GraphFixture().input
    let diff = try GraphDiff.compare(
      base: empty, current: fixture.input, tenant: .standard, options: options)
    #expect(diff.nodes.appeared.compactMap { $0.current?.figures.requests } == [4, 10])
    #expect(diff.edges.appeared.count == 1)
    func paths(_ pairs: [Dimensions.Pair]) throws -> Int {
      try GraphPaths.find(
        fixture.input, tenant: .standard, from: "frontend", to: "database:orders",
        options: GraphOptions(dimensions: pairs)
      ).paths.count
    }
    #expect(try paths([]) == 1 && paths([Self.west]) == 1)
    #expect(throws: GraphError.self) { try paths([Self.east]) }
    let list = GraphBuilder.services(
      fixture.input, tenant: .standard, options: GraphOptions(dimensions: [Self.gold]))
    #expect(list.services.map(\.figures.requests) == [2, 0])
  }
}
