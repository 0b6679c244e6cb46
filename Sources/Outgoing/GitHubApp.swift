import Crypto
import CryptoExtras
import Foundation
import Model

/// The App in whose name GitHub is answered: only Apps may review deployments.
public struct GitHubApp: Equatable, Sendable {
  /// Its number, or its client ID.
  public let id: String
  /// Holds its private key: PEM, PKCS#1 or PKCS#8. Read for each answer, so that it can be changed.
  public let keyFile: String

  static let idBytesMax = 64
  private static let fileBytesMax = 16_384

  public init(id: String, keyFile: String) {
    self.id = id
    self.keyFile = keyFile
  }

  /// Whether an App can be called so.
  public static func isID(_ text: String) -> Bool {
    text.utf8.count <= idBytesMax && text.wholeMatch(of: #/[A-Za-z0-9._\-]+/#) != nil
  }

  /// - Errors: what keeps the file from being read as a key; never what is in it.
  func key() throws -> _RSA.Signing.PrivateKey {
    guard let data = FileManager.default.contents(atPath: keyFile) else {
      throw OutgoingRefusal("the key of the App, \(keyFile), cannot be read")
    }
    guard data.count <= GitHubApp.fileBytesMax,
      let key = try? _RSA.Signing.PrivateKey(
        pemRepresentation: String(decoding: data, as: UTF8.self))
    else { throw OutgoingRefusal("the key of the App, \(keyFile), is no RSA key in PEM") }
    return key
  }

  /// Reads the key once, so that a mistake is found at start.
  public func check() throws { _ = try key() }

  /// GitHub allows ten minutes; its clock may be a minute behind.
  private static let secondsBefore: Nanos = 60
  private static let secondsAfter: Nanos = 540

  /// What the App shows to get a token: that it holds its private key.
  /// - Source: docs.github.com, "Generating a JSON Web Token (JWT) for a GitHub App"; RFC 7519 and
  ///   RFC 7518, RS256.
  func proof(now: Nanos) throws -> String {
    let seconds = now / .second
    let header = #"{"alg":"RS256","typ":"JWT"}"#
    let claims =
      #"{"iat":\#(seconds.saturatingSubtracting(GitHubApp.secondsBefore)),"#
      + #""exp":\#(seconds + GitHubApp.secondsAfter),"iss":"\#(id)"}"#
    let signed = [header, claims].map { GitHubApp.encoded(Data($0.utf8)) }.joined(separator: ".")
    let signature = try key().signature(
      for: SHA256.hash(data: Data(signed.utf8)), padding: .insecurePKCS1v1_5)
    return signed + "." + GitHubApp.encoded(signature.rawRepresentation)
  }

  /// - Source: RFC 4648, section 5, without padding.
  private static func encoded(_ data: Data) -> String {
    data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
  }
}
