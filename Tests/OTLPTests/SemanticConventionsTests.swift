import Foundation
import Model
import Testing

@testable import OTLP

@Suite struct SemanticConventionsTests {
  typealias Attributes = [(String, SampleValue)]

  static let server: Int64 = 2
  static let client: Int64 = 3

  private func record(
    kind: Int64, status: Int64 = 0, _ attributes: Attributes, name: String = "x",
    resource: Attributes = [("service.name", "a")], names: NameTable = NameTable()
  ) -> SpanRecord {
    var span = SampleSpan(name: name, kind: kind, status: status)
    span.attributes = attributes
    return SampleRequest(resource: resource, spans: [span]).build(names: names).batch.spans[0]
  }

  private func isError(_ kind: Int64, _ status: Int64 = 0, _ attributes: Attributes) -> Bool {
    record(kind: kind, status: status, attributes).isError
  }

  private func peer(
    _ kind: Int64, _ attributes: Attributes, resource: Attributes = [("service.name", "a")]
  ) -> String? {
    let names = NameTable()
    let span = record(kind: kind, attributes, resource: resource, names: names)
    return names.name(span.peer).map { "\($0.kind) \(NodeIdentity(text: $0.text).name)" }
  }

  // MARK: Failure

  /// Scenario: each status code, with and without attributes that say otherwise.
  /// Guarantees: ERROR is one, OK is none whatever else is said, the rest asks the attributes.
  @Test func status() {
    #expect(isError(1, 2, []))
    #expect(!isError(1, 0, []))
    #expect(!isError(2, 1, [("error", true), ("http.status_code", 503)]))
    #expect(isError(2, 0, [("http.status_code", 503)]))
    #expect(isError(2, 9, [("http.status_code", 503)]))
  }

  /// Scenario: `error` as truth value and as text.
  /// Guarantees: true counts in either form and any case, everything else does not.
  @Test func errorAttribute() {
    #expect(isError(1, 0, [("error", true)]))
    #expect(isError(1, 0, [("error", "true")]) && isError(1, 0, [("error", "True")]))
    for value: SampleValue in [false, "false", "", 1, .array] {
      #expect(!isError(1, 0, [("error", value)]))
    }
  }

  /// Scenario: HTTP codes in the old and the stable name, as integer, double and text.
  /// Guarantees: 5xx fails for all kinds, 4xx only for clients that are no proxies.
  @Test(arguments: ["http.status_code", "http.response.status_code"])
  func http(key: String) {
    for value: SampleValue in [500, 503.0, "503", " 599 ", "500.0"] {
      for kind: Int64 in 1...5 { #expect(isError(kind, 0, [(key, value)])) }
    }
    for value: SampleValue in [404, "404", 499.0] {
      #expect(isError(Self.client, 0, [(key, value)]))
      #expect(!isError(Self.server, 0, [(key, value)]) && !isError(1, 0, [(key, value)]))
      #expect(!isError(Self.client, 0, [(key, value), ("component", "proxy")]))
    }
    for value: SampleValue in [200, "0", "", "many", 399.5, -500, true, "99999999999999999999"] {
      #expect(!isError(Self.client, 0, [(key, value)]))
    }
    #expect(
      !isError(Self.client, 0, [("http.status_code", 500), ("http.response.status_code", 200)]))
  }

  /// Scenario: gRPC codes in the three names, as number, text and name.
  /// Guarantees: any but 0 fails for a client, only the server's own failures for a server.
  @Test(arguments: ["rpc.grpc.status_code", "grpc.status_code", "rpc.response.status_code"])
  func grpc(key: String) {
    let failures: Set<Int64> = [2, 4, 12, 13, 14, 15]
    for code: Int64 in 0...16 {
      #expect(isError(Self.client, 0, [(key, .int(code))]) == (code != 0))
      #expect(isError(Self.server, 0, [(key, .int(code))]) == failures.contains(code))
      let text = SampleValue.string(String(code))
      #expect(isError(Self.server, 0, [(key, text)]) == failures.contains(code))
      #expect(
        isError(Self.client, 0, [(key, text), ("component", "proxy")]) == failures.contains(code))
    }
    func fails(_ kind: Int64, _ name: SampleValue) -> Bool { isError(kind, 0, [(key, name)]) }
    #expect(fails(Self.server, "UNAVAILABLE") && fails(Self.server, "deadline_exceeded"))
    #expect(!fails(Self.server, "NOT_FOUND") && fails(Self.client, "NOT_FOUND"))
    #expect(!fails(Self.client, "OK") && !fails(Self.client, "?"))
  }

  /// Scenario: Envoy's response flags, alone and in a list.
  /// Guarantees: a failed upstream is a failure; `-`, and a caller that hung up, are not.
  @Test func responseFlags() {
    for flags in [
      "UF", "UH", "UO", "UT", "UC", "URX", "NR", "NC", "LH", "DPE", "UPE", "UF,URX", "DC, UT",
    ] {
      #expect(isError(Self.server, 0, [("response_flags", .string(flags))]), "\(flags)")
    }
    for flags in ["-", "", "DC", "UFX", "U", "DC,IH", ","] {
      #expect(!isError(Self.server, 0, [("response_flags", .string(flags))]), "\(flags)")
    }
  }

  /// Scenario: `error.type`, with and without content, for each kind.
  /// Guarantees: counts for clients and servers.
  @Test func errorType() {
    for kind: Int64 in 1...5 {
      #expect(isError(kind, 0, [("error.type", "timeout")]) == (kind == 2 || kind == 3))
      #expect(!isError(kind, 0, [("error.type", "")]))
    }
  }

  // MARK: Proxies and addresses

  /// Scenario: spans of Envoy with and without `component`, of linkerd-proxy, of applications.
  /// Guarantees: proxies are known as such.
  @Test func proxies() {
    func isProxy(_ attributes: Attributes, resource: Attributes = []) -> Bool {
      record(kind: 2, attributes, resource: resource).traits.contains(.proxy)
    }
    #expect(isProxy([("component", "proxy")]))
    #expect(isProxy([("response_flags", "-"), ("node_id", "n")]))
    #expect(isProxy([("response_flags", "-"), ("upstream_cluster", "c")]))
    #expect(isProxy([("response_flags", "-"), ("upstream_cluster.name", "c")]))
    #expect(isProxy([], resource: [("service.name", "linkerd-proxy")]))
    #expect(!isProxy([("component", "http")]) && !isProxy([("response_flags", "-")]))
    #expect(!isProxy([("upstream_cluster", "c")]) && !isProxy([]))
  }

  /// Scenario: proxy spans by name.
  /// Guarantees: `egress …` is the way out of a workload, and then the peer is read whatever the kind.
  @Test func outboundProxy() {
    let proxy: Attributes = [("component", "proxy"), ("upstream_cluster", "next")]
    func span(_ name: String, _ attributes: Attributes) -> SpanRecord {
      record(kind: Self.server, attributes, name: name)
    }
    #expect(span("egress b:80", proxy).traits.contains(.outboundProxy))
    #expect(span("egress", proxy).traits.contains(.outboundProxy))
    #expect(!span("egress b:80", proxy).peer.isNone)
    for name in ["ingress", "router next egress", "egressing", ""] {
      #expect(!span(name, proxy).traits.contains(.outboundProxy))
      #expect(span(name, proxy).peer.isNone)
    }
    #expect(!span("egress b:80", []).traits.contains(.outboundProxy))
  }

  /// Scenario: upstream clusters by name.
  /// Guarantees: inbound ones, and what sidecar configurations call the application, are its own.
  @Test func ownApplication() {
    for key in ["upstream_cluster", "upstream_cluster.name"] {
      for name in [
        "inbound|9080||", "local_app", "local_service_grpc", "InboundPassthroughCluster",
      ] {
        let span = record(kind: 3, [("component", "proxy"), (key, .string(name))])
        #expect(span.traits.contains(.upstreamIsOwnApplication) && span.peer.isNone)
      }
      for name in ["outbound|80||b", "application", "local", "locale_app", ""] {
        let span = record(kind: 3, [("component", "proxy"), (key, .string(name))])
        #expect(!span.traits.contains(.upstreamIsOwnApplication))
      }
    }
  }

  /// Scenario: addresses of the peer, of each form, in spans of callers and of the called.
  /// Guarantees: loopback and the sender's own addresses are local; a server's span only says so by
  /// its upstream; a listener's `peer.address` is the caller and says nothing.
  @Test func localPeers() {
    func isLocal(_ kind: Int64, _ attributes: Attributes, _ resource: Attributes = []) -> Bool {
      record(kind: kind, attributes, resource: resource).traits.contains(.peerIsLocalHost)
    }
    for address: SampleValue in [
      "127.0.0.1", "127.0.0.6:80", "::1", "[::1]:80", "localhost", "LOCALHOST:8080", "localhost.",
      "::ffff:127.0.0.1",
    ] {
      for key in [
        "network.peer.address", "server.address", "net.peer.name", "net.peer.ip",
        "net.sock.peer.addr", "peer.address",
      ] {
        #expect(isLocal(Self.client, [(key, address)]))
        #expect(!isLocal(Self.server, [(key, address)]))
      }
      #expect(isLocal(Self.server, [("upstream_address", address)]))
    }
    for address: SampleValue in [
      "10.0.0.5", "127.example.com", "128.0.0.1", "localhost.example", "",
    ] {
      #expect(!isLocal(Self.client, [("server.address", address)]))
    }
    let own: Attributes = [("k8s.pod.ip", "10.0.0.5"), ("host.ip", "10.0.0.1")]
    #expect(isLocal(Self.client, [("upstream_address", "10.0.0.5:80")], own))
    #expect(isLocal(Self.client, [("server.address", "10.0.0.1")], own))
    #expect(!isLocal(Self.client, [("server.address", "10.0.0.55")], own))
    let listed: Attributes = [("host.ip", .array)]
    #expect(isLocal(Self.client, [("server.address", "a")], listed))
    let downstream: Attributes = [("peer.address", "127.0.0.1")]
    #expect(!isLocal(Self.client, downstream + [("node_id", "n")]))
    #expect(!isLocal(Self.client, downstream + [("downstream_cluster", "-")]))
  }

  // MARK: Peers

  /// The name of rank n as the attribute of that rank would say it.
  private func value(_ rule: PeerRule, _ rank: Int) -> SampleValue {
    switch rule {
    case .text, .said, .lastingQueue, .cluster: .string("\(rank)")
    case .host: .string("[\(rank)]:80")
    case .address: .string("\(rank):80")
    case .serviceOf: .string("\(rank)/Get")
    case .hostOfURL: .string("https://u:p@\(rank):443/x")
    case .hostOfConnection: .string("Server=tcp:\(rank),1433;Password=p")
    case .lastPart(_, let separator): .string("https:\(separator)x\(separator)\(rank)")
    }
  }

  /// Says everything the rules ask for, less and less of it; the peer each time.
  private func peers(_ kind: Int64, _ rules: [PeerRule], besides: Attributes = []) -> [String?] {
    let all = rules.enumerated().map { ("\($1.key.text)", value($1, $0 + 1)) }
    return all.indices.map { peer(kind, Array(all[$0...].reversed()) + besides) }
  }

  /// Scenario: database spans with fewer and fewer of the attributes that name the database.
  /// Guarantees: named by precedence; only spans of callers have it.
  @Test func databases() throws {
    let rules = PeerPrecedence.database
    let expected = rules.indices.map { "database \($0 + 1)" as String? }
    let count = try #require(rules.firstIndex { $0.key == .databaseSystem })
    #expect(
      peers(Self.client, rules, besides: [("db.system", "last")]).prefix(count)
        == expected.prefix(count))
    #expect(peers(Self.client, rules) == expected)
    #expect(peer(Self.client, [("db.collection.name", "orders")]) == "database orders")
    #expect(peer(Self.client, [("db.system", "redis")]) == "database redis")
    #expect(peer(Self.client, [("db.type", "sql")]) == "database sql")
    #expect(record(kind: 3, [("db.system", "redis")]).traits == .database)
    let all: Attributes = [("db.system", "redis"), ("server.address", "x")]
    #expect(record(kind: 1, all).traits == [] && peer(1, all) == nil && peer(2, all) == nil)
  }

  /// Scenario: calls with one attribute of a database each, and no system; without a host, with one, and
  /// with a URL alone.
  /// Guarantees: a database by its own name, else by the host; what names neither is nobody; work that is
  /// no call stays work.
  @Test func databasesWithoutSystem() {
    for key in [
      "db.name", "db.namespace", "db.instance", "db.cassandra.keyspace", "db.hbase.namespace",
      "db.collection.name", "db.mongodb.collection", "db.sql.table",
    ] {
      #expect(peer(3, [(key, "orders")]) == "database orders", "\(key)")
      #expect(peer(3, [(key, "orders"), ("server.address", "db7")]) == "database db7", "\(key)")
      #expect(record(kind: 1, [(key, "orders")]).traits == [], "\(key)")
    }
    for key in ["db.statement", "db.query.text", "db.operation", "db.operation.name"] {
      #expect(peer(3, [(key, "SELECT"), ("net.peer.name", "db7")]) == "database db7", "\(key)")
      #expect(
        peer(3, [(key, "SELECT"), ("http.url", "http://es1:9200/_search")]) == "database es1")
      #expect(peer(3, [(key, "SELECT")]) == nil, "\(key)")
      #expect(peer(2, [(key, "SELECT"), ("net.peer.name", "db7")]) == nil, "\(key)")
    }
    #expect(peer(3, [("db.connection_string", "postgresql://db7/shop")]) == "database db7")
  }

  /// Scenario: spans of queues with fewer and fewer of the attributes that name the queue.
  /// Guarantees: named by precedence, then by the broker, which is no queue's own name; a span that
  /// takes names where the message was sent to first.
  @Test func messaging() {
    let rules = PeerPrecedence.queue
    let system: Attributes = [("messaging.system", "kafka")]
    let expected = rules.indices.map { "messaging \($0 + 1)" as String? }
    for kind: Int64 in 3...5 {
      #expect(
        peers(kind, rules, besides: system + [("peer.service", "broker")]) == expected)
    }
    let broker = PeerPrecedence.broker
    for kind: Int64 in 3...4 {
      let named = peers(kind, Array(broker.dropLast()), besides: system)
      #expect(named == broker.indices.dropLast().map { "messaging \($0 + 1)" })
      #expect(peer(kind, system) == "messaging kafka")
    }
    #expect(peer(5, system) == nil && peer(5, system + [("server.address", "mq1")]) == nil)
    let named = system + [("messaging.destination.name", "orders")]
    #expect(record(kind: 4, named).traits == [.messaging, .namesQueue])
    #expect(record(kind: 4, system).traits == .messaging)
    #expect(record(kind: 5, named).traits == [.messaging, .namesQueue])
    let served = named + [("peer.service", "caller")]
    #expect(record(kind: 1, named).traits == [] && record(kind: 2, served).traits == .namesCaller)
    let routed = named + [("messaging.destination_publish.name", "exchange")]
    #expect(peer(5, routed) == "messaging exchange" && peer(4, routed) == "messaging orders")
  }

  /// Scenario: spans that take, by the conventions 1.17 to 1.20, which call where from the source.
  /// Guarantees: the source is the queue, unless they say where the message was sent to first; a name alone
  /// is enough; sources made for one conversation are not taken.
  @Test func sources() {
    let source: Attributes = [("messaging.source.name", "orders-eu")]
    for kind: Int64 in [3, 5] {
      #expect(peer(kind, source) == "messaging orders-eu")
      #expect(
        peer(kind, source + [("messaging.destination.name", "orders")]) == "messaging orders")
      #expect(
        peer(kind, source + [("messaging.source.template", "orders-{region}")])
          == "messaging orders-{region}")
    }
    #expect(record(kind: 5, source).traits == [.messaging, .namesQueue])
    let receive = record(kind: 3, source + [("messaging.operation", "receive")])
    #expect(receive.traits == [.messaging, .namesQueue, .receives])
    for key in ["messaging.source.temporary", "messaging.source.anonymous"] {
      #expect(peer(5, source + [(key, true)]) == nil)
      let sent: Attributes = [("messaging.destination.name", "orders"), (key, true)]
      #expect(peer(5, source + sent) == "messaging orders")
    }
  }

  /// Scenario: queues made for one conversation, or named by a machine.
  /// Guarantees: their names, which never end, are not taken; a template is.
  @Test func passingQueues() {
    for (key, name) in [
      ("messaging.destination.temporary", "messaging.destination.name"),
      ("messaging.destination.anonymous", "messaging.destination.name"),
      ("messaging.temp_destination", "messaging.destination"),
    ] {
      let span: Attributes = [("messaging.system", "jms"), (name, "tmp-0815"), (key, true)]
      #expect(peer(4, span) == "messaging jms" && peer(5, span) == nil)
      #expect(
        peer(4, span + [("messaging.destination.template", "reply")]) == "messaging reply")
    }
  }

  /// Scenario: clients that receive and settle, producers that create, by the current and the older
  /// attribute.
  /// Guarantees: known as such; consumers that receive too; producers are what their kind says.
  @Test(arguments: ["messaging.operation.type", "messaging.operation"])
  func operations(key: String) {
    func traits(_ kind: Int64, _ operation: SampleValue) -> SpanTraits {
      record(kind: kind, [("messaging.destination.name", "q"), (key, operation)]).traits
        .subtracting([.messaging, .namesQueue])
    }
    #expect(traits(3, "receive") == .receives && traits(3, "settle") == .settles)
    #expect(traits(3, "send") == [] && traits(3, "") == [])
    #expect(traits(5, "receive") == .receives && traits(4, "receive") == [])
    for kind: Int64 in [4, 5] { #expect(traits(kind, "settle") == []) }
    #expect(traits(4, "create") == .creates && traits(4, "send") == [])
    for kind: Int64 in [3, 5] { #expect(traits(kind, "create") == []) }
  }

  /// Scenario: calls to others, with fewer and fewer of the attributes that name them.
  /// Guarantees: named by precedence, without ports; servers call nobody.
  @Test func external() {
    let rules = PeerPrecedence.external
    #expect(peers(Self.client, rules) == rules.indices.map { "external \($0 + 1)" })
    #expect(peer(1, [("server.address", "x")]) == nil)
    #expect(peer(Self.server, [("server.address", "x")]) == nil)
    #expect(peer(Self.client, []) == nil)
    #expect(peer(Self.client, [("peer.address", "1.2.3.4"), ("node_id", "n")]) == nil)
  }

  /// Scenario: a server's span with and without a parent, which names its caller or only addresses.
  /// Guarantees: who called is taken by precedence where there is no parent; nobody is made up.
  @Test func clients() {
    let rules = PeerPrecedence.client
    #expect(peers(Self.server, rules) == rules.indices.map { "client \($0 + 1)" })
    #expect(peer(Self.server, [("downstream_cluster", "-"), ("client.address", "1.2.3.4")]) == nil)
    for kind: Int64 in [1, 5] { #expect(peer(kind, [("peer.service", "x")]) == nil) }
    var span = SampleSpan(parent: "0000000000000009", kind: 2)
    span.attributes = [("peer.service", "x")]
    #expect(SampleRequest(spans: [span]).build().batch.spans[0].peer.isNone)
  }

  /// Scenario: the tables of the documentation.
  /// Guarantees: they list the attributes of the code, in its order.
  @Test func documentedPrecedence() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: folder.appending(path: "docs/graph.md"), encoding: .utf8)
    for (title, rules) in [
      ("database", PeerPrecedence.database),
      (
        "queue or topic",
        PeerPrecedence.queueSentTo + PeerPrecedence.queue
      ),
      ("broker", PeerPrecedence.broker),
      ("anything else", PeerPrecedence.external), ("caller", PeerPrecedence.client),
      ("where it went", PeerPrecedence.host),
      ("log: server", PeerPrecedence.accessLogServer),
      ("log: client", PeerPrecedence.accessLogClient),
    ] {
      let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| \(title) |") })
      let listed = row.split(separator: "`").enumerated().filter { $0.offset % 2 == 1 }
      #expect(listed.map { String($0.element) } == rules.map { "\($0.key.text)" }, "\(title)")
    }
  }

  /// Scenario: URLs, hosts and clusters of every form.
  /// Guarantees: the host, or nothing.
  @Test func hosts() {
    func url(_ text: String) -> String? { peer(3, [("http.url", .string(text))]) }
    #expect(url("http://example.com:8080/a?b#c") == "external example.com")
    #expect(url("https://[::1]:8443/") == "external ::1")
    #expect(url("http://example.com.:80/") == "external example.com")
    #expect(url("http://h?q=@x") == "external h" && url("http://h#f") == "external h")
    for text in ["/path", "http://", "http:/x", "http:///x", "x", ":"] { #expect(url(text) == nil) }
    func cluster(_ text: String) -> String? { peer(3, [("upstream_cluster", .string(text))]) }
    let istio = "outbound|8000||reviews.default.svc.cluster.local"
    #expect(cluster(istio) == "external reviews.default.svc.cluster.local")
    #expect(cluster("outbound|80|v1|b") == "external b" && cluster("a|b") == "external a|b")
    #expect(cluster("outbound|80||") == nil)
    #expect(cluster("PassthroughCluster") == nil && cluster("BlackHoleCluster") == nil)
    #expect(peer(3, [("http.host", ":80")]) == nil)
  }

  /// Scenario: `server.address` with and without a port, in IPv6, with what is no port behind a colon.
  /// Guarantees: the port is no part of a name; all else is.
  @Test func serverAddresses() {
    for (text, name) in [
      ("db.example:5432", "db.example"), ("[2001:DB8::1]:80", "2001:db8::1"),
      ("10.0.0.1:80", "10.0.0.1"),
      ("2001:db8:0:0::1", "2001:db8::1"), ("a:b", "a:b"), ("/run/db.sock", "/run/db.sock"),
      ("es1.", "es1"), ("es1.shop.svc.cluster.local.:9200", "es1.shop.svc.cluster.local"),
      ("tcp://es1.:9200", "es1"), ("/run/db.", "/run/db."), ("10.0.0.1.", "10.0.0.1"),
    ] {
      #expect(peer(3, [("server.address", .string(text))]) == "external \(name)")
      #expect(
        peer(3, [("server.address", .string(text)), ("db.system", "x")]) == "database \(name)")
    }
    for text in [":80", ".", ".:80"] {
      #expect(peer(3, [("server.address", .string(text))]) == nil)
    }
    #expect(peer(3, [("http.host", "es1.:80")]) == "external es1")
  }

  /// Scenario: the full name of a method with and without the older attribute beside it; a method by its
  /// own name alone.
  /// Guarantees: its service is who was called; a method alone names nobody.
  @Test func methods() {
    #expect(peer(3, [("rpc.method", "shop.v1.Cart/Add")]) == "external shop.v1.Cart")
    #expect(peer(3, [("rpc.method", "Add")]) == nil && peer(3, [("rpc.method", "/Add")]) == nil)
    #expect(
      peer(3, [("rpc.method", "x.Y/Add"), ("rpc.service", "shop.Cart")]) == "external shop.Cart")
  }

  /// Scenario: a call to a model, by the current and the older attribute, with and without an address.
  /// Guarantees: an external node, by its address first.
  @Test func models() {
    #expect(peer(3, [("gen_ai.provider.name", "openai")]) == "external openai")
    #expect(peer(3, [("gen_ai.system", "aws.bedrock")]) == "external aws.bedrock")
    #expect(
      peer(3, [("gen_ai.system", "openai"), ("server.address", "api.openai.com")])
        == "external api.openai.com")
    #expect(peer(1, [("gen_ai.provider.name", "openai")]) == nil)
  }

  /// Scenario: `service.peer.namespace` beside `service.peer.name`, beside an older name, and alone.
  /// Guarantees: it is the namespace of the first alone.
  @Test func peerNamespaces() {
    func identity(_ attributes: Attributes) -> NodeIdentity? {
      let names = NameTable()
      let span = record(kind: 3, attributes, names: names)
      return names.name(span.peer).map { NodeIdentity(text: $0.text) }
    }
    let namespace: Attributes = [("service.peer.namespace", "shop")]
    let both = identity(namespace + [("service.peer.name", "cart"), ("peer.service", "other")])
    #expect(both == NodeIdentity(namespace: "shop", name: "cart"))
    #expect(identity(namespace + [("peer.service", "cart")]) == NodeIdentity(name: "cart"))
    #expect(identity(namespace) == nil)
  }

  /// Scenario: spans with a name, without one, and with one that says little, with the attributes that
  /// name an operation.
  /// Guarantees: a name that says something stays; else the attributes name the operation.
  @Test func operationNames() {
    func operation(_ name: String, _ attributes: Attributes) -> String? {
      let names = NameTable()
      return names.name(record(kind: 2, attributes, name: name, names: names).operation)?.text
    }
    let query: Attributes = [
      ("graphql.operation.type", "query"), ("graphql.operation.name", "findBook"),
    ]
    for name in ["", "query", "GraphQL Operation"] {
      #expect(operation(name, query) == "query findBook")
    }
    #expect(operation("POST /graphql", query) == "POST /graphql")
    #expect(operation("query", [("graphql.operation.type", "query")]) == "query")
    #expect(operation("", [("graphql.operation.name", "findBook")]) == "findBook")
    #expect(operation("", [("rpc.method", "shop.Cart/Add")]) == "shop.Cart/Add")
    #expect(
      operation("", [("rpc.method", "Add"), ("rpc.service", "shop.Cart")]) == "shop.Cart/Add")
    #expect(operation("x", [("rpc.method", "shop.Cart/Add")]) == "x")
    #expect(operation("", [("gen_ai.operation.name", "chat")]) == "chat")
    #expect(operation("", []) == nil)
  }

  /// Scenario: one address of IPv6, written in three ways, as who was called, where a call went, and where
  /// an instance is.
  /// Guarantees: one name each.
  @Test func oneFormOfAddresses() {
    let names = NameTable()
    let spans = ["2001:DB8::1", "2001:db8:0:0::1", "2001:0db8::0001"].map { text in
      record(
        kind: 3, status: 2, [("network.peer.address", .string(text))],
        resource: [("service.name", "a"), ("k8s.pod.ip", .string(text))], names: names)
    }
    for part in [\SpanRecord.peer, \.peerAddress, \.instance] {
      #expect(Set(spans.map { $0[keyPath: part] }).count == 1)
      #expect(names.name(spans[0][keyPath: part])?.text.hasSuffix("2001:db8::1") == true)
    }
  }

  /// Scenario: the same peer, called from two environments.
  /// Guarantees: two nodes, each in its caller's environment, without a namespace.
  @Test func peerEnvironment() {
    let names = NameTable()
    let resource: Attributes = [("deployment.environment", "prod"), ("service.namespace", "shop")]
    let span = record(kind: 3, [("peer.service", "b\u{1F}x")], resource: resource, names: names)
    let identity = NodeIdentity(environment: "prod", namespace: "", name: "bx")
    #expect(names.name(span.peer)?.text == identity.text)
  }

  /// Scenario: every attribute Spangate reads, and keys that look like one.
  /// Guarantees: the table finds each and nothing else.
  @Test func keyTable() {
    let table = AttributeKeyTable()
    func find(_ text: String) -> AttributeKey? {
      Array(text.utf8).withUnsafeBytes { table.find($0) }
    }
    for key in AttributeKey.allCases {
      let text = "\(key.text)"
      #expect(find(text) == key)
      #expect(find(text + "x") == nil && find("x" + text) == nil)
      #expect(find(text.uppercased()) == nil)
      for index in text.indices {
        let changed = text.replacingCharacters(in: index...index, with: "~")
        #expect(find(changed) == nil, "\(changed)")
      }
    }
    #expect(find("") == nil && find(String(repeating: "x", count: 10_000)) == nil)
  }
}
