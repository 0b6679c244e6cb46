import Logging
import NIOCore
import NIOTLS
import Synchronization

/// What became of a handshake.
public enum HandshakeOutcome: String, Sendable, CaseIterable {
  case completed
  /// The client went away, spoke no TLS, or had no certificate that is accepted here.
  case failed
  case timedOut = "timed_out"
}

/// How handshakes ended, counted by all connections of one listener.
final class HandshakeCounters: Sendable {
  private let state = Mutex<[HandshakeOutcome: Int]>([:])

  func count(_ outcome: HandshakeOutcome) { state.withLock { $0[outcome, default: 0] += 1 } }

  var counts: [HandshakeOutcome: Int] { state.withLock { $0 } }
}

/// Stands behind the TLS handler of a connection until keys are agreed on: ends clients that take
/// too long, counts how it went, and leaves. What goes wrong before then is nobody else's business.
final class HandshakeWatch: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer

  private let timeout: TimeAmount
  private let counters: HandshakeCounters
  private let port: String
  private let logger: Logger
  private var isOver = false
  private var alarm: Scheduled<Void>?

  init(timeout: TimeAmount, counters: HandshakeCounters, port: String, logger: Logger) {
    self.timeout = timeout
    self.counters = counters
    self.port = port
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) {
    alarm = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
      guard end(.timedOut) else { return }
      context.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { _ = end(.failed) }

  func channelInactive(context: ChannelHandlerContext) {
    _ = end(.failed)
    context.fireChannelInactive()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    let isDone = if case TLSUserEvent.handshakeCompleted = event { end(.completed) } else { false }
    context.fireUserInboundEventTriggered(event)
    if isDone { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !isOver else {
      context.fireErrorCaught(error)
      return
    }
    logger.debug("TLS handshake failed", metadata: ["port": "\(port)", "error": "\(error)"])
    _ = end(.failed)
    context.close(promise: nil)
  }

  /// - Returns: whether this is how it ended; it ends once.
  private func end(_ outcome: HandshakeOutcome) -> Bool {
    guard !isOver else { return false }
    isOver = true
    alarm?.cancel()
    alarm = nil
    counters.count(outcome)
    return true
  }
}

@available(*, unavailable) extension HandshakeWatch: Sendable {}
