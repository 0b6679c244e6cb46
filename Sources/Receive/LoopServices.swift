import Access
import HTTP2
import Logging
import Model
import NIOCore
import OTLP
import Synchronization

/// One connection, as far as its loop cares: swept for timeouts, told of changes, drained.
protocol Connection: AnyObject {
  /// Ends what has waited too long.
  func sweep(_ now: NIODeadline)
  /// Ends the connection as soon as its open requests are answered.
  func drain()
  /// Ends it at once.
  func closeNow()
  /// What health checks are told has changed.
  func servingChanged()
  /// Sends what answers have gathered.
  func flushAnswers()
}

/// What all connections of one event loop share: the decoder, buffers, timers. Owned by the loop.
final class LoopServices {
  let loop: any EventLoop
  let configuration: ReceiverConfiguration
  let tokens: AccessTokens?
  let router: Router
  let decoder: OTLPDecoder
  let workers: DecodeWorkers
  let sink: any BatchSink
  let counters: CounterCells
  let clock: @Sendable () -> Nanos
  let logger: Logger
  let serving: ServingFlag

  private var connections: [ObjectIdentifier: any Connection] = [:]
  private var timed: [ObjectIdentifier: Exchange] = [:]
  private var unflushed: [any Connection] = []
  private var buffers: [[UInt8]] = []
  private var isSweeping = false
  private var isWatchingDeadlines = false
  private var drained: EventLoopPromise<Void>?
  private var date = (second: UInt64.max, text: "")

  /// Buffers kept for the next requests, and the largest kept.
  private static let buffersMax = 64
  private static let bufferBytesMax = 512 << 10
  /// How exactly deadlines are kept.
  private static let deadlineStep = TimeAmount.milliseconds(20)

  init(
    loop: any EventLoop, configuration: ReceiverConfiguration, tokens: AccessTokens? = nil,
    names: NameTable, workers: DecodeWorkers, sink: any BatchSink, counters: CounterCells,
    serving: ServingFlag,
    clock: @escaping @Sendable () -> Nanos, logger: Logger
  ) {
    self.loop = loop
    self.configuration = configuration
    self.tokens = tokens
    self.workers = workers
    self.sink = sink
    self.counters = counters
    self.serving = serving
    self.clock = clock
    self.logger = logger
    router = Router(
      tracesPath: configuration.tracesPath, logsPath: configuration.logsPath,
      crossOrigin: configuration.crossOrigin)
    decoder = OTLPDecoder(
      names: names, limits: configuration.decodeLimits, rules: configuration.decodeRules)
  }

  var now: NIODeadline { .now() }
  var bodyTimeout: TimeAmount { .of(configuration.bodyTimeoutNanos) }
  var isDraining: Bool { drained != nil }

  func reserve(_ count: Int) -> Bool { sink.reserve(bytes: count) }

  func servingStatus(of service: String) -> ServingStatus {
    guard service.isEmpty || service == Router.traceService || service == Router.logsService else {
      return .serviceUnknown
    }
    return serving.isServing ? .serving : .notServing
  }

  /// The time for a Date field.
  func dateText() -> String {
    let second = clock() / .second
    if second != date.second { date = (second, HTTPDate.text(unixSeconds: second)) }
    return date.text
  }

  // MARK: Buffers

  func takeBuffer() -> [UInt8] { buffers.popLast() ?? [] }

  func giveBuffer(_ buffer: consuming [UInt8]) {
    guard buffers.count < LoopServices.buffersMax, buffer.capacity > 0,
      buffer.capacity <= LoopServices.bufferBytesMax
    else { return }
    buffers.append(buffer)
  }

  // MARK: Connections

  /// False when the connection is not to be served.
  func register(_ connection: any Connection) -> Bool {
    guard !isDraining else { return false }
    connections[ObjectIdentifier(connection)] = connection
    startSweeping()
    return true
  }

  func unregister(_ connection: any Connection) {
    connections[ObjectIdentifier(connection)] = nil
    if connections.isEmpty { drained?.succeed() }
  }

  func servingChanged() { for connection in connections.values { connection.servingChanged() } }

  /// Ends all connections; succeeds when none is left.
  func drain() -> EventLoopFuture<Void> {
    if let drained { return drained.futureResult }
    let promise = loop.makePromise(of: Void.self)
    drained = promise
    for connection in connections.values { connection.drain() }
    if connections.isEmpty { promise.succeed() }
    return promise.futureResult
  }

  func closeAll() { for connection in connections.values { connection.closeNow() } }

  /// Has a connection send its answers at the end of this turn of the loop: the answers to many
  /// requests come back together, and then go out together.
  func flushSoon(_ connection: any Connection) {
    unflushed.append(connection)
    guard unflushed.count == 1 else { return }
    loop.assumeIsolated().execute { [self] in
      let waiting = unflushed
      unflushed.removeAll()
      for connection in waiting { connection.flushAnswers() }
    }
  }

  // MARK: Time

  func watchDeadline(of exchange: Exchange) {
    timed[ObjectIdentifier(exchange)] = exchange
    guard !isWatchingDeadlines else { return }
    isWatchingDeadlines = true
    scheduleDeadlines()
  }

  func forgetDeadline(of exchange: Exchange) { timed[ObjectIdentifier(exchange)] = nil }

  private func scheduleDeadlines() {
    loop.assumeIsolated().scheduleTask(in: LoopServices.deadlineStep) { [self] in
      let now = self.now
      for exchange in timed.values {
        if let deadline = exchange.deadline, deadline <= now { exchange.expire() }
      }
      isWatchingDeadlines = !timed.isEmpty
      if isWatchingDeadlines { scheduleDeadlines() }
    }
  }

  private func startSweeping() {
    guard !isSweeping else { return }
    isSweeping = true
    scheduleSweep()
  }

  private func scheduleSweep() {
    loop.assumeIsolated().scheduleTask(in: sweepInterval) { [self] in
      let now = self.now
      for connection in connections.values { connection.sweep(now) }
      isSweeping = !connections.isEmpty
      if isSweeping { scheduleSweep() }
    }
  }

  /// A quarter of the shortest timeout, within reason.
  private var sweepInterval: TimeAmount {
    let shortest = min(
      configuration.headTimeoutNanos, configuration.bodyTimeoutNanos,
      configuration.idleTimeoutNanos, configuration.http2IdleTimeoutNanos,
      configuration.writeTimeoutNanos)
    return .of(min(max(shortest / 4, 10 * .millisecond), .second))
  }
}

@available(*, unavailable) extension LoopServices: Sendable {}

/// Whether health checks are told that the gateway serves.
final class ServingFlag: Sendable {
  private let value = Atomic(false)

  var isServing: Bool {
    get { value.load(ordering: .acquiring) }
    set { value.store(newValue, ordering: .releasing) }
  }
}

extension TimeAmount {
  static func of(_ nanos: Nanos) -> TimeAmount { .nanoseconds(Int64(clamping: nanos)) }
}
