import HTTP2
import Logging
import NIOCore
import OTLP

/// One HTTP/2 connection: carries bytes between the channel and the session, and events between
/// the session and the exchanges.
final class HTTP2Handler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let services: LoopServices
  private var session: HTTP2Session?
  private var context: ChannelHandlerContext?
  private var exchanges: [Int32: Exchange] = [:]
  private var watches = HealthWatches()
  private var isRegistered = false
  private var isReading = false
  private var isFlushScheduled = false
  private var hasHeldRead = false
  private var idleSince: NIODeadline
  private var unwritableSince: NIODeadline?
  /// A graceful end has begun; when it must go on without the client's sign.
  private var shutDownDue: NIODeadline?
  private var isShutDown = false
  /// The header block that was incomplete at the last sweep, and since which one.
  private var openHead: (block: Int, since: NIODeadline)?

  /// What is written to the channel in one piece.
  private static let writeBytes = 64 << 10
  /// How long a client has to answer that it has read the notice of the end.
  private static let noticeTime = TimeAmount.milliseconds(500)

  init(services: LoopServices) {
    self.services = services
    idleSince = services.now
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    isRegistered = services.register(self)
    do {
      session = try HTTP2Session(configuration: services.configuration.http2)
    } catch {
      fail(error)
    }
    if !isRegistered { context.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    let bytes = unwrapInboundIn(data)
    guard let session else { return }
    do throws(HTTP2Error) {
      try session.receive(bytes.readableBytesSpan, at: services.now.uptimeNanoseconds)
      handleEvents(bytes)
    } catch {
      handleEvents(bytes)
      fail(error)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    flushAnswers()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    // A client that does not read answers sends no more requests either.
    if context.channel.isWritable { context.read() } else { hasHeldRead = true }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      unwritableSince = nil
      flushAnswers()
      if hasHeldRead {
        hasHeldRead = false
        context.read()
      }
    } else {
      unwritableSince = services.now
    }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { closeNow() }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    services.logger.debug("connection failed", metadata: ["error": "\(error)"])
    context.close(promise: nil)
  }
}

// MARK: - Events of the session

extension HTTP2Handler {
  private func handleEvents(_ input: ByteBuffer) {
    while let event = session?.nextEvent() {
      switch event {
      case .requestReceived(let stream, let head, let ended): begin(stream, head, ended: ended)
      case .headersTooLarge(let stream): refuseHeaders(stream)
      case .bodyReceived(let stream, let range):
        exchanges[stream]?.receive(input.readableBytesSpan.extracting(range))
        // Kept or dropped, the bytes are taken.
        session?.consume(stream: stream, bytes: range.count)
      case .requestEnded(let stream): exchanges[stream]?.end()
      case .streamClosed(let stream, _): streamClosed(stream)
      case .ended(let protection): count(protection)
      case .pingAcknowledged: if shutDownDue != nil { shutDown() }
      }
    }
  }

  private func begin(_ stream: Int32, _ head: RequestHead, ended: Bool) {
    let exchange = Exchange(head, stream: stream, isHTTP2: true, owner: self, services: services)
    exchanges[stream] = exchange
    exchange.begin()
    if ended { exchange.end() }
  }

  private func count(_ protection: HTTP2Protection) {
    services.counters.count(protection)
    services.logger.debug(
      "HTTP/2 connection ended", metadata: ["reason": "\(protection.rawValue)"])
  }

  private func refuseHeaders(_ stream: Int32) {
    services.counters.grpc.requestsBad.add(1)
    let bytesMax = services.configuration.http2.headerListBytesMax
    respond(
      stream,
      GRPCReply(
        .refused(.headersTooLarge(bytesMax: bytesMax)), to: RequestHead(), services.configuration))
  }

  private func streamClosed(_ stream: Int32) {
    watches.end(stream)
    exchanges.removeValue(forKey: stream)?.cancel()
    if exchanges.isEmpty { idleSince = services.now }
  }

  /// The session cannot go on: what it has to say about that is sent, then the connection closed.
  private func fail(_ error: HTTP2Error) {
    services.logger.debug("HTTP/2 connection failed", metadata: ["error": "\(error.message)"])
    flushAnswers()
    closeAfterWrites()
  }
}

// MARK: - Answers

extension HTTP2Handler: ExchangeOwner {
  func exchangeAnswered(_ exchange: Exchange, _ answer: Answer) {
    exchange.answeredAt = services.now
    switch exchange.form {
    case .grpc:
      respond(exchange.stream, GRPCReply(answer, to: exchange.head, services.configuration))
    case .http(let encoding):
      let reply = HTTPReply(answer, to: exchange.head, encoding, services)
      let isHead = exchange.head.method == "HEAD"
      session?.respond(
        to: exchange.stream, status: reply.status, headers: reply.headers,
        body: isHead ? [] : reply.body)
    }
    flushLater()
  }

  func watchBegan(_ exchange: Exchange, service: String) {
    guard let session else { return }
    session.beginResponse(
      to: exchange.stream, status: 200, headers: [GRPCReply.contentType])
    watches.begin(exchange.stream, service: service)
    watches.tell(session) { services.servingStatus(of: $0) }
    if isDraining { endWatches() }
  }

  private func respond(_ stream: Int32, _ reply: GRPCReply) {
    session?.respond(
      to: stream, status: reply.status, headers: reply.headers, body: reply.body,
      trailers: reply.trailers, resetCode: reply.resetCode)
  }

  private func endWatches() {
    guard let session else { return }
    watches.endAll(session, GRPCReply.statusHeaders(Refusal.shuttingDown.row))
  }
}

// MARK: - The connection

extension HTTP2Handler: Connection {
  func flushAnswers() {
    isFlushScheduled = false
    guard let context, let session else { return }
    do throws(HTTP2Error) {
      while context.channel.isWritable, session.wantsToWrite {
        var output = ByteBuffer()
        try session.writeOutput { piece in
          output.writeBytes(piece)
          return output.readableBytes < HTTP2Handler.writeBytes
        }
        guard output.readableBytes > 0 else { break }
        context.writeAndFlush(wrapOutboundOut(output), promise: nil)
      }
    } catch {
      services.logger.debug("HTTP/2 cannot send", metadata: ["error": "\(error.message)"])
      closeNow()
      return
    }
    handleEvents(ByteBuffer())
    // Between the two steps of a graceful end the session has nothing to do and yet may get a
    // request that was on its way.
    if session.isFinished, shutDownDue == nil { closeAfterWrites() }
  }

  /// At the end of this read, or of this turn of the loop.
  private func flushLater() {
    guard !isReading, !isFlushScheduled else { return }
    isFlushScheduled = true
    services.flushSoon(self)
  }

  func sweep(_ now: NIODeadline) {
    for exchange in exchanges.values { exchange.checkProgress(now) }
    endUnread(now)
    checkHead(now)
    if let shutDownDue, now >= shutDownDue { shutDown() }
    let configuration = services.configuration
    if let unwritableSince, now >= unwritableSince + .of(configuration.writeTimeoutNanos) {
      closeNow()
    } else if exchanges.isEmpty, watches.isEmpty,
      now >= idleSince + .of(configuration.http2IdleTimeoutNanos)
    {
      drain()
    }
    flushAnswers()
  }

  /// Answers that the client leaves no room for, though the connection itself takes bytes.
  private func endUnread(_ now: NIODeadline) {
    let writeTimeout = TimeAmount.of(services.configuration.writeTimeoutNanos)
    var wasEnded = false
    for (stream, exchange) in exchanges {
      guard let answeredAt = exchange.answeredAt, now >= answeredAt + writeTimeout else { continue }
      session?.reset(stream, .cancel)
      wasEnded = true
    }
    if wasEnded { services.counters.count(.unread) }
  }

  /// A header block that does not end: everything after it on the connection waits.
  private func checkHead(_ now: NIODeadline) {
    guard let block = session?.incompleteHead else {
      openHead = nil
      return
    }
    guard let openHead, openHead.block == block else {
      openHead = (block, now)
      return
    }
    guard now >= openHead.since + .of(services.configuration.headTimeoutNanos) else { return }
    count(.incompleteHead)
    closeNow()
  }

  func drain() {
    guard !isDraining, let session else { return }
    shutDownDue = services.now + HTTP2Handler.noticeTime
    session.announceShutdown()
    endWatches()
    flushLater()
  }

  func closeNow() { context?.close(promise: nil) }

  private func closeAfterWrites() {
    guard let context else { return }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
      context.close(promise: nil)
    }
  }

  func servingChanged() {
    guard let session, !watches.isEmpty else { return }
    watches.tell(session) { services.servingStatus(of: $0) }
    flushLater()
  }

  private var isDraining: Bool { shutDownDue != nil || isShutDown }

  private func shutDown() {
    guard !isShutDown else { return }
    isShutDown = true
    shutDownDue = nil
    session?.shutDown()
    flushLater()
  }

  private func leave() {
    let open = exchanges
    exchanges.removeAll()
    for exchange in open.values { exchange.cancel() }
    watches = HealthWatches()
    if isRegistered { services.unregister(self) }
    isRegistered = false
    context = nil
    session = nil
  }
}

@available(*, unavailable) extension HTTP2Handler: Sendable {}
