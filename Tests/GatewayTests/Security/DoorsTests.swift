import Access
import Logging
import Model
import Synchronization
import Testing

@testable import Gateway

@Suite struct DoorsTests {
  private final class Warnings: Sendable {
    let lines = Mutex<[String]>([])
  }

  private struct Handler: LogHandler {
    let warnings: Warnings
    var logLevel = Logger.Level.warning
    var metadata: Logger.Metadata = [:]
    subscript(metadataKey key: String) -> Logger.MetadataValue? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) { warnings.lines.withLock { $0.append("\(event.message)") } }
  }

  /// What is warned about at the start.
  private func warnings(_ configuration: Configuration) throws -> [String] {
    let warnings = Warnings()
    _ = try Doors(
      configuration: configuration, clock: { 0 },
      logger: Logger(label: "test") { _ in Handler(warnings: warnings) })
    return warnings.lines.withLock { $0 }
  }

  /// Scenario: ports that only this machine reaches, by each of their names.
  /// Guarantees: nothing is warned about.
  @Test(arguments: ["127.0.0.1", "127.3.2.1", "localhost", "::1"])
  func inside(host: String) throws {
    var configuration = Configuration()
    configuration.receiver.grpc.address.host = host
    configuration.query.address.host = host
    #expect(try warnings(configuration).isEmpty)
  }

  /// Scenario: ports that others reach, without TLS and tokens, and with tokens alone.
  /// Guarantees: one line for each such port, with what is missing and the keys to set.
  @Test func outside() throws {
    var configuration = Configuration()
    configuration.receiver.grpc.address.host = "0.0.0.0"
    configuration.query.address.host = "::"
    #expect(
      try warnings(configuration) == [
        "receiver.grpc.address 0.0.0.0:4317 is open beyond this machine without TLS and to everybody, "
          + "without tokens; set receiver.grpc.tls.certificate_file and key_file, and tokens.file, "
          + "or listen on 127.0.0.1",
        "query.address [::]:4320 is open beyond this machine without TLS and to everybody, without "
          + "tokens; set query.tls.certificate_file and key_file, and tokens.file, or listen on "
          + "127.0.0.1",
      ])
    configuration.tokens.known = [TokenLine.make(name: "a", scopes: [.query]).line]
    configuration.query.address.host = "gateway.example"
    #expect(
      try warnings(configuration) == [
        "receiver.grpc.address 0.0.0.0:4317 is open beyond this machine without TLS; set "
          + "receiver.grpc.tls.certificate_file and key_file, or listen on 127.0.0.1",
        "query.address gateway.example:4320 is open beyond this machine without TLS; set "
          + "query.tls.certificate_file and key_file, or listen on 127.0.0.1",
      ])
  }
}
