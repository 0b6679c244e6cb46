import Foundation
import Model
import Testing

@testable import Graph

/// front GET / (100 traces) → checkout Place → database orders, and front GET /help (10 traces).
struct PathShop {
  var fixture = GraphFixture()
  let front: NameID
  let checkout: NameID
  let orders: NameID

  init() {
    front = fixture.node("front", namespace: "shop", environment: "prod")
    checkout = fixture.node("checkout", namespace: "shop", environment: "prod")
    orders = fixture.node("orders", environment: "prod", kind: .database)
    let root = fixture.part(.operation, of: front, "GET /")
    let help = fixture.part(.operation, of: front, "GET /help")
    let place = fixture.part(.operation, of: checkout, "Place;it")
    path(1, below: 0, root, traces: 100, own: 10, whole: 100)
    path(2, below: 1, place, traces: 80, own: 40, gap: 5, errors: 4)
    path(3, below: 2, orders, traces: 80, own: 20)
    path(4, below: 0, help, traces: 10, own: 3, whole: 3)
    fixture.add(.node(front), [.requestsAdjusted: 110, .requests: 110])
    fixture.add(
      .node(checkout), [.requestsAdjusted: 80, .requests: 80, .errorsAdjusted: 4], latency: 1)
    fixture.add(
      .edge(front, checkout, .direct),
      [.requestsAdjusted: 80, .errorsAdjusted: 4, .propagatedAdjusted: 1, .absorbedAdjusted: 3])
  }

  mutating func path(
    _ id: UInt64, below parent: UInt64, _ operation: NameID, traces: Int, own: Nanos,
    gap: Nanos = 0, whole: Nanos? = nil, errors: Int = 0
  ) {
    for number in 0..<traces {
      fixture.add(
        .path(id, below: parent, operation: operation),
        [
          .traces: 1, .requestsAdjusted: 1, .errorTraces: number < errors ? 1 : 0,
          .criticalPathNanos: Int64((own + gap) * .millisecond),
        ], latency: whole.map { $0 * .millisecond },
        clientLatency: gap > 0 ? gap * .millisecond : nil, ownTime: own * .millisecond)
    }
  }

  func paths(service: String? = nil, operation: String? = nil) throws -> CallPaths {
    try GraphBuilder.callPaths(
      fixture.input, tenant: .standard, service: service, operation: operation)
  }

  func whatIf(
    _ service: String, operation: String? = nil, change: Double? = nil, errorRate: Double? = nil
  ) throws -> WhatIf {
    try GraphBuilder.whatIf(
      fixture.input, tenant: .standard, service: service, operation: operation, environment: nil,
      change: change, errorRate: errorRate)
  }
}

@Suite struct CallPathsTests {
  /// Scenario: two entry points of one service.
  /// Guarantees: the busiest first; ways with the most time first; shares sum to 1.
  @Test func entries() throws {
    let found = try PathShop().paths(service: "front")
    #expect(found.entries.map(\.entry) == ["shop/front GET /", "shop/front GET /help"])
    let paths = found.entries[0].paths
    #expect(
      paths.map(\.path) == [
        ["shop/front GET /", "shop/checkout Place;it"],
        ["shop/front GET /", "shop/checkout Place;it", "database:orders"], ["shop/front GET /"],
      ])
    #expect((paths.reduce(0) { $0 + $1.share } - 1).magnitude < 1e-12)
    #expect((paths[0].share - 3600.0 / 6200).magnitude < 1e-12)
    #expect(paths[0].traces == 80 && paths[0].errorTraces == 4)
    #expect(paths[0].exclusive?.mean == 40 && paths[0].gap?.mean == 5)
    #expect(paths[2].exclusiveSum == 1000 && paths[2].gap == nil)
    #expect(found.entries[0].duration?.mean == 100)
  }

  /// Scenario: one operation is asked for, then names nobody has, and a name two services have.
  /// Guarantees: that entry point alone; an error that names what is near.
  @Test func selection() throws {
    var shop = PathShop()
    #expect(try shop.paths(operation: "GET /help").entries.map(\.operation) == ["GET /help"])
    #expect(throws: GraphError.unknownService(service: "frnt", nearest: ["front"])) {
      try shop.paths(service: "frnt")
    }
    #expect(throws: GraphError.unknownService(service: "front GET /hlp", nearest: ["GET /help"])) {
      try shop.paths(service: "front", operation: "GET /hlp")
    }
    let other = shop.fixture.node("front", namespace: "web")
    let operation = shop.fixture.part(.operation, of: other, "GET /")
    shop.path(9, below: 0, operation, traces: 1, own: 1, whole: 1)
    #expect(throws: GraphError.ambiguous(service: "front", ids: ["shop/front", "web/front"])) {
      try shop.paths(service: "front")
    }
    #expect(try shop.paths(service: "web/front").entries.count == 1)
  }

  /// Scenario: a path that was summed under overflow, one whose name is gone, another tenant's.
  /// Guarantees: the first is shown as such, the others are left out.
  @Test func unusualNames() throws {
    var shop = PathShop()
    shop.path(50, below: 1, .none, traces: 2, own: 1)
    shop.path(51, below: 1, NameID(12_345), traces: 2, own: 1)
    shop.fixture.tenant = TenantID(7)
    let foreign = shop.fixture.node("theirs")
    shop.path(60, below: 0, foreign, traces: 1, own: 1, whole: 1)
    shop.fixture.tenant = .standard
    let found = try shop.paths()
    #expect(found.entries.count == 2)
    #expect(found.entries[0].paths.map { $0.path.last }.contains("__overflow__"))
    #expect(found.entries[0].paths.count == 4)
  }

  /// Scenario: the answer as JSON and as folded stacks.
  /// Guarantees: what the contract says; what would end a frame is replaced; whole nanoseconds.
  @Test func texts() throws {
    let found = try PathShop().paths(service: "front")
    let json = try found.json.parsed()
    #expect(json["entry"] as? String == "shop/front GET /")
    #expect(json["traces"] as? Int == 100)
    #expect((json["duration_ms"] as? [String: Double])?["mean"] == 100)
    let first = try #require((json["paths"] as? [[String: Any]])?.first)
    #expect(first["path"] as? [String] == ["shop/front GET /", "shop/checkout Place;it"])
    #expect((first["exclusive_ms"] as? [String: Any])?["sum"] as? Double == 3200)
    #expect((first["gap_ms"] as? [String: Any])?["sum"] as? Double == 400)
    #expect((json["entries"] as? [Any])?.count == 2)
    #expect(
      found.folded == """
        shop/front GET / 1000000000
        shop/front GET /;shop/checkout Place_it 3600000000
        shop/front GET /;shop/checkout Place_it;database:orders 1600000000
        shop/front GET /help 30000000

        """)
  }

  /// Scenario: a service gets faster, by more than it takes, and slower.
  /// Guarantees: no request takes less than nothing; entry points that gain nothing are listed, last; an
  /// operation nobody saw is no answer of "no gain".
  @Test func fasterAndSlower() throws {
    let shop = PathShop()
    let faster = try shop.whatIf("checkout", change: -10).latency
    #expect(faster.map(\.entry) == ["shop/front GET /", "shop/front GET /help"])
    #expect((faster[0].expected - 92).magnitude < 1e-9 && faster[0].onPathShare == 0.8)
    #expect(faster[1].expected == faster[1].mean && faster[1].onPathShare == 0)
    let fastest = try shop.whatIf("checkout", change: -1_000).latency[0]
    #expect((fastest.expected - (100 - 0.8 * 40)).magnitude < 1)
    let slower = try shop.whatIf("shop/checkout", change: 50).latency[0]
    #expect((slower.expected - 140).magnitude < 1e-9)
    #expect(
      throws: GraphError.unknownOperation(
        service: "shop/checkout", operation: "Other", nearest: [])
    ) { try shop.whatIf("checkout", operation: "Other", change: -10) }
  }

  /// Scenario: a service fails more often: behind a caller that passes on one failure in four, and in a
  /// circle of calls of which none was seen to fail.
  /// Guarantees: the rise at the entry points is what the calls say; what is supposed is said so; it
  /// ends.
  @Test func failing() throws {
    var shop = PathShop()
    let root = shop.fixture.part(.operation, of: shop.front, "GET /")
    let place = shop.fixture.part(.operation, of: shop.checkout, "Place;it")
    shop.fixture.add(.operation(shop.front, root), [.requests: 100, .requestsAdjusted: 100])
    shop.fixture.add(.operation(shop.checkout, place), [.requests: 80, .requestsAdjusted: 80])
    shop.fixture.add(.call(from: root, to: place), [.requests: 80, .traces: 80])
    var effects = try shop.whatIf("checkout", errorRate: 0.5).errors
    #expect(effects.map(\.entry) == ["shop/front GET /", "shop/front GET /help"])
    #expect(((effects[0].increase ?? 0) - 0.8 * 0.5 * 0.25).magnitude < 1e-9)
    #expect(effects[1].increase == 0)
    #expect(effects.allSatisfy { !$0.isSupposed })
    let edge = shop.fixture.node("edge", environment: "prod")
    shop.fixture.add(.node(edge), [.requestsAdjusted: 110, .requests: 110])
    shop.path(9, below: 0, edge, traces: 110, own: 1, whole: 1)
    shop.fixture.call(edge, shop.front, requests: 110)
    shop.fixture.add(.call(from: edge, to: root), [.requests: 110, .traces: 110])
    shop.fixture.add(.call(from: place, to: edge), [.requests: 1, .traces: 1])
    effects = try shop.whatIf("checkout", errorRate: 0.5).errors
    #expect(effects.map(\.entry) == ["edge", "shop/front GET /", "shop/front GET /help"])
    #expect(effects[0].increase == effects[1].increase)
    #expect(effects.map(\.isSupposed) == [true, false, false])
    #expect(throws: GraphError.self) { try shop.whatIf("nobody", errorRate: 0.5) }
    let json = try shop.whatIf("checkout", change: 1, errorRate: 0.5).json.parsed()
    #expect((json["errors"] as? [[String: Any]])?.count == 3)
    let latency = try #require(json["latency"] as? [[String: Any]])
    let front = latency.first { $0["entry"] as? String == "shop/front GET /" }
    #expect((((front?["change_ms"] as? Double) ?? 0) - 0.8).magnitude < 1e-9)
  }
}
