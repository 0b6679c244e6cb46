import ArgumentParser
import Foundation

struct MarkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "marker", abstract: "Announces changes to a gateway, and shows them.",
    subcommands: [
      PostMarkerCommand.self, ListMarkersCommand.self, ShowMarkerCommand.self,
      DeleteMarkerCommand.self,
    ])

  /// Where markers are.
  static let path = "/api/v1/markers"

  /// The address of one marker. An id that is a path of its own would ask for something else.
  static func path(of id: String) throws(CommandFailure) -> String {
    let isPlain = id.utf8.allSatisfy { byte in
      byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    guard isPlain, !id.isEmpty else {
      throw CommandFailure(
        .usage,
        "'\(PlainTable.printable(id))' is no id of a marker: those are mk_ and 16 hexadecimal "
          + "digits")
    }
    return "\(path)/\(id)"
  }
}

extension ServerOptions {
  /// Asks the gateway; what it refuses is thrown.
  func ask(
    _ method: String, _ path: String, query: [(String, String?)] = [], body: [UInt8] = [],
    in context: CommandContext
  ) async throws -> (answer: HTTPAnswer, url: URL) {
    let items = query.compactMap { name, value in
      value.map { URLQueryItem(name: name, value: $0) }
    }
    let url = try url(path, query: items, in: context)
    var headers = try token.headers(in: context)
    if !body.isEmpty { headers["Content-Type"] = "application/json" }
    let answer = try await context.http.send(
      HTTPRequest(method: method, url: url, headers: headers, body: body))
    _ = try ServerAnswer.body(answer, from: url)
    return (answer, url)
  }
}

extension CommandContext {
  /// An answer as the server wrote it.
  func printAnswer(_ answer: HTTPAnswer) {
    let text = String(decoding: answer.body, as: UTF8.self)
    self.print(text.hasSuffix("\n") ? text : text + "\n")
  }
}
