import Foundation
import Model
import TestSupport
import Testing

@testable import Graph

@Suite struct GraphJSONTests {
  /// Scenario: the shop's graph, read back by another parser.
  /// Guarantees: exactly the fields of the contract, with their values.
  @Test func fields() throws {
    var shop = Shop()
    shop.fixture.add(.unpaired(.standard, .parentCycle), [.requests: 3])
    shop.fixture.add(.unpaired(.standard, .innerWork), [.requests: 5])
    shop.fixture.add(.paired(.standard), [.requests: 7])
    let json = try shop.fixture.graph().json.parsed()
    #expect(
      Set(json.keys) == ["start", "end", "revision", "nodes", "edges", "traffic", "coverage"])
    #expect(json["start"] as? String == "2026-09-21T14:13:20Z")
    #expect(json["end"] as? String == "2026-09-21T14:13:30Z")
    #expect(json["revision"] as? Int == 7)
    let nodes = try #require(json["nodes"] as? [[String: Any]])
    let node = nodes[3]
    #expect(
      Set(node.keys) == [
        "id", "service", "namespace", "kind", "versions", "instances", "clusters", "requests",
        "effective_requests", "errors", "error_rate", "error_origins", "errors_passed_through",
        "errors_absorbed", "traces",
        "error_traces", "latency_ms", "self_time_ms", "critical_path_share", "exemplars",
        "health",
      ])
    #expect(node["error_origins"] as? Double == 3)
    #expect(node["errors_passed_through"] as? Double == 5)
    #expect(nodes[4]["errors_absorbed"] as? Double == 2)
    #expect(node["id"] as? String == "shop/checkout")
    #expect(node["kind"] as? String == "service")
    #expect(node["requests"] as? Double == 80)
    #expect(node["error_rate"] as? Double == 0.1)
    #expect(node["error_traces"] as? Int == 6)
    let latency = try #require(node["latency_ms"] as? [String: Double])
    #expect(Set(latency.keys) == ["mean", "p50", "p90", "p95", "p99", "max"])
    #expect(latency["mean"] == 40)
    let edge = try #require(json["edges"] as? [[String: Any]])[3]
    #expect(
      Set(edge.keys) == [
        "client", "server", "connection_type", "requests", "failed", "effective_requests",
        "client_latency_ms", "server_latency_ms", "gap_ms", "critical_path_share",
        "error_propagation", "exemplars",
      ])
    let propagation = try #require(edge["error_propagation"] as? [String: Double])
    #expect(
      propagation
        == [
          "callee_failures": 8, "propagated": 6, "absorbed": 2, "probability": 0.75,
          "absorbed_ms": 0, "retry_ms": 0,
        ])
    #expect(edge["exemplars"] as? [String] == ["00000000000000010000000000000002"])
    let coverage = try #require(json["coverage"] as? [String: Any])
    #expect(
      Set(coverage.keys)
        == [
          "spans", "traces", "late_spans", "duplicates", "clock_skew", "paired", "unpaired",
          "standalone", "overflow", "traffic_records",
        ])
    #expect(coverage["clock_skew"] as? [String: Int] == ["adjusted": 0, "over_limit": 0])
    #expect(coverage["unpaired"] as? [String: Int] == ["parent_cycle": 3])
    #expect(coverage["standalone"] as? [String: Int] == ["inner_work": 5])
    #expect(coverage["paired"] as? Int == 7)
  }

  /// Scenario: nodes in environments; a database nothing was measured at.
  /// Guarantees: environments appear where there are any; what is unknown is null, not left out.
  @Test func environmentsAndNulls() throws {
    var fixture = GraphFixture()
    let a = fixture.node("a", environment: "prod")
    let database = fixture.node("orders", environment: "prod", kind: .database)
    fixture.add(.edge(a, database, .database), [.requests: 1])
    let json = try fixture.graph().json.parsed()
    let node = try #require(json["nodes"] as? [[String: Any]])[1]
    #expect(node["environment"] as? String == "prod")
    for key in ["error_rate", "latency_ms", "self_time_ms", "critical_path_share"] {
      #expect(node[key] is NSNull)
    }
    let edge = try #require(json["edges"] as? [[String: Any]])[0]
    #expect(edge["client_environment"] as? String == "prod")
    #expect(edge["server_environment"] as? String == "prod")
    #expect(edge["gap_ms"] is NSNull)
  }

  /// Scenario: random counters and durations of any size, negative ones included, as a damaged or
  /// half-taken-back window might hold.
  /// Guarantees: always JSON; no number that is none.
  @Test func neverNotANumber() throws {
    var random = SeededGenerator("neverNotANumber")
    for _ in 0..<200 {
      var fixture = GraphFixture()
      let a = fixture.node("a")
      let b = fixture.node("b")
      for key in [SeriesKey.node(a), .edge(a, b, .direct), .coverage(.standard)] {
        var counters = Counters()
        for field in Counters.Field.allCases {
          counters[field] =
            [0, 1, .max, .min, Int64(truncatingIfNeeded: random.next())]
            .randomElement(using: &random) ?? 0
        }
        for _ in 0..<3 {
          fixture.window.add(
            Finding(
              window: 0, key: key, counters: counters, latency: random.next(),
              clientLatency: random.next() >> 20, ownTime: 0,
              weight: Int64.random(in: -512...512, using: &random)))
        }
      }
      let graph = try fixture.graph()
      let text = graph.json.text
      _ = try graph.json.parsed()
      #expect(!text.contains("nan") && !text.contains("inf"))
      let pictures = graph.dot + graph.mermaid + graph.graphML + GraphTable.text(graph)
      #expect(!pictures.contains("nan") && !pictures.contains("inf"))
    }
  }
}

@Suite struct JSONTextTests {
  /// Scenario: every kind of value, nested, and numbers JSON has no way to write.
  /// Guarantees: the exact text.
  @Test func text() {
    var json = JSONText()
    json.object { json in
      json.member("text", "a")
      json.member("whole", 3)
      json.member("half", 0.5)
      json.member("yes", true)
      json.member("none", Double?.none)
      json.member("endless", Double.infinity)
      json.member("undefined", Double.nan)
      json.member("zero", -0.0)
      json.member("list", ["x", "y"])
      json.member("empty") { _ in }
      json.key("numbers")
      json.array([1, 2]) { $0.integer($1) }
    }
    #expect(
      json.text
        == #"{"text":"a","whole":3,"half":0.5,"yes":true,"none":null,"endless":null,"#
        + #""undefined":null,"zero":0.0,"list":["x","y"],"empty":{},"numbers":[1,2]}"#)
  }

  /// Scenario: random text of controls, quotes, backslashes and any other scalars.
  /// Guarantees: another parser reads back what was written, as key and as value.
  @Test func anyText() throws {
    var random = SeededGenerator("anyText")
    for _ in 0..<500 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        let limit: UInt32 = Bool.random(using: &random) ? 0x7F : 0x10FFFF
        let number = UInt32.random(in: 0...limit, using: &random)
        scalars.append(Unicode.Scalar(number) ?? "\"")
      }
      let text = String(scalars)
      var json = JSONText()
      json.object { $0.member(text, text) }
      let value = try #require(try json.parsed()[text] as? String)
      #expect(Array(value.unicodeScalars) == Array(text.unicodeScalars))
    }
  }
}
