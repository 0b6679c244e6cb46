import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import Testing

@testable import Query

@Suite struct GraphRoutesTests {
  /// Scenario: the graph without parameters.
  /// Guarantees: the last 15 minutes are asked for; the widened range is echoed; headers say what
  /// it is and that it must not be kept.
  @Test func defaults() async throws {
    let fixture = QueryFixture()
    let response = try await fixture.ask("/api/v1/graph")
    #expect(response.status == .ok)
    #expect(response.headers[.contentType] == "application/json")
    #expect(response.headers[.cacheControl] == "no-store")
    #expect(response.headers[.xContentTypeOptions] == "nosniff")
    let now = fixture.backend.now
    #expect(fixture.backend.state.withLock(\.asked) == [(now - 15 * .minute)..<now])
    let json = try response.json()
    #expect(json["start"] as? String == "2026-09-21T13:58:20Z")
    #expect(json["end"] as? String == "2026-09-21T14:13:30Z")
    #expect((json["nodes"] as? [Any])?.count == 3)
    let edge = try #require((json["edges"] as? [[String: Any]])?.last)
    #expect(edge["client"] as? String == "shop/frontend")
    #expect(edge["failed"] as? Double == 1)
  }

  /// Scenario: start and end in every form, percent-encoded and with a bare plus.
  /// Guarantees: they reach the backend as the same nanoseconds.
  @Test(arguments: [
    "start=1789999000&end=1790000000", "start=1789999000000&end=1790000000000000",
    "start=2026-09-21T13:56:40Z&end=2026-09-21T14:13:20Z",
    "start=2026-09-21T15:56:40+02:00&end=2026-09-21T14%3A13%3A20.000Z",
    "end=1790000000&start=2026-09-21%2013:56:40%2B00:00",
  ])
  func ranges(query: String) async throws {
    let fixture = QueryFixture()
    let response = try await fixture.ask("/api/v1/graph?\(query)")
    #expect(response.status == .ok)
    let expected = (1_789_999_000 * Nanos.second)..<(1_790_000_000 * Nanos.second)
    #expect(fixture.backend.state.withLock(\.asked) == [expected])
  }

  /// Scenario: only one end of the range is named.
  /// Guarantees: the other follows from it.
  @Test func halfRanges() async throws {
    let fixture = QueryFixture()
    _ = try await fixture.ask("/api/v1/graph?start=1790000000")
    _ = try await fixture.ask("/api/v1/graph?end=1790000000")
    let asked = fixture.backend.state.withLock(\.asked)
    #expect(asked[0] == (1_790_000_000 * Nanos.second)..<fixture.backend.now)
    #expect(asked[1] == (1_789_999_100 * Nanos.second)..<(1_790_000_000 * Nanos.second))
  }

  /// Scenario: each format.
  /// Guarantees: its media type and the beginning of its text.
  @Test(arguments: [
    ("json", "application/json", #"{"start":"#),
    ("dot", "text/vnd.graphviz; charset=utf-8", "digraph spangate {"),
    ("mermaid", "text/vnd.mermaid; charset=utf-8", "flowchart LR"),
    ("graphml", "application/graphml+xml", "<?xml version"),
  ])
  func formats(format: String, type: String, beginning: String) async throws {
    let response = try await QueryFixture().ask("/api/v1/graph?format=\(format)")
    #expect(response.status == .ok)
    #expect(response.headers[.contentType] == type)
    #expect(response.text.hasPrefix(beginning))
  }

  /// Scenario: a neighbourhood, a namespace, an environment nobody has.
  /// Guarantees: the options reach the graph.
  @Test func options() async throws {
    let fixture = QueryFixture()
    func nodes(_ query: String) async throws -> [String] {
      let json = try await fixture.ask("/api/v1/graph?\(query)").json()
      return (json["nodes"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
    }
    #expect(
      try await nodes("service=shop%2Fcheckout&direction=up&depth=1")
        == ["shop/checkout", "shop/frontend"])
    #expect(try await nodes("service=frontend&depth=0") == ["shop/frontend"])
    #expect(try await nodes("namespace=-") == ["database:orders", "shop/checkout"])
    #expect(try await nodes("environment=nowhere") == [])
    #expect(try await nodes("environment=-").count == 3)
  }

  /// Scenario: the list of services, then one of them, one without namespace, one by its id.
  /// Guarantees: each in its shape.
  @Test func services() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { state in
      let mail = state.node("mail/out+1")
      state.call(mail, mail)
    }
    let list = try await fixture.ask("/api/v1/services").json()
    let ids = (list["services"] as? [[String: Any]])?.compactMap { $0["id"] as? String }
    #expect(ids == ["mail%2Fout+1", "shop/checkout", "shop/frontend"])
    let named = try await fixture.ask("/api/v1/services?namespace=shop").json()
    #expect((named["services"] as? [Any])?.count == 2)
    let one = try await fixture.ask("/api/v1/services/shop/checkout").json()
    #expect((one["node"] as? [String: Any])?["id"] as? String == "shop/checkout")
    #expect((one["upstream"] as? [Any])?.count == 1)
    #expect((one["downstream"] as? [Any])?.count == 1)
    let escaped = try await fixture.ask("/api/v1/services/-/mail%2Fout+1")
    #expect(escaped.status == .ok)
    let database = try await fixture.ask("/api/v1/services/-/database:orders").json()
    #expect((database["node"] as? [String: Any])?["kind"] as? String == "database")
  }

  /// Scenario: unknown and ambiguous services.
  /// Guarantees: 404 with what is spelled alike, 400 with the ids.
  @Test func refusedServices() async throws {
    let fixture = QueryFixture()
    let unknown = try await fixture.ask("/api/v1/services/shop/chekout")
    #expect(unknown.status == .notFound)
    #expect(try unknown.json()["type"] as? String == "urn:spangate:problem:unknown-service")
    #expect(try #require(try unknown.json()["detail"] as? String).contains("shop/checkout"))
    #expect(try await fixture.ask("/api/v1/graph?service=nobody").status == .notFound)
    fixture.backend.state.withLock { state in
      let other = state.node("checkout", namespace: "b2b")
      state.call(other, other)
      for environment in ["prod", "test"] {
        let ads = state.node("ads", environment: environment)
        state.call(ads, ads)
      }
    }
    let ambiguous = try await fixture.ask("/api/v1/graph?service=checkout")
    #expect(ambiguous.status == .badRequest)
    let message = try #require(try ambiguous.fieldErrors()["service"])
    #expect(message.contains("b2b/checkout, shop/checkout"))
    let environments = try await fixture.ask("/api/v1/services/-/ads")
    #expect(environments.status == .badRequest)
    #expect(try environments.fieldErrors()["environment"]?.contains("prod, test") == true)
    #expect(try await fixture.ask("/api/v1/services/-/ads?environment=prod").status == .ok)
  }
}
