import NIOCore
import NIOSSL

/// What one listener shows its clients and asks of them, ready for connections.
struct TLSIdentity: Sendable {
  let context: NIOSSLContext
  /// When its certificate ends, Unix seconds.
  let notAfter: Int
  /// What is allowed and still worth a warning.
  let remarks: [String]

  /// How long a client may take to answer that the connection ends.
  private static let closing = TimeAmount.seconds(1)

  /// - Parameters:
  ///   - protocols: what is spoken over the connection, by the names of ALPN.
  ///   - now: Unix seconds.
  /// - Errors: `AccessError` when nobody could be served with these files.
  init(
    _ contents: TLSContents, from files: TLSFiles, section: String, protocols: [String], now: Int
  ) throws(AccessError) {
    let chain = try TLSIdentity.certificates(
      contents.certificate, files.certificate, "\(section).certificate_file")
    let key = try TLSIdentity.key(contents.key, files.key, "\(section).key_file")
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = protocols
    configuration.shutdownTimeout = TLSIdentity.closing
    if let authorities = contents.clientAuthorities {
      let known = try TLSIdentity.certificates(
        authorities, files.clientAuthorities, "\(section).client_ca_file")
      configuration.trustRoots = .certificates(known)
      // The name in a client's certificate is nobody's host name.
      configuration.certificateVerification = .noHostnameVerification
      configuration.sendCANameList = true
    }
    do {
      context = try NIOSSLContext(configuration: configuration)
    } catch {
      // Each of the two could be read: what is left is that they are not of one pair.
      throw AccessError(
        "\(section).key_file",
        "the key in \(files.key) does not belong to the first certificate in \(files.certificate)",
        remedy: "give both files of one pair, the certificate of this gateway first in its file")
    }
    notAfter = chain[0].notValidAfter
    remarks = TLSIdentity.remarks(
      on: chain[0], keyIsOpen: contents.key.isReadableByOthers, files, now: now)
  }

  private static func certificates(
    _ file: SmallFile, _ path: String, _ key: String
  ) throws(AccessError) -> [NIOSSLCertificate] {
    do {
      return try NIOSSLCertificate.fromPEMBytes(file.bytes)
    } catch {
      throw AccessError(
        key, "the file \(path) holds no certificate that can be read",
        remedy: "write certificates as PEM, each from BEGIN CERTIFICATE to END CERTIFICATE")
    }
  }

  private static func key(
    _ file: SmallFile, _ path: String, _ key: String
  ) throws(AccessError) -> NIOSSLPrivateKey {
    guard !String(decoding: file.bytes, as: UTF8.self).contains("ENCRYPTED") else {
      // The library would ask for its passphrase on a terminal.
      throw AccessError(
        key, "the key in \(path) has a passphrase",
        remedy: "write it without one, readable by the user of the gateway alone")
    }
    do {
      return try NIOSSLPrivateKey(bytes: file.bytes, format: .pem)
    } catch {
      throw AccessError(
        key, "the file \(path) holds no private key that can be read",
        remedy: "write the key as PEM, from BEGIN PRIVATE KEY to END PRIVATE KEY")
    }
  }

  private static func remarks(
    on certificate: NIOSSLCertificate, keyIsOpen: Bool, _ files: TLSFiles, now: Int
  ) -> [String] {
    var remarks: [String] = []
    if certificate.notValidAfter < now {
      remarks.append(
        "the certificate in \(files.certificate) has expired: clients will refuse it; renew it")
    } else if certificate.notValidBefore > now {
      remarks.append(
        "the certificate in \(files.certificate) is not valid yet: clients will refuse it; check "
          + "the clock of this machine")
    }
    if keyIsOpen {
      remarks.append(
        "every user of this machine may read the key in \(files.key); take that right away with "
          + "chmod o-rwx")
    }
    return remarks
  }
}
