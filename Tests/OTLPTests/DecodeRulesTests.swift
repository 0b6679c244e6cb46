import Model
import Testing

@testable import OTLP

/// What users choose: codes that are no failures, and attributes that name the other side.
@Suite struct DecodeRulesTests {
  private typealias Attributes = [(String, SampleValue)]

  private static let server: Int64 = 2
  private static let client: Int64 = 3
  private static let producer: Int64 = 4
  private static let consumer: Int64 = 5

  private func record(
    _ kind: Int64, _ attributes: Attributes, status: Int64 = 0, rules: DecodeRules,
    names: NameTable = NameTable()
  ) throws -> SpanRecord {
    var span = SampleSpan(kind: kind, status: status)
    span.attributes = attributes
    var builder = SpanBuilder(names: names, limits: DecodeLimits(), rules: rules)
    return try #require(SampleRequest(spans: [span]).build(with: &builder).batch.spans.first)
  }

  // MARK: Codes

  private func fails(
    _ attributes: Attributes, status: Int64 = 2, kind: Int64 = 3,
    http: [ClosedRange<Int>] = [404...404, 500...501], grpc: Set<RPCCode> = [.notFound]
  ) throws -> Bool {
    var rules = DecodeRules()
    rules.ignoredCodes.http = http
    rules.ignoredCodes.grpc = grpc
    return try record(kind, attributes, status: status, rules: rules).isError
  }

  /// Scenario: spans that failed by status, by attribute and by code alone, with codes that are in the
  /// list, beside it, and in none.
  /// Guarantees: a code in the list is no failure whatever status and `error` say, in any form it is
  /// sent in; every other code is one as before.
  @Test func codes() throws {
    for status: Int64 in [0, 2] {
      for code: SampleValue in [404, "404", 404.0, 500, 501] {
        #expect(try !fails([("http.response.status_code", code)], status: status))
        #expect(try !fails([("http.status_code", code), ("error", true)], status: status))
        #expect(try fails([("http.status_code", code)], status: status, http: []) == true)
      }
      for code: SampleValue in [403, 405, 499, 502] {
        #expect(try fails([("http.response.status_code", code)], status: status))
      }
      for code: SampleValue in [5, "5", "NOT_FOUND", "not_found"] {
        #expect(try !fails([("rpc.grpc.status_code", code)], status: status))
        #expect(try fails([("rpc.grpc.status_code", code)], status: status, grpc: []))
      }
      #expect(try fails([("rpc.response.status_code", "UNAVAILABLE")], status: status))
    }
    #expect(try fails([], status: 2) && !fails([], status: 0))
    #expect(try !fails([("http.status_code", 500)], status: 0, kind: Self.server))
    #expect(try fails([("http.status_code", 503)], status: 0, kind: Self.server))
    #expect(try !fails([("http.status_code", 503)], status: 1))
  }

  /// Scenario: a code in the list, and something else that says the span failed: Envoy's flags, an error
  /// with a name of its own, a code of the other protocol.
  /// Guarantees: those stay failures; what only repeats the code does not.
  @Test func otherReasons() throws {
    let http: Attributes = [("http.status_code", 404)]
    let grpc: Attributes = [("rpc.grpc.status_code", "5"), ("http.status_code", 200)]
    for type: SampleValue in ["404", 404, "_OTHER"] {
      #expect(try !fails(http + [("error.type", type)]))
    }
    for type: SampleValue in ["NOT_FOUND", "5"] {
      #expect(try !fails(grpc + [("error.type", type)]))
    }
    for type: SampleValue in ["timeout", "java.net.ConnectException", "500"] {
      #expect(try fails(http + [("error.type", type)]))
      #expect(try fails(http + [("error.type", type)], status: 0))
      #expect(try !fails(http + [("error.type", type)], status: 0, kind: 1))
    }
    let proxy: Attributes = [("component", "proxy"), ("http.status_code", "500")]
    #expect(try fails(proxy + [("response_flags", "UF")]))
    #expect(try fails(proxy + [("response_flags", "DC,UH"), ("error", "true")], status: 0))
    #expect(try !fails(proxy + [("response_flags", "-"), ("error", "true")], status: 0))
    #expect(try !fails(proxy + [("response_flags", "DC")]))
    #expect(try fails([("http.status_code", 404), ("grpc.status_code", 14)]))
    #expect(try fails([("http.status_code", 503), ("grpc.status_code", 5)]))
    #expect(try !fails([("http.status_code", 404), ("grpc.status_code", 5)]))
  }

  // MARK: The other side

  private func peer(
    _ kind: Int64, _ attributes: Attributes, chosen: [String] = ["my.peer", "peer.service"]
  ) throws -> String? {
    var rules = DecodeRules()
    rules.peerAttributes = chosen
    let names = NameTable()
    let span = try record(kind, attributes, rules: rules, names: names)
    return names.name(span.peer).map { "\($0.kind) \(NodeIdentity(text: $0.text).name)" }
  }

  /// Scenario: chosen attributes in spans of every kind, with and without what names the peer otherwise.
  /// Guarantees: they go first, in their order, for whoever calls, sends or takes; a server's caller is
  /// not theirs to name; without them everything is as it was.
  @Test func chosenPeers() throws {
    let both: Attributes = [("peer.service", "p"), ("my.peer", "m"), ("server.address", "s")]
    #expect(try peer(Self.client, both) == "external m")
    #expect(try peer(Self.client, both, chosen: ["peer.service", "my.peer"]) == "external p")
    #expect(try peer(Self.client, both, chosen: ["server.address"]) == "external s")
    #expect(try peer(Self.client, both, chosen: []) == "external p")
    #expect(try peer(Self.client, [("server.address", "s")]) == "external s")
    #expect(try peer(Self.client, [("my.peer", ""), ("server.address", "s")]) == "external s")
    #expect(try peer(Self.client, [("my.peer", 7), ("server.address", "s")]) == "external s")
    #expect(try peer(Self.client, both + [("db.system", "redis")]) == "database m")
    #expect(try peer(Self.server, [("my.peer", "m")]) == nil)
    let queue: Attributes = [("messaging.system", "kafka"), ("messaging.destination.name", "q")]
    for kind in [Self.producer, Self.consumer] {
      #expect(try peer(kind, queue + [("my.peer", "m")]) == "messaging m")
      #expect(try peer(kind, [("my.peer", "m")]) == "messaging m")
      #expect(try peer(kind, queue) == "messaging q")
    }
    #expect(try peer(1, [("my.peer", "m")]) == nil)
  }

  /// Scenario: one span names its peer, the next does not; an attribute list is given twice.
  /// Guarantees: nothing is left of what was before.
  @Test func nothingIsLeft() throws {
    var rules = DecodeRules()
    rules.peerAttributes = ["my.peer"]
    var first = SampleSpan(id: "0000000000000001", kind: Self.client)
    first.attributes = [("my.peer", "m")]
    let second = SampleSpan(id: "0000000000000002", kind: Self.client)
    var builder = SpanBuilder(names: NameTable(), limits: DecodeLimits(), rules: rules)
    let spans = SampleRequest(spans: [first, second]).build(with: &builder).batch.spans
    #expect(!spans[0].peer.isNone && spans[1].peer.isNone)
    let text = SampleRequest(spans: [first]).json.replacing(
      #""links":"#, with: #""attributes":[],"links":"#)
    let decoder = OTLPDecoder(names: NameTable(), limits: DecodeLimits(), rules: rules)
    let decoded = try Array(text.utf8).withUnsafeBytes {
      try decoder.decode($0, encoding: .json, tenant: .standard, now: Sample.now)
    }
    #expect(decoded.batch.spans.first?.peer == NameID.none)
  }
}
