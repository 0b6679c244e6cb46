import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Query

@Suite struct AdministrationRoutesTests {
  /// Scenario: flush, twice.
  /// Guarantees: the backend flushed before the answer says so.
  @Test func flush() async throws {
    let fixture = QueryFixture()
    for count in 1...2 {
      let response = try await fixture.ask("/api/v1/admin/flush", .post)
      #expect(response.status == .ok)
      #expect(try response.json()["flushed"] as? Bool == true)
      #expect(try response.json()["time"] as? String == "2026-09-21T14:13:25Z")
      #expect(fixture.backend.state.withLock(\.flushCount) == count)
    }
    let wrong = try await fixture.ask("/api/v1/admin/flush?now=1", .post)
    #expect(wrong.status == .badRequest)
    #expect(try wrong.fieldErrors()["now"]?.contains("takes none") == true)
  }

  /// Scenario: the gateway is not ready, then it is.
  /// Guarantees: it is alive all the time; queries and readiness answer 503 with the reason until
  /// then; metrics are always shown.
  @Test func readiness() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.readiness = .notReady("replaying the journal") }
    for path in ["/readyz", "/api/v1/graph", "/api/v1/graph?nonsense=1", "/api/v1/services"] {
      let response = try await fixture.ask(path)
      #expect(response.status == .serviceUnavailable)
      #expect(response.headers[.retryAfter] == "1")
      #expect(try #require(try response.json()["detail"] as? String).contains("replaying"))
    }
    #expect(try await fixture.ask("/api/v1/admin/flush", .post).status == .serviceUnavailable)
    #expect(try await fixture.ask("/livez").text == "ok\n")
    #expect(try await fixture.ask("/metrics").status == .ok)
    fixture.backend.state.withLock { $0.readiness = .ready }
    #expect(try await fixture.ask("/readyz").text == "ready\n")
    #expect(try await fixture.ask("/readyz?probe=%").status == .ok)
  }

  /// Scenario: the OpenAPI document.
  /// Guarantees: every route with its parameters; every reference leads somewhere.
  @Test func openAPI() async throws {
    let response = try await QueryFixture().ask("/api/v1/openapi.json")
    let json = try response.json()
    #expect(json["openapi"] as? String == "3.1.0")
    let paths = try #require(json["paths"] as? [String: [String: [String: Any]]])
    #expect(
      paths.keys.sorted() == [
        "/api/deep-dependencies", "/api/dependencies", "/api/graph/data", "/api/graph/fields",
        "/api/health", "/api/v1/admin/flush", "/api/v1/critical-path", "/api/v1/flagger/{hook}",
        "/api/v1/flow-logs", "/api/v1/gate", "/api/v1/graph",
        "/api/v1/graph/diff", "/api/v1/graph/paths", "/api/v1/health",
        "/api/v1/health/{namespace}/{name}", "/api/v1/kayenta/canary/{id}",
        "/api/v1/kayenta/canaryConfig", "/api/v1/markers", "/api/v1/markers/{id}",
        "/api/v1/markers/{id}/impact",
        "/api/v1/openapi.json", "/api/v1/root-causes", "/api/v1/services",
        "/api/v1/services/{namespace}/{name}", "/api/v1/services/{namespace}/{name}/impact",
        "/api/v1/shifts", "/api/v1/traces/{trace_id}",
        "/api/v1/verdicts",
        "/api/v1/verdicts/{id}", "/api/v1/webhooks/{source}", "/api/v1/what-if",
        "/api/v2/dependencies",
        "/livez", "/metrics",
        "/readyz",
      ])
    let graph = try #require(paths["/api/v1/graph"]?["get"])
    let parameters = try #require(graph["parameters"] as? [[String: Any]])
    #expect(
      parameters.compactMap { $0["name"] as? String } == [
        "start", "end", "environment", "cluster", "dimension", "service", "namespace", "depth",
        "direction", "format",
      ])
    let segments = paths["/api/v1/services/{namespace}/{name}"]?["get"]?["parameters"]
    #expect((segments as? [[String: Any]])?.first?["in"] as? String == "path")
    #expect(paths["/api/v1/admin/flush"]?["post"] != nil)
    let components = try #require(json["components"] as? [String: [String: Any]])
    let schemas = try #require(components["schemas"])
    let references = response.text.matches(of: /#\/components\/schemas\/([A-Za-z]+)/)
    #expect(references.count > 10)
    for reference in references { #expect(schemas[String(reference.1)] != nil) }
  }

  /// Scenario: the answers of the routes against their own schemas.
  /// Guarantees: every member an answer has is in its schema.
  @Test func answersMatchTheirSchemas() async throws {
    let fixture = QueryFixture()
    let document = try await fixture.ask("/api/v1/openapi.json").json()
    let components = document["components"] as? [String: [String: [String: Any]]]
    let schemas = try #require(components?["schemas"])
    func check(_ value: Any, _ name: String) {
      guard let object = value as? [String: Any] else { return }
      let properties = schemas[name]?["properties"] as? [String: [String: Any]] ?? [:]
      for (key, member) in object {
        guard let property = properties[key] else {
          Issue.record("\(name) has no \(key)")
          continue
        }
        let items = property["items"] as? [String: Any]
        let choice = (property["oneOf"] as? [[String: Any]])?.first
        let reference = (items ?? choice ?? property)["$ref"] as? String
        guard let reference, let target = reference.split(separator: "/").last else { continue }
        for element in member as? [Any] ?? [member] { check(element, String(target)) }
      }
    }
    check(try await fixture.ask("/api/v1/graph").json(), "Graph")
    check(try await fixture.ask("/api/v1/services").json(), "Services")
    check(try await fixture.ask("/api/v1/services/shop/checkout").json(), "Service")
    check(try await fixture.ask("/api/v1/graph/diff").json(), "GraphDiff")
    fixture.backend.state.withLock { state in
      let checkout = state.node("checkout", namespace: "shop")
      for version in ["v1", "v2"] { state.version(version, of: checkout) }
    }
    let diff = "/api/v1/graph/diff?service=checkout&version=v2&base_version=v1"
    check(try await fixture.ask(diff).json(), "GraphDiff")
    let paths = "/api/v1/graph/paths?from=frontend&to=database:orders"
    check(try await fixture.ask(paths).json(), "GraphPaths")
    check(try await fixture.ask("/api/graph/fields").json(), "NodeGraphFields")
    check(try await fixture.ask("/api/graph/data").json(), "NodeGraphData")
    check(try await fixture.ask("/api/health").json(), "SourceHealth")
    check(try await fixture.ask("/api/dependencies").json(), "JaegerDependencies")
    let deep = "/api/deep-dependencies?service=checkout"
    check(try await fixture.ask(deep).json(), "JaegerDeepDependencies")
    let trace = TraceRoutesTests.view(spans: 3)
    fixture.backend.state.withLock { $0.traces[trace.trace] = trace }
    check(try await fixture.ask("/api/v1/traces/\(trace.trace)").json(), "Trace")
    check(try await fixture.ask("/api/v1/admin/flush", .post).json(), "Flushed")
    fixture.backend.state.withLock { $0.report = VerdictExample.promote.report }
    let execution = KayentaExecution(service: "a", environment: nil, version: nil, end: nil)
    let canary = "/api/v1/kayenta/canary/"
    check(try await fixture.ask(canary + execution.id).json(), "KayentaExecution")
    check(try await fixture.ask("/api/v1/graph?x=1").json(), "Problem")
  }
}
