import Model
import Receive
import Testing

/// HTTP/1.1 as a connection: what comes after what, and how it ends.
@Suite struct HTTP1ConnectionTests {
  private static let head =
    "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"

  /// Scenario: many requests on one connection.
  /// Guarantees: keep-alive: all are answered, none closes it.
  @Test func keepsConnectionsAlive() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      for _ in 0..<20 {
        let answer = try connection.post(body: Payload.protobuf(spans: 1))
        #expect(answer.status == 200)
        #expect(answer.headers["connection"] == nil)
      }
      #expect(harness.receiver.counters.connectionsAccepted == 1)
      #expect(harness.receiver.counters.connectionsOpen == 1)
    }
  }

  /// Scenario: requests sent ahead in one write, while the sink holds the first; bad ones between.
  /// Guarantees: answers come in the order of the requests.
  @Test func answersPipelinedRequestsInOrder() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try RawConnection(port: harness.httpPort)
      let good = Payload.protobuf(spans: 1)
      for index in 0..<12 {
        if index % 3 == 1 {
          try connection.sendRequest("/nowhere", body: [1, 2])
        } else {
          try connection.sendRequest(body: good)
        }
      }
      #expect(harness.eventually { harness.sink.heldCount == 1 })
      harness.sink.behaviour = .acceptElsewhere
      harness.sink.answerHeld()
      let statuses = try (0..<12).map { _ in try connection.answer().status }
      #expect(statuses == (0..<12).map { $0 % 3 == 1 ? 404 : 200 })
      #expect(harness.sink.spanCount == 8)
    }
  }

  /// Scenario: a chunked body, in chunks of one byte.
  /// Guarantees: the same spans.
  @Test func readsChunkedBodies() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let body = Payload.protobuf(spans: 2)
      let chunks = body.flatMap { [UInt8(ascii: "1"), 13, 10, $0, 13, 10] as [UInt8] }
      try connection.send(
        Array((HTTP1ConnectionTests.head + "Transfer-Encoding: chunked\r\n\r\n").utf8) + chunks
          + Array("0\r\n\r\n".utf8))
      #expect(try connection.answer().status == 200)
      #expect(harness.sink.spanCount == 2)
      #expect(try connection.post(body: body).status == 200)
    }
  }

  /// Scenario: a request split at every byte, each piece in a segment of its own.
  /// Guarantees: read as one.
  @Test func readsRequestsInPieces() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let body = Payload.protobuf(spans: 1)
      let request =
        Array((HTTP1ConnectionTests.head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body
      for byte in request { try connection.send([byte]) }
      #expect(try connection.answer().status == 200)
      #expect(harness.sink.spanCount == 1)
    }
  }

  /// Scenario: `Expect: 100-continue`, for a request that is wanted and for one that is not.
  /// Guarantees: the interim answer comes before the body; an unwanted one is answered at once, and
  /// the connection closed, since nobody knows whether the body will come.
  @Test func answersExpectations() async throws {
    try await ReceiverHarness.run { harness in
      let body = Payload.protobuf(spans: 1)
      let expect = "Expect: 100-continue\r\nContent-Length: \(body.count)\r\n\r\n"
      let wanted = try RawConnection(port: harness.httpPort)
      try wanted.send(HTTP1ConnectionTests.head + expect)
      #expect(try wanted.answer().status == 100)
      try wanted.send(body)
      #expect(try wanted.answer().status == 200)

      let unwanted = try RawConnection(port: harness.httpPort)
      try unwanted.send("POST /nowhere HTTP/1.1\r\nHost: a\r\n" + expect)
      let answer = try unwanted.answer()
      #expect(answer.status == 404)
      #expect(answer.headers["connection"] == "close")
      #expect(try unwanted.isClosed())
    }
  }

  /// Scenario: `Connection: close`, HTTP/1.0, HTTP/1.0 with keep-alive.
  /// Guarantees: closed after the answer, closed, kept; and the answer says so.
  @Test func closesWhenAsked() async throws {
    try await ReceiverHarness.run { harness in
      let body = Payload.protobuf(spans: 1)
      let closing = try RawConnection(port: harness.httpPort)
      let answer = try closing.post(body: body, headers: ["Connection: close"])
      #expect(answer.status == 200)
      #expect(answer.headers["connection"] == "close")
      #expect(try closing.isClosed())

      let old = HTTP1ConnectionTests.head.replacing("HTTP/1.1", with: "HTTP/1.0")
      let length = "Content-Length: \(body.count)\r\n"
      let once = try RawConnection(port: harness.httpPort)
      try once.send(Array((old + length + "\r\n").utf8) + body)
      #expect(try once.answer().status == 200)
      #expect(try once.isClosed())

      let kept = try RawConnection(port: harness.httpPort)
      for _ in 0..<2 {
        try kept.send(Array((old + length + "Connection: keep-alive\r\n\r\n").utf8) + body)
        let answer = try kept.answer()
        #expect(answer.status == 200)
        #expect(answer.headers["connection"] == "keep-alive")
      }
    }
  }

  /// Scenario: a client that closes its side as soon as it has sent its request.
  /// Guarantees: it still gets the answer, also a late one; then the connection closes.
  @Test func answersHalfClosedClients() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try RawConnection(port: harness.httpPort)
      try connection.sendRequest(body: Payload.protobuf(spans: 1))
      connection.shutDownWriting()
      #expect(harness.eventually { harness.sink.heldCount == 1 })
      harness.sink.answerHeld()
      #expect(try connection.answer().status == 200)
      #expect(try connection.isClosed())
    }
  }

  /// Scenario: a client that goes away: before its body is complete, and while the sink works.
  /// Guarantees: reservations are released, in the second case when the sink answers; counted.
  @Test func forgetsClientsThatLeave() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      do {
        let early = try RawConnection(port: harness.httpPort)
        try early.send(HTTP1ConnectionTests.head + "Content-Length: 5000\r\n\r\nabc")
        #expect(harness.eventually { harness.sink.reserved == 5000 })
      }
      #expect(harness.eventually { harness.sink.reserved == 0 })
      do {
        let late = try RawConnection(port: harness.httpPort)
        try late.sendRequest(body: Payload.protobuf(spans: 1))
        #expect(harness.eventually { harness.sink.heldCount == 1 })
      }
      // Whether a client that closed its side still reads shows when it is answered.
      harness.sink.answerHeld()
      #expect(harness.eventually { harness.sink.reserved == 0 })
      #expect(harness.eventually { harness.receiver.counters.connectionsOpen == 0 })
      #expect(harness.receiver.counters.http.requestsAbandoned >= 1)
    }
  }

  /// Scenario: bytes that are no HTTP: binary, TLS, a line of another protocol, half a request line.
  /// Guarantees: 400 with a text that says what the port speaks, then closed; counted; others go on.
  @Test(
    arguments: [
      [0x16, 0x03, 0x01, 0x02, 0x00, 0x01], Array("SSH-2.0-OpenSSH_9.2\r\n".utf8),
      Array("PRI nothing like it\r\n\r\n".utf8), Array("POST /v1/traces\r\n\r\n".utf8),
      [0, 0, 0, 0, 0, 0, 0, 0],
    ] as [[UInt8]])
  func answersGarbage(bytes: [UInt8]) async throws {
    try await ReceiverHarness.run { harness in
      let other = try RawConnection(port: harness.grpcPort)
      #expect(try other.post(body: Payload.protobuf(spans: 1)).status == 200)
      let connection = try RawConnection(port: harness.grpcPort)
      try connection.send(bytes)
      let answer = try connection.answer()
      #expect(answer.status == 400)
      #expect(answer.text.contains("HTTP/1.1 and HTTP/2"))
      #expect(answer.headers["connection"] == "close")
      #expect(try connection.isClosed())
      #expect(harness.receiver.counters.connectionsNotHTTP == 1)
      #expect(try other.post(body: Payload.protobuf(spans: 1)).status == 200)
    }
  }

  /// Scenario: a head over the limit; a length that is no number.
  /// Guarantees: 431 and 400, in words; the connection is closed.
  @Test func refusesBadHeads() async throws {
    try await ReceiverHarness.run { harness in
      let large = try RawConnection(port: harness.httpPort)
      try large.sendRequest(
        body: [], headers: ["X-Large: " + String(repeating: "x", count: 17 << 10)])
      let answer = try large.answer()
      #expect(answer.status == 431)
      #expect(answer.text.contains("16384 bytes"))

      let wrong = try RawConnection(port: harness.httpPort)
      try wrong.send(HTTP1ConnectionTests.head + "Content-Length: many\r\n\r\n")
      #expect(try wrong.answer().status == 400)
      #expect(try wrong.isClosed())
    }
  }

  /// Scenario: gRPC over HTTP/1.1.
  /// Guarantees: told that it needs HTTP/2.
  @Test func refusesGRPC() async throws {
    try await ReceiverHarness.run { harness in
      let answer = try RawConnection(port: harness.grpcPort).post(
        type: "application/grpc", body: [0, 0, 0, 0, 0])
      #expect(answer.status == 505)
      #expect(ProtobufFields(answer.body)?.text(2)?.contains("HTTP/2") == true)
    }
  }

  /// Scenario: an error known from the head, with a short body to follow, and with a long one.
  /// Guarantees: after the short one the connection is kept; after the long one it is closed, and
  /// the answer is still read by a client that goes on sending.
  @Test func answersBeforeTheBody() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let short = try connection.post("/nowhere", body: [UInt8](repeating: 1, count: 1000))
      #expect(short.status == 404)
      #expect(short.headers["connection"] == nil)
      try connection.sendRequest("/nowhere", body: [UInt8](repeating: 1, count: 2 << 20))
      let long = try connection.answer()
      #expect(long.status == 404)
      #expect(long.headers["connection"] == "close")
      #expect(try connection.isClosed())
    }
  }

  /// Scenario: a web page of an allowed origin, of another, and one that only asks.
  /// Guarantees: as the Fetch standard has it: the preflight gets 204, strangers get no permission.
  @Test func allowsPages() async throws {
    try await ReceiverHarness.run {
      $0.crossOrigin.allowedOrigins = ["https://*.example.com"]
      $0.crossOrigin.allowedHeaders = ["x-tenant"]
    } _: { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let ask = ["Origin: https://shop.example.com", "Access-Control-Request-Method: POST"]
      let preflight = try connection.post(type: nil, body: [], headers: ask, method: "OPTIONS")
      #expect(preflight.status == 204)
      #expect(preflight.headers["access-control-allow-origin"] == "https://shop.example.com")
      #expect(preflight.headers["access-control-allow-methods"] == "POST")
      #expect(
        preflight.headers["access-control-allow-headers"]
          == "content-type, content-encoding, x-tenant")
      #expect(preflight.headers["access-control-max-age"] == "7200")
      #expect(preflight.headers["vary"] == "Origin")

      let post = try connection.post(body: Payload.protobuf(spans: 1), headers: [ask[0]])
      #expect(post.status == 200)
      #expect(post.headers["access-control-allow-origin"] == "https://shop.example.com")

      let strange = ["Origin: https://example.org", "Access-Control-Request-Method: POST"]
      let refused = try connection.post(type: nil, body: [], headers: strange, method: "OPTIONS")
      #expect(refused.status == 204)
      #expect(refused.headers["access-control-allow-origin"] == nil)
      #expect(refused.headers["access-control-allow-methods"] == nil)
      #expect(refused.headers["vary"] == "Origin")
    }
  }
}
