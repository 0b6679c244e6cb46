import Access
import Logging
import Model
import NIOPosix
import Query
import Receive

/// Who may come in by which port, and to do what: the certificates of all listeners, and the tokens
/// that are known, read again when their files change.
final class Doors: Sendable {
  private let certificates: [ListenerName: TLSCredentials]
  /// nil where everybody may do everything.
  let tokens: AccessTokens?

  /// How often files are looked at for changes.
  static let lookInterval = Duration.seconds(5)

  /// - Errors: `AccessError` when a file that was named cannot be used.
  init(configuration: Configuration, clock: @escaping @Sendable () -> Nanos, logger: Logger) throws
  {
    var certificates: [ListenerName: TLSCredentials] = [:]
    for listener in ListenerName.allCases {
      let tls = configuration[tls: listener]
      guard !tls.certificateFile.isEmpty else { continue }
      certificates[listener] = try TLSCredentials(
        port: listener.port, section: listener.tlsSection,
        files: TLSFiles(
          certificate: tls.certificateFile, key: tls.keyFile, clientAuthorities: tls.clientCAFile),
        protocols: listener == .query ? QueryServer.protocols : ReceiverSecurity.protocols,
        clock: { Int(clamping: clock() / .second) }, logger: logger)
    }
    self.certificates = certificates
    tokens = try Doors.tokens(configuration.tokens, logger)
    warn(of: configuration, logger)
  }

  private static func tokens(
    _ section: TokensSection, _ logger: Logger
  ) throws(AccessError) -> AccessTokens? {
    if !section.file.isEmpty { return try AccessTokens(file: section.file, logger: logger) }
    if !section.known.isEmpty { return try AccessTokens(lines: section.known, logger: logger) }
    return nil
  }

  /// A line for each port that others reach and that lets in more than it should.
  private func warn(of configuration: Configuration, _ logger: Logger) {
    for listener in ListenerName.allCases {
      let address = configuration.address(of: listener)
      guard !address.isLoopback else { continue }
      let tls = configuration[tls: listener]
      var missing: [(what: String, key: String)] = []
      if tls.certificateFile.isEmpty {
        missing.append(("without TLS", "\(listener.tlsSection).certificate_file and key_file"))
      }
      if tokens == nil, tls.clientCAFile.isEmpty {
        missing.append(("to everybody, without tokens", "tokens.file"))
      }
      guard !missing.isEmpty else { continue }
      logger.warning(
        "\(listener.rawValue).address \(address) is open beyond this machine \(missing.map(\.what).joined(separator: " and ")); set \(missing.map(\.key).joined(separator: ", and ")), or listen on 127.0.0.1",
        metadata: ["port": "\(listener.port)"])
    }
  }

  var receiver: ReceiverSecurity {
    ReceiverSecurity(
      grpc: certificates[.grpc], http: certificates[.http], tokens: tokens)
  }

  var query: TLSCredentials? { certificates[.query] }

  /// Whether there is anything to look at.
  var haveFiles: Bool { !certificates.isEmpty || tokens?.haveFile == true }

  /// Reads all files again, on a thread that may wait for the disk.
  /// - Parameter isAsked: also those that have not changed.
  func reload(isAsked: Bool) async throws {
    try await NIOThreadPool.singleton.runIfActive { [certificates, tokens] in
      for credentials in certificates.values { credentials.reload(isAsked: isAsked) }
      tokens?.reload(isAsked: isAsked)
    }
  }

  /// Of the certificates and the tokens there are; none without any.
  var metrics: [Metric] { certificateMetrics + tokenMetrics }

  private var tokenMetrics: [Metric] {
    guard let figures = tokens?.figures else { return [] }
    return [
      Metric(
        "spangate_tokens", .gauge, help: "Tokens that are known.", value: Double(figures.known)),
      Metric(
        "spangate_tokens_reloads_total", .counter,
        help: "Times a changed file of tokens was read again, by whether it could be used.",
        samples: [("taken", figures.reloads), ("failed", figures.failedReloads)].map {
          .init(Double($0.1), labels: ["outcome": $0.0])
        }),
      Metric(
        "spangate_access_refused_total", .counter,
        help: "Requests refused because of their token, by why.",
        samples: ListenerName.allCases.map(\.port).flatMap { transport in
          AccessRefusal.allCases.map { reason in
            Metric.Sample(
              Double(figures.refusals[reason]?[transport] ?? 0),
              labels: ["transport": transport, "reason": reason.rawValue])
          }
        }),
    ]
  }

  private var certificateMetrics: [Metric] {
    let figures = certificates.values.sorted { $0.port < $1.port }.map { ($0.port, $0.figures) }
    guard !figures.isEmpty else { return [] }
    return [
      Metric(
        "spangate_tls_certificate_expiry_seconds", .gauge,
        help: "When the certificate of a port ends, as Unix time.",
        samples: figures.map { .init(Double($0.1.notAfter), labels: ["port": $0.0]) }),
      Metric(
        "spangate_tls_reloads_total", .counter,
        help: "Times changed certificate files were read again, by whether they could be used.",
        samples: figures.flatMap { port, figures in
          [("taken", figures.reloads), ("failed", figures.failedReloads)].map { outcome, count in
            Metric.Sample(Double(count), labels: ["port": port, "outcome": outcome])
          }
        }),
      Metric(
        "spangate_tls_handshakes_total", .counter,
        help: "TLS handshakes, by how they ended.",
        samples: figures.flatMap { port, figures in
          HandshakeOutcome.allCases.map { outcome in
            Metric.Sample(
              Double(figures.handshakes[outcome] ?? 0),
              labels: ["port": port, "outcome": outcome.rawValue])
          }
        }),
    ]
  }
}
