import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

/// front GET / → checkout Place → database orders, one request at a time, in milliseconds.
private struct VersionedShop {
  var fixture = GraphFixture()
  let front: NameID
  let checkout: NameID
  let orders: NameID
  let root: NameID
  let place: NameID

  init() {
    front = fixture.node("front", namespace: "shop")
    checkout = fixture.node("checkout", namespace: "shop")
    orders = fixture.node("orders", kind: .database)
    root = fixture.part(.operation, of: front, "GET /")
    place = fixture.part(.operation, of: checkout, "Place")
  }

  mutating func request(
    _ version: String, front own: Nanos, checkout place: Nanos, orders query: Nanos = 0,
    error: Bool = false
  ) {
    let version = fixture.part(.version, of: checkout, version)
    fixture.add(.version(checkout, version), [.requests: 1])
    let whole = own + place + query
    let first = SeriesKey.pathID(of: root, below: 0)
    let second = SeriesKey.pathID(of: self.place, version: version, below: first)
    let third = SeriesKey.pathID(of: orders, below: second)
    step(first, below: 0, root, own, of: whole, isEntry: true, error: error)
    step(second, below: first, self.place, place, of: whole, error: error)
    if query > 0 { step(third, below: second, orders, query, of: whole) }
    guard error else { return }
    fixture.add(
      .errorPath(second, below: first, operation: self.place),
      [.errorTraces: 1, .errorsAdjusted: 1], latency: whole * .millisecond,
      exemplar: TraceID(high: 9, low: whole))
  }

  private mutating func step(
    _ id: UInt64, below parent: UInt64, _ operation: NameID, _ own: Nanos, of whole: Nanos,
    isEntry: Bool = false, error: Bool = false
  ) {
    fixture.add(
      .path(id, below: parent, operation: operation),
      [
        .traces: 1, .requestsAdjusted: 1, .errorTraces: error ? 1 : 0,
        .errorsAdjusted: error ? 1 : 0, .criticalPathNanos: Int64(own * .millisecond),
      ], latency: isEntry ? whole * .millisecond : nil, ownTime: own * .millisecond,
      whole: whole * .millisecond)
  }

  func paths() throws -> EntryPaths {
    try #require(
      try GraphBuilder.callPaths(fixture.input, tenant: .standard, service: "front").entries.first)
  }
}

@Suite struct PathBandTests {
  /// Scenario: 100 requests of which the slowest ten wait for the database.
  /// Guarantees: bands by the quantiles of the entry point; what the slow ones wait for shows in
  /// theirs; shares of each band sum to 1, requests and times of all bands to the whole.
  @Test func whatTheSlowWaitFor() throws {
    var shop = VersionedShop()
    for number in 0..<100 {
      shop.request("v1", front: 10, checkout: 20, orders: number < 90 ? 0 : 170)
    }
    let entry = try shop.paths()
    #expect(entry.bands.map(\.fromQuantile) == [0, 0.5, 0.95, 0.99])
    #expect(entry.bands.map(\.toQuantile) == [0.5, 0.95, 0.99, 1])
    // The bucket a quantile lies in is in the lower band.
    #expect(entry.bands.map(\.requests) == [90, 10, 0, 0])
    let orders = try #require(entry.paths.first { $0.path.last == "database:orders" })
    #expect(orders.bands[0].share == 0 && (orders.bands[1].share - 0.85).magnitude < 1e-9)
    #expect((orders.bands[1].mean ?? 0) == 170 && orders.bands[2].mean == nil)
    let json = try GraphBuilder.callPaths(shop.fixture.input, tenant: .standard).json.parsed()
    #expect((json["bands"] as? [[String: Any]])?.count == 4)
    let path = try #require((json["paths"] as? [[String: Any]])?.first)
    let band = try #require((path["bands"] as? [[String: Any]])?.first)
    #expect(Set(band.keys) == ["from_quantile", "to_quantile", "critical_path_ms", "share"])
  }

  /// Scenario: random durations, split at random over several windows that are merged.
  /// Guarantees: the same bands as of one window; requests sum to all, times to the entry point's,
  /// shares to 1; nobody is in two bands.
  @Test func bandsSumToTheWhole() throws {
    var random = SeededGenerator()
    for _ in 0..<40 {
      var whole = VersionedShop()
      var parts = [VersionedShop(), VersionedShop(), VersionedShop()]
      for _ in 0..<(1 + random.below(200)) {
        let times = (0..<3).map { _ in Nanos(1 + random.below(1 << random.below(12))) }
        whole.request("v1", front: times[0], checkout: times[1], orders: times[2])
        parts[random.below(3)].request(
          "v1", front: times[0], checkout: times[1], orders: times[2])
      }
      let entry = try whole.paths()
      var merged = parts[0]
      for part in parts.dropFirst() {
        merged.fixture.window.merge(part.fixture.window)
        merged.fixture.names.merge(part.fixture.names) { $1 }
      }
      #expect(try merged.paths() == entry)
      #expect(entry.bands.reduce(0) { $0 + $1.requests } == entry.requests)
      for (number, band) in entry.bands.enumerated() {
        let shares = entry.paths.reduce(0) { $0 + $1.bands[number].share }
        #expect(band.requests == 0 || (shares - 1).magnitude < 1e-9)
        #expect(band.from <= band.to)
      }
      for path in entry.paths {
        let sum = zip(entry.bands, path.bands).reduce(0) { $0 + $1.0.requests * ($1.1.mean ?? 0) }
        #expect((sum - path.exclusiveSum - path.gapSum).magnitude < 1e-6 * max(1, sum))
      }
    }
  }
}

@Suite struct PathComparisonTests {
  /// Scenario: two ranges: the database got slower, a call is new in the one and gone in the other.
  /// Guarantees: per request of each side; the largest change first; changes sum to that of the mean.
  @Test func ranges() throws {
    var before = VersionedShop()
    for _ in 0..<10 { before.request("v1", front: 10, checkout: 20) }
    var after = VersionedShop()
    for _ in 0..<20 { after.request("v2", front: 10, checkout: 25, orders: 50) }
    let comparison = try PathComparison.ranges(
      base: before.fixture.input, current: after.fixture.input, tenant: .standard,
      service: "front")
    #expect(comparison.entry == "shop/front GET /")
    #expect((comparison.base.mean, comparison.current.mean) == (30, 85))
    #expect(comparison.paths.map(\.change) == [50, 5, 0])
    #expect(comparison.paths.map(\.path.count) == [3, 2, 1])
    #expect(comparison.paths[0].base == nil && comparison.paths[0].current?.traces == 20)
    #expect(comparison.paths[1].base?.exclusive == 20)
    #expect(comparison.change == 55)
    let back = try PathComparison.ranges(
      base: after.fixture.input, current: before.fixture.input, tenant: .standard)
    #expect(back.paths[0].current == nil && back.change == -55)
    let json = try comparison.json.parsed()
    #expect(json["comparison"] as? String == "ranges" && json["change_ms"] as? Double == 55)
    #expect(json["base_start"] as? String != nil)
    let path = try #require((json["paths"] as? [[String: Any]])?.first)
    #expect(path["base"] is NSNull && path["change_ms"] as? Double == 50)
  }

  /// Scenario: two versions of a service behind the entry point, side by side.
  /// Guarantees: each is looked at from where requests come to it; what it calls belongs to it; the
  /// plain answer does not tell them apart.
  @Test func versions() throws {
    var shop = VersionedShop()
    for _ in 0..<30 { shop.request("v1", front: 10, checkout: 20, orders: 5) }
    for _ in 0..<10 { shop.request("v2", front: 10, checkout: 20, orders: 45, error: true) }
    let plain = try shop.paths()
    #expect(plain.paths.count == 3 && plain.traces == 40)
    #expect((plain.paths.reduce(0) { $0 + $1.share } - 1).magnitude < 1e-12)
    let comparison = try PathComparison.versions(
      shop.fixture.input, tenant: .standard, service: "front", of: "checkout", base: "v1",
      current: "v2")
    #expect(
      comparison.subject == .versions(service: "shop/checkout", base: "v1", current: "v2"))
    #expect((comparison.base.traces, comparison.current.traces) == (30, 10))
    #expect(comparison.paths.map { $0.path.last } == ["database:orders", "shop/checkout Place"])
    #expect(comparison.paths.map(\.change) == [40, 0])
    #expect(comparison.change == 40 && comparison.paths[1].current?.errorTraces == 10)
    #expect(try comparison.json.parsed()["version"] as? String == "v2")
  }

  /// Scenario: versions and services nobody has; an entry point whose version is not named.
  /// Guarantees: an error that says which were seen.
  @Test func unknown() throws {
    var shop = VersionedShop()
    shop.request("v1", front: 1, checkout: 1)
    func compare(_ service: String?, _ base: String, _ current: String) throws {
      _ = try PathComparison.versions(
        shop.fixture.input, tenant: .standard, of: service, base: base, current: current)
    }
    let unknown = GraphError.unknownVersion(
      service: "shop/checkout", version: "v9", seen: ["v1"])
    #expect(throws: unknown) { try compare("checkout", "v1", "v9") }
    #expect(throws: unknown) { try compare("shop/checkout", "v9", "v1") }
    #expect(throws: GraphError.unknownService(service: "chekout", nearest: ["checkout"])) {
      try compare("chekout", "v1", "v2")
    }
    #expect(
      throws: GraphError.unknownVersion(service: "shop/front", version: "v1", seen: [])
    ) { try compare(nil, "v1", "v2") }
    let empty = GraphFixture().input
    let nothing = try PathComparison.ranges(base: empty, current: empty, tenant: .standard)
    #expect(nothing.entry.isEmpty && nothing.paths.isEmpty)
  }

  /// Scenario: random requests of two ranges.
  /// Guarantees: the contributions of all paths sum to the change of the mean duration.
  @Test func contributionsSum() throws {
    var random = SeededGenerator()
    for _ in 0..<40 {
      var sides = [VersionedShop(), VersionedShop()]
      var means = [0.0, 0.0]
      for side in 0..<2 {
        let count = 1 + random.below(30)
        for _ in 0..<count {
          let times = (0..<3).map { _ in Nanos(random.below(300)) }
          sides[side].request(
            "v\(random.below(2))", front: times[0], checkout: times[1], orders: times[2])
          means[side] += Double(times.reduce(0, +)) / Double(count)
        }
      }
      let comparison = try PathComparison.ranges(
        base: sides[0].fixture.input, current: sides[1].fixture.input, tenant: .standard)
      let sum = comparison.paths.reduce(0) { $0 + $1.change }
      #expect((sum - (means[1] - means[0])).magnitude < 1e-6)
      #expect((sum - comparison.change).magnitude < 1e-6)
      let shares = comparison.paths.reduce(0) { $0 + ($1.current?.share ?? 0) }
      #expect((shares - 1).magnitude < 1e-9)
    }
  }
}

@Suite struct ErrorPathTests {
  /// Scenario: requests that failed at the checkout.
  /// Guarantees: the way, how many failed by it, their share, time and examples, over versions.
  @Test func ways() throws {
    var shop = VersionedShop()
    for _ in 0..<8 { shop.request("v1", front: 10, checkout: 20) }
    shop.request("v1", front: 10, checkout: 20, error: true)
    shop.request("v2", front: 10, checkout: 40, error: true)
    let entry = try shop.paths()
    #expect(entry.errorTraces == 2 && entry.errors == 2)
    let way = try #require(entry.errorPaths.first)
    #expect(entry.errorPaths.count == 1)
    #expect(way.path == ["shop/front GET /", "shop/checkout Place"])
    #expect(way.traces == 2 && way.share == 1 && way.durationSum == 80)
    #expect(way.exemplars.count == 2)
    let json = try GraphBuilder.callPaths(shop.fixture.input, tenant: .standard).json.parsed()
    let written = try #require((json["error_paths"] as? [[String: Any]])?.first)
    #expect(written["origin"] as? String == "shop/checkout Place")
    #expect(written["error_traces"] as? Int == 2)
  }
}

@Suite struct WaitEffectTests {
  /// front calls checkout 80 times a 100 requests, of which half wait for it.
  private func shop() -> PathShop {
    var shop = PathShop()
    for number in 0..<80 {
      let isTight = number < 40
      shop.fixture.add(
        .wait(shop.front, for: shop.checkout), [.requests: 1, .requestsAdjusted: 1],
        latency: isTight ? 0 : 30 * .millisecond,
        clientLatency: isTight ? 4 * .millisecond : 0, ownTime: isTight ? 4 * .millisecond : 0)
    }
    shop.fixture.add(.node(shop.front), latency: 100 * .millisecond)
    shop.fixture.add(
      .node(shop.checkout), latency: 40 * .millisecond, ownTime: 40 * .millisecond)
    return shop
  }

  /// Scenario: a service gets faster by more than its calls' drag.
  /// Guarantees: the entry point gains what the drag allows, and no more; calls show both. Where most
  /// calls' drag is not known, it bounds nothing.
  @Test func dragBoundsTheGain() throws {
    let answer = try shop().whatIf("checkout", change: -10)
    let entry = try #require(answer.latency.first)
    #expect((entry.expected - (100 - 40 * 4.0 / 100)).magnitude < 0.05)
    let call = try #require(answer.calls.first)
    #expect(call.client == "shop/front" && call.requests == 80)
    #expect(call.wait.blockingShare == 0.5)
    #expect(((call.change ?? 0) + 2).magnitude < 0.05)
    #expect(((answer.upstream.first?.change ?? 0) + 80.0 / 110 * 2).magnitude < 0.05)
    var more = shop()
    more.fixture.call(more.front, more.checkout, requests: 20)
    let unbounded = try #require(try more.whatIf("checkout", change: -10).latency.first)
    #expect((unbounded.expected - 92).magnitude < 1e-9)
  }

  /// Scenario: a service gets slower by more and by less than its calls' slack.
  /// Guarantees: a call costs what exceeds its slack; services upstream wait accordingly; without a
  /// change there is nothing but what was learned.
  @Test func slackTakesUpTheLoss() throws {
    let slower = try shop().whatIf("checkout", change: 20)
    #expect(((slower.calls.first?.change ?? 0) - 10).magnitude < 0.05)
    let upstream = try #require(slower.upstream.first)
    #expect(upstream.service == "shop/front" && upstream.isEntry && upstream.mean == 100)
    #expect((upstream.change - 80.0 / 110 * 10).magnitude < 0.05)
    let much = try shop().whatIf("checkout", change: 50)
    #expect(((much.calls.first?.change ?? 0) - 35).magnitude < 0.3)
    let json = try shop().whatIf("checkout", errorRate: 0.5).json.parsed()
    let call = try #require((json["calls"] as? [[String: Any]])?.first)
    #expect(call["change_ms"] is NSNull && call["drag_ms"] is [String: Any])
    #expect((json["upstream"] as? [Any])?.isEmpty == true)
  }

  /// Scenario: services that call each other in a circle, again and again for each request.
  /// Guarantees: it ends, with a bounded number.
  @Test func circle() throws {
    var shop = shop()
    shop.fixture.call(shop.checkout, shop.front, requests: 1_000)
    shop.fixture.call(shop.front, shop.checkout, requests: 1_000)
    let far = shop.fixture.node("far")
    shop.fixture.call(shop.checkout, far, requests: 10)
    for (client, server) in [
      (shop.checkout, shop.front), (shop.front, shop.checkout), (shop.checkout, far),
    ] {
      shop.fixture.add(
        .wait(client, for: server), [.requestsAdjusted: 1], latency: 0, ownTime: .second)
    }
    let upstream = try shop.whatIf("far", change: 100).upstream
    #expect(upstream.count == 2 && upstream.allSatisfy { $0.change > 0 && $0.change <= 3.6e6 })
  }
}
