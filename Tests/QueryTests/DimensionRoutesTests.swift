import Foundation
import Graph
import Model
import Testing

@testable import Query

@Suite struct DimensionRoutesTests {
  /// A shop whose checkout answered ten calls, four of them in the east and of tier gold:plus.
  private func fixture() -> QueryFixture {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let frontend = state.node("frontend", namespace: "shop")
      let checkout = state.node("checkout", namespace: "shop")
      let text = Dimensions([
        .init(attribute: Dimensions.cluster, value: "east"),
        .init(attribute: "tier", value: "gold:plus"),
      ]).text
      let name = Name(tenant: .standard, kind: .dimensions, text: text)
      state.names[name.id] = name
      var counters = Counters()
      counters[.requestsAdjusted] = 4 * 256
      for key in [
        SeriesKey.dimension(checkout, name.id), .dimensionEdge(frontend, checkout, name.id),
      ] {
        state.window.add(Finding(window: 0, key: key, counters: counters))
      }
    }
    return fixture
  }

  private func requests(_ json: [String: Any], _ list: String, _ id: String) -> Double? {
    let nodes = json[list] as? [[String: Any]] ?? []
    return nodes.first { $0["id"] as? String == id }?["requests"] as? Double
  }

  /// Scenario: each route of the graph is asked by cluster, by another dimension, and by both.
  /// Guarantees: all answer with the requests of it.
  @Test(arguments: [
    "cluster=east", "dimension=tier:gold:plus", "dimension=tier:gold:plus&cluster=east",
  ])
  func parts(query: String) async throws {
    let fixture = fixture()
    let id = "shop/checkout"
    let graph = try await fixture.ask("/api/v1/graph?\(query)").json()
    #expect(requests(graph, "nodes", id) == 4)
    #expect((graph["edges"] as? [[String: Any]])?.compactMap { $0["requests"] as? Double } == [4])
    let services = try await fixture.ask("/api/v1/services?\(query)").json()
    #expect(requests(services, "services", id) == 4)
    let service = try await fixture.ask("/api/v1/services/shop/checkout?\(query)").json()
    #expect((service["node"] as? [String: Any])?["requests"] as? Double == 4)
    #expect(service["not_counted"] as? [String] == ["operations", "versions", "health"])
    let diff = try await fixture.ask("/api/v1/graph/diff?\(query)").json()
    #expect((diff["edges"] as? [String: Any])?["unchanged"] as? Int == 1)
    #expect(diff["calls"] == nil)
    let paths = try await fixture.ask("/api/v1/graph/paths?from=frontend&to=checkout&\(query)")
    #expect((try paths.json()["paths"] as? [[String: Any]])?.first?["length"] as? Int == 1)
    let drawn = try await fixture.ask("/api/graph/data?\(query)").json()
    #expect((drawn["nodes"] as? [[String: Any]])?.count == 2)
  }

  /// Scenario: an attribute nobody tells requests apart by, one that is configured and has no requests yet,
  /// and the cluster by its attribute.
  /// Guarantees: the first is refused by each route, with the attributes there are; the others are empty
  /// graphs.
  @Test(arguments: [
    "graph?", "graph/diff?", "graph/paths?from=frontend&to=checkout&", "services?",
    "services/shop/checkout?", "/api/graph/data?",
  ])
  func unknownAttributes(route: String) async throws {
    let fixture = fixture()
    let path = route.hasPrefix("/") ? route : "/api/v1/\(route)"
    let response = try await fixture.ask("\(path)dimension=region:eu")
    #expect(response.status == .badRequest)
    let message = try #require(try response.fieldErrors()["dimension"])
    #expect(message.contains("\"region\"") && message.contains("k8s.cluster.name, tier."))
    let configured = QueryFixture { $0.dimensions = ["region"] }
    for dimension in ["region:eu", "k8s.cluster.name:east"] where route == "graph?" {
      #expect(try await configured.ask("\(path)dimension=\(dimension)").status == .ok)
    }
  }

  /// Scenario: dimensions that cannot be read, and routes that cannot be asked by them.
  /// Guarantees: refused, with the reason.
  @Test(arguments: [
    ("graph?cluster=-", "cluster", "not kept apart"), ("graph?cluster=", "cluster", "empty"),
    ("graph?dimension=tier", "dimension", "region:eu-1"),
    ("graph?dimension=:x", "dimension", "region:eu-1"),
    ("graph?dimension=x:", "dimension", "region:eu-1"),
    ("graph/diff?service=checkout&version=v2&base_version=v1&cluster=east", "cluster", "Versions"),
    ("critical-path?cluster=east", "cluster", "Call paths"),
    ("what-if?service=checkout&delta_ms=1&dimension=a:b", "dimension", "Call paths"),
    ("gate?service=checkout&cluster=east", "cluster", "rollout is judged as a whole"),
  ])
  func refusals(path: String, field: String, message: String) async throws {
    let response = try await fixture().ask("/api/v1/\(path)")
    #expect(response.status == .badRequest)
    #expect(try #require(try response.fieldErrors()[field]).contains(message))
  }
}
