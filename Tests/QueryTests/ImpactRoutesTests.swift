import Foundation
import Graph
import HummingbirdTesting
import Impact
import Model
import Testing

@testable import Query

@Suite struct ImpactRoutesTests {
  private static let changed: Nanos = 1_789_999_800 * .second

  /// A service that takes three times as long since something happened, and fails as seldom as before.
  private func fixture(_ name: String = "cart") -> QueryFixture {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let service = state.node(name, namespace: "shop", environment: "prod")
      func windows(_ milliseconds: Nanos, _ count: Int) -> [Window] {
        (0..<count).map { position in
          var window = Window()
          for request in 0..<20 {
            let time = (milliseconds + Nanos((position + request) % 3)) * .millisecond
            var finding = Finding(window: 0, key: .node(service), latency: time, ownTime: time)
            finding.counters[.requests] = 1
            finding.counters[.requestsAdjusted] = 256
            finding.counters[.traces] = 1
            window.add(finding)
          }
          return window
        }
      }
      state.baseWindows = windows(20, 360)
      state.currentWindows = windows(60, 20)
    }
    return fixture
  }

  private func post(_ fixture: QueryFixture, _ marker: String) async throws -> String {
    let posted = try await fixture.ask("/api/v1/markers", .post, body: marker)
    return "/api/v1/markers/\(try #require(try posted.json()["id"] as? String))/impact"
  }

  private func time(_ offset: Int) -> String { "\(1_789_999_800 + offset)" }

  /// Scenario: a deployment, a scaling and a flag, moments or with a beginning and an end; a change that
  /// goes on.
  /// Guarantees: before, during and after as far as there are such; every metric with its effect, interval
  /// and decision; the gate was asked about the marker; it got worse, and a sentence says how.
  @Test(arguments: [
    (#""kind":"deployment","version":"v42""#, nil as Int?, "finished"),
    (#""kind":"scaling","scaling":{"from":3,"to":5}"#, 100, "finished"),
    (#""kind":"feature_flag""#, nil, ""), (#""kind":"config""#, nil, "in_progress"),
  ]) func phases(what: String, seconds: Int?, state: String) async throws {
    let fixture = fixture()
    let end = seconds.map { #","end_time":\#(time($0))"# } ?? ""
    let stated = state.isEmpty ? "" : #","state":"\#(state)""#
    let path = try await post(
      fixture, #"{\#(what),"service":"cart","time":\#(time(0))\#(end)\#(stated)}"#)
    let answer = try await fixture.ask(path)
    #expect(answer.status == .ok)
    let json = try answer.json()
    #expect(json["service"] as? String == "shop/cart")
    #expect(json["environment"] as? String == "prod")
    #expect(json["assessment"] as? String == "worse" && json["verdict"] as? String == "wait")
    let before = try #require(json["before"] as? [String: String])
    #expect(before["end"] == Timestamp.text(ImpactRoutesTests.changed))
    #expect((json["during"] is NSNull) == (seconds == nil && state != "in_progress"))
    #expect((json["after"] is NSNull) == (state == "in_progress"))
    let metrics = try #require(json["metrics"] as? [[String: Any]])
    #expect(
      metrics.map { $0["metric"] as? String }
        == [
          "request_rate", "error_rate", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms",
          "self_time_ms",
        ])
    try #require(metrics.count == 6)
    let slower = metrics[3]
    #expect(slower["decision"] as? String == "harmed")
    #expect((slower["effect"] as? Double).map { abs($0 - 2.8) < 0.2 } == true)
    #expect((slower["interval"] as? [Double])?.count == 2)
    #expect(metrics[1]["effect_kind"] as? String == "difference")
    #expect(metrics[1]["decision"] as? String == "safe" || seconds != nil)
    #expect(metrics[0]["decision"] is NSNull)
    let reasons = try #require(json["reasons"] as? [String])
    #expect(reasons.contains { $0.hasPrefix("latency p95 went from") })
    let asked = try #require(fixture.backend.state.withLock(\.gateRequests).last)
    #expect(asked.marker.map { path.contains($0) } == true && asked.version == nil)
  }

  /// Scenario: a service whose name is markup, as a page.
  /// Guarantees: Markdown with one self-contained chart, without scripts and without the markup; the
  /// chart holds no blank line.
  @Test func page() async throws {
    let fixture = fixture("<script>|*x*")
    let name = "<script>|*x*"
    let path = try await post(
      fixture,
      #"{"kind":"deployment","service":"\#(name)","version":"<b>","time":\#(time(0)),"#
        + #""end_time":\#(time(60))}"#)
    let answer = try await fixture.ask("\(path)?format=markdown")
    #expect(answer.headers[.contentType] == "text/markdown; charset=utf-8")
    let text = answer.text
    #expect(text.hasPrefix("# deployment to &lt;b&gt; of shop/&lt;script&gt;\\|\\*x\\*\n"))
    #expect(!text.contains("<script") && !text.contains("<b>"))
    #expect(ImpactPage.plain("a\u{1b}\n[b](c)_") == "a\u{FFFD}\u{FFFD}\\[b\\]\\(c\\)\\_")
    #expect(text.contains("**It got worse.**") && text.contains("| latency p95 | "))
    let begin = try #require(text.range(of: "<svg"))
    let end = try #require(text.range(of: "</svg>"))
    let chart = text[begin.lowerBound..<end.upperBound]
    #expect(!chart.contains("\n\n") && !chart.contains("nan") && !chart.contains("inf"))
    #expect(chart.components(separatedBy: "stroke-dasharray").count == 5, "two lines in two panels")
    #expect(chart.components(separatedBy: "<polyline").count >= 3)
    // Every element is closed: by itself, or by its end.
    for element in ["svg", "title", "text"] {
      #expect(
        chart.components(separatedBy: "<\(element)").count
          == chart.components(separatedBy: "</\(element)>").count)
    }
    for element in ["rect", "line", "polyline"] {
      let rest = chart.components(separatedBy: "<\(element) ").dropFirst()
      #expect(rest.allSatisfy { $0.prefix { $0 != ">" }.hasSuffix("/") })
    }
  }

  /// Scenario: an id nobody knows and one that is none; a change to come; one of a service never seen;
  /// one of no service; an environment in which the service is not.
  /// Guarantees: 404 for the first; every other is an answer that says so.
  @Test func whatIsNotKnown() async throws {
    let fixture = fixture()
    for id in ["mk_0123456789abcdef", "nonsense"] {
      let answer = try await fixture.ask("/api/v1/markers/\(id)/impact")
      #expect(answer.status == .notFound && answer.text.contains("GET /api/v1/markers"))
    }
    let ahead = try await post(
      fixture, #"{"kind":"config","service":"cart","time":\#(time(400))}"#)
    let future = try await fixture.ask(ahead).json()
    #expect(future["assessment"] as? String == "not_yet" && future["before"] is NSNull)
    #expect((future["reasons"] as? [String])?.first?.contains("still to come") == true)
    #expect(try await fixture.ask("\(ahead)?format=markdown").text.contains("not happened yet"))
    let unseen = try await post(
      fixture, #"{"kind":"config","service":"nobody","time":\#(time(0))}"#)
    let nothing = try await fixture.ask(unseen).json()
    #expect(nothing["assessment"] as? String == "no_data" && nothing["service"] is NSNull)
    #expect(
      (nothing["reasons"] as? [String])?.first?.contains("nothing was seen of nobody") == true)
    #expect(!(try await fixture.ask("\(unseen)?format=markdown").text.contains("<svg")))
    let incident = try await post(fixture, #"{"kind":"incident","time":\#(time(0))}"#)
    let everything = try await fixture.ask(incident).json()
    #expect(everything["assessment"] as? String == "worse")
    #expect(
      (everything["reasons"] as? [String])?.first?.contains("got worse since then: shop/cart")
        == true)
    let here = try await post(
      fixture, #"{"kind":"config","service":"cart","time":\#(time(0))}"#)
    let elsewhere = try await fixture.ask("\(here)?environment=test").json()
    #expect(elsewhere["assessment"] as? String == "no_data")
    #expect(try await fixture.ask("\(here)?format=html").status == .badRequest)
  }
}
