import Access
import Logging
import Model
import NIOPosix
import Query
import Receive

/// Who may come in by which port: the certificates of all listeners, read again when their files
/// change.
final class Doors: Sendable {
  private let certificates: [ListenerName: TLSCredentials]

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
  }

  var receiver: ReceiverSecurity {
    ReceiverSecurity(grpc: certificates[.grpc], http: certificates[.http])
  }

  var query: TLSCredentials? { certificates[.query] }

  /// Whether there is anything to look at.
  var haveFiles: Bool { !certificates.isEmpty }

  /// Reads all files again, on a thread that may wait for the disk.
  /// - Parameter isAsked: also those that have not changed.
  func reload(isAsked: Bool) async throws {
    try await NIOThreadPool.singleton.runIfActive { [certificates] in
      for credentials in certificates.values { credentials.reload(isAsked: isAsked) }
    }
  }

  /// Of the certificates there are; none without one.
  var metrics: [Metric] {
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
