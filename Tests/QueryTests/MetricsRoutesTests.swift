import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import TestSupport
import Testing

@testable import Query

@Suite struct MetricsRoutesTests {
  private func scrape(_ fixture: QueryFixture) async throws -> Exposition {
    let response = try await fixture.ask("/metrics")
    #expect(response.status == .ok)
    #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
    return try #require(Exposition(response.text), "not an exposition: \(response.text)")
  }

  /// Scenario: the shop's edges and metrics of the gateway's own.
  /// Guarantees: Tempo's names and labels with the right values and types.
  @Test func namesAndValues() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      state.metrics = [
        Metric("spangate_spans_total", .counter, help: "Spans\nand \\ more.", value: 12_345),
        Metric(
          "spangate_open_traces", .gauge, help: "Open.",
          samples: [.init(2.5, labels: ["shard": "1"]), .init(.nan, labels: ["shard": "2"])]),
        Metric("9bad-näme", .gauge, help: "", value: -1),
      ]
    }
    let metrics = try await scrape(fixture)
    let frontend = #"client="shop/frontend",server="shop/checkout",connection_type="""#
    let database = #"client="shop/checkout",server="database:orders",connection_type="database""#
    #expect(metrics["traces_service_graph_request_total{\(frontend)}"] == 10)
    #expect(metrics["traces_service_graph_request_failed_total{\(frontend)}"] == 1)
    #expect(metrics["traces_service_graph_request_total{\(database)}"] == 1)
    #expect(metrics["traces_service_graph_request_failed_total{\(database)}"] == 0)
    #expect(metrics["traces_service_graph_request_server_seconds_count{\(frontend)}"] == 1)
    #expect(metrics["traces_service_graph_request_server_seconds_sum{\(frontend)}"] == 0.01)
    #expect(metrics["traces_service_graph_request_client_seconds_count{\(frontend)}"] == nil)
    #expect(metrics["spangate_spans_total"] == 12_345)
    #expect(metrics["spangate_open_traces{shard=\"1\"}"] == 2.5)
    #expect(metrics["spangate_open_traces{shard=\"2\"}"] == nil)
    #expect(metrics["_9bad_n_me"] == -1)
    #expect(metrics["spangate_metrics_edges_overflowed"] == 0)
    #expect(metrics.types["traces_service_graph_request_total"] == "counter")
    #expect(metrics.types["traces_service_graph_request_server_seconds"] == "histogram")
    #expect(metrics.types["spangate_open_traces"] == "gauge")
    #expect(metrics.help["spangate_spans_total"] == "Spans\\nand \\\\ more.")
  }

  /// Scenario: messages are sent to a queue, and taken after half a second; a call with a gap.
  /// Guarantees: the time in the queue is Tempo's histogram of the edge to who takes, and of no other.
  @Test func timeInQueues() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      state.edges = Window()
      let (a, b) = (state.node("a"), state.node("b"))
      let queue = state.node("mails", kind: .messaging)
      for (client, server) in [(a, queue), (queue, b), (a, b)] {
        let type = client == a && server == b ? ConnectionType.direct : .messagingSystem
        state.edges.add(
          Finding(
            window: 0, key: .edge(client, server, type), latency: .second,
            ownTime: 500 * .millisecond))
      }
    }
    let metrics = try await scrape(fixture)
    let name = "traces_service_graph_request_messaging_system_seconds"
    #expect(metrics.types[name] == "histogram")
    let labels = #"client="messaging:mails",server="b",connection_type="messaging_system""#
    #expect(metrics["\(name)_count{\(labels)}"] == 1 && metrics["\(name)_sum{\(labels)}"] == 0.5)
    #expect(metrics.samples.keys.filter { $0.hasPrefix("\(name)_count") }.count == 1)
  }

  /// Scenario: durations of every size on one edge.
  /// Guarantees: buckets at 2 ms doubling to 16.384 s and +Inf, cumulative, each duration under
  /// the first bound it does not exceed (to half a bucket of ours, 1.1 %).
  @Test func buckets() async throws {
    let fixture = QueryFixture()
    let durations: [Nanos] = [
      0, 500, 1_900_000, 2_100_000, 3_900_000, 100 * .millisecond, 16 * .second, 17 * .second,
      2 * .hour,
    ]
    fixture.backend.state.withLock { state in
      state.edges = Window()
      let a = state.node("a")
      for duration in durations { state.call(a, a, latency: duration, clientLatency: duration) }
    }
    let metrics = try await scrape(fixture)
    for side in ["server", "client"] {
      let name = "traces_service_graph_request_\(side)_seconds"
      let labels = #"client="a",server="a",connection_type="""#
      for step in 0..<14 {
        let bound = 0.002 * pow(2, Double(step))
        let expected = durations.filter { Double($0) / 1e9 <= bound }.count
        let le = bound.description
        #expect(metrics["\(name)_bucket{\(labels),le=\"\(le)\"}"] == Double(expected))
      }
      #expect(metrics["\(name)_bucket{\(labels),le=\"+Inf\"}"] == 9)
      #expect(metrics["\(name)_count{\(labels)}"] == 9)
    }
  }

  /// Scenario: more edges than are shown one by one; they grow, and such as sort first come late.
  /// Guarantees: the rest is summed under overflow, totals agree, and no counter ever falls.
  @Test func overflowNeverFalls() async throws {
    var random = SeededGenerator("overflowNeverFalls")
    let fixture = QueryFixture { $0.metricsSeriesMax = 5 }
    fixture.backend.state.withLock { $0.edges = Window() }
    let total = "traces_service_graph_request_total"
    let overflow =
      #"\#(total){client="__overflow__",server="__overflow__",connection_type=""}"#
    var before: [String: Double] = [:]
    var requests: Int64 = 0
    for round in 0..<20 {
      fixture.backend.state.withLock { state in
        for _ in 0..<4 {
          let client = state.node("s\(99 - round)-\(Int.random(in: 0..<20, using: &random))")
          let count = Int64.random(in: 1...9, using: &random)
          state.call(client, client, requests: count)
          requests += count
        }
      }
      let metrics = try await scrape(fixture)
      let totals = metrics.samples.filter { $0.key.hasPrefix("\(total){") }
      #expect(totals.count <= 6)
      #expect(totals.values.reduce(0, +) == Double(requests))
      for (key, value) in before { #expect(metrics[key] ?? -1 >= value, "\(key) fell") }
      before = metrics.samples.filter { $0.key.hasPrefix("traces_") }
    }
    #expect(before[overflow] ?? 0 > 0)
    let overflowed = try await scrape(fixture)["spangate_metrics_edges_overflowed"]
    #expect(overflowed ?? 0 > 5)
  }

  /// Scenario: names with quotes, backslashes and newlines; equal ids in two environments; an edge
  /// whose names are gone.
  /// Guarantees: labels are escaped (line breaks as in ids), equal labels are summed into one series, nothing is lost.
  @Test func labels() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      state.edges = Window()
      let hostile = state.node("a\"b\\c\nd")
      state.call(hostile, hostile)
      for environment in ["prod", "test"] {
        let node = state.node("ads", environment: environment)
        state.call(node, node, requests: 2)
      }
      state.call(NameID(1), NameID(2), requests: 3)
    }
    let metrics = try await scrape(fixture)
    let total = "traces_service_graph_request_total"
    let hostile = #"\#(total){client="a\"b\\c%0Ad",server="a\"b\\c%0Ad",connection_type=""}"#
    #expect(metrics[hostile] == 1)
    #expect(metrics[#"\#(total){client="ads",server="ads",connection_type=""}"#] == 4)
    let overflow = #"client="__overflow__",server="__overflow__",connection_type="""#
    #expect(metrics["\(total){\(overflow)}"] == 3)
  }

  /// Scenario: a scraper accepts OpenMetrics; calls of an edge can be looked at, some in equal
  /// buckets, some that failed, one longer than any bound.
  /// Guarantees: the form by its rules: families without `_total`, units, an end; each exemplar at the
  /// bucket that holds it, the last of several; failed calls at their counter; values as in the
  /// plain form, which has no exemplars.
  @Test func openMetrics() async throws {
    let fixture = QueryFixture()
    let traces = (1...4).map { TraceID(high: 0xAB, low: $0) }
    fixture.backend.state.withLock { state in
      state.metrics = [
        Metric("spangate_request_bytes_total", .counter, help: "With \"quotes\".", value: 3)
      ]
      var examples = EdgeExemplars()
      let second = 1_790_000_000 * Nanos.second
      examples.offer(
        trace: traces[0], end: second + 5, server: 3 * .millisecond, client: nil, failed: false)
      examples.offer(
        trace: traces[1], end: second, server: 3_500_000, client: 4 * .millisecond, failed: true)
      examples.offer(
        trace: traces[2], end: second, server: .hour, client: nil, failed: false)
      let frontend = state.node("frontend", namespace: "shop")
      let checkout = state.node("checkout", namespace: "shop")
      state.exemplars[.edge(frontend, checkout, .direct)] = examples
    }
    let response = try await fixture.ask(
      "/metrics", headers: [.accept: "application/openmetrics-text;version=1.0.0,*/*;q=0.1"])
    #expect(
      response.headers[.contentType]
        == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    let lines = response.text.split(separator: "\n").map(String.init)
    #expect(lines.last == "# EOF" && response.text.hasSuffix("# EOF\n"))
    let prefix = "traces_service_graph_request"
    let labels = #"client="shop/frontend",server="shop/checkout",connection_type="""#
    func id(_ index: Int) -> String { "{trace_id=\"\(traces[index])\"}" }
    let expected = [
      "# TYPE \(prefix) counter", "# TYPE \(prefix)_server_seconds histogram",
      "# UNIT \(prefix)_server_seconds seconds", "\(prefix)_total{\(labels)} 10",
      "\(prefix)_failed_total{\(labels)} 1 # \(id(1)) 0.003500000 1790000000.000000000",
      "\(prefix)_server_seconds_bucket{\(labels),le=\"0.004\"} 0 # \(id(0)) 0.003000000 "
        + "1790000000.000000005",
      "\(prefix)_server_seconds_bucket{\(labels),le=\"+Inf\"} 1 # \(id(2)) 3600.000000000 "
        + "1790000000.000000000",
      "# TYPE spangate_request_bytes counter", "# UNIT spangate_request_bytes bytes",
      #"# HELP spangate_request_bytes With \"quotes\"."#, "spangate_request_bytes_total 3",
    ]
    for line in expected { #expect(lines.contains(line), "\(line)") }
    // The last of a bucket; nothing of an edge without durations on that side.
    #expect(lines.count { $0.contains("# {") } == 3)
    let plain = try await fixture.ask("/metrics").text
    #expect(!plain.contains("# {") && !plain.contains("# EOF"))
    func values(_ text: String) -> [String] {
      text.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.contains("query_requests") }
        .map { String($0).replacing(#/ # \{.*/#, with: "") }
    }
    #expect(values(response.text) == values(plain))
  }

  /// Scenario: what scrapers and browsers send as Accept, and nonsense.
  /// Guarantees: OpenMetrics only for who names it in a version that is spoken, and not where the
  /// plain form is more welcome.
  @Test(arguments: [
    ("", false), ("*/*", false), ("text/plain", false), ("text/html,*/*;q=0.8", false),
    ("application/openmetrics-text", true), ("application/openmetrics-text; version=1.0.0", true),
    ("Application/OpenMetrics-Text;version=\"1.0.0\"", true),
    ("application/openmetrics-text;version=0.0.1", false),
    ("application/openmetrics-text;version=1.0.0;q=0", false),
    ("application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.5", false),
    (
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
        + "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      true
    ),
    (";;q=,=;,,application/openmetrics-text;q=many", false), (" , ;", false),
  ])
  func accepting(header: String, isOpenMetrics: Bool) {
    #expect(AcceptedTypes(header).prefersOpenMetrics == isOpenMetrics)
  }

  /// Scenario: a few requests to known and unknown paths, then a scrape.
  /// Guarantees: they are counted by route and status.
  @Test func requestsAreCounted() async throws {
    let fixture = QueryFixture()
    _ = try await fixture.ask("/api/v1/services/shop/checkout")
    _ = try await fixture.ask("/api/v1/services/shop/nobody")
    for number in 0..<3 { _ = try await fixture.ask("/nowhere/\(number)") }
    let metrics = try await scrape(fixture)
    let name = "spangate_query_requests_total"
    let route = "/api/v1/services/{namespace}/{name}"
    #expect(metrics["\(name){route=\"\(route)\",status=\"200\"}"] == 1)
    #expect(metrics["\(name){route=\"\(route)\",status=\"404\"}"] == 1)
    #expect(metrics["\(name){route=\"unknown\",status=\"404\"}"] == 3)
  }
}

/// Prometheus text, read by the rules of format 0.0.4.
struct Exposition {
  /// Values by name and labels, as written.
  private(set) var samples: [String: Double] = [:]
  private(set) var types: [String: String] = [:]
  private(set) var help: [String: String] = [:]

  subscript(key: String) -> Double? { samples[key] }

  /// nil when a line is malformed, a sample comes twice or belongs to no announced metric.
  init?(_ text: String) {
    guard text.hasSuffix("\n") else { return nil }
    for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      if line.hasPrefix("# HELP ") {
        help[String(words[2])] = words.count > 3 ? String(words[3]) : ""
      } else if line.hasPrefix("# TYPE ") {
        guard words.count == 4, help[String(words[2])] != nil, types[String(words[2])] == nil else {
          return nil
        }
        types[String(words[2])] = String(words[3])
      } else {
        guard let (key, value) = Exposition.sample(line), samples[key] == nil,
          isAnnounced(key)
        else { return nil }
        samples[key] = value
      }
    }
  }

  private func isAnnounced(_ key: String) -> Bool {
    let name = String(key.prefix { $0 != "{" })
    if types[name] != nil { return true }
    return ["_bucket", "_sum", "_count"].contains { suffix in
      name.hasSuffix(suffix) && types[String(name.dropLast(suffix.count))] == "histogram"
    }
  }

  private static func sample(_ line: Substring) -> (String, Double)? {
    let pattern =
      #/
      ([a-zA-Z_:][a-zA-Z0-9_:]*
        (?:\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)+\})?)
      [\ ](\S+)
      /#
    guard let match = line.wholeMatch(of: pattern), let value = Double(match.2) else { return nil }
    return (String(match.1), value)
  }
}
