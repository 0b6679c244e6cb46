import Model
import TestSupport
import Testing

@testable import OTLP

/// Hosts, in all the ways in which senders write them.
@Suite struct TargetAddressTests {
  private func record(
    _ attributes: [(String, SampleValue)], kind: Int64 = 3, status: Int64 = 0,
    names: NameTable = NameTable()
  ) -> SpanRecord {
    let span = SampleSpan(kind: kind, status: status, attributes: attributes)
    return SampleRequest(resource: [("service.name", "a")], spans: [span]).build(names: names)
      .batch.spans[0]
  }

  private func peer(_ attributes: [(String, SampleValue)], kind: Int64 = 3) -> String? {
    let names = NameTable()
    return names.name(record(attributes, kind: kind, names: names).peer).map {
      NodeIdentity(text: $0.text).name
    }
  }

  private func address(_ attributes: [(String, SampleValue)]) -> String? {
    let names = NameTable()
    return names.name(record(attributes, status: 2, names: names).peerAddress)?.text
  }

  private static let hostKeys = [
    "server.address", "net.peer.name", "server.socket.domain", "net.sock.peer.name",
    "peer.hostname", "network.peer.address", "net.peer.ip", "server.socket.address",
    "net.sock.peer.addr", "peer.ipv4", "peer.ipv6", "upstream_address", "peer.address", "http.host",
  ]

  /// Scenario: a host with a scheme, as a target of gRPC, in brackets without a port, with a zone, in upper
  /// case, in each attribute that names a host; by itself and as where a failed call went.
  /// Guarantees: one name, however it was written.
  @Test(arguments: [
    ("tcp://db.example:5432", "db.example"), ("tcp://db.example", "db.example"),
    ("http://user:word@db.example:80/a?b", "db.example"), ("tcp://[::1]:80/", "::1"),
    ("dns:///db.example:443", "db.example"), ("dns://8.8.8.8/db.example:443", "db.example"),
    ("dns:db.example:443", "db.example"), ("dns:db.example", "db.example"),
    ("dns://db.example", "db.example"), ("passthrough:///db.example:80", "db.example"),
    ("xds:///db.example", "db.example"), ("consul:///db.example", "db.example"),
    ("ipv4:10.0.0.1:80", "10.0.0.1"), ("ipv4:10.0.0.1", "10.0.0.1"),
    ("ipv4:///10.0.0.1:80", "10.0.0.1"), ("ipv6:[2001:DB8::1]:80", "2001:db8::1"),
    ("ipv6:2001:db8:0::1", "2001:db8::1"), ("envoy://connect_originate/10.0.0.1:80", "10.0.0.1"),
    ("[::1]", "::1"), ("[2001:DB8::1]", "2001:db8::1"), ("[fe80::1%eth0]:80", "fe80::1"),
    ("fe80::1%eth0", "fe80::1"), ("[fe80::1%25eth0]", "fe80::1"), ("FE80::1%1", "fe80::1"),
    ("DB.Example", "db.example"), ("Db.Example:5432", "db.example"),
    ("tcp://DB.EXAMPLE:1", "db.example"), ("dns", "dns"), ("dns:53", "dns"), ("ipv4:80", "ipv4"),
  ])
  func oneName(text: String, host: String) {
    for key in Self.hostKeys {
      #expect(peer([(key, .string(text))]) == host, "\(key)")
    }
    for key in ["server.address", "server.socket.address", "network.peer.address"] {
      let named: [(String, SampleValue)] = [("peer.service", "db"), (key, .string(text))]
      #expect(address(named) == host, "\(key)")
    }
    #expect(peer([("db.system", "x"), ("server.address", .string(text))]) == host)
  }

  /// Scenario: sockets in the file system, several addresses at once, a zone behind what is no address, a
  /// bracket that never closes.
  /// Guarantees: nothing is cut out of what is not understood, and the case of a path stays.
  @Test(arguments: [
    "/run/DB.sock", "unix:/run/DB.sock", "unix:///run/DB.sock", "ipv4:10.0.0.1:80,10.0.0.2:80",
    "mongodb://one:1,two:2/shop", "a:b:c%d", "50%off", "[::1", "100%",
  ])
  func leftWhole(text: String) {
    #expect(peer([("server.address", .string(text))]) == text)
    #expect(peer([("network.peer.address", .string(text))]) == text)
  }

  /// Scenario: schemes with nothing behind them.
  /// Guarantees: they name nobody.
  @Test(arguments: ["tcp://", "dns:///", "tcp://:80", "envoy://internal_client_address/", "[]:80"])
  func nobody(text: String) {
    for key in Self.hostKeys { #expect(peer([(key, .string(text))]) == nil, "\(key)") }
  }

  /// Scenario: names that are no hosts, in upper case.
  /// Guarantees: as they were sent.
  @Test(arguments: [
    "service.peer.name", "peer.service", "upstream_cluster", "faas.invoked_name", "rpc.service",
    "gen_ai.provider.name",
  ])
  func namesKeepTheirCase(key: String) {
    #expect(peer([(key, "Shop.Cart")]) == "Shop.Cart")
  }

  /// Scenario: two calls to one host, written in two ways.
  /// Guarantees: one name.
  @Test func oneNode() {
    let names = NameTable()
    let peers = ["Db.Example:80", "tcp://db.EXAMPLE"].map {
      record([("server.address", .string($0))], names: names).peer
    }
    #expect(peers[0] == peers[1])
  }

  /// Scenario: a call to the sender itself by loopback, in brackets, with a scheme.
  /// Guarantees: known as local.
  @Test func loopback() {
    for text in ["[::1]", "tcp://127.0.0.1:80", "ipv4:127.0.0.1:80", "dns:///localhost:1"] {
      for key in ["server.address", "server.socket.address"] {
        #expect(record([(key, .string(text))]).traits.contains(.peerIsLocalHost), "\(text)")
      }
    }
  }

  /// Scenario: random text out of the signs that addresses are made of.
  /// Guarantees: never a trap; what is found is a part of the text.
  @Test func neverTraps() {
    var random = SeededGenerator()
    let signs = [
      "dns", "ipv4", "ipv6", "envoy", "tcp", ":", ":", "/", "/", "[", "]", "%", "@", "1",
    ]
    for _ in 0..<20_000 {
      let text = (0..<random.below(9)).map { _ in signs[random.below(signs.count)] }.joined()
      unsafe Array(text.utf8).withUnsafeBytes { bytes in
        for found in unsafe [NetworkAddress.host(of: bytes), NetworkAddress.withoutPort(bytes)] {
          let part = String(decoding: unsafe Array(found), as: UTF8.self)
          #expect(part.isEmpty || text.contains(part), "seed \(random.seed): \(text)")
        }
      }
    }
  }
}
