import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct GraphBuilderTests {
  /// Scenario: a shop with services in a namespace, a database and a queue.
  /// Guarantees: ids follow the kinds and namespaces; nodes and edges are sorted by them.
  @Test func idsAndOrder() throws {
    let graph = try Shop().fixture.graph()
    #expect(
      graph.nodes.map(\.id) == [
        "database:orders", "mail", "messaging:receipts", "shop/checkout", "shop/frontend",
      ])
    #expect(graph.nodes.map(\.kind) == [.database, .service, .messaging, .service, .service])
    #expect(
      graph.edges.map { "\($0.client) \($0.server) \($0.connectionType.label)" } == [
        "messaging:receipts mail messaging_system",
        "shop/checkout database:orders database",
        "shop/checkout messaging:receipts messaging_system",
        "shop/frontend shop/checkout ",
      ])
    #expect(graph.start == GraphFixture.start && graph.end == GraphFixture.end)
    #expect(graph.revision == 7)
    #expect(graph.seconds == 10)
  }

  /// Scenario: a node with counters and histograms.
  /// Guarantees: adjusted counters are divided by 256, raw ones are not; rates and shares divide
  /// the right things.
  @Test func nodeFigures() throws {
    let graph = try Shop().fixture.graph()
    let node = try #require(graph.nodes.first { $0.id == "shop/checkout" })
    #expect(node.namespace == "shop" && node.service == "checkout" && node.environment == "")
    let figures = node.figures
    #expect(figures.requests == 80)
    #expect(figures.errors == 8)
    #expect(figures.errorRate == 0.1)
    #expect(figures.errorOrigins == 3)
    #expect(figures.traces == 70)
    #expect(figures.errorTraces == 6)
    #expect(figures.criticalPathShare == 0.25)
    #expect(figures.exemplars == [TraceID(high: 1, low: 2)])
    let latency = try #require(figures.latency)
    #expect(latency.mean == 40)
    #expect(abs(latency.p50 - 40) < 1)
    #expect(latency.maximum >= 40 && latency.maximum < 41)
    #expect(latency.p50 <= latency.p90 && latency.p90 <= latency.p95)
    #expect(latency.p95 <= latency.p99 && latency.p99 <= latency.maximum)
    #expect(try #require(figures.selfTime).mean == 20)
  }

  /// Scenario: a node that is only called, and a window without any critical path.
  /// Guarantees: what nothing is known about is nil, not zero and not NaN.
  @Test func nothingKnown() throws {
    var fixture = GraphFixture()
    let a = fixture.node("a")
    let b = fixture.node("b")
    fixture.add(.edge(a, b, .direct), [.traces: 1])
    let graph = try fixture.graph()
    #expect(graph.nodes.map(\.id) == ["a", "b"])
    let figures = graph.nodes[0].figures
    #expect(figures.requests == 0 && figures.errorRate == nil && figures.latency == nil)
    #expect(figures.criticalPathShare == nil)
    let edge = graph.edges[0]
    #expect(edge.clientLatency == nil && edge.serverLatency == nil && edge.gap == nil)
    #expect(edge.errorPropagation.probability == nil && edge.failedShare == nil)
    #expect(edge.criticalPathShare == nil)
  }

  /// Scenario: an edge with failures, some absorbed.
  /// Guarantees: each histogram lands where it belongs; the ledger and its probability add up.
  @Test func edgeFigures() throws {
    let graph = try Shop().fixture.graph()
    let edge = try #require(graph.edges.first { $0.client == "shop/frontend" })
    #expect(edge.requests == 80 && edge.failed == 8 && edge.failedShare == 0.1)
    #expect(edge.clientLatency?.mean == 44)
    #expect(edge.serverLatency?.mean == 40)
    #expect(edge.gap?.mean == 4)
    #expect(edge.criticalPathShare == 0.1)
    #expect(
      edge.errorPropagation
        == ErrorPropagation(calleeFailures: 8, propagated: 6, absorbed: 2, probability: 0.75))
    #expect(edge.exemplars.map(\.description) == ["00000000000000010000000000000002"])
  }

  /// Scenario: versions and instances, some spans naming neither.
  /// Guarantees: versions are sorted without the empty one; an instance counts once whatever
  /// versions it ran.
  @Test func versionsAndInstances() throws {
    var fixture = GraphFixture()
    let service = fixture.node("checkout")
    let v41 = fixture.part(.version, of: service, "v41")
    let v42 = fixture.part(.version, of: service, "v42")
    let pod = fixture.part(.instance, of: service, "pod-1")
    let other = fixture.part(.instance, of: service, "pod-2")
    for version in [v42, v41, .none] {
      fixture.add(.version(service, version), [.requestsAdjusted: 1])
    }
    fixture.add(.instance(service, pod, version: v41), [.requests: 1])
    fixture.add(.instance(service, pod, version: v42), [.requests: 1])
    fixture.add(.instance(service, other, version: v42), [.requests: 1])
    fixture.add(.instance(service, .none, version: v42), [.requests: 1])
    let node = try #require(try fixture.graph().nodes.first)
    #expect(node.versions == ["v41", "v42"])
    #expect(node.instances == 2)
  }

  /// Scenario: coverage and unpaired series, a limit that was reached, one that was not.
  /// Guarantees: each count is shown under its name.
  @Test func coverage() throws {
    var fixture = GraphFixture()
    fixture.add(
      .coverage(.standard), [.requests: 50, .traces: 9, .duplicates: 4, .late: 2, .skewed: 7])
    fixture.add(.skewOverLimit(.standard), [.skewed: 3])
    fixture.add(.skewOverLimit(TenantID(5)), [.skewed: 99])
    fixture.add(.unpaired(.standard, .parentMissing), [.requests: 3])
    fixture.add(.unpaired(.standard, .clientWithoutPeer), [.requests: 1])
    fixture.add(.unpaired(.standard, .entryPoint), [.requests: 6])
    fixture.add(.paired(.standard), [.requests: 40])
    fixture.add(.unpaired(TenantID(5), .parentMissing), [.requests: 99])
    fixture.add(.unpaired(TenantID(5), .entryPoint), [.requests: 99])
    fixture.add(.paired(TenantID(5)), [.requests: 99])
    fixture.add(SeriesKey(.unpaired, 0, 200), [.requests: 99])
    var input = fixture.input
    var full = Sums()
    full.counters[.requests] = 2
    input.window.merge(full, at: .overflow(.standard, .service))
    full.counters[.requests] = 5
    input.window.merge(full, at: .overflow(.standard, part: SeriesKey.overflowPathsPart))
    input.window.merge(full, at: .overflow(.standard, part: 999))
    full.counters[.requests] = 3
    input.window.merge(full, at: .overflow(.standard, part: SeriesKey.overflowCallsPart))
    let coverage = try GraphBuilder.build(
      input, tenant: .standard, options: GraphOptions()
    ).coverage
    #expect(coverage.spans == 50 && coverage.traces == 9)
    #expect(coverage.duplicates == 4 && coverage.lateSpans == 2)
    #expect(coverage.skewAdjusted == 7 && coverage.skewOverLimit == 3)
    #expect(coverage.unpaired == ["parent_missing": 3, "client_without_peer": 1])
    #expect(coverage.standalone == ["entry_point": 6] && coverage.paired == 40)
    let overflow: [String: UInt64] = [
      "services": 2, "paths_per_entry_point": 5, "calls_per_operation": 3,
    ]
    #expect(coverage.overflow == overflow)
  }

  /// Scenario: two tenants with a service of the same name in one window, and a series whose name
  /// is gone.
  /// Guarantees: a tenant sees its own only; what cannot be named is counted.
  @Test func tenantsAndMissingNames() throws {
    var fixture = GraphFixture()
    let mine = fixture.node("checkout")
    fixture.tenant = TenantID(9)
    let theirs = fixture.node("checkout")
    fixture.tenant = .standard
    fixture.add(.node(mine), [.requestsAdjusted: 1, .criticalPathNanos: 10])
    fixture.add(.node(theirs), [.requestsAdjusted: 50, .criticalPathNanos: 90])
    fixture.add(.coverage(.standard), [.criticalPathNanos: 10])
    fixture.add(.coverage(TenantID(9)), [.criticalPathNanos: 90])
    fixture.call(mine, theirs)
    fixture.add(.node(NameID(12345)), [.requestsAdjusted: 1])
    let graph = try fixture.graph()
    #expect(graph.nodes.map(\.figures.requests) == [1])
    #expect(graph.nodes[0].figures.criticalPathShare == 1)
    #expect(graph.edges.isEmpty)
    #expect(graph.coverage.overflow == ["names_missing": 1])
  }

  /// Scenario: one service in two environments and a database that belongs to none.
  /// Guarantees: without a choice both are shown; with one, its own nodes and what they call.
  @Test func environments() throws {
    var fixture = GraphFixture()
    let prod = fixture.node("a", environment: "prod")
    let test = fixture.node("a", environment: "test")
    let orders = fixture.node("orders", kind: .database)
    let cache = fixture.node("cache", kind: .database)
    fixture.call(prod, orders, .database)
    fixture.call(test, cache, .database)
    let all = try fixture.graph()
    #expect(all.nodes.map(\.environment) == ["prod", "test", "", ""])
    #expect(all.hasSeveralEnvironments)
    let one = try fixture.graph(GraphOptions(environment: "prod"))
    #expect(one.nodes.map(\.id) == ["a", "database:orders"])
    #expect(one.edges.map(\.clientEnvironment) == ["prod"])
    #expect(!one.hasSeveralEnvironments)
    #expect(try fixture.graph(GraphOptions(environment: "none")).nodes.isEmpty)
  }

  /// Scenario: a namespace is asked for.
  /// Guarantees: its services, their calls and the other ends; nothing further.
  @Test func namespaces() throws {
    var shop = Shop()
    let far = shop.fixture.node("far")
    shop.fixture.call(shop.mail, far)
    let graph = try shop.fixture.graph(GraphOptions(namespace: "shop"))
    #expect(
      graph.nodes.map(\.id) == [
        "database:orders", "messaging:receipts", "shop/checkout", "shop/frontend",
      ])
    #expect(graph.edges.count == 3)
  }

  /// Scenario: windows merged in different orders and halves.
  /// Guarantees: the same bytes.
  @Test func orderOfMergingDoesNotShow() throws {
    var random = SeededGenerator("orderOfMergingDoesNotShow")
    let shop = Shop()
    let whole = try shop.fixture.graph().json.text
    for _ in 0..<20 {
      var input = shop.fixture.input
      input.window = Window()
      for (key, sums) in shop.fixture.window.series.shuffled(using: &random) {
        input.window.merge(sums, at: key)
      }
      let graph = try GraphBuilder.build(input, tenant: .standard, options: GraphOptions())
      #expect(graph.json.text == whole)
    }
  }

  /// Scenario: calls that nobody answered, by the name of a cluster that a service answered to before,
  /// by the address of one of its instances, and by a name two services answer to; and calls of a service
  /// by names it answered to itself: a host's, its own address, and what each host calls itself.
  /// Guarantees: the first two are calls to the service, with their failures at its node; by the name of
  /// a host the service called itself, which is no edge and no request; the others stay what they are
  /// called.
  @Test func peersThatStandForServices() throws {
    var fixture = GraphFixture()
    let front = fixture.node("front")
    let back = fixture.node("back")
    let other = fixture.node("other")
    let names = ["back-v2", "10.0.0.7", "gateway", "front.shop", "10.0.0.8", "localhost"].map {
      fixture.node($0, kind: .external)
    }
    let instance = fixture.part(
      .instance, of: back, InstanceIdentity(instance: "pod-1", address: "10.0.0.7").text)
    fixture.add(.instance(back, instance, version: .none), [.requests: 1])
    fixture.add(.answered(names[0], by: back, version: .none), [.requests: 1])
    for service in [back, other] {
      fixture.add(.answered(names[2], by: service, version: .none), [.requests: 1])
    }
    for name in names[3...] {
      fixture.add(.answered(name, by: front, version: .none), [.requests: 1])
    }
    let own = fixture.part(
      .instance, of: front, InstanceIdentity(instance: "pod-2", address: "10.0.0.8").text)
    fixture.add(.instance(front, own, version: .none), [.requests: 1])
    fixture.add(.node(front), [.requestsAdjusted: 7, .errorsAdjusted: 3])
    fixture.add(.node(back), [.requestsAdjusted: 10, .errorsAdjusted: 1])
    fixture.call(front, back, requests: 10, failed: 1)
    for name in names {
      fixture.call(front, name, .virtualNode, requests: 2, failed: 2)
      fixture.add(.node(name), [.requestsAdjusted: 2, .errorsAdjusted: 2])
    }
    fixture.add(.edge(front, names[3], .virtualNode), [.requests: 2])
    let graph = try fixture.graph()
    #expect(
      graph.edges.map { "\($0.server) \($0.requests) \($0.failed) \($0.connectionType.label)" } == [
        "back 14.0 5.0 ", "external:10.0.0.8 2.0 2.0 virtual_node",
        "external:gateway 2.0 2.0 virtual_node", "external:localhost 2.0 2.0 virtual_node",
      ])
    #expect(graph.coverage.unpaired == ["same_service": 2])
    let itself = try #require(graph.nodes.first { $0.id == "front" })
    #expect(itself.figures.requests == 7 && itself.figures.errors == 3)
    let node = try #require(graph.nodes.first { $0.id == "back" })
    #expect(node.figures.requests == 14 && node.figures.errors == 5)
    #expect(!graph.nodes.contains { $0.id == "external:back-v2" })
  }

  /// Scenario: takers call a queue by a name of their own, and links say what senders call it; another
  /// is fed by two topics; a third is sent to by that name as well.
  /// Guarantees: the first is the senders' queue, with its edge and requests; the others stay.
  @Test func queuesWithTwoNames() throws {
    var fixture = GraphFixture()
    let a = fixture.node("a")
    let b = fixture.node("b")
    let topics = ["topic", "second", "third"].map { fixture.node($0, kind: .messaging) }
    let queues = ["subscription", "fed", "direct"].map { fixture.node($0, kind: .messaging) }
    for topic in topics {
      fixture.call(a, topic, .messagingSystem, requests: 5)
      fixture.add(.node(topic), [.requestsAdjusted: 5])
    }
    for queue in queues { fixture.call(queue, b, .messagingSystem, requests: 4, failed: 1) }
    fixture.add(.node(queues[0]), [.requestsAdjusted: 1])
    fixture.call(a, queues[2], .messagingSystem, requests: 2)
    for (queue, topic) in [(0, 0), (1, 0), (1, 1), (2, 2)] {
      fixture.add(.queueAlias(queues[queue], sentTo: topics[topic]), [.requests: 1])
    }
    let graph = try fixture.graph()
    #expect(
      graph.edges.map { "\($0.client)→\($0.server) \($0.connectionType.label) \($0.requests)" } == [
        "a→messaging:direct messaging_system 2.0", "a→messaging:second messaging_system 5.0",
        "a→messaging:third messaging_system 5.0", "a→messaging:topic messaging_system 5.0",
        "messaging:direct→b messaging_system 4.0", "messaging:fed→b messaging_system 4.0",
        "messaging:topic→b messaging_system 4.0",
      ])
    #expect(!graph.nodes.contains { $0.id == "messaging:subscription" })
    let topic = try #require(graph.nodes.first { $0.id == "messaging:topic" })
    #expect(topic.figures.requests == 6)
  }
}
