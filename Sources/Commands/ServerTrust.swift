import ArgumentParser
import NIOSSL

/// How a server that speaks TLS is known, and what it is shown. All are paths of PEM files; empty for
/// none.
struct ServerTrust: Sendable, Hashable {
  /// The authorities its certificate may come from; those of the machine without.
  var authorities = ""
  var certificate = ""
  var key = ""

  /// - Errors: `CommandFailure` when a file cannot be used.
  func configuration() throws(CommandFailure) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    if !authorities.isEmpty {
      configuration.trustRoots = .certificates(
        try ServerTrust.certificates(authorities, "--ca-file"))
    }
    guard !certificate.isEmpty || !key.isEmpty else { return configuration }
    guard !certificate.isEmpty, !key.isEmpty else {
      throw CommandFailure(
        .usage, "a certificate needs its key: give --certificate-file and --key-file, or neither")
    }
    configuration.certificateChain = try ServerTrust.certificates(
      certificate, "--certificate-file"
    ).map { .certificate($0) }
    do {
      configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
    } catch {
      throw CommandFailure(
        .usage, "--key-file: \(PlainTable.printable(key)) holds no private key that can be read")
    }
    do {
      _ = try NIOSSLContext(configuration: configuration)
    } catch {
      throw CommandFailure(
        .usage,
        "the key in \(PlainTable.printable(key)) does not belong to the first certificate in "
          + PlainTable.printable(certificate))
    }
    return configuration
  }

  private static func certificates(
    _ path: String, _ option: String
  ) throws(CommandFailure) -> [NIOSSLCertificate] {
    do {
      return try NIOSSLCertificate.fromPEMFile(path)
    } catch {
      throw CommandFailure(
        .usage, "\(option): \(PlainTable.printable(path)) holds no certificate that can be read")
    }
  }

  /// Why the two sides did not trust each other, and what to do; nil for any other error.
  static func reason(of error: any Error) -> String? {
    if let error = error as? NIOSSLExtraError, error == .failedToValidateHostname {
      return "its certificate is for another name; ask it by a name that the certificate has"
    }
    guard error is NIOSSLError || error is BoringSSLError else { return nil }
    let text = "\(error)"
    if text.contains("CERTIFICATE_VERIFY_FAILED") {
      return "its certificate is from no authority known here, or has expired; --ca-file names "
        + "authorities (or SPANGATE_CA_FILE)"
    }
    if text.contains("CERTIFICATE_REQUIRED") || text.contains("ALERT_HANDSHAKE_FAILURE") {
      return "it wants a certificate; give one with --certificate-file and --key-file"
    }
    if text.contains("ALERT_UNKNOWN_CA") {
      return "it does not know the authority that the certificate shown comes from"
    }
    if text.contains("WRONG_VERSION_NUMBER") {
      return "it does not speak TLS; ask it by http://"
    }
    return "TLS failed (\(text))"
  }
}

/// The options behind it.
struct TrustOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Authorities that a server's certificate may come from, as PEM (or SPANGATE_CA_FILE).",
      valueName: "file"))
  var caFile: String?
  @Option(
    help: ArgumentHelp(
      "Certificate shown to a server that wants one, as PEM (or SPANGATE_CERTIFICATE_FILE).",
      valueName: "file"))
  var certificateFile: String?
  @Option(
    help: ArgumentHelp(
      "Private key of that certificate, as PEM (or SPANGATE_KEY_FILE).", valueName: "file"))
  var keyFile: String?

  func trust(in context: CommandContext) -> ServerTrust {
    ServerTrust(
      authorities: caFile ?? context.environment["SPANGATE_CA_FILE"] ?? "",
      certificate: certificateFile ?? context.environment["SPANGATE_CERTIFICATE_FILE"] ?? "",
      key: keyFile ?? context.environment["SPANGATE_KEY_FILE"] ?? "")
  }
}
