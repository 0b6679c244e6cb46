import Crypto

/// One token that is known, as it stands in a file: `name scope+scope sha256:digest`. The token itself
/// is nowhere kept.
public struct TokenLine: Sendable, Equatable {
  /// What it is called; not a secret.
  public var name: String
  public var scopes: Set<AccessScope>
  /// SHA-256 of the token.
  var digest: [UInt8]

  static let nameBytesMax = 64
  private static let algorithm = "sha256:"

  /// What makes guessing hopeless, and a plain digest enough to keep: this much randomness.
  private static let randomBytes = 32
  private static let prefix = "spg_"

  /// Makes a token that nobody can guess.
  /// - Returns: the token, which is to be kept secret, and the line that makes it known.
  public static func make(name: String, scopes: Set<AccessScope>) -> (
    token: String, line: TokenLine
  ) {
    var generator = SystemRandomNumberGenerator()
    var digits = ""
    for _ in 0..<randomBytes {
      let byte = UInt8.random(in: 0...255, using: &generator)
      digits += TokenLine.hexadecimal([byte])
    }
    let token = prefix + digits
    return (token, TokenLine(name: name, scopes: scopes, digest: TokenLine.digest(of: token)))
  }

  init(name: String, scopes: Set<AccessScope>, digest: [UInt8]) {
    self.name = name
    self.scopes = scopes
    self.digest = digest
  }

  static func digest(of token: some StringProtocol) -> [UInt8] {
    Array(SHA256.hash(data: Array(token.utf8)))
  }

  /// A name a token may have: letters, digits, and `.`, `_`, `-`, `@`, `/`.
  public static func isName(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.count <= nameBytesMax
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || "._-@/".utf8.contains($0)
      }
  }

  /// Reads a line.
  /// - Errors: what is wrong with it; never a part of it that may be a token.
  public init(parsing text: some StringProtocol) throws(TokenLineError) {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 3 else {
      throw TokenLineError(
        "is not a name, scopes and a digest", remedy: "write NAME ingest+query sha256:DIGITS")
    }
    guard TokenLine.isName(parts[0]) else {
      throw TokenLineError(
        "has a name that is none",
        remedy: "use at most \(TokenLine.nameBytesMax) letters, digits, or . _ - @ /")
    }
    name = String(parts[0])
    scopes = try TokenLine.scopes(parts[1])
    guard parts[2].hasPrefix(TokenLine.algorithm),
      let digest = TokenLine.bytes(parts[2].dropFirst(TokenLine.algorithm.count))
    else {
      throw TokenLineError(
        "of \(name) has no digest",
        remedy:
          "write sha256: and the 64 hexadecimal digits of the SHA-256 of the token, never the "
          + "token itself")
    }
    self.digest = digest
  }

  private static func scopes(_ text: some StringProtocol) throws(TokenLineError) -> Set<AccessScope>
  {
    var scopes: Set<AccessScope> = []
    for word in text.split(separator: "+", omittingEmptySubsequences: false) {
      guard let scope = AccessScope(rawValue: String(word)) else {
        let known = AccessScope.allCases.map(\.rawValue).joined(separator: ", ")
        throw TokenLineError(
          "has a scope that is none", remedy: "join some of \(known) with +")
      }
      scopes.insert(scope)
    }
    return scopes
  }

  private static func bytes(_ digits: some StringProtocol) -> [UInt8]? {
    guard digits.utf8.count == 2 * SHA256.byteCount else { return nil }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      let pair = rest.prefix(2)
      guard pair.allSatisfy(\.isHexDigit), let byte = UInt8(pair, radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
  }
}

extension TokenLine: CustomStringConvertible {
  public var description: String {
    let scopes = AccessScope.allCases.filter(scopes.contains).map(\.rawValue)
    return "\(name) \(scopes.joined(separator: "+")) \(TokenLine.algorithm)"
      + TokenLine.hexadecimal(digest)
  }
}

/// What is wrong with a line about a token. It never holds a part of it that may be secret.
public struct TokenLineError: Error, Sendable, Equatable {
  public var problem: String
  public var remedy: String

  init(_ problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }
}
