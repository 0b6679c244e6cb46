import Access
import Graph
import Hummingbird
public import Model

/// What a flow log's lines are handed to the gateway as.
public struct FlowLogPost: Sendable, Equatable {
  public var tenant: TenantID
  /// Of the nodes the addresses are; empty for none.
  public var environment: String
  /// As it was sent.
  public var body: [UInt8]
  public var isGzip: Bool

  public init(tenant: TenantID, environment: String, body: [UInt8], isGzip: Bool) {
    self.tenant = tenant
    self.environment = environment
    self.body = body
    self.isGzip = isGzip
  }
}

/// What became of the lines.
public struct FlowLogAnswer: Sendable, Equatable {
  /// A line that was left out, and why.
  public struct Rejection: Sendable, Equatable {
    public var line: Int
    public var message: String

    public init(line: Int, message: String) {
      self.line = line
      self.message = message
    }
  }

  /// Lines that are durable as records of traffic.
  public var accepted: Int
  /// Lines that tell of no traffic.
  public var skipped: Int
  /// The same by reason.
  public var skippedReasons: [String: Int]
  public var rejectedLines: Int
  /// The same by reason.
  public var rejectedReasons: [String: Int]
  /// The first of the rejected lines.
  public var rejected: [Rejection]

  public init(
    accepted: Int, skipped: Int, skippedReasons: [String: Int] = [:], rejectedLines: Int,
    rejectedReasons: [String: Int] = [:], rejected: [Rejection]
  ) {
    self.accepted = accepted
    self.skipped = skipped
    self.skippedReasons = skippedReasons
    self.rejectedLines = rejectedLines
    self.rejectedReasons = rejectedReasons
    self.rejected = rejected
  }
}

/// The routes that take flow logs.
enum FlowLogRoutes {
  static let all = [post]

  static let post = Route(
    method: .post, path: "/api/v1/flow-logs",
    summary:
      "Takes lines of AWS VPC flow logs, plain or with Content-Encoding: gzip; what was taken before is "
      + "not counted again.",
    parameters: [
      QueryParameter(
        name: "environment", shape: .text,
        summary: "Of the services behind the addresses; none unless named.")
    ],
    answers: [.json], schema: "FlowLogs", body: "FlowLogLines", bodyType: .text,
    bodyLimit: \.flowLogBodyBytesMax, reservesBody: true, needs: .ingest
  ) { call in
    var reader = call.parameters
    let environment = reader.optionalPart("environment") ?? ""
    try reader.finish()
    let post = FlowLogPost(
      tenant: call.tenant, environment: environment, body: call.body,
      isGzip: try isGzip(call.contentEncoding))
    let answer = try await call.backend.accept(post)
    guard answer.rejectedLines == 0 || answer.accepted + answer.skipped > 0 else {
      throw unreadable(answer)
    }
    var json = JSONText()
    json.object { json in
      json.member("accepted", answer.accepted)
      json.member("skipped", answer.skipped)
      json.member("skipped_reasons") { $0.members(counted: answer.skippedReasons) }
      json.member("rejected_lines", answer.rejectedLines)
      json.member("rejected_reasons") { $0.members(counted: answer.rejectedReasons) }
      json.key("rejected")
      json.array(answer.rejected) { json, rejection in
        json.object {
          $0.member("line", rejection.line)
          $0.member("message", rejection.message)
        }
      }
    }
    return Answer(.json, json.bytes)
  }

  private static func isGzip(_ encoding: String?) throws(QueryProblem) -> Bool {
    switch encoding?.lowercased() {
    case nil, "", "identity": return false
    case "gzip", "x-gzip": return true
    default:
      throw QueryProblem(
        .invalidRequest,
        "Content-Encoding \((encoding ?? "").prefix(64)) is not accepted; send gzip or none.")
    }
  }

  /// Nothing of it is a flow log: not a single bad line, but a wrong file or format.
  private static func unreadable(_ answer: FlowLogAnswer) -> QueryProblem {
    let first = answer.rejected.first?.message ?? "no line can be read"
    return QueryProblem(
      .invalidRequest,
      "No line of the body is one of a VPC flow log: \(first).",
      errors: answer.rejected.map { .init("line \($0.line)", $0.message) })
  }
}

extension JSONText {
  fileprivate mutating func members(counted lines: [String: Int]) {
    for (reason, count) in lines.sorted(by: { $0.key < $1.key }) { member(reason, count) }
  }
}
