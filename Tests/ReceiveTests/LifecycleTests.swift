import HTTP2
import HTTP2Client
import Logging
import Model
import NIOPosix
import Receive
import Testing

/// Starting, timeouts, and the end.
@Suite struct LifecycleTests {
  /// Scenario: a port that is taken, for either listener.
  /// Guarantees: an error that names the address, the reason and the setting; the other port is
  /// free again.
  @Test func namesPortsInUse() async throws {
    try await ReceiverHarness.run { harness in
      let taken = harness.grpcPort
      let outcome = LifecycleTests.startBlocking { configuration in
        configuration.grpcAddress.port = 0
        configuration.httpAddress.port = taken
      }
      #expect(
        outcome
          == .addressInUse(address: "127.0.0.1:\(taken)", setting: "receiver.http.address"))
      #expect(
        outcome?.message.hasPrefix("another process listens on 127.0.0.1:\(taken)") == true)
      #expect(outcome?.message.contains("receiver.http.address") == true)
    }
  }

  /// Scenario: addresses that are not this machine's.
  /// Guarantees: an error with address and setting.
  @Test(arguments: ["192.0.2.1", "no such host"])
  func namesBadAddresses(host: String) async throws {
    let outcome = await onThread {
      LifecycleTests.startBlocking { $0.grpcAddress = ListenAddress(host: host, port: 0) }
    }
    guard case .cannotBind(let address, "receiver.grpc.address", _) = outcome else {
      Issue.record("expected cannotBind, got \(String(describing: outcome))")
      return
    }
    #expect(address == "\(host):0")
    #expect(outcome?.description.contains(host) == true)
  }

  /// Starts a receiver that is expected to fail.
  private static func startBlocking(
    _ configure: (inout ReceiverConfiguration) -> Void
  ) -> ReceiverError? {
    var configuration = ReceiverConfiguration()
    configuration.grpcAddress.port = 0
    configuration.httpAddress.port = 0
    configure(&configuration)
    let receiver = Receiver(
      configuration: configuration, group: MultiThreadedEventLoopGroup.singleton,
      sink: TestSink(), names: NameTable(), clock: { testNow }, logger: Logger(label: "test"))
    let promise = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: BoundAddresses.self)
    promise.completeWithTask { try await receiver.start() }
    do {
      _ = try promise.futureResult.wait()
      return nil
    } catch {
      return error as? ReceiverError
    }
  }

  /// Scenario: an IPv6 address, and a privileged port refused.
  /// Guarantees: written as people write them; the text says what to do.
  @Test func writesAddressesAndErrors() {
    #expect(ListenAddress(host: "::1", port: 4317).description == "[::1]:4317")
    let error = ReceiverError.notPermitted(address: "0.0.0.0:80", setting: "receiver.http.address")
    #expect(error.message.contains("0.0.0.0:80"))
    #expect(error.message.contains("1024"))
    #expect(error.message.contains("receiver.http.address"))
  }

  /// Scenario: a drain while calls are open on HTTP/2 and on HTTP/1.1, and idle connections stand.
  /// Guarantees: idle ones close at once; GOAWAY in two steps; open requests are answered, the
  /// HTTP/1.1 answer with `Connection: close`; new connections are refused; health says
  /// NOT_SERVING (see the health tests).
  @Test func drains() async throws {
    // One loop, so that all connections are drained in one turn.
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    try await ReceiverHarness.run(on: group) { harness in
      harness.sink.behaviour = .hold
      let idle = try RawConnection(port: harness.httpPort)
      #expect(try idle.post(body: []).status == 200)
      let silent = try RawConnection(port: harness.httpPort)
      let http1 = try RawConnection(port: harness.httpPort)
      try http1.sendRequest(body: Payload.protobuf(spans: 1))
      let http2 = try HTTP2Connection(port: harness.grpcPort)
      let call = http2.beginExport(GRPCFraming.framed(Payload.protobuf(spans: 1)), end: true)
      try http2.roundTrip()
      #expect(harness.eventually { harness.sink.heldCount == 2 })

      let drained = harness.startDrain()
      #expect(try idle.isClosed())
      #expect(try silent.isClosed())
      try http2.run { http2.client.goAways.count == 2 }
      #expect(http2.client.goAways.map(\.lastStream) == [.max, call])
      #expect(throws: ClientError.self) { try RawConnection(port: harness.grpcPort) }

      harness.sink.answerHeld()
      let answer = try http1.answer()
      #expect(answer.status == 200)
      #expect(answer.headers["connection"] == "close")
      #expect(try http1.isClosed())
      #expect(try http2.response(call).grpcStatus == 0)
      try http2.run { http2.socket.isClosedByServer }
      #expect(drained.isEnded())
    }
    try await group.shutdownGracefully()
  }

  /// Scenario: a client does not answer the notice of the end, and keeps its call open.
  /// Guarantees: the drain ends within its time, and cuts it off.
  @Test func cutsOffAfterTheDrain() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try HTTP2Connection(port: harness.grpcPort)
      _ = connection.beginExport(GRPCFraming.framed(Payload.protobuf(spans: 1)), end: true)
      try connection.roundTrip()
      let drained = harness.startDrain(within: 1)
      #expect(drained.isEnded())
      #expect(harness.eventually { harness.receiver.counters.connectionsOpen == 0 })
      harness.sink.answerHeld()
    }
  }

  /// Scenario: connections that send nothing, half a preface, half a head, half a body.
  /// Guarantees: each ends after its timeout; the half body with 408, or DEADLINE_EXCEEDED.
  @Test func endsSlowConnections() async throws {
    try await ReceiverHarness.run {
      $0.headTimeoutNanos = 100 * .millisecond
    } _: { harness in
      for text in ["", "PRI * HT", "POST /v1/traces HTTP/1.1\r\nHost"] {
        let connection = try RawConnection(port: harness.httpPort)
        try connection.send(text)
        #expect(try connection.isClosed())
      }
    }
    try await ReceiverHarness.run {
      $0.bodyTimeoutNanos = 100 * .millisecond
    } _: { harness in
      let body = try RawConnection(port: harness.httpPort)
      try body.send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
          + "Content-Length: 100\r\n\r\n{")
      let answer = try body.answer()
      #expect(answer.status == 408)
      #expect(answer.headers["connection"] == "close")
      #expect(try body.isClosed())

      let connection = try HTTP2Connection(port: harness.grpcPort)
      let slow = try connection.response(connection.beginExport([0, 0, 0, 0, 9, 1]))
      #expect(slow.grpcStatus == 4)
      #expect(try connection.export(Payload.protobuf(spans: 1)).grpcStatus == 0)
    }
  }

  /// Scenario: a body that takes longer than the timeout but makes progress.
  /// Guarantees: accepted.
  @Test func waitsForProgress() async throws {
    try await ReceiverHarness.run {
      $0.bodyTimeoutNanos = 200 * .millisecond
      $0.bodyProgressBytesMin = 100
    } _: { harness in
      let body = Payload.protobuf(spans: 20)
      let connection = try RawConnection(port: harness.httpPort)
      try connection.sendRequest(body: [], headers: [])
      _ = try connection.answer()
      try connection.send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
          + "Content-Length: \(body.count)\r\n\r\n")
      for start in stride(from: 0, to: body.count, by: 200) {
        try connection.send(Array(body[start..<min(start + 200, body.count)]))
        usleep(60_000)
      }
      #expect(try connection.answer().status == 200)
    }
  }

  /// Scenario: connections without requests.
  /// Guarantees: HTTP/1.1 is closed, HTTP/2 ended with GOAWAY, after the idle time.
  @Test func endsIdleConnections() async throws {
    try await ReceiverHarness.run {
      $0.idleTimeoutNanos = 100 * .millisecond
      $0.http2IdleTimeoutNanos = 100 * .millisecond
    } _: { harness in
      let http1 = try RawConnection(port: harness.httpPort)
      #expect(try http1.post(body: []).status == 200)
      #expect(try http1.isClosed())
      let http2 = try HTTP2Connection(port: harness.grpcPort)
      #expect(try http2.export([]).grpcStatus == 0)
      try http2.run { http2.socket.isClosedByServer }
      #expect(http2.client.goAways.first?.lastStream == .max)
      #expect(http2.client.goAways.first?.code == 0)
    }
  }

  /// Scenario: more connections than allowed.
  /// Guarantees: the surplus is closed at once and counted; the others work.
  @Test func limitsConnections() async throws {
    try await ReceiverHarness.run {
      $0.connectionsMax = 1
    } _: { harness in
      let first = try RawConnection(port: harness.httpPort)
      #expect(try first.post(body: []).status == 200)
      #expect(try RawConnection(port: harness.httpPort).isClosed())
      #expect(harness.receiver.counters.connectionsRefused == 1)
      #expect(try first.post(body: []).status == 200)
    }
  }

  /// Scenario: a client that sends request after request and reads no answer.
  /// Guarantees: the server stops reading, and ends the connection after the write timeout.
  @Test func endsClientsThatDoNotRead() async throws {
    try await ReceiverHarness.run {
      $0.writeTimeoutNanos = 200 * .millisecond
    } _: { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let request = Array(
        ("GET /" + String(repeating: "x", count: 90) + " HTTP/1.1\r\nHost: a\r\n\r\n").utf8)
      let many = (0..<500).flatMap { _ in request }
      #expect(throws: ClientError.self) {
        for _ in 0..<10_000 { try connection.send(many) }
      }
      #expect(harness.eventually { harness.receiver.counters.connectionsOpen == 0 })
    }
  }

  /// Scenario: an HTTP/2 client that sends call after call and reads no answer.
  /// Guarantees: as for HTTP/1.1; its memory is bounded by what was read before.
  @Test func endsHTTP2ClientsThatDoNotRead() async throws {
    try await ReceiverHarness.run {
      $0.writeTimeoutNanos = 200 * .millisecond
    } _: { harness in
      let connection = try RawConnection(port: harness.grpcPort)
      try connection.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
      try connection.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
      let type = Array("application/grpc".utf8)
      // POST, http, an authority, /no/no, and the content type.
      let fields: [UInt8] =
        [0x83, 0x86, 0x01, 1, 0x61, 0x04, 6] + Array("/no/no".utf8) + [
          0x0F, 0x10, UInt8(type.count),
        ] + type
      #expect(throws: ClientError.self) {
        for stream in stride(from: UInt32(1), to: 2_000_000, by: 2) {
          let id = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: stream >> UInt32($0)) }
          try connection.send([0, 0, UInt8(fields.count), 1, 5] + id + fields)
        }
      }
      #expect(harness.eventually { harness.receiver.counters.connectionsOpen == 0 })
      #expect(harness.receiver.counters.grpc.requestsBad > 0)
    }
  }

  /// Scenario: HTTP/2 that breaks: a frame that may not be, after a good call.
  /// Guarantees: GOAWAY, closed; others go on.
  @Test func endsBrokenHTTP2() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      #expect(try connection.export([]).grpcStatus == 0)
      try connection.socket.send([0, 0, 1, 0, 0, 0, 0, 0, 0, 1])  // DATA on stream 0
      try connection.run { connection.socket.isClosedByServer }
      #expect(connection.client.goAways.map(\.code) == [1])
      let other = try HTTP2Connection(port: harness.grpcPort)
      #expect(try other.export([]).grpcStatus == 0)

      let halfClosed = try HTTP2Connection(port: harness.grpcPort)
      #expect(try halfClosed.export([]).grpcStatus == 0)
      halfClosed.socket.shutDownWriting()
      try halfClosed.run { halfClosed.socket.isClosedByServer }
      #expect(halfClosed.socket.isClosedByServer)

      let lost = try RawConnection(port: harness.grpcPort)
      try lost.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + String(repeating: "x", count: 100))
      while try !lost.isClosed() {}
    }
  }
}
