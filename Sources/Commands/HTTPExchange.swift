import Foundation
import FoundationNetworking
import Model

/// One request to a gateway.
struct HTTPRequest: Sendable, Equatable {
  var method = "GET"
  var url: URL
  var headers: [String: String] = [:]
  var body: [UInt8] = []
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
  func send(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer {
    var outgoing = URLRequest(url: request.url, timeoutInterval: 60)
    outgoing.httpMethod = request.method
    for (name, value) in request.headers { outgoing.setValue(value, forHTTPHeaderField: name) }
    if request.method != "GET" { outgoing.httpBody = Data(request.body) }
    do {
      let (data, response) = try await URLSession.shared.data(for: outgoing)
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
