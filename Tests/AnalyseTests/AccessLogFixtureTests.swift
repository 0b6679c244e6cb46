import Foundation
import Model
import OTLP
import Testing

@testable import Analyse

/// What the access logs of real Envoys say, from the bytes to the findings.
@Suite struct AccessLogFixtureTests {
  /// Scenario: three requests through the sidecars of three services, as their access logs have them.
  /// Guarantees: each call is told by the end that calls, by the name of its cluster, and by the end that
  /// is called, by the caller's address; both with their failures; and where everybody is.
  @Test func chain() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let body = try Data(
      contentsOf: folder.appending(path: "Fixtures/envoy-access-logs/chain.json"))
    let names = NameTable()
    var limits = DecodeLimits()
    limits.retentionNanos = .max
    limits.aheadNanosMax = .max
    let decoder = OTLPDecoder(names: names, limits: limits)
    let decoded = try body.withUnsafeBytes { bytes in
      try decoder.decode(bytes, .logs, encoding: .json, tenant: .standard, now: 0)
    }
    #expect(decoded.batch.count == 15 && decoded.ignored.isEmpty)
    #expect(decoded.rejections.message == nil)
    var analyser = TraceAnalyser()
    var findings: [Finding] = []
    for (span, trace) in zip(decoded.batch.spans, decoded.batch.traces) {
      let key = TraceKey(tenant: .standard, trace: trace)
      analyser.analyse([span], key: key, into: &findings)
    }
    var window = Window()
    for finding in findings { window.add(finding) }
    func text(_ id: UInt64) -> String {
      guard let name = names.name(NameID(id)) else { return "?" }
      let text = name.kind.isNode ? NodeIdentity(text: name.text).name : name.text
      return name.kind == .service ? text : "\(name.kind):\(text)"
    }
    let lines = window.series.map { key, sums in
      let counts = "\(sums.counters[.requests])/\(sums.counters[.errors])"
      guard let kind = TrafficKind(number: key.third) else {
        return "\(text(key.first)) at \(text(key.second))"
      }
      return "\(kind.end): \(text(key.first))→\(text(key.second)) \(counts)"
    }
    #expect(
      Set(lines) == [
        "client: a→external:next 3/1", "client: b→external:next 3/2",
        "server: client:127.0.0.11→b 3/1", "server: client:127.0.0.12→c 3/2",
        "server: client:127.0.0.1→a 3/1",
        "a at address:127.0.0.11", "b at address:127.0.0.12", "c at address:127.0.0.13",
        "external:next at address:127.0.0.12", "external:next at address:127.0.0.13",
      ])
    #expect(window.series.keys.allSatisfy { $0.kind == .traffic })
  }
}
