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

  /// Scenario: what checkout sends to a topic mail and audit take, each by a subscription of its own;
  /// report takes by one that two topics feed.
  /// Guarantees: paths lead through the topic to those who took what was sent there and on to whom
  /// they call, whichever end is asked for; no path names the subscriptions, and none leads on where
  /// nobody can tell from which topic a message came.
  @Test func pathsThroughSubscriptions() throws {
    var fixture = GraphFixture()
    let (front, checkout) = (fixture.node("front"), fixture.node("checkout"))
    let (mail, audit) = (fixture.node("mail"), fixture.node("audit"))
    let report = fixture.node("report")
    let letters = fixture.node("letters", kind: .database)
    let topics = ["topic", "second"].map { fixture.node($0, kind: .messaging) }
    let taken = ["mail-in", "audit-in", "fed"].map { fixture.node($0, kind: .messaging) }
    fixture.call(front, checkout)
    for topic in topics { fixture.call(checkout, topic, .messagingSystem) }
    for (queue, taker) in zip(taken, [mail, audit, report]) {
      fixture.call(queue, taker, .messagingSystem)
    }
    fixture.call(mail, letters, .database)
    for (queue, topic) in [(0, 0), (1, 0), (2, 0), (2, 1)] {
      fixture.add(.queueAlias(taken[queue], sentTo: topics[topic]), [.requests: 1])
    }
    let get = fixture.part(.operation, of: front, "GET /")
    let place = fixture.part(.operation, of: checkout, "Place")
    let send = fixture.part(.operation, of: mail, "send")
    let ways = [(1, 0, get), (2, 1, place), (3, 2, topics[0]), (4, 0, send), (5, 4, letters)]
    for (id, parent, operation) in ways {
      fixture.add(
        .path(UInt64(id), below: UInt64(parent), operation: operation), [.traces: 5])
    }
    for (caller, callee) in [(get, place), (place, topics[0]), (send, letters)] {
      fixture.add(.call(from: caller, to: callee), [.requests: 5])
    }
    func paths(_ service: String) throws -> [String] {
      try DeepDependencies(fixture.input, tenant: .standard, service: service).paths.map { path in
        path.steps.map { $0.operation.isEmpty ? $0.service : "\($0.service) \($0.operation)" }
          .joined(separator: " → ")
      }
    }
    #expect(
      try paths("checkout") == [
        "front GET / → checkout Place → messaging:topic", "checkout → messaging:second",
        "checkout Place → messaging:topic → audit",
        "checkout Place → messaging:topic → mail send → database:letters",
      ])
    let toMail = "front GET / → checkout Place → messaging:topic → mail"
    #expect(try paths("mail") == ["mail send → database:letters", toMail])
    #expect(try paths("audit") == ["front GET / → checkout Place → messaging:topic → audit"])
    #expect(try paths("report") == ["messaging:fed → report"])
  }
}
