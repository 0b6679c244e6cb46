// Two listeners, any number of connections, one path for every request:
//
//   bytes → SniffingHandler → HTTP1Handler or HTTP2Handler → Exchange → OTLPDecoder → BatchSink
//                                       ▲                        │
//                                       └──────── Answer ────────┘
//
// A connection belongs to one event loop, and so do its requests; nothing on the way is a task or
// awaits. An Exchange is the same for every protocol: it collects the body within a reservation,
// decodes it here or on a worker, offers the batch, and answers when the sink says it is durable.
// Handlers only translate. Which status a refusal gets is decided in one place, Refusal.row.

import Access
import HTTP2
public import Logging
public import Model
public import NIOCore
import NIOPosix
import OTLP
import Synchronization

/// Takes spans in over OTLP/gRPC and OTLP/HTTP, and answers once the sink has them.
public final class Receiver: Sendable {
  private let configuration: ReceiverConfiguration
  private let group: any EventLoopGroup
  private let sink: any BatchSink
  private let names: NameTable
  private let clock: @Sendable () -> Nanos
  private let logger: Logger
  private let security: ReceiverSecurity
  private let cells = CounterCells()
  private let serving = ServingFlag()
  private let running = Mutex<Running?>(nil)

  /// What exists between start and the end of the drain.
  private struct Running {
    var listeners: [any Channel]
    var loops: [NIOLoopBound<LoopServices>]
    var workers: DecodeWorkers
  }

  /// - Units: `clock` gives Unix nanoseconds.
  public init(
    configuration: ReceiverConfiguration, security: ReceiverSecurity = ReceiverSecurity(),
    group: any EventLoopGroup, sink: any BatchSink,
    names: NameTable, clock: @escaping @Sendable () -> Nanos, logger: Logger
  ) {
    self.configuration = configuration
    self.security = security
    self.group = group
    self.sink = sink
    self.names = names
    self.clock = clock
    self.logger = logger
  }

  /// Binds both listeners; connections are served from then on. Called once.
  /// - Errors: `ReceiverError`, with an address that cannot be had.
  public func start() async throws -> BoundAddresses {
    let workers = DecodeWorkers(
      threads: configuration.workerThreads, waitingMax: configuration.workerQueueMax, names: names,
      limits: configuration.decodeLimits, rules: configuration.decodeRules)
    var listeners: [any Channel] = []
    do {
      let loops = try await makeLoops(workers)
      for (listener, tls) in [
        (
          Listener(address: configuration.grpcAddress, setting: "receiver.grpc.address"),
          security.grpc
        ),
        (
          Listener(address: configuration.httpAddress, setting: "receiver.http.address"),
          security.http
        ),
      ] {
        listeners.append(try await listener.bind(group, acceptor(loops, tls)))
      }
      running.withLock { running in
        precondition(running == nil, "a receiver is started once")
        running = Running(listeners: listeners, loops: loops, workers: workers)
      }
    } catch {
      for listener in listeners { try await listener.close() }
      try await workers.shutDown()
      throw error
    }
    return bound(listeners)
  }

  /// Sets what health checks are told; not serving at first.
  public func setServing(_ isServing: Bool) {
    serving.isServing = isServing
    for loop in running.withLock({ $0?.loops ?? [] }) {
      loop.eventLoop.execute { loop.value.servingChanged() }
    }
  }

  /// Ends in good order: no new connections, clients told to go elsewhere, open requests answered,
  /// connections closed; what is left after `seconds` is cut off.
  public func drain(within seconds: Int) async {
    guard let running = running.withLock({ $0.take() }) else { return }
    serving.isServing = false
    for listener in running.listeners { await finished(listener.close()) }
    let drained = running.loops.map { loop in
      loop.eventLoop.flatSubmit {
        loop.value.servingChanged()
        return loop.value.drain()
      }
    }
    let cuts = running.loops.map { loop in
      loop.eventLoop.scheduleTask(in: .seconds(Int64(clamping: seconds))) { loop.value.closeAll() }
    }
    for future in drained { await finished(future) }
    for cut in cuts { cut.cancel() }
    do {
      try await running.workers.shutDown()
    } catch {
      logger.warning("decode workers did not end", metadata: ["error": "\(error)"])
    }
  }

  /// What has happened so far.
  public var counters: ReceiverCounters { cells.snapshot }
}

extension Receiver {
  private func makeLoops(
    _ workers: DecodeWorkers
  ) async throws -> [NIOLoopBound<LoopServices>] {
    var loops: [NIOLoopBound<LoopServices>] = []
    for loop in group.makeIterator() {
      let bound = loop.submit { [self] in
        let services = LoopServices(
          loop: loop, configuration: configuration, tokens: security.tokens, names: names,
          workers: workers, sink: sink,
          counters: cells, serving: serving, clock: clock, logger: logger)
        return NIOLoopBound(services, eventLoop: loop)
      }
      loops.append(try await bound.get())
    }
    return loops
  }

  private func acceptor(
    _ loops: [NIOLoopBound<LoopServices>], _ tls: TLSCredentials?
  ) -> @Sendable (any Channel) -> EventLoopFuture<Void> {
    var table: [ObjectIdentifier: NIOLoopBound<LoopServices>] = [:]
    for loop in loops { table[ObjectIdentifier(loop.eventLoop)] = loop }
    return { [table, cells, connectionsMax = configuration.connectionsMax] channel in
      cells.connectionsAccepted.add(1)
      cells.connectionsOpen.add(1)
      channel.closeFuture.whenComplete { _ in cells.connectionsOpen.add(-1) }
      guard cells.connectionsOpen.load(ordering: .relaxed) <= connectionsMax,
        let services = table[ObjectIdentifier(channel.eventLoop)]
      else {
        cells.connectionsRefused.add(1)
        return channel.close()
      }
      return channel.eventLoop.makeCompletedFuture {
        try tls?.secure(channel)
        try channel.pipeline.syncOperations.addHandler(SniffingHandler(services: services.value))
      }
    }
  }

  private func bound(_ listeners: [any Channel]) -> BoundAddresses {
    func address(_ listener: any Channel, _ asked: ListenAddress) -> ListenAddress {
      ListenAddress(host: asked.host, port: listener.localAddress?.port ?? asked.port)
    }
    let addresses = BoundAddresses(
      grpc: address(listeners[0], configuration.grpcAddress),
      http: address(listeners[1], configuration.httpAddress))
    logger.info(
      "receiving spans", metadata: ["grpc": "\(addresses.grpc)", "http": "\(addresses.http)"])
    return addresses
  }

  /// Waits for an end whose failure changes nothing but is worth knowing.
  private func finished(_ future: EventLoopFuture<Void>) async {
    do {
      try await future.get()
    } catch {
      logger.debug("closing failed", metadata: ["error": "\(error)"])
    }
  }
}
