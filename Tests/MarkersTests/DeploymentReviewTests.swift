import Model
import Testing

@testable import Markers

@Suite struct DeploymentReviewTests {
  private func message(
    environment: String = #""production""#, installation: String = #"{"id": 44}"#,
    deployment: String = #"{"sha": "abc", "payload": {}}"#, address: WebhookAddress = .init()
  ) throws -> WebhookMessage {
    let body = """
      {"action": "requested", "environment": \(environment), "installation": \(installation),
       "deployment_callback_url": "https://api.github.com/x", "deployment": \(deployment),
       "repository": {"full_name": "shop/checkout"}}
      """
    return WebhookMessage(
      body: try JSONReader.read(Array(body.utf8)), received: 0, address: address)
  }

  private func problems(_ message: WebhookMessage) -> [String] {
    do throws(MarkerProblems) {
      _ = try DeploymentReview(message, tenant: .standard)
      return []
    } catch {
      return error.list.map(\.field)
    }
  }

  /// Scenario: a message that says nothing of its own, one with a payload as object and as text, one to
  /// an address that says more, and one to an address that leaves things open.
  /// Guarantees: the gate is asked about the repository's name, the commit and the environment, unless
  /// the payload, and before it the address, says otherwise.
  @Test func question() throws {
    let plain = try DeploymentReview(try message(), tenant: TenantID(3))
    #expect(plain.service == "checkout" && plain.version == "abc" && plain.namespace == nil)
    #expect(plain.environment == "production" && plain.environmentName == "production")
    #expect(plain.installation == 44 && plain.tenant == 3)
    let payload = #"{"service": "till", "namespace": "shop", "version": "v42"}"#
    let quoted = "\"" + payload.replacing("\"", with: "\\\"") + "\""
    for written in [payload, quoted] {
      let message = try message(deployment: #"{"sha": "abc", "payload": \#(written)}"#)
      let review = try DeploymentReview(message, tenant: .standard)
      #expect(review.service == "till" && review.namespace == "shop" && review.version == "v42")
    }
    let address = WebhookAddress(service: "cart", namespace: "", environment: "staging")
    let elsewhere = try DeploymentReview(
      try message(deployment: #"{"sha": "abc", "payload": \#(payload)}"#, address: address),
      tenant: .standard)
    #expect(elsewhere.service == "cart" && elsewhere.namespace == nil)
    #expect(elsewhere.environment == "staging" && elsewhere.environmentName == "production")
    let open = try DeploymentReview(
      try message(address: WebhookAddress(environment: "")), tenant: .standard)
    #expect(open.environment == nil)
  }

  /// Scenario: messages without an App, a commit or an environment, of odd types, and with endless texts.
  /// Guarantees: all that is wrong is named at once.
  @Test func problems() throws {
    for installation in ["null", "{}", #"{"id": "44"}"#, #"{"id": -1}"#, #"{"id": 1e99}"#] {
      #expect(problems(try message(installation: installation)) == ["installation.id"])
    }
    #expect(problems(try message(deployment: "null")) == ["deployment.sha"])
    #expect(problems(try message(environment: "7")) == ["environment"])
    let long = String(repeating: "x", count: 600)
    #expect(
      problems(try message(environment: #""\#(long)""#, deployment: #"{"sha": "\#(long)"}"#))
        == ["environment", "deployment.sha"])
    let nothing = WebhookMessage(body: .null, received: 0)
    #expect(
      problems(nothing) == [
        "installation.id", "deployment_callback_url", "environment", "repository.full_name",
        "deployment.payload.service", "deployment.sha",
      ])
    #expect(!DeploymentReview.isAction(in: .null))
    #expect(DeploymentReview.isAction(in: try message().body))
    #expect(DeploymentReview.isAsked(by: ["x-github-event": "deployment_protection_rule"]))
    #expect(!DeploymentReview.isAsked(by: ["x-github-event": "deployment_status"]))
  }
}
