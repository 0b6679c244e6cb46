import Foundation
import Hummingbird
import HummingbirdTesting
import Testing

@testable import Query

@Suite struct FlowLogRoutesTests {
  private let path = "/api/v1/flow-logs"

  private func answer(
    accepted: Int = 0, skipped: Int = 0, rejected: Int = 0
  ) -> FlowLogAnswer {
    FlowLogAnswer(
      accepted: accepted, skipped: skipped, skippedReasons: ["no_data": skipped],
      rejectedLines: rejected, rejectedReasons: ["malformed": rejected],
      rejected: (0..<min(rejected, 2)).map { .init(line: $0 + 1, message: "line \($0 + 1) is bad") }
    )
  }

  /// Scenario: lines posted plain and with gzip, with and without an environment.
  /// Guarantees: handed on as they are; the answer says what became of them; the room for the body is given
  /// back.
  @Test func posting() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock {
      $0.flowLogAnswer = answer(accepted: 5, skipped: 2, rejected: 3)
    }
    let plain = try await fixture.ask(path, .post, body: "lines")
    #expect(plain.status == .ok)
    let json = try plain.json()
    #expect(json["accepted"] as? Int == 5 && json["skipped"] as? Int == 2)
    #expect(json["skipped_reasons"] as? [String: Int] == ["no_data": 2])
    #expect(json["rejected_lines"] as? Int == 3)
    #expect(json["rejected_reasons"] as? [String: Int] == ["malformed": 3])
    let rejected = try #require(json["rejected"] as? [[String: Any]])
    #expect(rejected.map { $0["line"] as? Int } == [1, 2])
    #expect(rejected[0]["message"] as? String == "line 1 is bad")
    _ = try await fixture.ask(
      path + "?environment=prod", .post, headers: [.contentEncoding: "gzip"], body: "packed")
    let posts = fixture.backend.state.withLock(\.flowLogs)
    #expect(
      posts == [
        FlowLogPost(tenant: .standard, environment: "", body: Array("lines".utf8), isGzip: false),
        FlowLogPost(
          tenant: .standard, environment: "prod", body: Array("packed".utf8), isGzip: true),
      ])
    #expect(fixture.backend.state.withLock(\.bytesReserved) == 0)
  }

  /// Scenario: a body of which nothing is a flow log; one with nothing but intervals without data; nothing.
  /// Guarantees: the first is a mistake that is explained; the others are taken.
  @Test func unreadable() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.flowLogAnswer = answer(rejected: 4) }
    let bad = try await fixture.ask(path, .post, body: "{}")
    #expect(bad.status == .badRequest)
    #expect(try bad.fieldErrors() == ["line 1": "line 1 is bad", "line 2": "line 2 is bad"])
    for fine in [answer(skipped: 1, rejected: 4), answer()] {
      fixture.backend.state.withLock { $0.flowLogAnswer = fine }
      #expect(try await fixture.ask(path, .post, body: "x").status == .ok)
    }
  }

  /// Scenario: a body of a megabyte, one beyond what is taken, another encoding, no room, an unknown
  /// parameter, another method.
  /// Guarantees: the first is taken though other routes would not; each other is refused as what it is.
  @Test func limits() async throws {
    let fixture = QueryFixture()
    fixture.backend.state.withLock { $0.flowLogAnswer = answer(accepted: 1) }
    let megabyte = String(repeating: "x", count: 1 << 20)
    #expect(try await fixture.ask(path, .post, body: megabyte).status == .ok)
    #expect(try await fixture.ask("/api/v1/markers", .post, body: megabyte).status == .badRequest)
    let nine = String(repeating: megabyte, count: 9)
    let large = try await fixture.ask(path, .post, body: nine)
    #expect(large.status == .contentTooLarge && large.text.contains("in parts, or with gzip"))
    let brotli = try await fixture.ask(
      path, .post, headers: [.contentEncoding: "br"], body: "x")
    #expect(brotli.status == .badRequest && brotli.text.contains("gzip or none"))
    #expect(try await fixture.ask(path + "?env=a", .post, body: "x").status == .badRequest)
    #expect(try await fixture.ask(path).status == .methodNotAllowed)
    fixture.backend.state.withLock { $0.hasRoom = false }
    let full = try await fixture.ask(path, .post, body: "x")
    #expect(full.status == .serviceUnavailable && full.headers[.retryAfter] == "5")
    #expect(fixture.backend.state.withLock(\.bytesReserved) == 0)
  }

  /// Scenario: the description of the route, and its answer.
  /// Guarantees: the body is text; every member of the answer is described.
  @Test func openAPI() async throws {
    let fixture = QueryFixture()
    let document = try await fixture.ask("/api/v1/openapi.json").json()
    let paths = document["paths"] as? [String: [String: [String: Any]]]
    let body = paths?[path]?["post"]?["requestBody"] as? [String: Any]
    #expect((body?["content"] as? [String: Any])?.keys.first == "text/plain")
    let components = document["components"] as? [String: [String: [String: Any]]]
    let schema = components?["schemas"]?["FlowLogs"]?["properties"] as? [String: Any]
    #expect(
      schema?.keys.sorted() == [
        "accepted", "rejected", "rejected_lines", "rejected_reasons", "skipped",
        "skipped_reasons",
      ])
  }
}
