import Foundation
import Model
import Testing

@testable import Graph

@Suite struct DependenciesTests {
  /// Scenario: two kinds of calls between the same two, in two environments; a call that was sampled
  /// away almost; failures.
  /// Guarantees: one link a pair with the sums, rounded and never to 0, in the form of each tool.
  @Test func links() throws {
    var fixture = GraphFixture()
    for environment in ["prod", "test"] {
      let a = fixture.node("a", namespace: "shop", environment: environment)
      let b = fixture.node("b", environment: environment)
      fixture.call(a, b, requests: 3, failed: 1)
      fixture.call(a, b, .messagingSystem, requests: 4)
    }
    let (b, c) = (fixture.node("b"), fixture.node("c"))
    var counters = Counters()
    counters[.requestsAdjusted] = 10
    fixture.window.add(Finding(window: 0, key: .edge(b, c, .direct), counters: counters))
    var dependencies = Dependencies(try fixture.graph())
    #expect(
      dependencies.links == [
        .init(parent: "b", child: "c", calls: 1, errors: 0),
        .init(parent: "shop/a", child: "b", calls: 14, errors: 2),
      ])
    #expect(
      dependencies.zipkin.text
        == #"[{"parent":"b","child":"c","callCount":1},"#
        + #"{"parent":"shop/a","child":"b","callCount":14,"errorCount":2}]"#)
    dependencies.keep(around: "a")
    #expect(
      dependencies.jaeger.text
        == #"{"data":[{"parent":"shop/a","child":"b","callCount":14}],"total":0,"limit":0,"#
        + #""offset":0,"errors":null}"#)
    dependencies.keep(around: "c")
    #expect(dependencies.links.isEmpty)
  }

  /// Scenario: the shop around its checkout; a service whose callees only call each other.
  /// Guarantees: paths end or begin at the service and go as far as calls do; a call that only leads
  /// in circles stands by itself; no operations are named where nothing is known of any.
  @Test func deepPaths() throws {
    var shop = Shop()
    func paths(_ service: String) throws -> [[String]] {
      try DeepDependencies(shop.fixture.input, tenant: .standard, service: service)
        .paths.map { $0.steps.map(\.service) }
    }
    #expect(
      try paths("checkout") == [
        ["shop/frontend", "shop/checkout"], ["shop/checkout", "database:orders"],
        ["shop/checkout", "messaging:receipts", "mail"],
      ])
    #expect(
      try paths("mail") == [["shop/frontend", "shop/checkout", "messaging:receipts", "mail"]])
    let (one, two) = (shop.fixture.node("one"), shop.fixture.node("two"))
    shop.fixture.call(shop.mail, one)
    shop.fixture.call(one, two)
    shop.fixture.call(two, one)
    #expect(try paths("mail").last == ["mail", "one"])
    #expect(throws: GraphError.self) { try paths("nobody") }
    let json = try DeepDependencies(
      shop.fixture.input, tenant: .standard, service: "checkout"
    ).json.parsed()
    let all = try #require(json["dependencies"] as? [[String: Any]])
    #expect(all.allSatisfy { Set($0.keys) == ["path", "attributes"] })
    let steps = all.flatMap { $0["path"] as? [[String: String]] ?? [] }
    #expect(steps.allSatisfy { $0["operation"]?.isEmpty == true && $0["service"] != nil })
    let attributes = all[0]["attributes"] as? [[String: String]]
    #expect(
      attributes
        == [["key": "exemplar_trace_id", "value": "00000000000000010000000000000002"]])
  }

  /// Scenario: requests that went through the shop to the database, and what operations call.
  /// Guarantees: the way they took, from the entry point to the end, with operations and examples; it
  /// stands for the calls it is made of. What is added for the queue has the operations that fit, and
  /// none where several do.
  @Test func takenWays() throws {
    var shop = Shop()
    let get = shop.fixture.part(.operation, of: shop.frontend, "GET /")
    let place = shop.fixture.part(.operation, of: shop.checkout, "Place")
    let send = shop.fixture.part(.operation, of: shop.mail, "send")
    let trace = TraceID(high: 3, low: 4)
    for (id, parent, operation) in [(1, 0, get), (2, 1, place), (3, 2, shop.orders)] {
      shop.fixture.add(
        .path(UInt64(id), below: UInt64(parent), operation: operation), [.traces: 5],
        exemplar: trace)
    }
    shop.fixture.add(.path(9, below: 2, operation: .none), [.traces: 1])
    shop.fixture.add(.call(from: get, to: place), [.requests: 5])
    shop.fixture.add(.call(from: place, to: shop.queue), [.requests: 5])
    func paths() throws -> [[String]] {
      try DeepDependencies(shop.fixture.input, tenant: .standard, service: "checkout").paths
        .map { $0.steps.map { "\($0.service) \($0.operation)" } }
    }
    #expect(
      try paths() == [
        ["shop/frontend GET /", "shop/checkout Place", "database:orders "],
        ["shop/checkout Place", "messaging:receipts ", "mail "],
      ])
    shop.fixture.add(.call(from: shop.queue, to: send), [.requests: 5])
    let other = shop.fixture.part(.operation, of: shop.checkout, "Refund")
    shop.fixture.add(.call(from: other, to: shop.queue), [.requests: 5])
    #expect(
      try paths().last == ["shop/checkout ", "messaging:receipts ", "mail send"])
    let first = try DeepDependencies(
      shop.fixture.input, tenant: .standard, service: "checkout"
    ).paths.first
    #expect(first?.exemplars == [trace])
  }
}
