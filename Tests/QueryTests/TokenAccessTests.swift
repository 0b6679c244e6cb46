import Access
import Foundation
import Hummingbird
import Markers
import Testing

@testable import Query

/// Scenario for all: a query port that knows a token for each scope.
@Suite struct TokenAccessTests {
  private let made = Dictionary(
    uniqueKeysWithValues: AccessScope.allCases.map {
      ($0, TokenLine.make(name: $0.rawValue, scopes: [$0]))
    })

  private func fixture(
    _ change: (inout QueryConfiguration) -> Void = { _ in }
  ) throws -> QueryFixture {
    QueryFixture(
      tokens: try AccessTokens(lines: made.values.map(\.line), logger: QueryFixture.silence),
      change)
  }

  private func bearer(_ scope: AccessScope) -> HTTPFields {
    [.authorization: "Bearer \(made[scope]?.token ?? "")"]
  }

  /// Scenario: the scope each operation needs, as the description of the API has it.
  /// Guarantees: what changes nothing needs query, the rest what it is for; nothing but the probes is
  /// open to everybody.
  @Test func scopes() async throws {
    let document = try await fixture().ask(
      "/api/v1/openapi.json", headers: bearer(.query)
    ).json()
    let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
    var others: [String: String] = [:]
    for (path, operations) in paths {
      for (method, operation) in operations {
        let scope = operation["x-spangate-scope"] as? String ?? "open"
        if scope == "query" {
          let isQuestion = method == "get" || path.contains("flagger") || path.contains("kayenta")
          #expect(isQuestion, "\(method) \(path)")
        } else {
          others["\(method) \(path)"] = scope
        }
      }
    }
    #expect(
      others == [
        "get /livez": "open", "get /readyz": "open", "post /api/v1/admin/flush": "admin",
        "post /api/v1/flow-logs": "ingest", "post /api/v1/markers": "markers",
        "delete /api/v1/markers/{id}": "markers", "post /api/v1/webhooks/{source}": "markers",
      ])
  }

  /// Scenario: each scope's token on a route of each scope; no token; one that is not known.
  /// Guarantees: only the right one is let in; 401 and 403 otherwise, as problem documents with a
  /// challenge; nothing happens behind them.
  @Test func everyToken() async throws {
    let fixture = try fixture()
    let routes: [(AccessScope, String, HTTPRequest.Method, String?)] = [
      (.query, "/api/v1/graph", .get, nil), (.query, "/metrics", .get, nil),
      (.query, "/api/health", .get, nil), (.admin, "/api/v1/admin/flush", .post, nil),
      (.markers, "/api/v1/markers", .post, "{}"), (.ingest, "/api/v1/flow-logs", .post, "x"),
    ]
    for (needed, path, method, body) in routes {
      for scope in AccessScope.allCases {
        let answer = try await fixture.ask(path, method, headers: bearer(scope), body: body)
        guard scope != needed else {
          #expect(![401, 403].contains(answer.status.code), "\(path) \(scope)")
          continue
        }
        #expect(answer.status == .forbidden, "\(path) \(scope)")
        #expect(try answer.json()["type"] as? String == "urn:spangate:problem:missing-scope")
        #expect(
          answer.headers[.wwwAuthenticate]
            == #"Bearer realm="spangate", error="insufficient_scope", scope="\#(needed.rawValue)""#)
      }
      for (headers, type) in [
        (HTTPFields(), "missing-token"), ([.authorization: "Bearer spg_hunter2"], "unknown-token"),
        ([.authorization: "Basic aHVudGVyMg=="], "unknown-token"),
      ] as [(HTTPFields, String)] {
        let answer = try await fixture.ask(path, method, headers: headers, body: body)
        #expect(answer.status == .unauthorized, "\(path)")
        #expect(try answer.json()["type"] as? String == "urn:spangate:problem:\(type)")
        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer realm=") == true)
        #expect(!answer.text.contains("hunter2"))
      }
    }
    #expect(fixture.backend.state.withLock(\.flushCount) == 1)
    #expect(fixture.backend.state.withLock(\.markers).isEmpty)
  }

  /// Scenario: probes without a token; a question without one while the gateway is not ready.
  /// Guarantees: probes are answered to everybody; others learn nothing.
  @Test func probes() async throws {
    let fixture = try fixture()
    for path in ["/livez", "/readyz"] { #expect(try await fixture.ask(path).status == .ok) }
    fixture.backend.state.withLock { $0.readiness = .notReady("replaying") }
    #expect(try await fixture.ask("/readyz").status == .serviceUnavailable)
    #expect(try await fixture.ask("/api/v1/graph").status == .unauthorized)
  }

  /// Scenario: messages of a source with a secret and of one without.
  /// Guarantees: the first need their own signature and no token; the others need a token for markers.
  @Test func webhooks() async throws {
    let known = try #require(WebhookSecret("hunter2"))
    let fixture = try fixture { $0.webhookSecrets = [.flagger: known] }
    let message = #"{"name":"checkout","namespace":"shop","phase":"Initializing"}"#
    func post(_ source: String, _ headers: HTTPFields = [:]) async throws -> String? {
      let answer = try await fixture.ask(
        "/api/v1/webhooks/\(source)", .post, headers: headers, body: message)
      return answer.status.code < 300 ? nil : try answer.json()["type"] as? String
    }
    var secret = HTTPFields()
    secret[try #require(HTTPFields.Element.Name("X-Spangate-Token"))] = "hunter2"
    #expect(try await post("flagger", secret) == nil)
    #expect(try await post("flagger") == "urn:spangate:problem:bad-signature")
    #expect(try await post("flagger", bearer(.markers)) == "urn:spangate:problem:bad-signature")
    #expect(try await post("argocd") == "urn:spangate:problem:missing-token")
    #expect(try await post("argocd", bearer(.query)) == "urn:spangate:problem:missing-scope")
    let answered = try await post("argocd", bearer(.markers))
    #expect(answered == nil || answered == "urn:spangate:problem:invalid-request")
    #expect(try await post("nobody") == "urn:spangate:problem:missing-token")
  }
}
