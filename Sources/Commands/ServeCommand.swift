import ArgumentParser
import Gateway
import Logging

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Runs the gateway until it is told to stop.",
    discussion: """
      SIGTERM or SIGINT drains: readiness goes off, open requests are answered, sums are stored, \
      exit code 0. A second signal ends the process at once; spans already acknowledged are in the \
      journal. SIGHUP reads certificates and tokens \
      again from their files.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let context = CommandContext.current
    let loaded = try options.load(in: context)
    try await GatewayRun(configuration: loaded.configuration).run(in: context)
  }
}

/// A gateway that can be started and stopped: the real one, or a test's.
protocol RunningGateway: Sendable {
  func start() async throws -> ListeningAddresses
  func reload() async
  func stop() async throws
}

extension SpangateServer: RunningGateway {}

typealias MakeGateway = @Sendable (Configuration, Logger) -> any RunningGateway

/// One life of a gateway: start, tell where it listens, wait for a signal, drain.
struct GatewayRun {
  var configuration: Configuration

  func run(in context: CommandContext) async throws(CommandFailure) {
    let logger = Logger.gateway(configuration.log)
    // Before anything is bound: a signal that comes while starting must not be lost.
    let signals = await context.signals()
    let gateway = context.makeGateway(configuration, logger)
    do {
      let addresses = try await gateway.start()
      context.print(GatewayRun.greeting(addresses))
      logger.notice(
        "listening",
        metadata: [
          "grpc": "\(addresses.grpc)", "http": "\(addresses.http)", "query": "\(addresses.query)",
        ])
    } catch {
      throw CommandFailure(.failed, "cannot start: \(error)")
    }
    while case .reload = await next(from: signals, logger) { await gateway.reload() }
    do {
      try await gateway.stop()
    } catch {
      throw CommandFailure(.failed, "did not stop cleanly: \(error)")
    }
    logger.notice("stopped")
  }

  private func next(from signals: any ProcessSignals, _ logger: Logger) async -> ProcessSignal {
    let signal = await signals.next()
    switch signal {
    case .reload: logger.notice("reading files again", metadata: ["signal": "SIGHUP"])
    case .stop(let name): logger.notice("stopping", metadata: ["signal": "\(name)"])
    }
    return signal
  }

  /// Where it listens, and what to paste into an exporter's environment.
  static func greeting(_ addresses: ListeningAddresses) -> String {
    """
    otlp/grpc \(addresses.grpc)
    otlp/http \(addresses.http)
    query \(addresses.query)
    Paste into an exporter's environment:
      OTEL_EXPORTER_OTLP_ENDPOINT=\(addresses.isGRPCSecure ? "https" : "http")://\(reachable(addresses.grpc))

    """
  }

  /// The address a program on the same machine can use: "every interface" is none.
  static func reachable(_ address: String) -> String {
    for anywhere in ["0.0.0.0:", "[::]:", ":::"] where address.hasPrefix(anywhere) {
      return "127.0.0.1:" + address.dropFirst(anywhere.count)
    }
    return address
  }
}
