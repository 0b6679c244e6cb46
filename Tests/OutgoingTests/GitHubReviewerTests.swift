import Crypto
import CryptoExtras
import Foundation
import Model
import Testing

@testable import Outgoing

@Suite struct GitHubReviewerTests {
  private func decoded(_ part: Substring) throws -> Data {
    var text = part.replacing("-", with: "+").replacing("_", with: "/")
    while text.count % 4 != 0 { text += "=" }
    return try #require(Data(base64Encoded: String(text)))
  }

  private func json(_ data: Data) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func withApp(
    _ body: (GitHubApp, _RSA.Signing.PrivateKey) async throws -> Void
  ) async throws {
    try await withFolder { folder in
      let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
      let file = folder + "/app.pem"
      try key.pemRepresentation.write(toFile: file, atomically: true, encoding: .utf8)
      try await body(GitHubApp(id: "12345", keyFile: file), key)
    }
  }

  /// Scenario: an App answers, and reports.
  /// Guarantees: it shows a proof that its public key accepts, with times GitHub allows, for a token of
  /// its installation; the answer goes to the callback with that token; a report has no state.
  @Test func answered() async throws {
    try await withApp { app, key in
      let github = FakeGitHub([
        FakeGitHub.token, OutgoingReply(status: 204), FakeGitHub.token, OutgoingReply(status: 204),
      ])
      let reviewer = GitHubReviewer(address: .standard, app: app, send: github.send)
      let review = try review()
      for state in [ReviewAnswer.State.approved, nil] {
        let (delivery, problem) = await reviewer.deliver(
          ReviewAnswer(state, "why"), to: review, now: start)
        #expect(delivery == .taken && problem.isEmpty)
      }
      let asked = github.asked
      #expect(
        asked.map(\.url) == [
          "https://api.github.com/app/installations/44/access_tokens", review.callback,
          "https://api.github.com/app/installations/44/access_tokens", review.callback,
        ])
      let proof = try #require(asked[0].headers["authorization"]).dropFirst("Bearer ".count)
      let parts = proof.split(separator: ".")
      try #require(parts.count == 3)
      #expect(try json(decoded(parts[0]))["alg"] as? String == "RS256")
      let claims = try json(decoded(parts[1]))
      #expect(claims["iss"] as? String == "12345")
      #expect(claims["iat"] as? Int == 1_789_999_940 && claims["exp"] as? Int == 1_790_000_540)
      #expect(
        key.publicKey.isValidSignature(
          _RSA.Signing.RSASignature(rawRepresentation: try decoded(parts[2])),
          for: SHA256.hash(data: Data("\(parts[0]).\(parts[1])".utf8)),
          padding: .insecurePKCS1v1_5))
      #expect(asked[1].headers["authorization"] == "Bearer ghs_1")
      #expect(
        asked[1].body
          == #"{"comment":"why","environment_name":"production","state":"approved"}"#)
      #expect(asked[3].body == #"{"comment":"why","environment_name":"production"}"#)
    }
  }

  /// Scenario: GitHub answers with every kind of status, gives no token, is out of reach; the key is
  /// none; the callback was changed on disk.
  /// Guarantees: what may pass is tried again, after the delay that was asked for; what is final is
  /// not; nothing but the API is ever spoken to, and no key is told of.
  @Test func failures() async throws {
    try await withApp { app, _ in
      let review = try review()
      for (reply, expected) in [
        (OutgoingReply(status: 204), ReviewQueue.Delivery.taken), (.init(status: 200), .taken),
        (.init(status: 302), .refused), (.init(status: 404), .refused),
        (.init(status: 422), .refused),
        (.init(status: 401), .failed(retryAfterSeconds: nil)),
        (.init(status: 403, retryAfterSeconds: 60), .failed(retryAfterSeconds: 60)),
        (.init(status: 429, retryAfterSeconds: 5), .failed(retryAfterSeconds: 5)),
        (.init(status: 500), .failed(retryAfterSeconds: nil)),
        (.init(status: 503), .failed(retryAfterSeconds: nil)),
      ] {
        let github = FakeGitHub([FakeGitHub.token, reply])
        let reviewer = GitHubReviewer(address: .standard, app: app, send: github.send)
        let delivery = await reviewer.deliver(ReviewAnswer(.approved, ""), to: review, now: start)
        #expect(delivery.delivery == expected, "\(reply.status)")
      }
      for token in [
        OutgoingReply(status: 401), .init(status: 201, body: Array("{".utf8)),
        .init(status: 201, body: Array(#"{"token":"a\r\nx: y"}"#.utf8)),
      ] {
        let github = FakeGitHub([token, OutgoingReply(status: 204)])
        let reviewer = GitHubReviewer(address: .standard, app: app, send: github.send)
        let delivery = await reviewer.deliver(ReviewAnswer(.approved, ""), to: review, now: start)
        #expect(delivery.delivery == .failed(retryAfterSeconds: nil))
        #expect(github.asked.count == 1)
      }
      let away = GitHubReviewer(address: .standard, app: app, send: FakeGitHub([]).send)
      let unreached = await away.deliver(ReviewAnswer(.approved, ""), to: review, now: start)
      #expect(unreached == (.failed(retryAfterSeconds: nil), "out of reach"))
      var changed = review
      changed.callback = "https://evil.example/x"
      let github = FakeGitHub([])
      let reviewer = GitHubReviewer(address: .standard, app: app, send: github.send)
      let delivery = await reviewer.deliver(ReviewAnswer(.approved, ""), to: changed, now: start)
      #expect(delivery.delivery == .refused && github.asked.isEmpty)
      try "secret".write(toFile: app.keyFile, atomically: true, encoding: .utf8)
      let (_, problem) = await reviewer.deliver(ReviewAnswer(.approved, ""), to: review, now: start)
      #expect(problem.contains("no RSA key") && !problem.contains("secret"))
      #expect(throws: OutgoingRefusal.self) { try app.check() }
    }
  }

  /// Scenario: comments longer than GitHub takes, of letters and of what is drawn from several signs.
  /// Guarantees: no more than 1 024 are sent, however they are counted.
  @Test func comments() {
    for text in ["x", "e\u{301}", "👩‍👩‍👧", "\r\n"] {
      let comment = ReviewAnswer(nil, String(repeating: text, count: 2_000)).comment
      #expect(comment.unicodeScalars.count == 1_024)
      #expect(comment.count <= 1_024)
    }
    #expect(ReviewAnswer(.approved, "").comment.isEmpty)
  }
}
