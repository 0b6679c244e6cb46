public import Access
import Hummingbird
import HummingbirdCore
public import Logging
import Model
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Serves the query API.
public final class QueryServer: Sendable {
  private let configuration: QueryConfiguration
  private let responder: QueryResponder
  private let tls: TLSCredentials?
  private let inFlight = InFlight()

  /// Requests that are not answered yet.
  var inFlightCount: Int { inFlight.count }

  private let logger: Logger
  private let stopSignal = AsyncStream<Never>.makeStream()

  /// What it speaks, by the names of ALPN.
  public static let protocols = ["http/1.1"]

  /// - Parameters:
  ///   - tls: the certificate of its port; nil where it speaks in the clear.
  ///   - tokens: who may ask; nil where everybody may.
  public init(
    configuration: QueryConfiguration, backend: any QueryBackend, tls: TLSCredentials? = nil,
    tokens: AccessTokens? = nil, logger: Logger
  ) {
    self.configuration = configuration
    self.tls = tls
    let counters = RequestCounters()
    let webhooks = WebhookCounters()
    let edges = EdgeMetrics(seriesMax: configuration.metricsSeriesMax)
    let routes =
      GraphRoutes.all + ComparisonRoutes.all + PathRoutes.all + CauseRoutes.all + TraceRoutes.all
      + HealthRoutes.all + ImpactRoutes.all + MarkerRoutes.all + FlowLogRoutes.all + GateRoutes.all
      + KayentaRoutes.all + FlaggerRoutes.all
      + WebhookRoutes.all(webhooks)
      + AdministrationRoutes.all + NodeGraphRoutes.all + DependencyRoutes.all
      + [MetricsRoutes.metrics(edges, counters, webhooks)]
    responder = QueryResponder(
      table: RouteTable(routes + [OpenAPI.route(describing: routes)]), backend: backend,
      configuration: configuration, tokens: tokens, counters: counters, inFlight: inFlight)
    self.logger = logger
  }

  /// Listens and answers until `stop` is called or the task is cancelled.
  /// - Parameter onBound: called once, with the port that was bound.
  /// - Errors: `QueryServerError` when the address cannot be listened on.
  public func run(onBound: @escaping @Sendable (Int) async -> Void) async throws {
    let services = serviceGroup(running: application(onBound: onBound))
    let stopping = Task { [stopSignal] in
      for await _ in stopSignal.stream {}
      await services.triggerGracefulShutdown()
    }
    defer { stopping.cancel() }
    do {
      try await services.run()
    } catch is CancellationError {
      // Cancelled is one of the two ways to end.
    } catch {
      throw QueryServerError(error, configuration)
    }
  }

  /// Refuses new questions with 503, waits until the open ones are answered, at most so long, and
  /// ends `run`.
  public func stop(within seconds: Int) async {
    inFlight.stop()
    let deadline = ContinuousClock.now + .seconds(seconds)
    while inFlight.count > 0, ContinuousClock.now < deadline {
      do { try await Task.sleep(for: .milliseconds(5)) } catch { break }
    }
    stopSignal.continuation.finish()
  }

  /// How long connections may take to close once everything is answered.
  private static let closing = Duration.seconds(1)

  private func serviceGroup(running application: some Service) -> ServiceGroup {
    var configuration = ServiceGroupConfiguration(
      services: [
        .init(
          service: application, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .cancelGroup)
      ], logger: quietLogger)
    configuration.maximumGracefulShutdownDuration = QueryServer.closing
    return ServiceGroup(configuration: configuration)
  }

  /// That it listens is the gateway's to say, with all its addresses in one place.
  private var quietLogger: Logger {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .notice)
    return quiet
  }

  func application(
    onBound: @escaping @Sendable (Int) async -> Void = { _ in }
  ) -> Application<QueryResponder> {
    Application(
      responder: responder,
      server: server,
      configuration: ApplicationConfiguration(
        address: .hostname(configuration.host, port: configuration.port),
        availableConnectionsDelegate: .maximum(configuration.connectionsMax, logger: quietLogger)),
      onServerRunning: { channel in
        await onBound(channel.localAddress?.port ?? self.configuration.port)
      },
      logger: quietLogger)
  }

  private var server: HTTPServerBuilder {
    let http = HTTP1Channel.Configuration(
      idleTimeout: .seconds(Int64(configuration.idleSeconds)),
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
    guard let tls else { return .http1(configuration: http) }
    return HTTPServerBuilder { responder in
      SecuredChannel(tls: tls, base: HTTP1Channel(responder: responder, configuration: http))
    }
  }
}
