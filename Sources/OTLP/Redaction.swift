/// Takes secrets out of what senders say, before it becomes a name: user and password of a URL, and
/// the values of query parameters that are known to hold secrets.
///
/// Names are all that is kept of a span's text, so nothing else has to be looked through.
/// - Source: OpenTelemetry semantic conventions, `url.full` and `url.query`: credentials in URLs and
///   the values of sensitive parameters are replaced by `REDACTED`.
public struct Redaction: Sendable, Equatable {
  /// Query keys in lower case.
  private let queryKeys: Set<[UInt8]>
  private let keyBytesMax: Int

  static let word = Array("REDACTED".utf8)

  /// What is secret without being named: the parameters the conventions name, those of signed URLs,
  /// and those of logins.
  public static let queryKeysAlways = [
    "access_key", "access_token", "accesstoken", "api-key", "api_key", "apikey", "assertion",
    "auth", "authorization", "awsaccesskeyid", "client_secret", "code", "code_verifier",
    "credential", "credentials", "id_token", "jwt", "key", "pass", "passwd", "password", "pwd",
    "refresh_token", "secret", "session", "session_id", "sessionid", "sid", "sig", "signature",
    "subscription-key", "token", "x-amz-credential", "x-amz-security-token", "x-amz-signature",
    "x-goog-credential", "x-goog-signature",
  ]

  /// How many query keys may be named besides.
  public static let queryKeysMax = 100

  /// Attributes that hold secrets whole: they can be chosen for nothing.
  public static func isSecret(attribute key: String) -> Bool {
    let key = key.lowercased()
    let name = key.split(separator: ".").last.map(String.init) ?? ""
    guard key.contains("header.") || key.contains("metadata.") else {
      return secretNames.contains(name) || name == "connection_string"
    }
    return secretHeaders.contains(name.replacing("_", with: "-"))
  }

  private static let secretHeaders: Set<String> = [
    "api-key", "authorization", "cookie", "proxy-authorization", "set-cookie",
    "x-amz-security-token",
    "x-api-key", "x-auth-token", "x-csrf-token", "x-forwarded-access-token", "x-vault-token",
  ]
  private static let secretNames: Set<String> = [
    "access_token", "api_key", "authorization", "cookie", "credentials", "passwd", "password",
    "secret", "set-cookie", "token",
  ]

  /// - Parameter queryKeys: further keys whose values are secret, in either case.
  public init(queryKeys: [String] = []) {
    let all = Redaction.queryKeysAlways + queryKeys
    self.queryKeys = Set(all.map { Array($0.lowercased().utf8) })
    keyBytesMax = self.queryKeys.map(\.count).max() ?? 0
  }

  /// The text without secrets; nil where it holds none.
  func redacted(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
    var secrets: [Range<Int>] = []
    unsafe findUserInformation(text, &secrets)
    unsafe findParameters(text, &secrets)
    guard !secrets.isEmpty else { return nil }
    secrets.sort { $0.lowerBound < $1.lowerBound }
    var bytes: [UInt8] = []
    var kept = 0
    for secret in secrets where secret.lowerBound >= kept {
      unsafe bytes.append(contentsOf: text.part(kept..<secret.lowerBound))
      bytes += Redaction.word
      kept = secret.upperBound
    }
    unsafe bytes.append(contentsOf: text.part(from: kept))
    return bytes
  }

  /// What stands between `://` and the last `@` of the authority.
  /// - Source: RFC 3986 section 3.2: an authority ends at `/`, `?` or `#`.
  private func findUserInformation(_ text: UnsafeRawBufferPointer, _ secrets: inout [Range<Int>]) {
    var position = 0
    while let colon = unsafe text.position(of: UInt8(ascii: ":"), from: position) {
      position = colon + 1
      guard unsafe text.part(from: colon).hasPrefix("://") else { continue }
      let start = colon + 3
      var end = start
      var at: Int?
      while end < text.count, unsafe !Redaction.endsAuthority(text[end]) {
        if unsafe text[end] == UInt8(ascii: "@") { at = end }
        end += 1
      }
      if let at, at > start { secrets.append(start..<at) }
      position = end
    }
  }

  /// The values of secret parameters, each from its `=` to the next `&`, `;`, `#` or blank.
  private func findParameters(_ text: UnsafeRawBufferPointer, _ secrets: inout [Range<Int>]) {
    guard let question = unsafe text.position(of: UInt8(ascii: "?")) else { return }
    var start = question + 1
    while start < text.count {
      var equals: Int?
      var end = start
      while end < text.count, unsafe !Redaction.endsParameter(text[end]) {
        if equals == nil, unsafe text[end] == UInt8(ascii: "=") { equals = end }
        end += 1
      }
      if let equals, equals + 1 < end, unsafe isSecret(text.part(start..<equals)) {
        secrets.append(equals + 1..<end)
      }
      start = end + 1
    }
  }

  private func isSecret(_ key: UnsafeRawBufferPointer) -> Bool {
    guard key.count <= keyBytesMax else { return false }
    return queryKeys.contains(
      unsafe key.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 })
  }

  private static func endsAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""), 0...0x20: true
    default: false
    }
  }

  private static func endsParameter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "&"), UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "#"),
      UInt8(ascii: "\""), 0...0x20:
      true
    default: false
    }
  }
}
