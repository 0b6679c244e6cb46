import Access
import HummingbirdCore
import Logging
import NIOCore

/// Connections that speak TLS before they speak anything else.
struct SecuredChannel<Base: ServerChildChannel>: ServerChildChannel {
  let tls: TLSCredentials
  let base: Base

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
    channel.eventLoop.makeCompletedFuture { try tls.secure(channel) }
      .flatMap { base.setup(channel: channel, logger: logger) }
  }

  func handle(value: Base.Value, logger: Logger) async {
    await base.handle(value: value, logger: logger)
  }
}
