import Model
import Testing

@testable import OTLP

@Suite("Where a failed call went, and who has that address") struct PeerAddressTests {
  /// The texts of the peer's address and of the instance.
  private func texts(
    _ attributes: [(String, SampleValue)], kind: Int64 = 3, status: Int64 = 2,
    name: String = "GET /", resource: [(String, SampleValue)] = []
  ) -> (address: String?, instance: String?) {
    let table = NameTable()
    let span = SampleSpan(name: name, kind: kind, status: status, attributes: attributes)
    let request = SampleRequest(resource: resource, spans: [span]).build(names: table)
    let record = request.batch.spans[0]
    if !record.peerAddress.isNone {
      #expect(request.batch.names.contains(record.peerAddress))
      #expect(table.name(record.peerAddress)?.kind == .address)
      #expect(table.name(record.peerAddress)?.scope == NameID.none)
    }
    return (table.name(record.peerAddress)?.text, table.name(record.instance)?.text)
  }

  /// Scenario: failed calls that name the address in each of the attributes there are for it.
  /// Guarantees: the host without its port; what was connected to goes before what was meant.
  @Test(arguments: [
    ("network.peer.address", "10.0.0.5", "10.0.0.5"), ("net.sock.peer.addr", "::1", "::1"),
    ("net.peer.ip", "10.0.0.5:8080", "10.0.0.5"), ("peer.address", "[fd00::5]:80", "fd00::5"),
    ("upstream_address", "10.0.0.6:15006", "10.0.0.6"), ("server.address", "checkout", "checkout"),
    ("net.peer.name", "checkout-0.checkout", "checkout-0.checkout"),
  ]) func everyAttribute(key: String, value: String, host: String) {
    let named: [(String, SampleValue)] = [("peer.service", "checkout")]
    #expect(texts(named + [(key, .string(value))]).address == host)
    let meant: [(String, SampleValue)] = [("server.address", "checkout")]
    let connected = texts(meant + [(key, .string(value))]).address
    #expect(connected == (key == "net.peer.name" ? "checkout" : host))
  }

  /// Scenario: calls that worked, work that is no call, calls that name nobody, addresses that are
  /// empty.
  /// Guarantees: no address.
  @Test func none() {
    let all: [(String, SampleValue)] = [
      ("peer.service", "checkout"), ("network.peer.address", "10.0.0.5"),
    ]
    #expect(texts(all, status: 0).address == nil)
    #expect(texts(all, status: 1).address == nil)
    #expect(texts(all, kind: 1).address == nil)
    #expect(texts(all, kind: 2).address == nil)
    #expect(texts([]).address == nil)
    #expect(texts([("peer.service", "a"), ("network.peer.address", "")]).address == nil)
    #expect(texts([("peer.service", "a"), ("network.peer.address", ":80")]).address == nil)
  }

  /// Scenario: spans of Envoy: of a listener, whose `peer.address` is who called it, and on its way
  /// out.
  /// Guarantees: who called is never taken for who was called.
  @Test func listeners() {
    let listener: [(String, SampleValue)] = [
      ("component", "proxy"), ("node_id", "sidecar~1"), ("peer.address", "10.0.0.9"),
      ("upstream_cluster", "checkout"),
    ]
    #expect(texts(listener).address == nil)
    #expect(texts(listener + [("upstream_address", "10.0.0.5:80")]).address == "10.0.0.5")
    #expect(
      texts(
        listener + [("upstream_address", "10.0.0.5:80")], kind: 2, name: "egress checkout"
      ).address == "10.0.0.5")
  }

  /// Scenario: resources with the addresses of pod and host, one, both, none, or empty.
  /// Guarantees: an instance carries the pod's address before the host's; one without a name for
  /// itself is called by its address.
  @Test func instances() {
    func instance(_ resource: [(String, SampleValue)]) -> InstanceIdentity? {
      texts([], resource: resource).instance.map { InstanceIdentity(text: $0) }
    }
    let id: [(String, SampleValue)] = [("service.instance.id", "a")]
    #expect(instance(id) == InstanceIdentity(instance: "a"))
    #expect(instance(id + [("host.ip", "10.1.0.1")])?.address == "10.1.0.1")
    #expect(
      instance(id + [("host.ip", "10.1.0.1"), ("k8s.pod.ip", "10.0.0.5")])
        == InstanceIdentity(instance: "a", address: "10.0.0.5"))
    #expect(instance(id + [("k8s.pod.ip", "")]) == InstanceIdentity(instance: "a"))
    #expect(
      instance([("k8s.pod.ip", "10.0.0.5")])
        == InstanceIdentity(instance: "10.0.0.5", address: "10.0.0.5"))
    #expect(instance([]) == nil)
    // What is called like the separator cannot move the border.
    #expect(
      instance([("host.name", "h\u{1F}x"), ("k8s.pod.ip", "10\u{1F}.5")])
        == InstanceIdentity(instance: "hx", address: "10.5"))
  }

  /// Scenario: more addresses than are told apart.
  /// Guarantees: the rest is one, and the span says so.
  @Test func overflow() {
    var limits = NameLimits()
    limits.peersMax = 2
    let table = NameTable(limits: limits)
    let spans = (0..<4).map { index in
      SampleSpan(
        kind: 3, status: 2,
        attributes: [
          ("peer.service", "checkout"), ("network.peer.address", .string("10.0.0.\(index)")),
        ])
    }
    let batch = SampleRequest(spans: spans).build(names: table).batch
    #expect(table.name(batch.spans[3].peerAddress)?.text == Name.overflowText)
    #expect(batch.spans[3].traits.contains(.overflow(.address)))
    #expect(!batch.spans[0].traits.contains(.overflow(.address)))
  }
}
