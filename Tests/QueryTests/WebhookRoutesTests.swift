import Crypto
import Foundation
import Graph
import Hummingbird
import HummingbirdTesting
import Markers
import Model
import Testing

@testable import Query

private let path = "/api/v1/webhooks/"

private let deployment = """
  {"action": "created", "deployment_status": {"state": "success", "environment": "prod",
    "created_at": "2026-09-21T13:00:00Z"},
   "deployment": {"id": 7, "sha": "abc", "payload": {"version": "v42"}},
   "repository": {"full_name": "shop/checkout"}}
  """

private let flagger =
  #"{"name": "cart", "namespace": "shop", "phase": "Succeeded", "checksum": "c"}"#

private func code(_ body: String, _ secret: String) -> String {
  let code = HMAC<SHA256>.authenticationCode(
    for: Data(body.utf8), using: SymmetricKey(data: Data(secret.utf8)))
  return code.map { String(format: "%02x", $0) }.joined()
}

/// Header fields by name, as a sender writes them.
private func fields(_ values: [String: String]) -> HTTPFields {
  var fields = HTTPFields()
  for (name, value) in values {
    if let name = HTTPFields.Element.Name(name) { fields[name] = value }
  }
  return fields
}

private let github = fields(["X-GitHub-Event": "deployment_status"])

private func guarded(_ source: WebhookSource) -> QueryFixture {
  QueryFixture { $0.webhookSecrets[source] = WebhookSecret("hunter2") }
}

@Suite struct WebhookRoutesTests {
  /// Scenario: a source tells of a deployment, twice, and of something else.
  /// Guarantees: 200 with the id; the same id again; why the other is no change; each is counted.
  @Test func taken() async throws {
    let fixture = QueryFixture()
    let first = try await fixture.ask(path + "github", .post, headers: github, body: deployment)
    #expect(first.status == .ok)
    let ids = try #require(try first.json()["markers"] as? [String])
    #expect(ids.count == 1)
    let again = try await fixture.ask(path + "github", .post, headers: github, body: deployment)
    #expect(try again.json()["markers"] as? [String] == ids)
    let marker = try #require(fixture.backend.state.withLock(\.markers).first)
    #expect(marker.service == "checkout" && marker.version == "v42" && marker.state == .finished)
    let ping = try await fixture.ask(
      path + "github", .post, headers: fields(["X-GitHub-Event": "ping"]), body: "{}")
    #expect(ping.status == .ok)
    #expect(try (ping.json()["ignored"] as? String)?.contains("ping") == true)
    #expect(fixture.backend.state.withLock(\.markers).count == 1)
    let metrics = try await fixture.ask("/metrics").text
    #expect(metrics.contains(#"spangate_webhooks_total{outcome="taken",source="github"} 2"#))
    #expect(metrics.contains(#"spangate_webhooks_total{outcome="ignored",source="github"} 1"#))
  }

  /// Scenario: the address names service, namespace and environment, and something nobody knows.
  /// Guarantees: they count; what is not known is passed over, as other tools add what they like.
  @Test func address() async throws {
    let fixture = QueryFixture()
    let query = "?service=till&namespace=-&environment=prod&x=1"
    let answer = try await fixture.ask(path + "flagger" + query, .post, body: flagger)
    #expect(answer.status == .ok)
    let marker = try #require(fixture.backend.state.withLock(\.markers).first)
    #expect(marker.service == "till" && marker.namespace == "" && marker.environment == "prod")
  }

  /// Scenario: a secret is set; messages come with the right signature, a wrong one, none, one of another
  /// body, and one that is no signature at all.
  /// Guarantees: only the right one is taken; the others are 401, kept nowhere, and counted.
  @Test func signatures() async throws {
    let right = code(flagger, "hunter2")
    let cases: [(WebhookSource, String, String, [String])] = [
      (
        .github, "X-Hub-Signature-256", "sha256=" + code(deployment, "hunter2"),
        [
          "sha256=" + code(deployment, "hunter3"), "sha256=" + code("{}", "hunter2"), "sha256=zz",
          "",
        ]
      ),
      (
        .circleci, "circleci-signature", "v2=00, v1=" + right,
        ["v1=" + right.dropLast(), "v2=\(right)"]
      ),
      (.gitlab, "X-Gitlab-Token", "hunter2", ["hunter", "hunter22", "é"]),
      (.flagger, "X-Spangate-Token", "hunter2", ["Hunter2"]),
      (.argocd, "Authorization", "Bearer hunter2", ["Bearer x", "hunter2", "Bearer"]),
      (.jenkins, "Authorization", "Basic dTpodW50ZXIy", ["Basic ", "Basic !!", "Basic dTp4"]),
    ]
    for (source, header, good, bad) in cases {
      let fixture = guarded(source)
      let address = path + source.rawValue
      let body = source == .github ? deployment : flagger
      for value in [nil] + bad.map(Optional.some) {
        var headers = source == .github ? github : HTTPFields()
        if let value, let name = HTTPFields.Element.Name(header) { headers[name] = value }
        let answer = try await fixture.ask(address, .post, headers: headers, body: body)
        #expect(answer.status == .unauthorized, "\(source) \(value ?? "")")
        #expect(try answer.json()["type"] as? String == "urn:spangate:problem:bad-signature")
        #expect(!answer.text.contains("hunter"))
      }
      #expect(fixture.backend.state.withLock(\.markers).isEmpty)
      let metric = #"spangate_webhooks_total{outcome="forged",source="\#(source.rawValue)"} "#
      #expect(try await fixture.ask("/metrics").text.contains(metric + "\(bad.count + 1)"))
      var headers = source == .github ? github : HTTPFields()
      if let name = HTTPFields.Element.Name(header) { headers[name] = good }
      let answer = try await fixture.ask(address, .post, headers: headers, body: body)
      #expect(answer.status != .unauthorized, "\(source)")
    }
  }

  /// Scenario: bodies that are no JSON, lack something, or are larger than a message may be; sources
  /// nobody knows; a store that cannot keep anything.
  /// Guarantees: 400 with the place or the field; 404 with the nearest; 503, so that it is sent again.
  @Test func refused() async throws {
    let fixture = QueryFixture()
    let broken = try await fixture.ask(path + "flagger", .post, body: "{\"name\": }")
    #expect(broken.status == .badRequest)
    #expect(try (broken.json()["detail"] as? String)?.contains("line 1, column 10") == true)
    #expect(try await fixture.ask(path + "flagger", .post, body: "").status == .badRequest)
    let empty = try await fixture.ask(path + "flagger", .post, body: "{}")
    #expect(empty.status == .badRequest)
    #expect(try Array(empty.fieldErrors().keys) == ["name"])
    let padding = String(repeating: " ", count: 1 << 20)
    #expect(
      try await fixture.ask(path + "flagger", .post, body: flagger + padding).status == .badRequest)
    let large = flagger + padding.dropLast(flagger.utf8.count)
    #expect(try await fixture.ask(path + "flagger", .post, body: large).status == .ok)
    let unknown = try await fixture.ask(path + "githib", .post, body: "{}")
    #expect(unknown.status == .notFound)
    #expect(try (unknown.json()["detail"] as? String)?.contains("github") == true)
    #expect(try await fixture.ask(path + "github").status == .methodNotAllowed)
    struct Full: Error {}
    fixture.backend.state.withLock { $0.failure = Full() }
    let full = try await fixture.ask(path + "flagger", .post, body: flagger)
    #expect(full.status == .serviceUnavailable)
    #expect(full.headers[.retryAfter] != nil)
  }

  /// Scenario: GitHub asks for the review of a deployment: set up, not set up, without room, at a foreign
  /// address, for another action, incomplete, forged, and when it cannot be kept.
  /// Guarantees: it is handed on once it is whole and its signature right, with what the address says;
  /// each other case has its answer, and is counted.
  @Test func reviews() async throws {
    let headers = fields(["X-GitHub-Event": "deployment_protection_rule"])
    let body = """
      {"action": "requested", "environment": "prod", "installation": {"id": 4},
       "deployment_callback_url": "https://api.github.com/x", "deployment": {"sha": "abc"},
       "repository": {"full_name": "shop/checkout"}}
      """
    let fixture = QueryFixture()
    func ask(_ body: String, _ query: String = "") async throws -> TestResponse {
      try await fixture.ask(path + "github" + query, .post, headers: headers, body: body)
    }
    let taken = try await ask(body, "?environment=-")
    #expect(taken.status == .ok && taken.text == #"{"markers":[],"review":"waiting"}"#)
    let review = try #require(fixture.backend.state.withLock(\.reviews).first)
    #expect(review.service == "checkout" && review.version == "abc" && review.environment == nil)
    fixture.backend.state.withLock { $0.reviewAdmission = .known }
    #expect(try await ask(body).text == taken.text)
    fixture.backend.state.withLock { $0.reviewAdmission = .notSetUp }
    #expect(try (await ask(body).json()["ignored"] as? String)?.contains("github.app_id") == true)
    fixture.backend.state.withLock { $0.reviewAdmission = .foreign("https://git.example.com/") }
    let foreign = try await ask(body)
    #expect(foreign.status == .badRequest)
    #expect(
      try foreign.fieldErrors()["deployment_callback_url"]?.contains("git.example.com") == true)
    fixture.backend.state.withLock { $0.reviewAdmission = .full }
    let full = try await ask(body)
    #expect(full.status == .serviceUnavailable && full.headers[.retryAfter] != nil)
    let other = try await ask(body.replacing("requested", with: "completed"))
    #expect(try (other.json()["ignored"] as? String)?.contains("requested") == true)
    let incomplete = try await ask(body.replacing("abc", with: ""))
    #expect(try Array(incomplete.fieldErrors().keys) == ["deployment.sha"])
    struct Full: Error {}
    fixture.backend.state.withLock { $0.failure = Full() }
    #expect(try await ask(body).status == .internalServerError)
    #expect(fixture.backend.state.withLock(\.markers).isEmpty)
    let metrics = try await fixture.ask("/metrics").text
    for (outcome, count) in [("taken", 2), ("ignored", 2), ("refused", 4)] {
      let metric = #"spangate_webhooks_total{outcome="\#(outcome)",source="github"} \#(count)"#
      #expect(metrics.contains(metric), "\(outcome)")
    }
    let checked = guarded(.github)
    let forged = try await checked.ask(path + "github", .post, headers: headers, body: body)
    #expect(forged.status == .unauthorized)
    #expect(checked.backend.state.withLock(\.reviews).isEmpty)
  }
}
