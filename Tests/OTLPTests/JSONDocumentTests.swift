import Foundation
import Model
import TestSupport
import Testing

@testable import OTLP

@Suite struct JSONDocumentTests {
  /// Scenario: a document in the shape of the published OTLP example: upper-case ids, kind 2, times
  /// as strings, a parent, a resource and a scope with attributes. It is from 2018, so the retention is
  /// raised.
  /// Guarantees: the record is right, field by field.
  @Test func golden() throws {
    let document = """
      {
        "resourceSpans": [
          {
            "resource": {
              "attributes": [
                { "key": "service.name", "value": { "stringValue": "ledger.service" } }
              ]
            },
            "scopeSpans": [
              {
                "scope": {
                  "name": "ledger.library", "version": "2.1.0",
                  "attributes": [
                    { "key": "ledger.scope", "value": { "stringValue": "scope attribute" } }
                  ]
                },
                "spans": [
                  {
                    "traceId": "5B8EFFF798038103D269B633813FC60C",
                    "spanId": "EEE19B7EC3C1B174",
                    "parentSpanId": "EEE19B7EC3C1B173",
                    "name": "book the entry",
                    "startTimeUnixNano": "1544712660000000000",
                    "endTimeUnixNano": "1544712661000000000",
                    "kind": 2,
                    "attributes": [
                      { "key": "ledger.account", "value": { "stringValue": "some value" } }
                    ]
                  }
                ]
              }
            ]
          }
        ]
      }
      """
    var limits = DecodeLimits()
    limits.retentionNanos = 100 * 365 * .day
    let names = NameTable()
    let request = try SampleRequest.read(document, limits: limits, names: names)
    #expect(request.rejections == Rejections())
    #expect(
      request.batch.traces == [TraceID(high: 0x5B8E_FFF7_9803_8103, low: 0xD269_B633_813F_C60C)])
    let service = names.intern(
      kind: .service, NodeIdentity(name: "ledger.service").text, now: Sample.now)
    let operation = names.intern(
      kind: .operation, scope: service, "book the entry", now: Sample.now)
    #expect(
      request.batch.spans == [
        SpanRecord(
          id: SpanID(0xEEE1_9B7E_C3C1_B174), parent: SpanID(0xEEE1_9B7E_C3C1_B173),
          start: 1_544_712_660_000_000_000, end: 1_544_712_661_000_000_000, service: service,
          operation: operation, kind: .server)
      ])
    #expect(Set(request.batch.names) == [service, operation])
    #expect(
      try SampleRequest.read(document).rejections.counts == [.endBeforeRetention: 1])
  }

  /// Scenario: random requests, as JSON, as protobuf, and as calls to a builder.
  /// Guarantees: all give the same batch and the same rejections.
  @Test func equivalence() throws {
    var random = SeededGenerator()
    for _ in 0..<300 {
      let request = Self.random(&random)
      let read = try request.read()
      let built = request.build()
      #expect(read.batch == built.batch, "\(request.json)")
      #expect(read.rejections == built.rejections, "\(request.json)")
      let decoded = try Sample.decode(request.protobuf)
      #expect(decoded.batch == built.batch, "\(request.json)")
      #expect(decoded.rejections == built.rejections, "\(request.json)")
    }
  }

  private static func random(_ random: inout SeededGenerator) -> SampleRequest {
    let values: [SampleValue] = [
      "", "a", "127.0.0.1:80", "inbound|80||", "503", "true", "proxy", "UF", "é\u{0}\u{1F}\n\"",
      503,
      14, -1, 404.0, 0.5, true, false, .array, .keyValueList, .empty,
    ]
    let keys = AttributeKey.allCases.map { "\($0.text)" } + ["other", ""]
    func attributes(_ random: inout SeededGenerator) -> [(String, SampleValue)] {
      (0..<Int.random(in: 0...8, using: &random)).map { _ in
        (keys.randomElement(using: &random)!, values.randomElement(using: &random)!)
      }
    }
    let times = [0, 1, Sample.start, Sample.end, Sample.now + .day, .max]
    let ids = ["0102030405060708", "AbCdEf0123456789", "0000000000000000"]
    var request = SampleRequest(resource: attributes(&random), spans: [])
    for _ in 0..<Int.random(in: 0...5, using: &random) {
      request.spans.append(
        SampleSpan(
          id: ids.randomElement(using: &random)!,
          parent: (ids + ["", "01"]).randomElement(using: &random)!,
          name: ["", "GET /", "egress b", "\u{1F}é"].randomElement(using: &random)!,
          kind: Int64.random(in: -1...7, using: &random),
          start: times.randomElement(using: &random)!, end: times.randomElement(using: &random)!,
          status: Int64.random(in: -1...3, using: &random),
          traceState: ["", "ot=th:8", "x=y,ot=th:zz"].randomElement(using: &random)!,
          attributes: attributes(&random)))
    }
    return request
  }

  // MARK: What real senders write

  /// Scenario: what Envoy exported in a mesh, recorded, with the retention raised.
  /// Guarantees: every span is read as a proxy's, with the errors and the peers it stands for, and the
  /// caller's address is never taken for the callee.
  @Test(arguments: [
    "application-down", "application-down-upstream-span", "chain", "chain-upstream-span",
    "next-hop-down", "next-hop-down-upstream-span", "retry", "retry-upstream-span",
  ]) func envoy(recording: String) throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/envoy/\(recording).json")
    let names = NameTable()
    let now: Nanos = 1_795_424_100 * .second
    var limits = DecodeLimits()
    limits.retentionNanos = 10_000 * .day
    limits.aheadNanosMax = 10_000 * .day
    let request = try SampleRequest.read(
      [UInt8](Data(contentsOf: file)), limits: limits, names: names, now: now)
    #expect(request.rejections == Rejections() && request.batch.count >= 2)
    for span in request.batch.spans {
      let operation = try #require(names.name(span.operation)?.text)
      let peer = names.name(span.peer).map { NodeIdentity(text: $0.text).name }
      #expect(span.traits.contains(.proxy))
      switch operation.split(separator: " ").first {
      case "ingress":
        #expect(span.kind == .server && peer == nil)
        #expect(span.traits.isDisjoint(with: [.outboundProxy, .peerIsLocalHost]))
      case "egress":
        #expect(span.traits.contains(.outboundProxy) && peer == "next")
        #expect(!span.traits.contains(.peerIsLocalHost))
      case "router":
        #expect(span.kind == .client && span.traits.contains(.peerIsLocalHost))
        #expect(!span.traits.contains(.outboundProxy))
        #expect(peer == String(operation.split(separator: " ")[1]))
      default: Issue.record("unknown span \(operation)")
      }
    }
    if recording.hasPrefix("next-hop-down") || recording.hasPrefix("application-down") {
      #expect(request.batch.spans.allSatisfy { $0.isError })
    }
    if recording.hasPrefix("chain") {
      #expect(request.batch.spans.contains { $0.isError })
      #expect(request.batch.spans.contains { !$0.isError })
    }
  }

  /// Scenario: spans as Istio, Linkerd, NGINX, Kong, Traefik and Caddy write them.
  /// Guarantees: errors, proxies and peers are read out of their attributes and types.
  @Test func senders() throws {
    func read(
      _ kind: Int64, _ attributes: [(String, SampleValue)], service: String = "s",
      name: String = "x"
    ) throws -> (SpanTraits, String?) {
      let names = NameTable()
      let request = SampleRequest(
        resource: [("service.name", .string(service))],
        spans: [SampleSpan(name: name, kind: kind, attributes: attributes)])
      let span = try #require(request.read(names: names).batch.spans.first)
      return (span.traits, names.name(span.peer).map { NodeIdentity(text: $0.text).name })
    }
    let istioOutbound = try read(
      3,
      [
        ("component", "proxy"), ("istio.canonical_service", "productpage"),
        ("http.status_code", "503"),
        ("upstream_cluster", "outbound|9080||reviews.default.svc.cluster.local"),
        ("upstream_address", "10.0.0.7:9080"), ("response_flags", "UH"),
        ("peer.address", "10.0.0.3"), ("node_id", "sidecar~10.0.0.3~p~default"),
      ], name: "reviews.default.svc.cluster.local:9080/*")
    #expect(istioOutbound == ([.proxy, .error], "reviews.default.svc.cluster.local"))
    let istioInbound = try read(
      2,
      [
        ("component", "proxy"), ("upstream_cluster", "inbound|9080||"), ("http.status_code", "200"),
        ("response_flags", "-"), ("node_id", "sidecar~10.0.0.3~p~default"),
      ])
    #expect(istioInbound == ([.proxy, .upstreamIsOwnApplication], nil))
    let linkerd = try read(
      3,
      [
        ("http.response.status_code", "503"), ("server.port", "8080"),
        ("server.address", "books.default.svc"),
      ], service: "linkerd-proxy", name: "/authors.json")
    #expect(linkerd == ([.proxy, .error], "books.default.svc"))
    let nginx = try read(
      2,
      [
        ("http.method", "GET"), ("http.target", "/"), ("net.host.name", "localhost"),
        ("net.sock.peer.addr", "127.0.0.1"), ("net.sock.peer.port", 40_000),
        ("http.status_code", 502),
      ])
    #expect(nginx == ([.error], nil))
    let kong = try read(
      3,
      [
        ("net.peer.ip", "10.1.2.3"), ("net.peer.port", 8080.0),
        ("net.peer.name", "upstream.example"),
        ("http.status_code", 504.0), ("try_count", 1.0),
      ])
    #expect(kong == ([.error], "upstream.example"))
    let traefik = try read(
      3,
      [
        ("http.response.status_code", 404), ("url.full", "http://10.0.0.9:80/a?b=REDACTED"),
        ("network.peer.address", "10.0.0.9"), ("server.address", "10.0.0.9"), ("server.port", 80),
      ], name: "ReverseProxy")
    #expect(traefik == ([.error], "10.0.0.9"))
    let caddy = try read(
      2,
      [
        ("server.address", "127.0.0.1"), ("network.peer.address", "127.0.0.1"),
        ("client.address", "127.0.0.1"), ("http.response.status_code", 200), ("server.port", 8080),
      ])
    #expect(caddy == ([], nil))
  }
}
