import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
public import NIOPosix

/// Sends requests over HTTP. Nothing is followed elsewhere, nothing takes longer or is larger than it
/// may be, and no address is spoken to that was not looked at.
///
/// A name is resolved here, and the connection goes to the address that was found: asked twice, a
/// name could stand for an allowed address the first time and for another the second. So each request
/// has a client of its own; there are few of them.
public struct OutgoingHTTP: Sendable {
  static let connectSecondsMax: Int64 = 10
  static let requestSecondsMax: Int64 = 30
  static let replyBytesMax = 1 << 20

  private let group: MultiThreadedEventLoopGroup
  private let privateAddresses: PrivateAddresses

  public init(group: MultiThreadedEventLoopGroup, privateAddresses: PrivateAddresses) {
    self.group = group
    self.privateAddresses = privateAddresses
  }

  public func send(_ outgoing: OutgoingRequest) async throws -> OutgoingReply {
    guard let url = URL(string: outgoing.url), let host = url.host, !host.isEmpty else {
      throw OutgoingRefusal("\(outgoing.url.prefix(256)) is no address")
    }
    let address = try await address(of: host)
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow,
      timeout: .init(connect: .seconds(OutgoingHTTP.connectSecondsMax)))
    configuration.httpVersion = .http1Only
    configuration.dnsOverride = [host: address.text]
    let client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    let reply: OutgoingReply
    do {
      reply = try await OutgoingHTTP.reply(to: outgoing, from: client)
    } catch {
      try await client.shutdown()
      throw error
    }
    try await client.shutdown()
    return reply
  }

  private static func reply(
    to outgoing: OutgoingRequest, from client: HTTPClient
  ) async throws -> OutgoingReply {
    var request = HTTPClientRequest(url: outgoing.url)
    request.method = HTTPMethod(rawValue: outgoing.method.rawValue)
    for (name, value) in outgoing.headers { request.headers.add(name: name, value: value) }
    if !outgoing.body.isEmpty { request.body = .bytes(ByteBuffer(string: outgoing.body)) }
    let response = try await client.execute(request, timeout: .seconds(requestSecondsMax))
    let body = try await response.body.collect(upTo: replyBytesMax)
    return OutgoingReply(
      status: Int(response.status.code), body: Array(body.readableBytesView),
      retryAfterSeconds: response.headers.first(name: "retry-after").flatMap { Int($0) })
  }

  /// - Errors: `OutgoingRefusal` for an address that is not spoken to; what the resolver says.
  private func address(of host: String) async throws -> IPAddress {
    let bare = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    let found = try await NIOThreadPool.singleton.runIfActive {
      try SocketAddress.makeAddressResolvingHost(bare, port: 0).ipAddress
    }
    guard let address = found.flatMap({ IPAddress($0.utf8) }) else {
      throw OutgoingRefusal("\(host) has no address")
    }
    guard address.isPublic || privateAddresses == .allow else {
      throw OutgoingRefusal(
        "\(host) is \(address.text), which is not public: outgoing.private_addresses says allow "
          + "where that is meant")
    }
    return address
  }
}
