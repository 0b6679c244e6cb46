import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Model
import TestSupport
import Testing

@testable import Query

private struct StoreIsBroken: Error {}

@Suite struct RefusalTests {
  /// Scenario: one wrong parameter each.
  /// Guarantees: a 400 that names the parameter and says what would be right.
  @Test(arguments: [
    ("strat=1790000000", "strat", "Did you mean \"start\"?"),
    ("Service=a", "Service", "Did you mean \"service\"?"),
    ("xyz=1", "xyz", "This path takes start, end"),
    ("start=yesterday", "start", "RFC 3339"),
    ("end=12345", "end", "10, 13, 16 or 19 digits"),
    ("start=1790000000&end=1790000000", "start", "before the end"),
    ("start=1790001000", "start", "(now)"),
    ("start=1600000000", "start", "400 days at most"),
    ("start=1790000000&start=1790000000", "start", "more than once"),
    ("service=a&depth=-1", "depth", "from 0 to 64"),
    ("service=a&depth=99999999999999999999", "depth", "from 0 to 64"),
    ("service=a&direction=left", "direction", "up, down, both"),
    ("format=svg", "format", "json, dot, mermaid, graphml"),
    ("depth=1", "depth", "together with `service`"),
    ("direction=up", "direction", "together with `service`"),
    ("service=", "service", "not be empty"),
    ("environment=\(String(repeating: "x", count: 1025))", "environment", "1024 bytes"),
  ])
  func wrongParameters(query: String, field: String, message: String) async throws {
    let fixture = QueryFixture()
    let response = try await fixture.ask("/api/v1/graph?\(query)")
    #expect(response.status == .badRequest)
    #expect(response.headers[.contentType] == "application/problem+json")
    let json = try response.json()
    #expect(json["type"] as? String == "urn:spangate:problem:invalid-request")
    #expect(json["title"] as? String == "The request cannot be understood")
    #expect(json["status"] as? Int == 400)
    #expect(try #require(json["detail"] as? String).contains(message))
    #expect(try #require(try response.fieldErrors()[field]).contains(message))
    #expect(fixture.backend.state.withLock(\.asked).isEmpty)
  }

  /// Scenario: several wrong parameters at once.
  /// Guarantees: all are reported, and the detail says how many.
  @Test func allAtOnce() async throws {
    let response = try await QueryFixture().ask("/api/v1/graph?start=x&end=y&formt=dot")
    #expect(try Set(response.fieldErrors().keys) == ["start", "end", "formt"])
    #expect(
      try response.json()["detail"] as? String == "3 parameters are wrong; `errors` lists them.")
  }

  /// Scenario: query strings that are not properly encoded, or too long.
  /// Guarantees: refused for that reason.
  @Test func badEncoding() async throws {
    let fixture = QueryFixture()
    for query in ["service=%", "service=%4", "service=%zz", "service=%ff", "%=1"] {
      let response = try await fixture.ask("/api/v1/graph?\(query)")
      #expect(response.status == .badRequest)
      #expect(try #require(try response.json()["detail"] as? String).contains("encoded"))
    }
    let long = try await fixture.ask("/api/v1/graph?\(String(repeating: "a&", count: 5_000))")
    #expect(long.status == .uriTooLong)
    #expect(try await fixture.ask("/api/v1/graph?&&").status == .ok)
  }

  /// Scenario: paths nobody has.
  /// Guarantees: 404 that names what is nearby, or where everything is listed.
  @Test func unknownPaths() async throws {
    let fixture = QueryFixture()
    let typo = try await fixture.ask("/api/v1/grpah")
    #expect(typo.status == .notFound)
    #expect(try #require(try typo.json()["detail"] as? String).contains("Nearby: /api/v1/graph"))
    for path in ["/", "/elsewhere", "/api/v1/services//x", "/api/v1/services/%ff/x", "*", ""] {
      let response = try await fixture.ask(path)
      #expect(response.status == .notFound)
      #expect(response.headers[.contentType] == "application/problem+json")
    }
    let root = try await fixture.ask("/")
    #expect(try #require(try root.json()["detail"] as? String).contains("openapi.json"))
  }

  /// Scenario: methods a path does not take; HEAD where GET is.
  /// Guarantees: 405 with Allow; HEAD has the headers of GET and no body.
  @Test func methods() async throws {
    let fixture = QueryFixture()
    let delete = try await fixture.ask("/api/v1/graph", .delete)
    #expect(delete.status == .methodNotAllowed)
    #expect(delete.headers[.allow] == "GET, HEAD")
    #expect(try await fixture.ask("/api/v1/admin/flush").headers[.allow] == "POST")
    let get = try await fixture.ask("/api/v1/graph")
    let head = try await fixture.ask("/api/v1/graph", .head)
    #expect(head.status == .ok)
    #expect(head.body.readableBytes == 0)
    #expect(head.headers[.contentLength] == get.headers[.contentLength])
    #expect(head.headers[.contentLength] == String(get.body.readableBytes))
    #expect(try await fixture.ask("/nothing", .head).status == .notFound)
  }

  /// Scenario: bodies that are declared too large or turn out to be.
  /// Guarantees: 413; a small one is ignored.
  @Test func bodies() async throws {
    let fixture = QueryFixture { $0.bodyBytesMax = 100 }
    let declared = try await fixture.ask(
      "/api/v1/admin/flush", .post, body: String(repeating: "x", count: 101))
    #expect(declared.status == .contentTooLarge)
    #expect(fixture.backend.state.withLock(\.flushCount) == 0)
    let small = try await fixture.ask("/api/v1/admin/flush", .post, body: "{}")
    #expect(small.status == .ok)
    #expect(fixture.backend.state.withLock(\.flushCount) == 1)
    let onGet = try await fixture.ask("/livez", headers: [.contentLength: "101"])
    #expect(onGet.status == .contentTooLarge)
  }

  /// Scenario: the backend fails: with a problem of its own, by being cancelled, or for good.
  /// Guarantees: its problem is passed on; the rest says nothing of the inside.
  @Test func backendFails() async throws {
    let fixture = QueryFixture()
    func answer(_ failure: any Error) async throws -> TestResponse {
      fixture.backend.state.withLock { $0.failure = failure }
      return try await fixture.ask("/api/v1/graph")
    }
    let own = try await answer(QueryProblem(.bodyTooLarge, "as it is"))
    #expect(own.status == .contentTooLarge)
    #expect(try own.json()["detail"] as? String == "as it is")
    #expect(try await answer(CancellationError()).status == .serviceUnavailable)
    let broken = try await answer(StoreIsBroken())
    #expect(broken.status == .internalServerError)
    #expect(!broken.text.contains("StoreIsBroken"))
    #expect(try await fixture.ask("/api/v1/admin/flush", .post).status == .internalServerError)
  }

  /// Scenario: random methods, paths and query strings made of what the API knows and of noise.
  /// Guarantees: never a 500; every refusal is a problem document; the server goes on.
  @Test func anyQueryString() async throws {
    var random = SeededGenerator("anyQueryString")
    let fixture = QueryFixture()
    let paths = [
      "/api/v1/graph", "/api/v1/services", "/api/v1/services/shop/checkout", "/metrics",
      "/api/v1/services/-/%2e", "/livez", "/api/v1/admin/flush", "/api/v1/openapi.json", "/api",
    ]
    let pieces = [
      "start", "end", "service", "depth", "format", "direction", "environment", "namespace", "=",
      "=", "=", "&", "&", "&", "?", "#", "%", "%00", "%ff", "+", ":", "-", "/", "json", "dot", "up",
      "0", "1790000000", "99999999999999999999", "2026-09-21T14:13:20Z", "2026-02-30T00:00:00Z",
      "é", "\u{1F600}", "a", "shop/checkout", "checkout", ";", "[]", "\"",
    ]
    let requests = (0..<1_500).map { _ -> (String, HTTPRequest.Method) in
      let query = (0..<Int.random(in: 0...9, using: &random)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }
      let method = [HTTPRequest.Method.get, .get, .get, .post, .head, .put, .options]
        .randomElement(using: &random)
      let path = paths.randomElement(using: &random) ?? "/"
      return ("\(path)?\(query.joined())", method ?? .get)
    }
    try await fixture.server.application().test(.router) { client in
      var accepted = 0
      for (uri, method) in requests {
        let response = try await client.execute(uri: uri, method: method)
        #expect(response.status.code < 500, "\(method) \(uri)")
        if response.status == .ok { accepted += 1 }
        if response.status != .ok, method != .head {
          #expect(try response.json()["status"] as? Int == response.status.code)
        }
      }
      #expect(accepted > 100)
    }
  }
}
