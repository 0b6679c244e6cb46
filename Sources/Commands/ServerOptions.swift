import ArgumentParser
import Foundation

/// Which gateway to ask, and with which token.
struct ServerOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The gateway's query address (or SPANGATE_SERVER; http://127.0.0.1:4320).", valueName: "url"))
  var server: String?

  @OptionGroup var token: TokenOptions
  @OptionGroup var trust: TrustOptions

  static let standard = "http://127.0.0.1:4320"

  /// The address of `path` at the gateway.
  func url(
    _ path: String, query: [URLQueryItem], in context: CommandContext
  ) throws(CommandFailure) -> URL {
    let named = context.environment["SPANGATE_SERVER"].flatMap { $0.isEmpty ? nil : $0 }
    var components = try ServerAddress.components(server ?? named ?? ServerOptions.standard)
    components.path += path
    if !query.isEmpty {
      components.queryItems = query
      // A plus sign in a query stands for a blank to most servers.
      components.percentEncodedQuery = components.percentEncodedQuery?
        .replacingOccurrences(of: "+", with: "%2B")
    }
    return try ServerAddress.url(components)
  }
}

/// The token sent to a gateway.
struct TokenOptions: ParsableArguments {
  @Option(help: ArgumentHelp("File that holds the token (or SPANGATE_TOKEN).", valueName: "file"))
  var tokenFile: String?

  /// The headers that carry the token; none without one.
  func headers(in context: CommandContext) throws(CommandFailure) -> [String: String] {
    guard let token = try token(in: context), !token.isEmpty else { return [:] }
    guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw CommandFailure(.usage, "the token holds blanks or characters no token has")
    }
    return ["Authorization": "Bearer \(token)"]
  }

  private func token(in context: CommandContext) throws(CommandFailure) -> String? {
    guard let tokenFile else { return context.environment["SPANGATE_TOKEN"] }
    let bytes = try InputFile.read(tokenFile, bytesMax: 64 << 10, in: context)
    return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// Addresses of gateways as people write them.
enum ServerAddress {
  /// `http://` may be left out; a slash at the end does not matter.
  static func components(_ text: String) throws(CommandFailure) -> URLComponents {
    let full = text.contains("://") ? text : "http://" + text
    guard var components = URLComponents(string: full), let host = components.host, !host.isEmpty,
      ["http", "https"].contains(components.scheme?.lowercased() ?? "")
    else {
      throw CommandFailure(
        .usage, "'\(PlainTable.printable(text))' is not an address; write http://host:port")
    }
    while components.path.hasSuffix("/") { components.path.removeLast() }
    return components
  }

  static func url(_ components: URLComponents) throws(CommandFailure) -> URL {
    guard let url = components.url else {
      throw CommandFailure(.usage, "the address or a value of the question cannot be sent")
    }
    return url
  }

  /// Scheme, host and port: what a person knows the server by.
  static func origin(_ url: URL) -> String {
    "\(url.scheme ?? "http")://\(url.host ?? "")" + (url.port.map { ":\($0)" } ?? "")
  }
}
