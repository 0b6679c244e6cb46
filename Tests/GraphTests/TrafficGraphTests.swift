import Model
import Testing

@testable import Graph

@Suite("Traffic that no span tells of, in the graph") struct TrafficGraphTests {
  private var fixture = GraphFixture()

  private mutating func client(_ name: String, environment: String = "") -> NameID {
    fixture.node(name, environment: environment, kind: .client)
  }

  private mutating func external(_ name: String, environment: String = "") -> NameID {
    fixture.node(name, environment: environment, kind: .external)
  }

  private mutating func traffic(
    _ client: NameID, _ server: NameID, _ source: TrafficSource = .accessLog,
    by end: TrafficEnd = .client, records: Int64 = 1, failed: Int64 = 0, bytes: Int64 = 100
  ) {
    fixture.add(
      .traffic(from: client, to: server, TrafficKind(source, recordedBy: end)),
      [
        .requests: records, .requestsAdjusted: records, .errors: failed, .errorsAdjusted: failed,
        .bytes: bytes,
      ], latency: source == .accessLog ? 20 * .millisecond : nil)
  }

  private mutating func locate(_ node: NameID, _ address: String) {
    let address = fixture.part(.address, of: .none, address)
    fixture.add(.location(of: node, at: address), [.requests: 1])
  }

  private mutating func instance(_ service: NameID, at address: String) {
    let identity = InstanceIdentity(instance: "pod-\(address)", address: address)
    let pod = fixture.part(.instance, of: service, identity.text)
    fixture.add(.instance(service, pod, version: .none), [.requests: 1])
  }

  private func ends(_ graph: ServiceGraph) -> [String] {
    graph.traffic.map {
      "\($0.client)→\($0.server) \($0.source.label) \($0.records) \($0.bytes)"
    }
  }

  /// Scenario: calls out of an access log and flows out of a flow log between the same two services, which
  /// spans tell of too.
  /// Guarantees: three that are never added up: the edge, the calls of the log, the bytes of the flows;
  /// figures of nodes are those of spans.
  @Test mutating func besideSpans() throws {
    let a = fixture.node("a")
    let b = fixture.node("b")
    fixture.call(a, b, requests: 5, failed: 1)
    fixture.add(.node(b), [.requestsAdjusted: 5, .requests: 5])
    traffic(a, b, records: 7, failed: 2, bytes: 900)
    traffic(a, b, .flowLog, by: .unknown, records: 3, failed: 1, bytes: 4000)
    let graph = try fixture.graph()
    #expect(graph.edges.map(\.requests) == [5])
    #expect(graph.nodes.map(\.figures.requests) == [0, 5])
    #expect(ends(graph) == ["a→b access_log 7 900", "a→b flow_log 3 4000"])
    #expect(graph.traffic.map(\.requests) == [7, nil])
    #expect(graph.traffic.map(\.failed) == [2, 1])
    #expect(graph.traffic[0].latency?.mean == 20 && graph.traffic[1].latency == nil)
    #expect(graph.coverage.trafficRecords == ["access_log": 7, "flow_log": 3])
    #expect(graph.coverage.spans == 0)
  }

  /// Scenario: both ends keep a log; one of them misses some.
  /// Guarantees: the figures of the end that has more, the client's where they are equal; never the sum.
  @Test mutating func bothEndsTell() throws {
    let a = fixture.node("a")
    let b = fixture.node("b")
    let c = fixture.node("c")
    traffic(a, b, by: .client, records: 10, bytes: 1)
    traffic(a, b, by: .server, records: 9, bytes: 2)
    traffic(a, c, by: .client, records: 4, bytes: 3)
    traffic(a, c, by: .server, records: 4, bytes: 4)
    let graph = try fixture.graph()
    #expect(ends(graph) == ["a→b access_log 10 1", "a→c access_log 4 3"])
    #expect(graph.traffic.map(\.recordedBy) == [[.client, .server], [.client, .server]])
  }

  /// Scenario: addresses at both ends that instances said they have, in two environments, and ones nobody
  /// has.
  /// Guarantees: both ends are the services; an address stays one where several have it or none, and
  /// is one node when it both calls and is called.
  @Test mutating func addressesStandForServices() throws {
    let a = fixture.node("a", namespace: "shop", environment: "prod")
    let b = fixture.node("b", namespace: "shop", environment: "prod")
    instance(a, at: "10.0.0.1")
    instance(b, at: "10.0.0.2")
    instance(a, at: "10.0.0.3")
    instance(b, at: "10.0.0.3")
    traffic(
      client("10.0.0.1", environment: "prod"), external("10.0.0.2", environment: "prod"), .flowLog)
    traffic(
      client("10.0.0.3", environment: "prod"), external("10.0.0.2", environment: "prod"), .flowLog)
    traffic(client("10.0.0.1"), external("10.0.0.9"), .flowLog)
    traffic(client("10.0.0.9"), external("10.0.0.8"), .flowLog)
    let graph = try fixture.graph()
    #expect(
      ends(graph) == [
        "client:10.0.0.1→external:10.0.0.9 flow_log 1 100",
        "client:10.0.0.3→shop/b flow_log 1 100",
        "external:10.0.0.9→external:10.0.0.8 flow_log 1 100",
        "shop/a→shop/b flow_log 1 100",
      ])
    let node = try #require(graph.nodes.first { $0.id == "client:10.0.0.1" })
    #expect(node.kind == .client && node.figures.requests == 0 && node.figures.traces == 0)
  }

  /// Scenario: a mesh with access logs alone: each proxy says where it is; the client's names a cluster
  /// and where it led, the server's an address.
  /// Guarantees: one edge between the two services.
  @Test mutating func meshWithoutSpans() throws {
    let a = fixture.node("a", namespace: "shop")
    let b = fixture.node("b", namespace: "shop")
    let cluster = external("b.shop.svc.cluster.local")
    traffic(a, cluster, by: .client, records: 10)
    locate(a, "10.0.0.1")
    locate(cluster, "10.0.0.2")
    traffic(client("10.0.0.1"), b, by: .server, records: 10)
    locate(b, "10.0.0.2")
    let graph = try fixture.graph()
    #expect(ends(graph) == ["shop/a→shop/b access_log 10 100"])
    #expect(graph.nodes.map(\.id) == ["shop/a", "shop/b"])
    // A second service at one of the places the cluster leads to: it is neither of them.
    let other = fixture.node("other")
    locate(cluster, "10.0.0.7")
    locate(other, "10.0.0.7")
    #expect(
      ends(try fixture.graph()) == [
        "shop/a→external:b.shop.svc.cluster.local access_log 10 100",
        "shop/a→shop/b access_log 10 100",
      ])
  }

  /// Scenario: several services on one machine: a proxy calls a cluster that led to its own address.
  /// Guarantees: it is not taken for a call to itself.
  @Test mutating func oneMachine() throws {
    let a = fixture.node("a")
    let payment = external("payment")
    traffic(a, payment)
    locate(a, "127.0.0.1")
    locate(payment, "127.0.0.1")
    #expect(ends(try fixture.graph()) == ["a→external:payment access_log 1 100"])
  }

  /// Scenario: what instances said and what logs say of an address differ; a call of spans to the address.
  /// Guarantees: spans' word stands; where they have none, the logs' word names the call's server too.
  @Test mutating func spansWordStands() throws {
    let a = fixture.node("a")
    let b = fixture.node("b")
    let c = fixture.node("c")
    instance(b, at: "10.0.0.2")
    locate(c, "10.0.0.2")
    locate(c, "10.0.0.3")
    for address in ["10.0.0.2", "10.0.0.3"] {
      fixture.call(a, external(address), .virtualNode)
      traffic(a, external(address))
    }
    let graph = try fixture.graph()
    #expect(ends(graph) == ["a→b access_log 1 100", "a→c access_log 1 100"])
    #expect(graph.edges.map { "\($0.server)\($0.connectionType.label)" } == ["b", "c"])
  }

  /// Scenario: the graph around a service, of one namespace, of one environment.
  /// Guarantees: traffic is shown with what is connected by it, as edges are.
  @Test mutating func parts() throws {
    let a = fixture.node("a", namespace: "shop")
    let b = fixture.node("b", namespace: "shop")
    let far = fixture.node("far", namespace: "else")
    let lone = fixture.node("lone", namespace: "else", environment: "test")
    fixture.call(a, b)
    traffic(b, far)
    traffic(lone, external("x", environment: "test"))
    let around = try fixture.graph(GraphOptions(service: "a", direction: .down))
    #expect(around.nodes.map(\.id) == ["else/far", "shop/a", "shop/b"])
    #expect(ends(around) == ["shop/b→else/far access_log 1 100"])
    let near = try fixture.graph(GraphOptions(service: "a", depth: 1))
    #expect(near.traffic.isEmpty && near.nodes.count == 2)
    #expect(try fixture.graph(GraphOptions(namespace: "shop")).traffic.count == 1)
    let test = try fixture.graph(GraphOptions(environment: "test"))
    #expect(ends(test) == ["else/lone→external:x access_log 1 100"])
  }

  /// Scenario: a graph with traffic, for whoever compares ranges, asks for ways, or draws calls.
  /// Guarantees: comparisons, ways and other tools see calls of spans alone.
  @Test mutating func elsewhere() throws {
    let a = fixture.node("a")
    let b = fixture.node("b")
    let c = fixture.node("c")
    fixture.call(a, b)
    traffic(b, c)
    let diff = try GraphDiff.compare(
      base: fixture.input, current: fixture.input, tenant: .standard, options: GraphOptions())
    #expect(diff.nodes.unchangedCount == 2 && diff.edges.unchangedCount == 1)
    #expect(throws: GraphError.self) {
      try GraphPaths.find(
        fixture.input, tenant: .standard, from: "a", to: "c", options: GraphOptions())
    }
    let calls = try fixture.graph(GraphOptions(showsTraffic: false))
    #expect(calls.traffic.isEmpty && calls.nodes.count == 2)
  }

  /// Scenario: the view of a service that only logs tell of, and the list of services.
  /// Guarantees: both have it.
  @Test mutating func services() throws {
    let a = fixture.node("a")
    traffic(a, external("x"))
    traffic(external("y"), external("z"))
    let view = try GraphBuilder.service(
      fixture.input, tenant: .standard, namespace: "", name: "a", environment: nil)
    #expect(view.traffic.map(\.server) == ["external:x"] && view.upstream.isEmpty)
    let list = GraphBuilder.services(fixture.input, tenant: .standard)
    #expect(list.services.map(\.id) == ["a"])
  }

  /// Scenario: traffic in every form the graph comes in.
  /// Guarantees: apart from edges, marked as what it is.
  @Test mutating func forms() throws {
    let a = fixture.node("a", environment: "prod")
    let b = external("b", environment: "test")
    fixture.call(a, a)
    traffic(a, b, by: .server, records: 20, failed: 1, bytes: 12_340)
    traffic(a, b, .flowLog, by: .unknown, records: 2, bytes: 50)
    let graph = try fixture.graph()
    let json = try graph.json.parsed()
    let list = try #require(json["traffic"] as? [[String: Any]])
    #expect(
      Set(list[0].keys) == [
        "client", "server", "client_environment", "server_environment", "source", "recorded_by",
        "records", "requests", "failed", "bytes", "latency_ms",
      ])
    #expect(list[0]["source"] as? String == "access_log")
    #expect(list[0]["recorded_by"] as? [String] == ["server"])
    #expect(list[0]["requests"] as? Double == 20 && list[0]["bytes"] as? Int == 12_340)
    #expect(list[1]["source"] as? String == "flow_log")
    #expect(list[1].keys.contains("requests") && list[1]["requests"] as? Double == nil)
    #expect(list[1]["recorded_by"] as? [String] == [])
    let dot = graph.dot
    #expect(
      dot.contains(
        ##"[label="access log\n2/s\n5% failed\n1.23 kB/s", color="#c62828", style=dotted]"##))
    #expect(dot.contains(#"label="flow log\n5 B/s""#))
    #expect(graph.mermaid.contains(#"-.->|"access log, 2/s, 5% failed, 1.23 kB/s"|"#))
    #expect(graph.graphML.contains(#"<data key="traffic_bytes">12340.0</data>"#))
    let table = GraphTable.text(graph)
    #expect(table.contains("TRAFFIC FROM"))
    #expect(table.contains("access log") && table.contains("1.23 kB/s"))
  }
}
