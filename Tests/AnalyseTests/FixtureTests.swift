import Foundation
import Model
import Testing

@testable import Analyse

/// What real Envoys exported, read here without the decoder: the traits are set by the few rules of
/// Tests/Fixtures/envoy that matter to the analysis.
@Suite struct FixtureTests {
  /// Scenario: each recording is analysed, in the order of arrival and reversed.
  /// Guarantees: exactly the graph the recording's README states, nothing more.
  @Test(
    arguments: [
      ("chain", ["a 3/1", "b 3/1", "c 3/2"], ["a→b 3/1", "b→c 3/2"]),
      ("retry", ["a 1/1", "b 2/2"], ["a→b 2/2"]),
      ("application-down", ["a 1/1", "b 1/1"], ["a→b 1/1"]),
      ("next-hop-down", ["a 1/1", "next 1/1"], ["a→next virtual_node 1/1"]),
    ] as [(String, [String], [String])], ["", "-upstream-span"])
  func recording(expected: (file: String, nodes: [String], edges: [String]), form: String) throws {
    let recording = try Recording(expected.file + form)
    for reversed in [false, true] {
      var findings: [Finding] = []
      var analyser = TraceAnalyser()
      for (trace, spans) in recording.traces {
        analyser.analyse(
          reversed ? spans.reversed() : spans, key: TraceKey(tenant: .standard, trace: trace),
          into: &findings)
      }
      let outcome = Outcome(findings, names: recording.names)
      #expect(outcome.nodes == expected.nodes)
      #expect(outcome.edges == expected.edges)
    }
  }
}

/// A recording as spans. Peers that do not report are all called "next", because ports differ.
private struct Recording {
  var traces: [TraceID: [SpanRecord]] = [:]
  var names: [NameID: String] = [:]

  init(_ file: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appending(path: "Fixtures/envoy/\(file).json"))
    let request = try JSONDecoder().decode(Request.self, from: data)
    for resource in request.resourceSpans {
      let service = name(resource.resource.text("service.name") ?? "?", .service)
      for span in resource.scopeSpans.flatMap(\.spans) {
        let trace = try #require(TraceID(hexadecimal: span.traceId))
        traces[trace, default: []].append(try record(span, service: service))
      }
    }
  }

  private mutating func name(_ text: String, _ kind: NameKind) -> NameID {
    let id = Name(tenant: .standard, kind: kind, text: text).id
    names[id] = text
    return id
  }

  private mutating func record(_ span: Span, service: NameID) throws -> SpanRecord {
    let parent = span.parentSpanId ?? ""
    return SpanRecord(
      id: SpanID(try #require(UInt64(span.spanId, radix: 16))),
      parent: SpanID(parent.isEmpty ? 0 : try #require(UInt64(parent, radix: 16))),
      start: try #require(Nanos(span.startTimeUnixNano)),
      end: try #require(Nanos(span.endTimeUnixNano)), service: service,
      operation: name(span.name, .operation), peer: name("next", .external),
      kind: SpanKind(number: Int64(span.kind)), traits: traits(span))
  }

  private func traits(_ span: Span) -> SpanTraits {
    var traits: SpanTraits = []
    let status = span.text("http.status_code").flatMap { Int($0) } ?? 0
    if span.status?.code == 2 || span.text("error") == "true" || status >= 500 {
      traits.insert(.error)
    }
    if span.text("component") == "proxy" { traits.insert(.proxy) }
    if span.name.hasPrefix("egress ") { traits.insert(.outboundProxy) }
    if span.text("upstream_cluster")?.hasPrefix("inbound|") == true {
      traits.insert(.upstreamIsOwnApplication)
    }
    if span.text("upstream_address")?.hasPrefix("127.") == true, span.text("node_id") == nil {
      traits.insert(.peerIsLocalHost)
    }
    return traits
  }

  private struct Request: Decodable { var resourceSpans: [ResourceSpans] }

  private struct ResourceSpans: Decodable {
    var resource: Attributes
    var scopeSpans: [ScopeSpans]
  }

  private struct Attributes: Decodable {
    var attributes: [Attribute]
    func text(_ key: String) -> String? {
      attributes.first { $0.key == key }?.value.stringValue
    }
  }

  private struct ScopeSpans: Decodable { var spans: [Span] }

  private struct Span: Decodable {
    var traceId: String
    var spanId: String
    var parentSpanId: String?
    var name: String
    var kind: Int
    var startTimeUnixNano: String
    var endTimeUnixNano: String
    var attributes: [Attribute]
    var status: Status?
    func text(_ key: String) -> String? {
      attributes.first { $0.key == key }?.value.stringValue
    }
  }

  private struct Status: Decodable { var code: Int? }

  private struct Attribute: Decodable {
    var key: String
    var value: Value
  }

  private struct Value: Decodable { var stringValue: String? }
}
