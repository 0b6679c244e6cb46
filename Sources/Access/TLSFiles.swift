/// Where the certificate of one listener is kept, and what goes with it.
public struct TLSFiles: Sendable, Equatable {
  /// The certificate and those that lead from it to an authority clients know, as PEM.
  public var certificate: String
  /// The private key of the certificate, as PEM.
  public var key: String
  /// The authorities that clients must have their certificates from, as PEM; empty where clients
  /// need none.
  public var clientAuthorities: String

  public init(certificate: String, key: String, clientAuthorities: String = "") {
    self.certificate = certificate
    self.key = key
    self.clientAuthorities = clientAuthorities
  }
}

/// What those files held at one moment.
struct TLSContents: Sendable, Equatable {
  var certificate: SmallFile
  var key: SmallFile
  var clientAuthorities: SmallFile?

  /// - Parameter section: of the configuration, for messages: `receiver.grpc.tls`.
  /// - Errors: `AccessError` when one of them cannot be read.
  init(reading files: TLSFiles, of section: String) throws(AccessError) {
    certificate = try TLSContents.file(files.certificate, "\(section).certificate_file")
    key = try TLSContents.file(files.key, "\(section).key_file")
    guard !files.clientAuthorities.isEmpty else { return }
    clientAuthorities = try TLSContents.file(
      files.clientAuthorities, "\(section).client_ca_file")
  }

  private static func file(_ path: String, _ key: String) throws(AccessError) -> SmallFile {
    do throws(UnreadableFile) {
      return try SmallFile(reading: path)
    } catch {
      throw AccessError(
        key, "the file \(path) cannot be read (\(error.reason))",
        remedy: "correct the path, or let the user of the gateway read it")
    }
  }
}
