import HTTP2
import NIOCore
import NIOHTTP1

/// The first handler of every connection: finds out the protocol, installs its handlers, leaves.
final class SniffingHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let services: LoopServices
  private var sniffer = ProtocolSniffer()
  private var received: ByteBuffer?
  private var context: ChannelHandlerContext?
  private let headDue: NIODeadline
  private var isRegistered = false

  init(services: LoopServices) {
    self.services = services
    headDue = services.now + .of(services.configuration.headTimeoutNanos)
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    isRegistered = services.register(self)
    if !isRegistered { context.close(promise: nil) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    if isRegistered { services.unregister(self) }
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    let verdict = sniffer.look(at: bytes.readableBytesView)
    if received == nil { received = bytes } else { received?.writeBuffer(&bytes) }
    do {
      switch verdict {
      case .undecided: return
      case .http1: try installHTTP1(context)
      case .http2: try installHTTP2(context)
      }
    } catch {
      context.fireErrorCaught(error)
      context.close(promise: nil)
      return
    }
    if let received {
      self.received = nil
      context.fireChannelRead(wrapInboundOut(received))
      context.fireChannelReadComplete()
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  private func installHTTP1(_ context: ChannelHandlerContext) throws {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderListSize = services.configuration.headBytesMax
    limits.maxHeaderFieldSize = services.configuration.headBytesMax
    let decoder = HTTPRequestDecoder(limitConfiguration: limits)
    try context.pipeline.syncOperations.addHandlers(
      [ByteToMessageHandler(decoder), HTTP1Handler(services: services, headDue: headDue)],
      position: .after(self))
  }

  private func installHTTP2(_ context: ChannelHandlerContext) throws {
    try context.pipeline.syncOperations.addHandler(
      HTTP2Handler(services: services), position: .after(self))
  }
}

extension SniffingHandler: Connection {
  func sweep(_ now: NIODeadline) {
    if now >= headDue { closeNow() }
  }

  func drain() { closeNow() }
  func closeNow() { context?.close(promise: nil) }
  func servingChanged() {}
  func flushAnswers() {}
}

@available(*, unavailable) extension SniffingHandler: Sendable {}
