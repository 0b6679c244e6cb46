import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// The network: HTTP/1.1, with TLS where the address says https.
struct NetworkExchange: HTTPExchange {
  /// Connections are kept between requests, so there is one client for each way to trust servers.
  private static let clients = Mutex<[ServerTrust: HTTPClient]>([:])

  /// What an answer may hold.
  private static let answerBytesMax = 1 << 30
  private static let connectTime = TimeAmount.seconds(10)

  func send(_ request: HTTPRequest) async throws(CommandFailure) -> HTTPAnswer {
    let client = try NetworkExchange.client(request.trust)
    var outgoing = HTTPClientRequest(url: request.url.absoluteString)
    outgoing.method = .init(rawValue: request.method)
    for (name, value) in request.headers { outgoing.headers.replaceOrAdd(name: name, value: value) }
    if request.method != "GET" { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
    let deadline = NIODeadline.now() + .nanoseconds(Int64(clamping: request.timeout))
    do {
      let response = try await client.execute(outgoing, deadline: deadline)
      let body = try await response.body.collect(upTo: NetworkExchange.answerBytesMax)
      var headers: [String: String] = [:]
      for (name, value) in response.headers {
        headers.merge([name.lowercased(): value]) { "\($0), \($1)" }
      }
      return HTTPAnswer(
        status: Int(response.status.code), headers: headers, body: Array(body.readableBytesView))
    } catch {
      throw NetworkExchange.failure(error, of: request)
    }
  }

  private static func client(_ trust: ServerTrust) throws(CommandFailure) -> HTTPClient {
    if let client = clients.withLock({ $0[trust] }) { return client }
    var configuration = HTTPClient.Configuration(
      tlsConfiguration: try trust.configuration(),
      timeout: .init(connect: connectTime))
    configuration.httpVersion = .http1Only
    // Nobody at the port is an answer, too: asking again is for the command to decide.
    configuration.connectionPool.retryConnectionEstablishment = false
    let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    return clients.withLock { clients in
      if let other = clients[trust] {
        made.shutdown { _ in }
        return other
      }
      clients[trust] = made
      return made
    }
  }

  private static func failure(_ error: any Error, of request: HTTPRequest) -> CommandFailure {
    let origin = ServerAddress.origin(request.url)
    if (error as? HTTPClientError) == .deadlineExceeded {
      let seconds = (request.timeout + .second - 1) / .second
      return CommandFailure(
        .unreachable,
        "\(origin) gave no answer within \(seconds) s; check that --server "
          + "is the gateway's query address (port 4320)")
    }
    if let reason = ServerTrust.reason(of: error) {
      return CommandFailure(.unreachable, "\(origin) is out of reach: \(reason).")
    }
    return CommandFailure(
      .unreachable,
      "\(origin) is out of reach: \(reason(of: error)). Is the gateway running, "
        + "and is the address right?")
  }

  /// What went wrong, for a person.
  private static func reason(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      if let first = error.connectionErrors.first { return reason(of: first.error) }
      return "no address is known for \(error.host)"
    case let error as IOError:
      return unsafe strerror(error.errnoCode).map { unsafe String(cString: $0) } ?? "\(error)"
    case let error as HTTPClientError: return error.shortDescription
    default: return "\(error)"
    }
  }
}
