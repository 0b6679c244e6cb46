import Foundation
import Model

/// One request to a gateway.
struct HTTPRequest: Sendable, Equatable {
  var method = "GET"
  var url: URL
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// How long an answer is waited for, nanoseconds.
  var timeout: Nanos = 60 * .second
  /// For addresses with https.
  var trust = ServerTrust()
}

/// What came back.
struct HTTPAnswer: Sendable, Equatable {
  var status: Int
  /// By lower-case name.
  var headers: [String: String] = [:]
  var body: [UInt8] = []
}

/// Sends requests.
protocol HTTPExchange: Sendable {
  /// - Errors: `CommandFailure` of kind unreachable when there is no answer.
  func send(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer
}
