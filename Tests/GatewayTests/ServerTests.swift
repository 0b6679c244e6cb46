import Foundation
import FoundationNetworking
import Graph
import Logging
import Model
import OTLP
import Testing

@testable import Gateway

/// Scenario for all: a whole gateway in this process, on free ports and a directory of its own.
@Suite("A gateway from port to port")
struct ServerTests {
  private func configuration(_ directory: URL) -> Configuration {
    var configuration = Configuration()
    configuration.receiver.grpc.address.port = 0
    configuration.receiver.http.address.port = 0
    configuration.query.address.port = 0
    configuration.store.path = directory.path
    configuration.workers = 2
    configuration.shutdown.drain = 2 * .second
    return configuration
  }

  private func withDirectory(_ body: (URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "spangate-server-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try await body(directory)
  }

  private func ask(
    _ url: String, post body: String? = nil
  ) async throws -> (status: Int, text: String) {
    var request = URLRequest(url: try #require(URL(string: url)))
    if let body {
      request.httpMethod = "POST"
      request.httpBody = Data(body.utf8)
      request.setValue("application/json", forHTTPHeaderField: "content-type")
    }
    let (data, response) = try await URLSession.shared.data(for: request)
    let status = try #require(response as? HTTPURLResponse).statusCode
    return (status, String(decoding: data, as: UTF8.self))
  }

  /// One call of `client` to `server`, now.
  private func request(_ trace: Int) -> String {
    let now = SystemClock.now() - .second
    func resource(_ service: String, _ span: String) -> String {
      #"{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"\#(service)"}}]},"#
        + #""scopeSpans":[{"spans":[\#(span)]}]}"#
    }
    func span(_ id: Int, _ kind: Int, parent: Int?) -> String {
      let parentField = parent.map { #""parentSpanId":"\#(UInt64($0).hexadecimal)","# } ?? ""
      return #"{"traceId":"\#(UInt64(trace).hexadecimal)\#(UInt64(trace).hexadecimal)","#
        + #""spanId":"\#(UInt64(id).hexadecimal)",\#(parentField)"name":"work","kind":\#(kind),"#
        + #""startTimeUnixNano":"\#(now)","endTimeUnixNano":"\#(now + .millisecond)"}"#
    }
    return #"{"resourceSpans":[\#(resource("client", span(1, 3, parent: nil))),"#
      + #"\#(resource("server", span(2, 2, parent: 1)))]}"#
  }

  /// Scenario: spans in over HTTP, graph and metrics out, a stop, a start on the same directory.
  /// Guarantees: the graph shows the calls, before and after; the metrics name what came in; ready
  /// says so.
  @Test func spansInGraphOut() async throws {
    try await withDirectory { directory in
      for round in 1...2 {
        let server = SpangateServer(
          configuration: configuration(directory), logger: Logger(label: "test"))
        let at = try await server.start()
        let ready = try await ask("http://\(at.query)/readyz")
        #expect(ready.status == 200)
        for trace in 1...3 {
          let answer = try await ask(
            "http://\(at.http)/v1/traces", post: request(10 * round + trace))
          #expect(answer.status == 200 && answer.text == "{}")
        }
        let flushed = try await ask("http://\(at.query)/api/v1/admin/flush", post: "")
        #expect(flushed.status == 200)
        let graph = try await ask("http://\(at.query)/api/v1/graph")
        #expect(graph.text.contains(#""client":"client","server":"server""#))
        #expect(graph.text.contains(#""requests":\#(Double(3 * round))"#))
        let metrics = try await ask("http://\(at.query)/metrics")
        #expect(metrics.text.contains(#"spangate_spans_accepted_total{transport="http"} 6"#))
        #expect(metrics.text.contains("spangate_traces_held \(3 * round)"))
        try await server.stop()
      }
    }
  }

  /// A request to `checkout`, a minute ago by the old version or now by the new one.
  private func request(_ trace: Int, version: String, ago: Nanos) -> String {
    let end = SystemClock.now() - ago
    let id = UInt64(trace).hexadecimal
    return #"{"resourceSpans":[{"resource":{"attributes":["#
      + #"{"key":"service.name","value":{"stringValue":"checkout"}},"#
      + #"{"key":"service.version","value":{"stringValue":"\#(version)"}}]},"#
      + #""scopeSpans":[{"spans":[{"traceId":"\#(id)\#(id)","spanId":"\#(id)","#
      + #""name":"work","kind":2,"startTimeUnixNano":"\#(end - .millisecond)","#
      + #""endTimeUnixNano":"\#(end)"}]}]}]}"#
  }

  /// Scenario: spans of two versions in over HTTP, the gate asked twice, its verdict listed and read
  /// in full, and read again after a restart.
  /// Guarantees: the same answer to the letter; one verdict, of which the same answer comes again.
  @Test func spansInVerdictOut() async throws {
    try await withDirectory { directory in
      let first = SpangateServer(
        configuration: configuration(directory), logger: Logger(label: "test"))
      var at = try await first.start()
      for trace in 1...3 {
        for (version, ago) in [("v41", Nanos.minute), ("v42", .second)] {
          let id = version == "v41" ? trace : trace + 10
          let body = request(id, version: version, ago: ago)
          #expect(try await ask("http://\(at.http)/v1/traces", post: body).status == 200)
        }
      }
      _ = try await ask("http://\(at.query)/api/v1/admin/flush", post: "")
      let question = "/api/v1/gate?service=checkout&version=v42&deadline=1h"
      let answer = try await ask("http://\(at.query)\(question)")
      #expect(answer.status == 200)
      #expect(answer.text.contains(#""verdict":"wait""#))
      #expect(answer.text.contains(#""version":"v42","baseline":"v41""#))
      #expect(try await ask("http://\(at.query)\(question)").text == answer.text)
      let list = try await ask("http://\(at.query)/api/v1/verdicts?service=checkout").text
      #expect(list.components(separatedBy: #""id":"vd_"#).count == 2)
      let id = try #require(answer.text.split(separator: #"""#).first { $0.hasPrefix("vd_") })
      let full = try await ask("http://\(at.query)/api/v1/verdicts/\(id)").text
      #expect(full.contains(#""recomputed_identically":true"#))
      try await first.stop()
      let second = SpangateServer(
        configuration: configuration(directory), logger: Logger(label: "test"))
      at = try await second.start()
      #expect(try await ask("http://\(at.query)/api/v1/verdicts/\(id)").text == full)
      #expect(
        try await ask("http://\(at.query)/api/v1/verdicts/vd_0123456789abcdef").status == 404)
      try await second.stop()
    }
  }

  /// Scenario: two gateways on one directory; a gateway on a port that is taken.
  /// Guarantees: the second refuses with a text that names what is in the way, and the first goes on.
  @Test func whatIsTakenIsNamed() async throws {
    try await withDirectory { directory in
      let first = SpangateServer(
        configuration: configuration(directory), logger: Logger(label: "test"))
      let at = try await first.start()
      let sameDirectory = SpangateServer(
        configuration: configuration(directory), logger: Logger(label: "test"))
      await #expect { try await sameDirectory.start() } throws: {
        "\($0)".contains(directory.lastPathComponent)
      }
      var samePort = configuration(directory.appending(path: "other"))
      samePort.receiver.grpc.address.port = Int(at.grpc.split(separator: ":")[1]) ?? 0
      let second = SpangateServer(configuration: samePort, logger: Logger(label: "test"))
      await #expect { try await second.start() } throws: {
        "\($0)".contains(at.grpc) && "\($0)".contains("receiver.grpc.address")
      }
      #expect(try await ask("http://\(at.query)/readyz").status == 200)
      try await first.stop()
    }
  }

  /// Scenario: two calls to addresses of pods, of which one reports itself in another trace, and one to a
  /// database; all by spans of one name.
  /// Guarantees: on the critical path each is shown by who was called: the service that has the
  /// address, or the address.
  @Test func callsThatNobodyAnsweredAreShownByWhoWasCalled() throws {
    let now = SystemClock.now()
    func span(
      _ trace: Int, _ id: Int, under parent: Int?, _ kind: Int, _ from: UInt64, _ until: UInt64,
      _ attributes: [(String, String)] = []
    ) -> String {
      let texts = attributes.map { #"{"key":"\#($0)","value":{"stringValue":"\#($1)"}}"# }
      let parent = parent.map { #""parentSpanId":"000000000000000\#($0)","# } ?? ""
      return #"""
        {"traceId":"0000000000000000000000000000000\#(trace)","spanId":"000000000000000\#(id)",\#(parent)
        "name":"op","kind":\#(kind),"startTimeUnixNano":"\#(now + from)",
        "endTimeUnixNano":"\#(now + until)","attributes":[\#(texts.joined(separator: ","))]}
        """#
    }
    func resource(_ attributes: [(String, String)], _ spans: [String]) -> String {
      let texts = attributes.map { #"{"key":"\#($0)","value":{"stringValue":"\#($1)"}}"# }
      return #"""
        {"resource":{"attributes":[\#(texts.joined(separator: ","))]},
        "scopeSpans":[{"spans":[\#(spans.joined(separator: ","))]}]}
        """#
    }
    let callers = [
      span(1, 1, under: nil, 2, 0, 100),
      span(1, 2, under: 1, 3, 10, 20, [("server.address", "10.0.0.7")]),
      span(1, 3, under: 1, 3, 30, 50, [("server.address", "10.0.0.8")]),
      span(1, 4, under: 1, 3, 60, 90, [("db.system.name", "mysql"), ("db.namespace", "stock")]),
    ]
    let body = #"""
      {"resourceSpans":[
        \#(resource([("service.name", "A")], callers)),
        \#(resource(
          [("service.name", "B"), ("k8s.pod.ip", "10.0.0.7"), ("k8s.pod.name", "b-1")],
          [span(2, 5, under: nil, 2, 0, 10)]))]}
      """#
    var pipeline = LocalPipeline(configuration: Configuration())
    let intake = try pipeline.take(Array(body.utf8), encoding: .json, now: now)
    #expect(intake.accepted == 5)
    for rule in CriticalPathRule.allCases {
      let path = try #require(pipeline.criticalPaths(rule: rule).first)
      #expect(
        path.callPaths.map { "\($0.path.joined(separator: " › ")) \($0.exclusive)" } == [
          "A op 40", "A op › database:stock op 30", "A op › external:10.0.0.8 op 20",
          "A op › B op 10",
        ])
    }
  }

  /// Scenario: one trace through the pipeline that has no sockets.
  /// Guarantees: the same edge as a server shows; sections of the critical path add up to the root.
  @Test func theLocalPipelineShowsTheSame() throws {
    var pipeline = LocalPipeline(configuration: Configuration())
    let intake = try pipeline.take(Array(request(5).utf8), encoding: .json, now: SystemClock.now())
    #expect(intake.accepted == 2 && intake.rejections.rejectedSpans == 0)
    let graph = try GraphBuilder.build(
      pipeline.graphInput(), tenant: .standard, options: GraphOptions())
    #expect(graph.edges.map(\.client) == ["client"] && graph.edges.map(\.server) == ["server"])
    let path = try #require(pipeline.criticalPaths().first)
    #expect(path.sections.reduce(0) { $0 + ($1.end - $1.start) } == .millisecond)
    #expect(path.callPaths.map(\.path).contains(["client work", "server work"]))
  }
}
