import HTTP2
import Logging
import NIOCore
import NIOHTTP1
import OTLP

/// One HTTP/1.1 connection: requests one after the other, each answered before the next is begun.
/// What a client sends ahead waits here, and no more is read while something waits.
final class HTTP1Handler: ChannelDuplexHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    case idle
    /// The request's body is coming.
    case receiving(Exchange)
    /// The request is complete and waits for its answer.
    case answering(Exchange)
    /// Answered; the rest of the request is read and dropped.
    case discarding(until: NIODeadline)
    /// Nothing is sent any more; what still comes is dropped until the client closes, because
    /// closing on unread bytes would take the answer away from it.
    case lingering(until: NIODeadline)
  }

  private enum Input {
    case part(HTTPServerRequestPart)
    case failed(Refusal)
    case closed
  }

  private let services: LoopServices
  private var context: ChannelHandlerContext?
  private var state = State.idle
  private var waiting = CircularBuffer<Input>()
  private var request: (head: RequestHead, framing: HTTP1Framing)?
  private var isDraining = false
  private var isRegistered = false
  private var isReading = false
  private var isHandlingWaiting = false
  private var hasHeldRead = false
  private var isFlushPending = false
  private var isFlushScheduled = false
  private var requestCount = 0
  private var idleDue: NIODeadline
  private var unwritableSince: NIODeadline?

  /// Parts that may wait before reading stops.
  private static let waitingMax = 8
  private static let lingerTime = TimeAmount.seconds(2)

  init(services: LoopServices, headDue: NIODeadline) {
    self.services = services
    idleDue = headDue
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    isRegistered = services.register(self)
    if !isRegistered { context.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { leave() }

  func channelInactive(context: ChannelHandlerContext) {
    leave()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isReading = true
    take(.part(unwrapInboundIn(data)))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    isReading = false
    flushAnswers()
    context.fireChannelReadComplete()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let error = error as? HTTPParserError else {
      services.logger.debug("connection failed", metadata: ["error": "\(error)"])
      context.close(promise: nil)
      return
    }
    take(.failed(refusal(of: error)))
    if !isReading { flushAnswers() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { take(.closed) }
    context.fireUserInboundEventTriggered(event)
  }

  func read(context: ChannelHandlerContext) {
    if waiting.count >= HTTP1Handler.waitingMax || !context.channel.isWritable {
      hasHeldRead = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    unwritableSince = context.channel.isWritable ? nil : services.now
    resumeReading()
    context.fireChannelWritabilityChanged()
  }
}

// MARK: - What comes in

extension HTTP1Handler {
  private func take(_ input: Input) {
    if case .answering = state {
      waiting.append(input)
    } else if isHandlingWaiting || !waiting.isEmpty {
      waiting.append(input)
    } else {
      handle(input)
    }
  }

  private func handle(_ input: Input) {
    switch input {
    case .part(.head(let head)): begin(head)
    case .part(.body(let bytes)): bodyReceived(bytes)
    case .part(.end): requestEnded()
    case .failed(let refusal): inputFailed(refusal)
    case .closed: inputClosed()
    }
  }

  private func begin(_ received: HTTPRequestHead) {
    guard case .idle = state else { return }
    requestCount += 1
    let head = RequestHead(received)
    let framing = HTTP1Framing(received)
    request = (head, framing)
    let exchange = Exchange(head, stream: 0, isHTTP2: false, owner: self, services: services)
    state = .receiving(exchange)
    exchange.begin()
    if exchange.isCollecting, framing.expectsContinue {
      var buffer = ByteBuffer()
      buffer.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
      write(buffer)
    }
  }

  private func bodyReceived(_ bytes: ByteBuffer) {
    if case .receiving(let exchange) = state { exchange.receive(bytes.readableBytesSpan) }
  }

  private func requestEnded() {
    switch state {
    case .receiving(let exchange):
      state = .answering(exchange)
      exchange.end()
    case .discarding: becomeIdle()
    case .idle, .answering, .lingering: break
    }
  }

  private func inputFailed(_ refusal: Refusal) {
    switch state {
    case .idle, .receiving:
      if case .receiving(let exchange) = state { exchange.cancel() }
      if requestCount == 0 { services.counters.connectionsNotHTTP.add(1) }
      services.counters.http.requestsBad.add(1)
      let head = request?.head ?? RequestHead()
      send(HTTPReply(.refused(refusal), to: head, .json, services), closing: true)
      linger()
    case .discarding: linger()
    case .answering, .lingering: break
    }
  }

  private func inputClosed() {
    if case .receiving(let exchange) = state { exchange.cancel() }
    if case .lingering = state { closeNow() } else { closeAfterWrites() }
  }

  private func refusal(of error: HTTPParserError) -> Refusal {
    if error == .headerOverflow {
      return .headersTooLarge(bytesMax: services.configuration.headBytesMax)
    }
    return .notHTTP("\(error)")
  }
}

// MARK: - What goes out

extension HTTP1Handler: ExchangeOwner {
  func exchangeAnswered(_ exchange: Exchange, _ answer: Answer) {
    let encoding: OTLPEncoding = if case .http(let asked) = exchange.form { asked } else { .json }
    let reply = HTTPReply(answer, to: exchange.head, encoding, services)
    var mustClose = isDraining || request?.framing.isKeepAlive != true
    switch state {
    case .receiving:
      // Answered before the request ended: a short rest is read, if it can be expected to come;
      // otherwise the connection ends.
      mustClose = mustClose || exchange.isStalled || request?.framing.isRestShort != true
      send(reply, closing: mustClose)
      if mustClose {
        linger()
      } else {
        state = .discarding(until: services.now + services.bodyTimeout)
      }
    case .answering:
      send(reply, closing: mustClose)
      if mustClose { linger() } else { becomeIdle() }
    case .idle, .discarding, .lingering: return
    }
    flushLater()
  }

  func watchBegan(_ exchange: Exchange, service: String) {
    preconditionFailure("health watches need gRPC, which needs HTTP/2")
  }

  private func send(_ reply: HTTPReply, closing: Bool) {
    var buffer = ByteBuffer()
    buffer.reserveCapacity(512 + reply.body.count)
    let status = HTTPResponseStatus(statusCode: reply.status)
    buffer.writeString("HTTP/1.1 \(reply.status) \(status.reasonPhrase)\r\n")
    for header in reply.headers { buffer.writeString("\(header.name): \(header.value)\r\n") }
    if reply.status != 204 { buffer.writeString("content-length: \(reply.body.count)\r\n") }
    if closing {
      buffer.writeStaticString("connection: close\r\n")
    } else if request?.framing.isHTTP10 == true {
      buffer.writeStaticString("connection: keep-alive\r\n")
    }
    buffer.writeStaticString("\r\n")
    if request?.head.method != "HEAD" { buffer.writeBytes(reply.body) }
    write(buffer)
  }

  private func write(_ buffer: ByteBuffer) {
    context?.write(wrapOutboundOut(buffer), promise: nil)
    isFlushPending = true
  }

  /// At the end of this read, or of this turn of the loop.
  private func flushLater() {
    guard !isReading, !isFlushScheduled else { return }
    isFlushScheduled = true
    services.flushSoon(self)
  }

  private func becomeIdle() {
    state = .idle
    request = nil
    idleDue = services.now + .of(services.configuration.idleTimeoutNanos)
    handleWaiting()
    guard isDraining, case .idle = state, waiting.isEmpty else { return }
    closeAfterWrites()
  }

  private func handleWaiting() {
    guard !isHandlingWaiting else { return }
    isHandlingWaiting = true
    while let input = waiting.first {
      if case .answering = state { break }
      waiting.removeFirst()
      handle(input)
    }
    isHandlingWaiting = false
    resumeReading()
  }

  private func resumeReading() {
    guard hasHeldRead, waiting.count < HTTP1Handler.waitingMax, let context,
      context.channel.isWritable
    else { return }
    hasHeldRead = false
    context.read()
  }

  /// Ends the connection once the answer is out and the client has closed, or takes too long to.
  private func linger() {
    state = .lingering(until: services.now + .of(services.configuration.writeTimeoutNanos))
    waiting.removeAll()
    afterWrites { [self] context in
      state = .lingering(until: services.now + HTTP1Handler.lingerTime)
      context.close(mode: .output, promise: nil)
    }
    resumeReading()
  }

  private func closeAfterWrites() {
    state = .lingering(until: services.now + .of(services.configuration.writeTimeoutNanos))
    afterWrites { context in context.close(promise: nil) }
  }

  /// Goes on when everything written has left, or cannot leave any more.
  private func afterWrites(_ then: @escaping (ChannelHandlerContext) -> Void) {
    guard let context else { return }
    isFlushPending = false
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
      then(context)
    }
  }
}

// MARK: - The connection

extension HTTP1Handler: Connection {
  func flushAnswers() {
    isFlushScheduled = false
    guard isFlushPending else { return }
    isFlushPending = false
    context?.flush()
  }

  func sweep(_ now: NIODeadline) {
    if let unwritableSince,
      now >= unwritableSince + .of(services.configuration.writeTimeoutNanos)
    {
      closeNow()
      return
    }
    switch state {
    case .idle: if now >= idleDue { closeNow() }
    case .receiving(let exchange): exchange.checkProgress(now)
    case .discarding(let until), .lingering(let until): if now >= until { closeNow() }
    case .answering: break
    }
  }

  func drain() {
    isDraining = true
    if case .idle = state, waiting.isEmpty { closeNow() }
  }

  func closeNow() { context?.close(promise: nil) }

  func servingChanged() {}

  private func leave() {
    switch state {
    case .receiving(let exchange), .answering(let exchange): exchange.cancel()
    case .idle, .discarding, .lingering: break
    }
    state = .lingering(until: services.now)
    waiting.removeAll()
    if isRegistered { services.unregister(self) }
    isRegistered = false
    context = nil
  }
}

@available(*, unavailable) extension HTTP1Handler: Sendable {}
