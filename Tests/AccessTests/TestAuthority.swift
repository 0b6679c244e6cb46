import Crypto
import Foundation
import SwiftASN1
import X509

/// Makes certificates for one test.
struct TestAuthority {
  private let key = P256.Signing.PrivateKey()
  private let name: DistinguishedName
  let certificate: String

  init(_ name: String = "authority") throws {
    let subject = try DistinguishedName { CommonName(name) }
    self.name = subject
    certificate = try TestAuthority.signed(
      subject, key.publicKey, by: subject, key, from: .now - 86_400, until: .now + 86_400,
      isAuthority: true)
  }

  /// A certificate and its key, as PEM.
  func issue(
    _ name: String, from: Date = .now - 3_600, until: Date = .now + 3_600
  ) throws -> (certificate: String, key: String) {
    let own = P256.Signing.PrivateKey()
    let subject = try DistinguishedName { CommonName(name) }
    let certificate = try TestAuthority.signed(
      subject, own.publicKey, by: self.name, key, from: from, until: until, isAuthority: false)
    return (certificate, own.pemRepresentation)
  }

  private static func signed(
    _ subject: DistinguishedName, _ key: P256.Signing.PublicKey, by issuer: DistinguishedName,
    _ issuerKey: P256.Signing.PrivateKey, from: Date, until: Date, isAuthority: Bool
  ) throws -> String {
    try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key),
      notValidBefore: from, notValidAfter: until, issuer: issuer, subject: subject,
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        if isAuthority {
          Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
        } else {
          SubjectAlternativeNames([.dnsName("localhost")])
        }
      },
      issuerPrivateKey: .init(issuerKey)
    ).serializeAsPEM().pemString
  }
}

/// A folder that is there for one test.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "spangate-access-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer {
    do {
      try FileManager.default.removeItem(at: folder)
    } catch {
      print("could not remove \(folder): \(error)")
    }
  }
  return try body(folder)
}
