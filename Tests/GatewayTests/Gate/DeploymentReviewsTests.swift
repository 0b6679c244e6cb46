import Crypto
import CryptoExtras
import Foundation
import Impact
import Logging
import Markers
import Model
import Outgoing
import Query
import Synchronization
import Testing

@testable import Gateway

/// Scenario for all: a gate and a GitHub of values, and a folder of its own.
@Suite struct DeploymentReviewsTests {
  private final class World: Sendable {
    struct State {
      var now: Nanos = 1_790_000_000 * .second
      var opinion = DeploymentReviews.Opinion(verdict: .wait, comment: "wait: no data")
      var isGateAway = false
      var status = 204
      var requests: [GateRequest] = []
      var told: [String] = []
    }
    struct Away: Error {}

    let state = Mutex(State())

    @Sendable func ask(_ request: GateRequest) async throws -> DeploymentReviews.Opinion {
      try state.withLock { state in
        state.requests.append(request)
        if state.isGateAway { throw Away() }
        return state.opinion
      }
    }

    @Sendable func send(_ request: OutgoingRequest) async throws -> OutgoingReply {
      state.withLock { state in
        guard request.url.hasSuffix("/deployment_protection_rule") else {
          return OutgoingReply(status: 201, body: Array(#"{"token":"t"}"#.utf8))
        }
        state.told.append(request.body)
        return OutgoingReply(status: state.status)
      }
    }
  }

  private static let key = Result {
    try _RSA.Signing.PrivateKey(keySize: .bits2048).pemRepresentation
  }

  private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "spangate-reviews-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try DeploymentReviewsTests.key.get()
      .write(to: folder.appending(path: "app.pem"), atomically: true, encoding: .utf8)
    try await body(folder.path)
  }

  private func reviews(_ world: World, _ folder: String) -> DeploymentReviews {
    DeploymentReviews(
      configuration: GitHubSection(),
      reviewer: GitHubReviewer(
        address: .standard, app: GitHubApp(id: "1", keyFile: folder + "/app.pem"),
        send: world.send),
      file: ReviewFile(directory: folder),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      clock: { world.state.withLock(\.now) })
  }

  private func review(_ callback: String? = nil) throws -> DeploymentReview {
    let standard =
      "https://api.github.com/repos/shop/checkout/actions/runs/7/deployment_protection_rule"
    let body = """
      {"environment": "prod", "installation": {"id": 4}, "deployment": {"sha": "v42"},
       "deployment_callback_url": "\(callback ?? standard)",
       "repository": {"full_name": "shop/checkout"}}
      """
    return try DeploymentReview(
      WebhookMessage(body: try JSONReader.read(Array(body.utf8)), received: 0), tenant: TenantID(2))
  }

  private func value(_ name: String, _ reviews: DeploymentReviews, outcome: String? = nil)
    -> Double?
  {
    reviews.metrics.first { $0.name == name }?.samples
      .first { outcome == nil || $0.labels["outcome"] == outcome }?.value
  }

  /// Scenario: the gate waits, is away, and promotes; the process ends in between, before GitHub took
  /// the answer.
  /// Guarantees: the gate is asked what the message says; GitHub gets a report, then the verdict, after
  /// the restart too; everything is counted.
  @Test func approvedAfterRestart() async throws {
    try await withFolder { folder in
      let world = World()
      var reviews = reviews(world, folder)
      #expect(try reviews.add(review()) == .added)
      #expect(try reviews.add(review()) == .known)
      for _ in 1...2 { try await reviews.work(asking: world.ask) }
      let request = try #require(world.state.withLock(\.requests).first)
      #expect(
        request
          == GateRequest(
            tenant: TenantID(2), service: "checkout", environment: "prod", version: "v42"))
      #expect(
        world.state.withLock(\.told)
          == [#"{"comment":"wait: no data","environment_name":"prod"}"#])
      #expect(value("spangate_github_reports_total", reviews) == 1)
      world.state.withLock { state in
        state.isGateAway = true
        state.now += 20 * .second
      }
      try await reviews.work(asking: world.ask)
      world.state.withLock { state in
        state.isGateAway = false
        state.opinion = .init(verdict: .promote, comment: "promote: fine")
        state.status = 500
        state.now += 20 * .second
      }
      for _ in 1...2 { try await reviews.work(asking: world.ask) }
      #expect(value("spangate_github_failures_total", reviews) == 1)
      #expect(value("spangate_github_reviews_waiting", reviews) == 1)
      reviews = self.reviews(world, folder)
      #expect(value("spangate_github_reviews_waiting", reviews) == 1)
      world.state.withLock { state in
        state.opinion = .init(verdict: .rollback, comment: "rollback: too late")
        state.status = 204
        state.now += 10 * .second
      }
      try await reviews.work(asking: world.ask)
      #expect(
        world.state.withLock(\.told).last
          == #"{"comment":"promote: fine","environment_name":"prod","state":"approved"}"#)
      #expect(value("spangate_github_reviews_total", reviews, outcome: "approved") == 1)
      #expect(value("spangate_github_reviews_waiting", reviews) == 0)
      #expect(value("spangate_github_reviews_waiting", self.reviews(world, folder)) == 0)
    }
  }

  /// Scenario: a rollback; a run that is gone; time that runs out; a foreign callback; a folder that is
  /// gone; a file that is none.
  /// Guarantees: rejected, refused and rejected as set up; what is foreign or cannot be kept is not
  /// taken; what cannot be read does not keep the gateway from starting.
  @Test func otherEnds() async throws {
    try await withFolder { folder in
      let world = World()
      let reviews = reviews(world, folder)
      world.state.withLock { $0.opinion = .init(verdict: .rollback, comment: "rollback: worse") }
      #expect(try reviews.add(review()) == .added)
      for _ in 1...2 { try await reviews.work(asking: world.ask) }
      #expect(value("spangate_github_reviews_total", reviews, outcome: "rejected") == 1)
      world.state.withLock { $0.status = 404 }
      #expect(try reviews.add(review()) == .added)
      for _ in 1...2 { try await reviews.work(asking: world.ask) }
      #expect(value("spangate_github_reviews_total", reviews, outcome: "refused") == 1)
      world.state.withLock { state in
        state.status = 204
        state.opinion = .init(verdict: .wait, comment: "wait: no data")
      }
      #expect(try reviews.add(review()) == .added)
      world.state.withLock { $0.now += 31 * .minute }
      for _ in 1...2 { try await reviews.work(asking: world.ask) }
      #expect(value("spangate_github_reviews_total", reviews, outcome: "rejected") == 2)
      #expect(world.state.withLock(\.told).last?.contains("no verdict in time") == true)
      guard case .foreign = try reviews.add(review("http://169.254.169.254/")) else {
        Issue.record("a foreign callback was taken")
        return
      }
      try "{".write(toFile: folder + "/github-reviews.json", atomically: true, encoding: .utf8)
      #expect(value("spangate_github_reviews_waiting", self.reviews(world, folder)) == 0)
      let nowhere = self.reviews(world, folder + "/none")
      #expect(throws: (any Error).self) { try nowhere.add(review()) }
      #expect(value("spangate_github_reviews_waiting", nowhere) == 0)
    }
  }

  /// Scenario: an App without a key, a key without an App, no secret for the messages, a key that is
  /// none, and all that is needed.
  /// Guarantees: the gateway does not start with less than all, and says which key is missing.
  @Test func setUp() async throws {
    try await withFolder { folder in
      var configuration = Configuration()
      let none = try configuration.githubApp()
      #expect(none == nil)
      func problem() -> String {
        do {
          _ = try configuration.githubApp()
          return ""
        } catch { return "\(error)" }
      }
      configuration.github.appID = "1"
      #expect(problem().contains("github.app_key_file"))
      configuration.github.appKeyFile = folder + "/none"
      #expect(problem().contains("webhooks.github.secret"))
      configuration.webhooks[.github].secret = WebhookSecret("s")
      #expect(problem().contains("cannot be read"))
      configuration.github.appKeyFile = folder + "/app.pem"
      #expect(problem().isEmpty)
      configuration.github.appID = ""
      #expect(problem().contains("github.app_id"))
    }
  }
}
