import Glibc
import Model
import NIOCore
import NIOPosix

/// Binds one of the two ports.
struct Listener {
  let address: ListenAddress
  /// The configuration key that chooses the address, for messages.
  let setting: String

  /// Connections the system may queue before they are accepted.
  private static let backlog: Int32 = 1024
  /// Bytes of answers on the way to one client at which more is held back.
  private static let outputBytes = ChannelOptions.Types.WriteBufferWaterMark(
    low: 64 << 10, high: 256 << 10)

  func bind(
    _ group: any EventLoopGroup,
    _ accept: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws(ReceiverError) -> any Channel {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: Listener.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(.writeBufferWaterMark, value: Listener.outputBytes)
      .childChannelInitializer(accept)
    do {
      return try await bootstrap.bind(host: address.host, port: address.port).get()
    } catch let error as IOError {
      throw receiverError(error)
    } catch {
      throw .cannotBind(address: address.description, setting: setting, reason: "\(error)")
    }
  }

  private func receiverError(_ error: IOError) -> ReceiverError {
    switch error.errnoCode {
    case EADDRINUSE: .addressInUse(address: address.description, setting: setting)
    case EACCES, EPERM: .notPermitted(address: address.description, setting: setting)
    case EADDRNOTAVAIL:
      .cannotBind(
        address: address.description, setting: setting, reason: "this machine has no such address")
    default: .cannotBind(address: address.description, setting: setting, reason: "\(error)")
    }
  }
}
