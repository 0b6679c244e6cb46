import NIOCore
import NIOPosix
import Testing

@testable import Outgoing

@Suite struct OutgoingHTTPTests {
  /// Scenario: requests to this machine, by its addresses, by its name, and in other spellings of them,
  /// where private addresses are refused; and to what is no address.
  /// Guarantees: none is sent, and the reason names the address and the key.
  @Test func refused() async throws {
    let http = OutgoingHTTP(group: .singleton, privateAddresses: .refuse)
    for host in ["127.0.0.1", "localhost", "[::1]", "127.1", "0x7f000001", "2130706433", "0.0.0.0"]
    {
      do {
        _ = try await http.send(OutgoingRequest(.get, "http://\(host):9/"))
        Issue.record("\(host) was spoken to")
      } catch let refusal as OutgoingRefusal {
        #expect(refusal.description.contains("outgoing.private_addresses"), "\(host)")
      }
    }
    await #expect(throws: OutgoingRefusal.self) {
      _ = try await http.send(OutgoingRequest(.get, "/nowhere"))
    }
  }

  /// Scenario: a server of this machine, where that is allowed, redirects elsewhere.
  /// Guarantees: the request arrives with its name, headers and body; the redirect is what comes back.
  @Test func allowed() async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .bind(host: "127.0.0.1", port: 0) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    let port = try #require(server.channel.localAddress?.port)
    async let received = OutgoingHTTPTests.serve(server)
    let http = OutgoingHTTP(group: .singleton, privateAddresses: .allow)
    let reply = try await http.send(
      OutgoingRequest(
        .post, "http://localhost:\(port)/a?b=c", headers: ["x-one": "1"], body: "{}"))
    #expect(reply.status == 302 && reply.retryAfterSeconds == 7)
    #expect(reply.body == Array("ok".utf8))
    let text = try await received
    #expect(text.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
    #expect(text.lowercased().contains("host: localhost:\(port)\r\n"))
    #expect(text.contains("x-one: 1\r\n") && text.hasSuffix("{}"))
  }

  /// Answers one request, and returns it.
  private static func serve(
    _ server: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>
  ) async throws -> String {
    try await server.executeThenClose { connections in
      for try await connection in connections {
        return try await connection.executeThenClose { inbound, outbound in
          var text = ""
          for try await bytes in inbound {
            text += String(buffer: bytes)
            guard text.hasSuffix("{}") else { continue }
            try await outbound.write(
              ByteBuffer(
                string: "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\nretry-after: 7\r\n"
                  + "content-length: 2\r\nconnection: close\r\n\r\nok"))
            break
          }
          return text
        }
      }
      return ""
    }
  }
}
