import Foundation
import Model
import Testing

@testable import Graph

@Suite struct ServiceViewTests {
  private func view(
    _ fixture: GraphFixture, _ namespace: String, _ name: String, environment: String? = nil
  ) throws -> ServiceView {
    try GraphBuilder.service(
      fixture.input, tenant: .standard, namespace: namespace, name: name, environment: environment)
  }

  /// Scenario: a service with callers, callees, operations, versions and instances.
  /// Guarantees: each is listed with its own figures, sorted.
  @Test func oneService() throws {
    var shop = Shop()
    let service = shop.checkout
    let place = shop.fixture.part(.operation, of: service, "PlaceOrder")
    let list = shop.fixture.part(.operation, of: service, "List")
    let v42 = shop.fixture.part(.version, of: service, "v42")
    let pod = shop.fixture.part(.instance, of: service, "pod-1")
    shop.fixture.add(
      .operation(service, place), [.requestsAdjusted: 60, .errorsAdjusted: 6],
      latency: 30 * .millisecond)
    shop.fixture.add(.operation(service, list), [.requestsAdjusted: 20])
    shop.fixture.add(.version(service, v42), [.requestsAdjusted: 79])
    shop.fixture.add(.version(service, .none), [.requestsAdjusted: 1])
    shop.fixture.add(.instance(service, pod, version: v42), [.requests: 1])
    let view = try view(shop.fixture, "shop", "checkout")
    #expect(view.node.id == "shop/checkout")
    #expect(view.upstream.map(\.client) == ["shop/frontend"])
    #expect(view.downstream.map(\.server) == ["database:orders", "messaging:receipts"])
    #expect(view.operations.map(\.operation) == ["List", "PlaceOrder"])
    #expect(view.operations[1].figures.errorRate == 0.1)
    #expect(view.versions.map(\.version) == ["", "v42"])
    #expect(view.versions.map(\.instances) == [0, 1])
    let json = try view.json.parsed()
    #expect(
      Set(json.keys) == [
        "start", "end", "revision", "node", "upstream", "downstream", "traffic", "operations",
        "versions", "dimensions", "blast_radius", "markers",
      ])
    let operations = try #require(json["operations"] as? [[String: Any]])
    #expect(operations[1]["operation"] as? String == "PlaceOrder")
    #expect(operations[1]["requests"] as? Double == 60)
  }

  /// Scenario: services with and without namespace, an id of another kind, misspelling, two
  /// environments.
  /// Guarantees: each is found or refused for its own reason.
  @Test func findingOne() throws {
    var shop = Shop()
    #expect(try view(shop.fixture, "", "mail").node.id == "mail")
    #expect(try view(shop.fixture, "", "database:orders").node.kind == .database)
    #expect(throws: GraphError.unknownService(service: "checkout", nearest: ["shop/checkout"])) {
      try view(shop.fixture, "", "checkout")
    }
    for environment in ["prod", ""] {
      let node = shop.fixture.node("ads", environment: environment)
      shop.fixture.add(.node(node), [.requests: 1])
    }
    let error = GraphError.ambiguousEnvironment(id: "ads", environments: ["", "prod"])
    #expect(throws: error) { try view(shop.fixture, "", "ads") }
    #expect(error.message.contains("\"\", prod"))
    #expect(try view(shop.fixture, "", "ads", environment: "prod").node.environment == "prod")
  }

  /// Scenario: the list of services, with and without a choice of namespace and environment.
  /// Guarantees: services only, sorted, as the graph shows them.
  @Test func list() throws {
    var shop = Shop()
    let staged = shop.fixture.node("checkout", namespace: "shop", environment: "test")
    shop.fixture.add(.node(staged), [.requests: 1])
    func ids(_ options: GraphOptions) -> [String] {
      GraphBuilder.services(shop.fixture.input, tenant: .standard, options: options)
        .services.map(\.id)
    }
    #expect(ids(GraphOptions()) == ["mail", "shop/checkout", "shop/checkout", "shop/frontend"])
    #expect(ids(GraphOptions(namespace: "")) == ["mail"])
    #expect(ids(GraphOptions(environment: "test")) == ["shop/checkout"])
    let json = try GraphBuilder.services(shop.fixture.input, tenant: .standard).json.parsed()
    #expect(Set(json.keys) == ["start", "end", "revision", "services"])
    #expect((json["services"] as? [[String: Any]])?.count == 4)
  }

  /// Scenario: an operation that calls another's operation, a database, and what found no room; one
  /// whose name is gone.
  /// Guarantees: each call with its failures and what became of them, how often it is made, and by how
  /// many of the requests.
  @Test func callsOfOperations() throws {
    var fixture = GraphFixture()
    let front = fixture.node("front", namespace: "shop")
    let back = fixture.node("back", namespace: "shop")
    let orders = fixture.node("orders", kind: .database)
    let get = fixture.part(.operation, of: front, "GET /")
    let place = fixture.part(.operation, of: back, "Place")
    fixture.add(.operation(front, get), [.requests: 10, .requestsAdjusted: 10])
    fixture.add(.node(front), [.requestsAdjusted: 10])
    fixture.add(.node(back), [.requestsAdjusted: 10])
    fixture.add(
      .call(from: get, to: place),
      [
        .requests: 15, .requestsAdjusted: 15, .errorsAdjusted: 3, .propagatedAdjusted: 2,
        .absorbedAdjusted: 1, .traces: 5,
      ])
    fixture.add(.call(from: get, to: orders), [.requests: 10, .requestsAdjusted: 10, .traces: 10])
    fixture.add(.call(from: get, to: .none), [.requests: 1, .requestsAdjusted: 1, .traces: 1])
    fixture.add(.call(from: get, to: NameID(99)), [.requests: 1, .traces: 1])
    let view = try GraphBuilder.service(
      fixture.input, tenant: .standard, namespace: "shop", name: "front", environment: nil)
    let calls = try #require(view.operations.first?.calls)
    #expect(
      calls == [
        CallView(
          callee: "__overflow__", operation: "", requests: 1, failed: 0, probability: 0.1,
          perRequest: 0.1),
        CallView(
          callee: "database:orders", operation: "", requests: 10, failed: 0, probability: 1,
          perRequest: 1),
        CallView(
          callee: "shop/back", operation: "Place", requests: 15, failed: 3, probability: 0.5,
          perRequest: 1.5,
          errorPropagation: ErrorPropagation(
            calleeFailures: 3, propagated: 2, absorbed: 1, probability: 2.0 / 3)),
      ])
    let json = try view.json.parsed()
    let operation = try #require((json["operations"] as? [[String: Any]])?.first)
    let written = try #require((operation["calls"] as? [[String: Any]])?.last)
    #expect(written["callee"] as? String == "shop/back" && written["per_request"] as? Double == 1.5)
    let errors = try #require(written["error_propagation"] as? [String: Double])
    #expect(errors == ["propagated": 2, "absorbed": 1, "probability": 0.666666667])
  }
}
