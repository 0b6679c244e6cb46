import Foundation
import Markers
import Model
import Synchronization

@testable import Outgoing

let start: Nanos = 1_790_000_000 * .second

/// A message as GitHub sends it about one run.
func review(run: Int = 7, environment: String = "production") throws -> DeploymentReview {
  let body = """
    {"action": "requested", "environment": "\(environment)", "installation": {"id": 44},
     "deployment_callback_url":
       "https://api.github.com/repos/shop/checkout/actions/runs/\(run)/deployment_protection_rule",
     "deployment": {"sha": "abc", "payload": {}}, "repository": {"full_name": "shop/checkout"}}
    """
  return try DeploymentReview(
    WebhookMessage(body: try JSONReader.read(Array(body.utf8)), received: start),
    tenant: .standard)
}

/// A GitHub of values: answers in turn what it was given, and remembers what it was asked.
final class FakeGitHub: Sendable {
  private let state: Mutex<(replies: [OutgoingReply], asked: [OutgoingRequest])>

  init(_ replies: [OutgoingReply]) { state = Mutex((replies, [])) }

  var asked: [OutgoingRequest] { state.withLock { $0.asked } }

  @Sendable func send(_ request: OutgoingRequest) async throws -> OutgoingReply {
    try state.withLock { state in
      state.asked.append(request)
      guard !state.replies.isEmpty else { throw OutgoingRefusal("out of reach") }
      return state.replies.removeFirst()
    }
  }

  static let token = OutgoingReply(status: 201, body: Array(#"{"token":"ghs_1"}"#.utf8))
}

func withFolder(_ body: (String) async throws -> Void) async throws {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "spangate-outgoing-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  try await body(folder.path)
}
