import Foundation
public import Markers
public import Model

/// Answers GitHub.
public struct GitHubReviewer: Sendable {
  public let address: GitHubAddress
  private let app: GitHubApp
  private let send: Sending

  public init(address: GitHubAddress, app: GitHubApp, send: @escaping Sending) {
    self.address = address
    self.app = app
    self.send = send
  }

  /// - Returns: What became of it, and why where it went wrong.
  public func deliver(
    _ answer: ReviewAnswer, to review: DeploymentReview, now: Nanos
  ) async -> (delivery: ReviewQueue.Delivery, problem: String) {
    // Asked before it was taken, and asked again here: what is kept on disk may have been changed.
    guard address.isReview(review.callback, of: review.repository) else {
      return (.refused, "the address is none of \(address.base)")
    }
    do {
      let token = try await token(for: review, now: now)
      let reply = try await send(
        OutgoingRequest(
          .post, review.callback, headers: GitHubReviewer.headers(token),
          body: try GitHubReviewer.body(answer, review)))
      return GitHubReviewer.outcome(of: reply)
    } catch {
      return (.failed(retryAfterSeconds: nil), "\(error)")
    }
  }

  /// Good for an hour and for nothing but deployments; got anew for each answer, which are few.
  private func token(for review: DeploymentReview, now: Nanos) async throws -> String {
    let reply = try await send(
      OutgoingRequest(
        .post, address.tokens(of: review.installation),
        headers: GitHubReviewer.headers(try app.proof(now: now)),
        body: #"{"permissions":{"deployments":"write"}}"#))
    let token = (try? JSONReader.read(reply.body))?["token"].text ?? ""
    // A header is made of it.
    let isLegal = !token.isEmpty && token.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    guard reply.isSuccess, isLegal else {
      throw OutgoingRefusal("GitHub gives the App no token: status \(reply.status)")
    }
    return token
  }

  private static func headers(_ token: String) -> [String: String] {
    [
      "authorization": "Bearer \(token)", "accept": "application/vnd.github+json",
      "content-type": "application/json", "x-github-api-version": "2022-11-28",
      "user-agent": "spangate",
    ]
  }

  private static func body(_ answer: ReviewAnswer, _ review: DeploymentReview) throws -> String {
    var body = ["environment_name": review.environmentName, "comment": answer.comment]
    body["state"] = answer.state?.rawValue
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(body), as: UTF8.self)
  }

  /// A token that is out of date, a limit of requests and what is wrong with the server may pass;
  /// any other refusal is for good: the run was reviewed or is over.
  private static func outcome(of reply: OutgoingReply) -> (ReviewQueue.Delivery, String) {
    switch reply.status {
    case 200...299: (.taken, "")
    case 401, 403, 408, 429, 500...:
      (.failed(retryAfterSeconds: reply.retryAfterSeconds), "status \(reply.status)")
    default: (.refused, "status \(reply.status)")
    }
  }
}
