import Foundation
import FoundationNetworking
import Model

/// One request to a gateway.
struct HTTPRequest: Sendable, Equatable {
  var method = "GET"
  var url: URL
  var headers: [String: String] = [:]
  var body: [UInt8] = []
  /// How long an answer is waited for, nanoseconds.
  var timeout: Nanos = 60 * .second
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

/// The network, through Foundation.
struct URLSessionExchange: HTTPExchange {
  /// Foundation keeps its own limit only roughly where a server takes a question and says nothing.
  private static func within<Value: Sendable>(
    _ request: HTTPRequest, _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask(operation: body)
      group.addTask {
        try await Task.sleep(nanoseconds: request.timeout)
        let seconds = (request.timeout + .second - 1) / .second
        throw CommandFailure(
          .unreachable,
          "\(ServerAddress.origin(request.url)) gave no answer within \(seconds) s; check that --server "
            + "is the gateway's query address (port 4320)")
      }
      defer { group.cancelAll() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }

  func send(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer {
    var outgoing = URLRequest(
      url: request.url, timeoutInterval: Double(request.timeout) / Double(Nanos.second))
    outgoing.httpMethod = request.method
    for (name, value) in request.headers { outgoing.setValue(value, forHTTPHeaderField: name) }
    if request.method != "GET" { outgoing.httpBody = Data(request.body) }
    do {
      let (data, response) = try await URLSessionExchange.within(request) { [outgoing] in
        try await URLSession.shared.data(for: outgoing)
      }
      guard let response = response as? HTTPURLResponse else {
        throw CommandFailure(
          .unreachable, "\(ServerAddress.origin(request.url)) did not answer in HTTP")
      }
      var headers: [String: String] = [:]
      for (name, value) in response.allHeaderFields {
        headers["\(name)".lowercased()] = "\(value)"
      }
      return HTTPAnswer(status: response.statusCode, headers: headers, body: [UInt8](data))
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure(
        .unreachable,
        "\(ServerAddress.origin(request.url)) is out of reach: \(error.localizedDescription). Is the gateway running, "
          + "and is the address right?")
    }
  }
}
