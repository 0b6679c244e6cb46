import Crypto
import Foundation
import Markers
import Model

/// Whether a message comes from who shares the secret of its source. All comparisons take the same
/// time wherever the first difference is.
enum WebhookSignature {
  /// Where a source puts its signature, for the answer to one that is missing or wrong.
  static func place(of source: WebhookSource) -> String {
    switch source {
    case .github: "X-Hub-Signature-256"
    case .circleci: "circleci-signature"
    case .gitlab: "X-Gitlab-Token"
    default: "Authorization (Bearer, or the password of Basic) or X-Spangate-Token"
    }
  }

  /// - Parameter headers: by lower-case names.
  static func isRight(
    _ source: WebhookSource, headers: [String: String], body: [UInt8], secret: WebhookSecret
  ) -> Bool {
    switch source {
    case .github:
      isCode(headers["x-hub-signature-256"] ?? "", after: "sha256=", of: body, secret)
    case .circleci:
      // Versions of the signature, divided by commas.
      (headers["circleci-signature"] ?? "").split(separator: ",").prefix(8).contains {
        isCode($0.trimmingCharacters(in: .whitespaces), after: "v1=", of: body, secret)
      }
    case .gitlab: isToken(headers["x-gitlab-token"], secret)
    default: tokens(headers).contains { isToken($0, secret) }
    }
  }

  /// Sources that sign nothing send what they can: a header, or a name and a password.
  private static func tokens(_ headers: [String: String]) -> [String] {
    var tokens = [headers["x-spangate-token"]].compactMap(\.self)
    let parts = (headers["authorization"] ?? "").split(separator: " ", maxSplits: 1)
    guard parts.count == 2 else { return tokens }
    switch parts[0].lowercased() {
    case "bearer": tokens.append(String(parts[1]))
    case "basic":
      let pair = Data(base64Encoded: String(parts[1])).map { String(decoding: $0, as: UTF8.self) }
      if let pair, let colon = pair.firstIndex(of: ":") {
        tokens.append(String(pair[pair.index(after: colon)...]))
      }
    default: break
    }
    return tokens
  }

  private static func isCode(
    _ text: String, after prefix: String, of body: [UInt8], _ secret: WebhookSecret
  ) -> Bool {
    guard text.hasPrefix(prefix), let code = bytes(text.dropFirst(prefix.count)) else {
      return false
    }
    return HMAC<SHA256>.isValidAuthenticationCode(
      code, authenticating: body, using: SymmetricKey(data: secret.bytes))
  }

  private static func isToken(_ text: String?, _ secret: WebhookSecret) -> Bool {
    guard let text else { return false }
    return SHA256.hash(data: Array(text.utf8)) == SHA256.hash(data: secret.bytes)
  }

  /// nil for anything but pairs of hexadecimal digits.
  private static func bytes(_ text: Substring) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 2 * SHA256.byteCount else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[index].hexadecimalValue, let low = digits[index + 1].hexadecimalValue
      else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }
}
