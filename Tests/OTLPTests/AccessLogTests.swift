import Model
import Testing

@testable import OTLP

/// What access logs say, in both forms a request comes in.
@Suite struct AccessLogTests {
  /// What became of a log record, in words.
  private struct Reading: Equatable {
    var client: String?
    var server: String?
    var clientAddress: String?
    var serverAddress: String?
    var end: TrafficEnd
    var bytes: UInt64
    var milliseconds: Double?
    var isFailed: Bool
  }

  private func text(_ id: NameID, _ names: NameTable) -> String? {
    guard let name = names.name(id) else { return nil }
    guard name.kind.isNode else { return name.text }
    let identity = NodeIdentity(text: name.text)
    let path = [identity.environment, identity.namespace, identity.name].filter { !$0.isEmpty }
    return (name.kind == .service ? "" : "\(name.kind):") + path.joined(separator: "/")
  }

  /// The one record of a request, the same from protobuf and from JSON.
  private func read(_ log: SampleLog) throws -> Reading? {
    var readings: [Reading?] = []
    for encoding in [OTLPEncoding.protobuf, .json] {
      let names = NameTable()
      let batch = try log.decode(encoding, names: names).batch
      guard let record = batch.spans.first else {
        readings.append(nil)
        continue
      }
      #expect(batch.count == 1 && record.kind == .traffic)
      #expect(record.trafficKind.source == .accessLog)
      let used = [
        record.trafficClient, record.trafficServer, record.trafficClientAddress,
        record.trafficServerAddress,
      ].filter { !$0.isNone }
      #expect(Set(batch.names) == Set(used) && batch.names.count == Set(used).count)
      readings.append(
        Reading(
          client: text(record.trafficClient, names), server: text(record.trafficServer, names),
          clientAddress: text(record.trafficClientAddress, names),
          serverAddress: text(record.trafficServerAddress, names), end: record.trafficKind.end,
          bytes: record.trafficBytes,
          milliseconds: record.traits.contains(.endBeforeStart)
            ? nil : Double(record.durationNanos) / 1_000_000, isFailed: record.isError))
    }
    #expect(readings[0] == readings[1])
    return readings[0]
  }

  /// As Istio's `envoyOtelAls` with its labels of JSON: all of them text.
  private static let istioOutbound: [(String, SampleValue)] = [
    ("authority", "reviews:9080"), ("bytes_received", "0"), ("bytes_sent", "295"),
    ("downstream_local_address", "10.96.5.5:9080"),
    ("downstream_remote_address", "10.0.0.7:41000"), ("duration", "21"), ("method", "GET"),
    ("path", "/reviews/0"), ("protocol", "HTTP/1.1"), ("requested_server_name", "-"),
    ("response_code", "200"), ("response_flags", "-"), ("start_time", "2023-11-14T22:13:18Z"),
    ("upstream_cluster", "outbound|9080||reviews.shop.svc.cluster.local"),
    ("upstream_host", "10.0.0.9:9080"), ("upstream_local_address", "10.0.0.7:52000"),
    ("upstream_service_time", "20"), ("upstream_transport_failure_reason", "-"),
    ("x_forwarded_for", "-"),
  ]

  private static let istioInbound: [(String, SampleValue)] = [
    ("authority", "reviews:9080"), ("bytes_received", "7"), ("bytes_sent", "295"),
    ("downstream_local_address", "10.0.0.9:9080"),
    ("downstream_remote_address", "10.0.0.7:52000"), ("duration", "20"), ("method", "GET"),
    ("response_code", "200"), ("response_flags", "-"),
    ("requested_server_name", "outbound_.9080_._.reviews.shop.svc.cluster.local"),
    ("upstream_cluster", "inbound|9080||"), ("upstream_host", "10.0.0.9:9080"),
    ("upstream_local_address", "127.0.0.6:40001"),
  ]

  private static func proxy(_ name: String, _ address: String) -> [(String, SampleValue)] {
    [
      ("log_name", "otel_envoy_accesslog"), ("zone_name", ""),
      ("cluster_name", .string("\(name).shop")),
      (
        "node_name",
        .string("sidecar~\(address)~\(name)-5f8d-x2x.shop~shop.svc.cluster.local")
      ),
    ]
  }

  /// Scenario: the two sidecars on a call of Istio's, each with its own record.
  /// Guarantees: the one that calls names the service by its cluster and where it was; the one that is
  /// called names the caller by its address; both name their workload by the proxy's id.
  @Test func istio() throws {
    let outbound = SampleLog(
      resource: AccessLogTests.proxy("productpage", "10.0.0.7"),
      attributes: AccessLogTests.istioOutbound)
    #expect(
      try read(outbound)
        == Reading(
          client: "shop/productpage", server: "external:reviews.shop.svc.cluster.local",
          clientAddress: "10.0.0.7", serverAddress: "10.0.0.9", end: .client, bytes: 295,
          milliseconds: 21, isFailed: false))
    let inbound = SampleLog(
      resource: AccessLogTests.proxy("reviews", "10.0.0.9"),
      attributes: AccessLogTests.istioInbound)
    #expect(
      try read(inbound)
        == Reading(
          client: "client:10.0.0.7", server: "shop/reviews", clientAddress: nil,
          serverAddress: "10.0.0.9", end: .server, bytes: 302, milliseconds: 20, isFailed: false))
  }

  /// Scenario: the same fields as members of a body, some of them again as attributes.
  /// Guarantees: members count as attributes; an attribute goes before a member.
  @Test func bodies() throws {
    var log = SampleLog(members: AccessLogTests.istioOutbound)
    let fromBody = try read(log)
    #expect(fromBody?.server == "external:reviews.shop.svc.cluster.local")
    log.attributes = [("upstream_cluster", "outbound|80||ratings")]
    #expect(try read(log)?.server == "external:ratings")
  }

  /// Scenario: records in the words of the semantic conventions, of who calls and of who is called.
  /// Guarantees: the same is read.
  @Test func semanticConventions() throws {
    let calls = SampleLog(attributes: [
      ("http.response.status_code", 503), ("server.address", "api.example.com"),
      ("network.peer.address", "203.0.113.9"), ("http.request.body.size", 10),
      ("http.response.body.size", 20),
    ])
    #expect(
      try read(calls)
        == Reading(
          client: "checkout", server: "external:api.example.com", clientAddress: nil,
          serverAddress: "203.0.113.9", end: .client, bytes: 30, milliseconds: nil, isFailed: true)
    )
    let called = SampleLog(
      resource: [("service.name", "checkout"), ("k8s.pod.ip", "10.0.0.8")],
      attributes: [("http.response.status_code", 404), ("client.address", "10.0.0.7")])
    #expect(
      try read(called)
        == Reading(
          client: "client:10.0.0.7", server: "checkout", clientAddress: nil,
          serverAddress: "10.0.0.8", end: .server, bytes: 0, milliseconds: nil, isFailed: false))
  }

  /// Scenario: callers and servers with a namespace beside their names; a host in upper case with a scheme;
  /// Envoy's internal listeners, with and without the address behind them.
  /// Guarantees: the same nodes and addresses as those of spans; an internal listener is nobody.
  @Test func namesAsOfSpans() throws {
    func read(_ attributes: (String, SampleValue)...) throws -> Reading? {
      try self.read(SampleLog(attributes: [("response_code", "200")] + attributes))
    }
    let named = try read(
      ("traffic_direction", "OUTBOUND"), ("service.peer.name", "Reviews"),
      ("service.peer.namespace", "books"),
      ("upstream_host", "envoy://connect_originate/10.0.0.9:9080"))
    #expect(named?.server == "external:books/Reviews" && named?.serverAddress == "10.0.0.9")
    let host = try read(
      ("traffic_direction", "OUTBOUND"), ("server.address", "tcp://API.Example.com:443"),
      ("server.socket.address", "[2001:DB8::1]"))
    #expect(host?.server == "external:api.example.com" && host?.serverAddress == "2001:db8::1")
    let caller = try read(
      ("traffic_direction", "INBOUND"), ("istio.source_workload", "till"),
      ("istio.source_namespace", "shop"),
      ("downstream_remote_address", "envoy://internal_client_address/"))
    #expect(caller?.client == "client:shop/till" && caller?.clientAddress == nil)
  }

  /// Scenario: who reports, by everything a resource may say.
  /// Guarantees: the service's name first; then the workload of a proxy's id, by the name of its
  /// cluster; then that name alone; never nobody.
  @Test(
    arguments: [
      ([("service.name", "a"), ("cluster_name", "b")], "a"),
      ([("service.name", "unknown_service:envoy"), ("cluster_name", "b")], "b"),
      ([("cluster_name", "b"), ("node_name", "my-envoy")], "b"),
      ([("cluster_name", "b.ns"), ("node_name", "sidecar~10.0.0.1~b-1.ns~ns.svc")], "ns/b"),
      ([("node_name", "sidecar~10.0.0.1~b-1.ns~ns.svc")], "ns/b-1"),
      ([("service.name", "a"), ("node_name", "router~10.0.0.1~gw-1.ns~ns.svc")], "ns/a"),
      ([], "unknown_service"),
    ] as [([(String, SampleValue)], String)])
  func reporters(resource: [(String, SampleValue)], name: String) throws {
    let log = SampleLog(resource: resource, attributes: AccessLogTests.istioOutbound)
    #expect(try read(log)?.client == name)
  }

  /// Scenario: two proxies in one request, the first with a record that brings its own id.
  /// Guarantees: no record speaks for another's proxy.
  @Test func proxiesOfOneRequest() throws {
    func group(_ name: String, _ address: String) -> [UInt8] {
      SampleLog(
        resource: AccessLogTests.proxy(name, address), attributes: AccessLogTests.istioOutbound
      ).protobuf
    }
    let names = NameTable()
    let body = group("a", "10.0.0.1") + group("b", "10.0.0.2") + group("a", "10.0.0.1")
    let batch = try SampleLog.decode(body, names: names).batch
    #expect(batch.spans.map { text($0.trafficClient, names) } == ["shop/a", "shop/b", "shop/a"])
  }

  /// Scenario: which side a record is of, by what is said of it.
  /// Guarantees: a stated direction first, then the upstream; where nobody was asked further, what came
  /// from elsewhere came in.
  @Test(
    arguments: [
      ([("upstream_cluster", "inbound|80||")], true),
      ([("upstream_cluster", "InboundPassthroughCluster")], true),
      ([("upstream_cluster", "payment")], false),
      ([("upstream_cluster", "payment"), ("traffic_direction", "inbound")], true),
      ([("upstream_cluster", "inbound|80||"), ("traffic_direction", "OUTBOUND")], false),
      ([("upstream_cluster", "-"), ("downstream_remote_address", "10.0.0.7:1")], true),
      ([("upstream_cluster", "-"), ("downstream_remote_address", "10.0.0.8:1")], false),
      ([("upstream_cluster", "-"), ("downstream_remote_address", "127.0.0.1:1")], false),
      ([("upstream_host", "10.0.0.9:1"), ("downstream_remote_address", "10.0.0.7:1")], false),
      ([("authority", "payment")], false),
    ] as [([(String, SampleValue)], Bool)])
  func directions(attributes: [(String, SampleValue)], isInbound: Bool) throws {
    let log = SampleLog(
      resource: [("service.name", "checkout"), ("k8s.pod.ip", "10.0.0.8")],
      attributes: attributes + [("response_code", 200)])
    #expect(try read(log)?.end == (isInbound ? .server : .client))
  }

  /// Scenario: outcomes by code, by response flags, by a gRPC status.
  /// Guarantees: what the server or the way to it is to blame for is a failure, other answers are not.
  @Test(
    arguments: [
      ([("response_code", 200)], false), ([("response_code", "499")], false),
      ([("response_code", 500)], true), ([("response_code", "503")], true),
      ([("response_code", 0), ("response_flags", "UH")], true),
      ([("response_code", 0), ("response_flags", "DC")], false),
      ([("response_code", 200), ("response_flags", "URX,UF")], true),
      ([("response_code", 200), ("grpc.status_code", 14)], true),
      ([("response_code", 200), ("grpc.status_code", "NOT_FOUND")], false),
      ([("http.status_code", 502.0)], true),
    ] as [([(String, SampleValue)], Bool)])
  func failures(attributes: [(String, SampleValue)], isFailed: Bool) throws {
    let log = SampleLog(attributes: attributes + [("upstream_cluster", "payment")])
    #expect(try read(log)?.isFailed == isFailed)
  }

  /// Scenario: records with a code in the user's lists, alone, with what repeats it, and with another reason.
  /// Guarantees: such a code is no failure; flags, an error with a name of its own and a code of the other
  /// protocol are; other codes are what they were.
  @Test(
    arguments: [
      ([("response_code", 503), ("response_flags", "-")], false),
      ([("response_code", "503"), ("response_flags", "-"), ("error.type", "503")], false),
      ([("http.response.status_code", 503), ("url.full", "http://b/"), ("error", true)], false),
      ([("response_code", 200), ("rpc.response.status_code", "UNAVAILABLE")], false),
      ([("response_code", 503), ("rpc.grpc.status_code", 14)], false),
      ([("response_code", 503), ("response_flags", "UF")], true),
      ([("response_code", 503), ("error.type", "timeout")], true),
      ([("response_code", 503), ("rpc.grpc.status_code", 13)], true),
      ([("response_code", 500), ("rpc.grpc.status_code", 14)], true),
      ([("response_code", 500), ("response_flags", "-")], true),
      ([("response_code", 200), ("rpc.grpc.status_code", 13)], true),
    ] as [([(String, SampleValue)], Bool)])
  func ignoredCodes(attributes: [(String, SampleValue)], isFailed: Bool) throws {
    var rules = DecodeRules()
    rules.ignoredCodes.http = [503...503]
    rules.ignoredCodes.grpc = [.unavailable]
    let log = SampleLog(attributes: attributes)
    let record = try #require(log.decode(rules: rules).batch.spans.first)
    #expect(record.isError == isFailed)
    #expect(try #require(log.decode().batch.spans.first).isError)
  }

  /// Scenario: durations and sizes as numbers, text, fractions, and nonsense.
  /// Guarantees: what can be read is; nonsense is as if it were not there.
  @Test func numbers() throws {
    func read(_ duration: SampleValue, _ bytes: SampleValue = 1) throws -> Reading? {
      try self.read(
        SampleLog(attributes: [
          ("response_code", 200), ("authority", "a:80"), ("duration", duration),
          ("bytes_sent", bytes),
        ]))
    }
    #expect(try read(12)?.milliseconds == 12 && read("0")?.milliseconds == 0)
    #expect(try read("1.5")?.milliseconds == 1.5 && read(0.25)?.milliseconds == 0.25)
    for nonsense: SampleValue in ["-", "x", -1, "inf", "nan", 1e300, true, .array] {
      #expect(try read(nonsense)?.milliseconds == nil)
    }
    #expect(try read(1, "x")?.bytes == 0 && read(1, -5)?.bytes == 0)
    #expect(try read(1, .int(.max))?.bytes == UInt64(Int64.max))
  }

  /// Scenario: access logs that name nobody on the other side.
  /// Guarantees: still a record, which is counted as one that names nobody.
  @Test func nobody() throws {
    let reading = try read(SampleLog(attributes: [("response_code", 200)]))
    #expect(reading?.client == "checkout" && reading?.server == nil)
  }

  /// Scenario: logs that are none of access.
  /// Guarantees: accepted, passed over and counted by reason; nothing is said to the sender.
  @Test(
    arguments: [
      (SampleLog(text: "started in 3 s"), IgnoredLog.text),
      (SampleLog(attributes: [("http.request.method", "GET")], text: "x"), .text),
      (SampleLog(attributes: [("http.response.status_code", 200)]), .unrecognized),
      (SampleLog(members: [("message", "hello"), ("user", "x")]), .unrecognized),
      (SampleLog(time: 0), .unrecognized),
      (SampleLog(text: "[2023-11-14T22:13:18Z] \"GET / HTTP/1.1\" 200 - via_upstream"), .text),
    ]) func otherLogs(log: SampleLog, reason: IgnoredLog) throws
  {
    for encoding in [OTLPEncoding.protobuf, .json] {
      let decoded = try log.decode(encoding)
      #expect(decoded.batch.isEmpty && decoded.rejections == Rejections())
      #expect(decoded.ignored == [reason: 1])
    }
  }

  /// Scenario: a record without a time, with the time it was observed, of long ago, of tomorrow.
  /// Guarantees: the time it was observed stands in; the others are rejected as spans are, in words about
  /// log records.
  @Test func times() throws {
    let attributes = AccessLogTests.istioOutbound
    let observed = SampleLog(time: 0, observedTime: Sample.start, attributes: attributes)
    #expect(try observed.decode().batch.spans.first?.start == Sample.start)
    for (time, reason): (Nanos, RejectionReason) in [
      (0, .noTimestamps), (1, .endBeforeRetention), (Sample.now + .hour, .endInTheFuture),
      (.max, .endInTheFuture),
    ] {
      let rejections = try SampleLog(time: time, attributes: attributes).decode().rejections
      #expect(rejections.counts == [reason: 1])
      #expect(rejections.message?.hasPrefix("1 log record rejected: 1 ") == true)
    }
  }

  /// Scenario: a record sent twice in one request; the request again; the same of another request, of
  /// another proxy, a nanosecond later.
  /// Guarantees: two records; the same two again; every other is another record.
  @Test func identity() throws {
    func traces(_ change: (inout SampleLog) -> Void = { _ in }) throws -> [TraceID] {
      var log = SampleLog(attributes: AccessLogTests.istioOutbound, count: 2)
      change(&log)
      return try log.decode().batch.traces
    }
    let once = try traces()
    #expect(Set(once).count == 2)
    #expect(try traces() == once)
    let changes: [(inout SampleLog) -> Void] = [
      { $0.time += 1 }, { $0.resource = [("service.name", "other")] },
      { $0.resource.append(("k8s.pod.ip", "10.0.0.77")) },
      { $0.traceID = "0102030405060708090A0B0C0D0E0F10" },
      { $0.attributes.append(("request_id", "1")) },
      { $0.attributes[0] = ("authority", "ratings:9080") },
    ]
    var seen = Set(once)
    for change in changes {
      for trace in try traces(change) { #expect(seen.insert(trace).inserted) }
    }
  }

  /// Scenario: services, peers and addresses beyond their limits.
  /// Guarantees: summed under overflow, and the record says which.
  @Test func overflow() throws {
    var limits = NameLimits()
    limits.peersMax = 0
    limits.servicesMax = 0
    let log = SampleLog(attributes: AccessLogTests.istioOutbound)
    let record = try #require(log.decode(names: NameTable(limits: limits)).batch.spans.first)
    for kind in [NameKind.service, .external, .address] {
      #expect(record.traits.contains(.overflow(kind)))
    }
  }
}
