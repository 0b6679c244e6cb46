import Model
import Testing

@testable import OTLP

/// Whom the spans of a mesh's proxies speak for.
@Suite struct MeshTests {
  private func reporter(
    _ attributes: [(String, SampleValue)], resource: [(String, SampleValue)], kind: Int64 = 2,
    names: NameTable = NameTable()
  ) throws -> (service: String, instance: String?, traits: SpanTraits) {
    var span = SampleSpan(kind: kind)
    span.attributes = attributes
    let decoded = SampleRequest(resource: resource, spans: [span]).build(names: names)
    let record = try #require(decoded.batch.spans.first)
    for id in [record.service, record.version, record.instance, record.operation] where !id.isNone {
      #expect(decoded.batch.names.contains(id))
    }
    let identity = NodeIdentity(text: try #require(names.name(record.service)?.text))
    let instance = names.name(record.instance).map { InstanceIdentity(text: $0.text) }
    return (
      "\(identity.environment)|\(identity.namespace)|\(identity.name)",
      instance.map { "\($0.instance) \($0.address)" }, record.traits
    )
  }

  private func service(_ nodeID: SampleValue, _ resource: (String, SampleValue)...) throws -> String
  {
    try reporter([("node_id", nodeID)], resource: resource).service
  }

  private static let node: SampleValue =
    "sidecar~10.0.0.7~checkout-5f8-x2x.shop~shop.svc.cluster.local"

  /// Scenario: Istio's ways to name a service, gateways, and other namespaces in the resource.
  /// Guarantees: the workload's name and its namespace, however the name was made.
  @Test func istioNames() throws {
    for name: SampleValue in ["checkout.shop", "checkout"] {
      #expect(try service(Self.node, ("service.name", name)) == "|shop|checkout")
    }
    #expect(try service(Self.node, ("service.name", "shop")) == "|shop|shop")
    #expect(try service(Self.node, ("service.name", ".shop")) == "|shop|.shop")
    #expect(try service(Self.node, ("service.name", "a.workshop")) == "|shop|a.workshop")
    #expect(
      try service(Self.node, ("service.name", "checkout.shop"), ("deployment.environment", "prod"))
        == "prod|shop|checkout")
    #expect(
      try service(Self.node, ("service.name", "checkout"), ("service.namespace", "own"))
        == "|own|checkout")
    #expect(
      try service("router~10.0.0.9~gw-7d.istio-system~x", ("service.name", "gw.istio-system"))
        == "|istio-system|gw")
    #expect(try service(Self.node) == "|shop|checkout-5f8-x2x")
    let canonical = try reporter(
      [("node_id", Self.node), ("istio.canonical_service", "checkout")],
      resource: [("service.name", "unknown_service:envoy")])
    #expect(canonical.service == "|shop|checkout")
  }

  /// Scenario: node ids of other senders, and broken ones.
  /// Guarantees: the resource speaks for itself.
  @Test(arguments: [
    "", "node-1", "sidecar~127.0.0.1~c~local", "sidecar~1~2", "sidecar~~~", "sidecar~1~pod.~x",
    "other~10.0.0.7~pod.shop~shop.svc", "~~.~",
  ]) func otherNodeIDs(nodeID: String) throws {
    #expect(try service(.string(nodeID), ("service.name", "checkout.shop")) == "||checkout.shop")
  }

  /// Scenario: a sidecar with a version; spans of Envoy's router, which have Istio's tags only.
  /// Guarantees: pod and address are the instance, the version is the workload's, and the hop to
  /// the pod's own address is known as local.
  @Test func istioInstance() throws {
    let names = NameTable()
    let resource: [(String, SampleValue)] = [
      ("service.name", "checkout.shop"), ("service.version", "7"),
    ]
    let sidecar = try reporter(
      [("node_id", Self.node), ("upstream_address", "10.0.0.7:8080")], resource: resource,
      names: names)
    #expect(sidecar.instance == "checkout-5f8-x2x 10.0.0.7")
    #expect(sidecar.traits.contains(.peerIsLocalHost))
    let router = try reporter(
      [("istio.namespace", "shop"), ("component", "proxy")], resource: resource, names: names)
    #expect(router.service == sidecar.service && router.instance == nil)
  }

  /// Scenario: spans of a waypoint: for the workload it serves, on the way out of the mesh, and of
  /// a version that does not tell for whom.
  /// Guarantees: folded onto the workload; the hop there is no call; without tags it is itself.
  @Test func waypoints() throws {
    let node: (String, SampleValue) = ("node_id", "waypoint~10.0.0.9~waypoint-5f.shop~x")
    let resource: [(String, SampleValue)] = [("service.name", "waypoint.shop")]
    let source: [(String, SampleValue)] = [
      ("istio.source_workload", "till-v1"), ("istio.source_namespace", "shop"),
    ]
    let served: [(String, SampleValue)] = [
      node, ("istio.destination_workload", "reviews-v3"),
      ("istio.destination_canonical_service", "reviews"), ("istio.destination_namespace", "books"),
    ]
    let inbound = try reporter(served + source, resource: resource)
    #expect(inbound.service == "|books|reviews" && inbound.instance == nil)
    #expect(inbound.traits == [.proxy, .namesCaller])
    let hop = try reporter(served + source, resource: resource, kind: 3)
    #expect(hop.service == "|books|reviews")
    #expect(hop.traits == [.proxy, .upstreamIsOwnApplication])
    let unset: [(String, SampleValue)] = [
      node, ("istio.destination_workload", "-"), ("istio.destination_namespace", "-"),
    ]
    let outbound = try reporter(unset + source, resource: resource)
    #expect(outbound.service == "|shop|till-v1" && outbound.traits.contains(.outboundProxy))
    #expect(try reporter(unset, resource: resource).service == "|shop|waypoint")
  }

  /// Scenario: who called through a waypoint: by canonical service and by workload, in two namespaces, without
  /// one, and where Envoy has no value; the same where another attribute names the caller.
  /// Guarantees: callers of one name in two namespaces are two; a namespace is that of the name beside it.
  @Test func callersOfWaypoints() throws {
    func caller(_ attributes: (String, SampleValue)...) throws -> String? {
      let names = NameTable()
      var span = SampleSpan(kind: 2)
      span.attributes =
        [
          ("node_id", "waypoint~10.0.0.9~waypoint-5f.books~x"),
          ("istio.destination_canonical_service", "reviews"),
          ("istio.destination_namespace", "books"),
        ] + attributes
      let batch = SampleRequest(resource: [("service.name", "waypoint.books")], spans: [span])
        .build(names: names).batch
      let name = try #require(batch.spans.first.map { names.name($0.peer) })
      #expect(name == nil || name?.kind == .client)
      return name.map { NodeIdentity(text: $0.text) }.map { "\($0.namespace)|\($0.name)" }
    }
    let shop: (String, SampleValue) = ("istio.source_namespace", "shop")
    let workload: (String, SampleValue) = ("istio.source_workload", "till-v1")
    let service: (String, SampleValue) = ("istio.source_canonical_service", "till")
    #expect(try caller(workload, shop) == "shop|till-v1")
    #expect(try caller(workload, service, shop) == "shop|till")
    #expect(try caller(service, ("istio.source_namespace", "fair")) == "fair|till")
    #expect(try caller(service) == "|till")
    #expect(try caller(service, ("istio.source_namespace", "-")) == "|till")
    #expect(
      try caller(("istio.source_canonical_service", "unknown"), workload, shop) == "shop|till-v1")
    #expect(try caller(("peer.service", "till"), service, shop) == "|till")
    #expect(try caller(shop) == nil)
  }

  /// Scenario: resources of Linkerd's proxy with and without the pod's labels, and by another name.
  /// Guarantees: the workload of the labels; all of them are proxies.
  @Test func linkerd() throws {
    func proxy(_ labels: (String, SampleValue)..., name: SampleValue = "linkerd-proxy") throws
      -> String
    {
      let found = try reporter([], resource: [("service.name", name)] + labels)
      #expect(found.traits.contains(.proxy))
      return found.service
    }
    for kind in ["deployment", "statefulset", "daemonset"] {
      #expect(
        try proxy(("linkerd.io/proxy-\(kind)", "web"), ("linkerd.io/workload-ns", "emojivoto"))
          == "|emojivoto|web")
    }
    #expect(try proxy() == "||linkerd-proxy")
    #expect(
      try proxy(
        ("k8s.container.name", "linkerd-proxy"), ("linkerd.io/proxy-deployment", "web"),
        name: "mine") == "||mine")
  }

  /// Scenario: two proxies share a resource; a batch holds spans of both, by turns.
  /// Guarantees: each span speaks for its own, and the batch lists all names once.
  @Test func proxiesByTurns() throws {
    let names = NameTable()
    let spans = (0..<6).map { index in
      var span = SampleSpan()
      span.attributes = [
        ("node_id", .string("sidecar~10.0.0.\(index % 2)~pod-\(index % 2).shop~x"))
      ]
      return span
    }
    let batch = SampleRequest(resource: [("service.name", "a.shop")], spans: spans)
      .build(names: names).batch
    #expect(
      batch.spans.map { names.name($0.instance)?.text.prefix(5) } == (0..<6).map { "pod-\($0 % 2)" }
    )
    #expect(Set(batch.names).count == batch.names.count)
    #expect(batch.spans.allSatisfy { batch.names.contains($0.instance) })
  }
}
