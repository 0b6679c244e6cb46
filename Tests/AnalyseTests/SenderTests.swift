import Foundation
import Model
import OTLP
import Testing

@testable import Analyse

/// What the senders of Tests/Fixtures send, decoded and analysed.
@Suite struct SenderTests {
  struct Expected: Sendable {
    var file: String
    var nodes: [String]
    var edges: [String]
    var paired: Int64
    var unpaired: [String] = []
    var standalone: [String] = []
  }

  /// Scenario: the spans of each sender, in the order of the file and reversed.
  /// Guarantees: the graph people would draw: proxies are part of the workloads they serve; and what
  /// became of each span.
  @Test(arguments: [
    Expected(
      file: "istio/sidecars",
      nodes: [
        "bookinfo/details 1/0", "bookinfo/productpage 1/0", "istio-system/istio-ingressgateway 1/0",
      ],
      edges: [
        "bookinfo/productpage→bookinfo/details 1/0",
        "istio-system/istio-ingressgateway→bookinfo/productpage 1/0",
      ], paired: 4, standalone: ["inner_request 1"]),
    Expected(
      file: "istio-ambient/waypoints",
      nodes: ["bookinfo/details 1/0", "bookinfo/productpage 1/0", "bookinfo/reviews 1/0"],
      edges: [
        "bookinfo/productpage→bookinfo/reviews 1/0",
        "client:bookinfo/sleep→bookinfo/details virtual_node 1/0",
      ], paired: 3, unpaired: ["own_application 1"],
      standalone: ["entry_point 1", "inner_request 1"]),
    Expected(
      file: "linkerd/proxies", nodes: ["emojivoto/voting 1/0", "emojivoto/web 1/0"],
      edges: ["emojivoto/web→emojivoto/voting 1/0"], paired: 2, standalone: ["entry_point 1"]),
    Expected(
      file: "traefik/reverse-proxy",
      nodes: ["external:10.0.0.13 1/0", "traefik 2/0", "whoami 1/0"],
      edges: ["traefik→external:10.0.0.13 virtual_node 1/0", "traefik→whoami 1/0"], paired: 3,
      standalone: ["entry_point 2"]),
    Expected(
      file: "caddy/reverse-proxy", nodes: ["backend 2/1", "edge 2/1"], edges: ["edge→backend 2/1"],
      paired: 4),
    Expected(
      file: "nginx/proxy-pass", nodes: ["backend 1/0", "unknown_service:nginx 1/0"],
      edges: ["unknown_service:nginx→backend 1/0"], paired: 2),
    Expected(
      file: "kong/balancer",
      nodes: ["external:orders.shop.svc 1/1", "kong 1/0", "orders 1/0"],
      edges: ["kong→external:orders.shop.svc virtual_node 1/1", "kong→orders 1/0"],
      paired: 3, unpaired: ["client_without_peer 1"],
      standalone: ["entry_point 1", "inner_work 1"]),
    Expected(
      file: "otelcol/self-telemetry",
      nodes: [
        "external:backup.example 1/1", "external:tempo.observability.svc 1/0", "otelcol-agent 1/0",
        "otelcol-gateway 1/0",
      ],
      edges: [
        "otelcol-agent→otelcol-gateway 1/0",
        "otelcol-gateway→external:backup.example virtual_node 1/1",
        "otelcol-gateway→external:tempo.observability.svc virtual_node 1/0",
      ], paired: 4, standalone: ["entry_point 1", "inner_work 5"]),
    Expected(
      file: "opentelemetry-python/shop",
      nodes: [
        "database:db.shop.example 2/1", "messaging:receipts 1/0", "shop/mail 1/0",
        "shop/orders 2/1",
        "shop/web 2/1",
      ],
      edges: [
        "messaging:receipts→shop/mail messaging_system 1/0",
        "shop/orders→database:db.shop.example database 2/1",
        "shop/orders→messaging:receipts messaging_system 1/0", "shop/web→shop/orders 2/1",
      ], paired: 8, standalone: ["entry_point 2", "inner_work 1"]),
    Expected(
      file: "queues/batch",
      nodes: ["billing 1/0", "checkout 2/0", "messaging:orders 2/0"],
      edges: [
        "checkout→messaging:orders messaging_system 2/0",
        "messaging:orders→billing messaging_system 2/0",
      ], paired: 3, unpaired: ["settles_messages 1"],
      standalone: ["entry_point 2", "message_counted 2"]),
  ]) func graph(expected: Expected) throws {
    let sender = try SentSpans(expected.file)
    for isReversed in [false, true] {
      let outcome = try sender.analysed(isReversed: isReversed)
      #expect(outcome.nodes == expected.nodes)
      #expect(outcome.edges == expected.edges)
      #expect(outcome.paired == expected.paired)
      #expect(outcome.unpaired == expected.unpaired)
      #expect(outcome.standalone == expected.standalone)
    }
  }

  /// Scenario: the time of the sidecars, of the waypoint and of the application behind each.
  /// Guarantees: the application's is its own; that of the proxies is on the edges.
  @Test func proxiesHaveNoPartInSelfTime() throws {
    let sidecars = try SentSpans("istio/sidecars").analysed(isReversed: false)
    #expect(sidecars.node("bookinfo/productpage").ownTime == .of(24))
    #expect(
      sidecars.edge("istio-system/istio-ingressgateway", "bookinfo/productpage").ownTime == .of(16))
    let waypoint = try SentSpans("istio-ambient/waypoints").analysed(isReversed: false)
    #expect(waypoint.node("bookinfo/reviews").ownTime == .of(60))
    #expect(waypoint.edge("bookinfo/productpage", "bookinfo/reviews").ownTime == .of(20))
  }

  /// Scenario: a Collector's receivers and exporters, which are inner work between two calls.
  /// Guarantees: their time is the Collector's own; the export out of a queue, after the request, is not part
  /// of how long that took.
  @Test func collectorsOwnTime() throws {
    let outcome = try SentSpans("otelcol/self-telemetry").analysed(isReversed: false)
    #expect(outcome.node("otelcol-agent").ownTime == .of(12))
    let edge = outcome.edge("otelcol-agent", "otelcol-gateway")
    #expect(edge.latency == .of(32) && edge.clientLatency == .of(48) && edge.ownTime == .of(16))
    #expect(outcome.node("otelcol-gateway").latency == .of(32))
  }

  /// Scenario: two messages sent in two traces and taken together in a third, by a poll with links to
  /// both and a span for the work on each with a link of its own.
  /// Guarantees: how long each was in the queue, once.
  @Test func timeInTheQueue() throws {
    let outcome = try SentSpans("queues/batch").analysed(isReversed: false)
    let edge = outcome.edge("messaging:orders", "billing", .messagingSystem)
    #expect(edge.ownTime == .of(50, 20))
  }

  /// Scenario: every fixture there is.
  /// Guarantees: each has a note of where it comes from; there are as many edges as spans that enter
  /// or call somebody; and every span of each trace is an end of one, or counted under one reason.
  @Test func everySpanIsAccountedFor() throws {
    let folders = try FileManager.default.contentsOfDirectory(
      at: SentSpans.folder, includingPropertiesForKeys: nil)
    var files = 0
    for folder in folders where folder.hasDirectoryPath {
      let members = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
      let documents = members.filter { $0.pathExtension == "json" }
      if documents.isEmpty { continue }
      #expect(members.contains { $0.lastPathComponent == "SOURCE" }, "\(folder.lastPathComponent)")
      for document in documents {
        files += 1
        let name =
          "\(folder.lastPathComponent)/\(document.deletingPathExtension().lastPathComponent)"
        for (trace, spans) in try SentSpans(name).traces { check(spans, trace, in: name) }
      }
    }
    #expect(files >= 18)
  }

  private func check(_ spans: [SpanRecord], _ trace: TraceID, in file: String) {
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    analyser.analyse(spans, key: TraceKey(tenant: .standard, trace: trace), into: &findings)
    // A link adds the time in a queue to an edge that the taker's trace counts.
    let edges = findings.filter { $0.key.kind == .edge && $0.counters[.requests] > 0 }.count
    var ends = 0
    for index in analyser.forest.spans.indices {
      switch analyser.roles[index] {
      case .call where analyser.isSent(index), .callToPeer: ends += 1
      case .call: break  // Each callee below is an end.
      case .callToUnknown, .ownApplication, .wrapper, .transport, .callToItself, .settle, .receive,
        .work:
        break
      }
      if analyser.isTaken(index) || analyser.isCalled(index) { ends += 1 }
      if analyser.forest.spans[index].traits.contains(.namesCaller) { ends += 1 }
    }
    #expect(edges == ends, "\(file)")
    let outcome = Outcome(findings, names: [:])
    #expect(outcome.spansByPartner == Int64(analyser.forest.spans.count), "\(file)")
    #expect(outcome.spansByPartner == outcome.coverage[.requests], "\(file)")
  }
}

/// The spans of a fixture, decoded.
struct SentSpans {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures").resolvingSymlinksInPath()

  private(set) var traces: [TraceID: [SpanRecord]] = [:]
  private(set) var names: [NameID: String] = [:]

  init(_ file: String) throws {
    let body = [UInt8](
      try Data(contentsOf: SentSpans.folder.appending(path: "\(file).json")))
    let table = NameTable()
    var limits = DecodeLimits()
    limits.retentionNanos = .max
    let decoder = OTLPDecoder(names: table, limits: limits)
    let decoded = try body.withUnsafeBytes {
      try decoder.decode($0, encoding: .json, tenant: .standard, now: 1_800_000_000 * .second)
    }
    #expect(decoded.rejections.rejectedSpans == 0)
    for (trace, span) in zip(decoded.batch.traces, decoded.batch.spans) {
      traces[trace, default: []].append(span)
    }
    for id in decoded.batch.names {
      let name = try #require(table.name(id))
      names[id] = SentSpans.text(name)
    }
  }

  /// As the graph's ids.
  private static func text(_ name: Name) -> String {
    guard name.kind.isNode else { return name.text }
    let identity = NodeIdentity(text: name.text)
    let text =
      identity.namespace.isEmpty ? identity.name : "\(identity.namespace)/\(identity.name)"
    return name.kind == .service ? text : "\(name.kind):\(text)"
  }

  /// - Parameter isReversed: whether spans arrive reversed.
  func analysed(isReversed: Bool, clockSkewNanosMax: Nanos = 0) throws -> Outcome {
    var analyser = TraceAnalyser(clockSkewNanosMax: clockSkewNanosMax)
    var findings: [Finding] = []
    for (trace, spans) in traces {
      analyser.analyse(
        isReversed ? spans.reversed() : spans, key: TraceKey(tenant: .standard, trace: trace),
        into: &findings)
    }
    return Outcome(findings, names: names)
  }
}
