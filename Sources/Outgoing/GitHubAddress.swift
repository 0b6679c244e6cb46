/// Where an API of GitHub is: `https://api.github.com`, or `https://HOST/api/v3` of a server of one's
/// own. Nothing is ever sent anywhere else.
public struct GitHubAddress: Equatable, Sendable, CustomStringConvertible {
  /// Without a slash at its end.
  public let base: String

  public static let standard = GitHubAddress(base: "https://api.github.com")
  public static let bytesMax = 512

  private init(base: String) { self.base = base }

  /// nil for what is no address of an API. Without encryption only this machine is spoken to: the
  /// token goes with every request.
  public init?(_ text: String) {
    let base = text.hasSuffix("/") ? String(text.dropLast()) : text
    guard base.utf8.count <= GitHubAddress.bytesMax,
      let match = base.wholeMatch(
        of: #/(https?):\/\/([a-z0-9.\-]+|\[[0-9a-f:]+\])(?::\d{1,5})?((?:\/[A-Za-z0-9._\-]+)*)/#),
      !match.3.split(separator: "/").contains(where: { $0.allSatisfy { $0 == "." } })
    else { return nil }
    let isHere = ["localhost", "127.0.0.1", "[::1]"].contains(match.2)
    guard match.1 == "https" || isHere else { return nil }
    self.base = base
  }

  public var description: String { base }

  /// Whether this is where GitHub waits for the review of a run of that repository. A message could
  /// name any address; the token is shown to this one only.
  public func isReview(_ url: String, of repository: String) -> Bool {
    let prefix = base + "/repos/"
    let suffix = "/deployment_protection_rule"
    guard url.utf8.allSatisfy({ $0 < 0x80 }), url.hasPrefix(prefix), url.hasSuffix(suffix) else {
      return false
    }
    let parts = url.dropFirst(prefix.count).dropLast(suffix.count)
      .split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[2] == "actions", parts[3] == "runs" else { return false }
    return parts[0...1].allSatisfy(GitHubAddress.isName)
      && parts[0...1].joined(separator: "/").lowercased() == repository.lowercased()
      && !parts[4].isEmpty && parts[4].utf8.count <= 20
      && parts[4].utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// Where the App of an installation gets a token.
  func tokens(of installation: Int64) -> String {
    "\(base)/app/installations/\(installation)/access_tokens"
  }

  private static func isName(_ part: Substring) -> Bool {
    part.utf8.count <= 100 && !part.allSatisfy { $0 == "." }
      && part.wholeMatch(of: #/[A-Za-z0-9._\-]+/#) != nil
  }
}
