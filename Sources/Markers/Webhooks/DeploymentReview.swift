public import Model

/// A job of a GitHub workflow that deploys once it is approved: what a custom deployment protection
/// rule is asked, and what the gate is asked in its place.
/// - Source: docs.github.com, "Creating custom deployment protection rules"; octokit/webhooks,
///   `deployment_protection_rule/requested.schema.json`.
public struct DeploymentReview: Hashable, Sendable, Codable {
  /// Where GitHub waits for the answer, as the message says it: not to be trusted.
  public var callback: String
  /// As question and answer call what is deployed to.
  public var environmentName: String
  /// `owner/name`.
  public var repository: String
  /// Of the App that answers, in this repository.
  public var installation: Int64
  /// `TenantID.raw` of whoever set the webhook up.
  public var tenant: UInt32
  /// What the gate is asked about: a name or an id.
  public var service: String
  /// nil for any.
  public var namespace: String?
  public var environment: String?
  public var version: String

  static let event = "deployment_protection_rule"
  private static let callbackBytesMax = 2_048
  private static let nameBytesMax = 512

  /// - Parameter headers: by lower-case names.
  public static func isAsked(by headers: [String: String]) -> Bool {
    headers["x-github-event"] == event
  }

  /// Of what is done about a rule, only `requested` asks for an answer.
  public static func isAction(in body: JSONValue) -> Bool { body["action"].text == "requested" }

  /// - Errors: all that is missing from the message, or longer than it may be.
  public init(_ message: WebhookMessage, tenant: TenantID) throws(MarkerProblems) {
    let body = message.body
    let deployment = body["deployment"]
    let payload = GitHubWebhook.payload(deployment["payload"])
    self.tenant = tenant.raw
    callback = body["deployment_callback_url"].text
    environmentName = body["environment"].text
    repository = body["repository"]["full_name"].text
    var problems: [MarkerProblem] = []
    if case .integer(let id) = body["installation"]["id"], id > 0 {
      installation = id
    } else {
      installation = 0
      problems.append(
        MarkerProblem(
          "installation.id",
          "Must be the number of an installation: set up the webhook of the App, not of the "
            + "repository."))
    }
    let named = [payload["service"].plain, lastPart(of: repository)]
    service = message.address.service ?? named.first { !$0.isEmpty } ?? ""
    namespace = DeploymentReview.part(message.address.namespace ?? payload["namespace"].plain)
    environment = DeploymentReview.part(message.address.environment ?? environmentName)
    version = [payload["version"].plain, deployment["sha"].text].first { !$0.isEmpty } ?? ""
    for (field, text, bytesMax) in [
      ("deployment_callback_url", callback, DeploymentReview.callbackBytesMax),
      ("environment", environmentName, DeploymentReview.nameBytesMax),
      ("repository.full_name", repository, DeploymentReview.nameBytesMax),
      ("deployment.payload.service", service, DeploymentReview.nameBytesMax),
      ("deployment.payload.namespace", namespace ?? "-", DeploymentReview.nameBytesMax),
      ("deployment.sha", version, DeploymentReview.nameBytesMax),
    ] where !(1...bytesMax).contains(text.utf8.count) {
      problems.append(MarkerProblem(field, "Must be a text of 1 to \(bytesMax) bytes."))
    }
    guard problems.isEmpty else { throw MarkerProblems(list: problems) }
  }

  /// Nothing is any.
  private static func part(_ text: String) -> String? { text.isEmpty ? nil : text }
}
