import Foundation

extension ServerOptions {
  /// A question as it is sent: address and token are read once, however often it is asked.
  func request(
    _ method: String, _ path: String, query: [(String, String?)] = [], body: [UInt8] = [],
    in context: CommandContext
  ) throws(CommandFailure) -> HTTPRequest {
    let items = query.compactMap { name, value in
      value.map { URLQueryItem(name: name, value: $0) }
    }
    let url = try url(path, query: items, in: context)
    var headers = try token.headers(in: context)
    if !body.isEmpty { headers["Content-Type"] = "application/json" }
    var request = HTTPRequest(method: method, url: url, headers: headers, body: body)
    request.trust = trust.trust(in: context)
    return request
  }

  /// Asks the gateway once.
  func ask(
    _ method: String, _ path: String, query: [(String, String?)] = [], body: [UInt8] = [],
    in context: CommandContext
  ) async throws(CommandFailure) -> (answer: HTTPAnswer, url: URL) {
    let request = try request(method, path, query: query, body: body, in: context)
    return (try await context.ask(request), request.url)
  }
}

extension CommandContext {
  /// Sends a question to a gateway.
  /// - Errors: `CommandFailure`, also for what the gateway refuses.
  func ask(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer {
    let answer = try await http.send(request)
    _ = try ServerAnswer.body(answer, from: request.url)
    return answer
  }

  /// An answer as the server wrote it.
  func printAnswer(_ answer: HTTPAnswer) {
    let text = String(decoding: answer.body, as: UTF8.self)
    self.print(text.hasSuffix("\n") ? text : text + "\n")
  }
}
