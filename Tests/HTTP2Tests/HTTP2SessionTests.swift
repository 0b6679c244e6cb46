import HTTP2
import HTTP2Client
import Testing

@Suite struct HTTP2SessionTests {
  /// Scenario: a gRPC request arrives and is answered with head, message and trailers.
  /// Guarantees: fields land where they belong; the answer is one head, one body, one trailer block.
  @Test func answersARequest() throws {
    let wire = try Wire()
    let stream = wire.client.post(
      "/a.B/C", contentType: "application/grpc", body: [1, 2, 3],
      headers: [
        ("te", "trailers"), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity,gzip"),
        ("grpc-timeout", "10S"), ("user-agent", "test/1"), ("accept-encoding", "gzip"),
        ("content-encoding", "identity"), ("x-custom", "value"), ("content-length", "3"),
      ])
    wire.pump()
    let head = try #require(wire.requests.first)
    #expect(head.method == "POST")
    #expect(head.path == "/a.B/C")
    #expect(head.authority == "localhost")
    #expect(head.contentType == "application/grpc")
    #expect(head.te == "trailers")
    #expect(head.grpcEncoding == "gzip")
    #expect(head.grpcAcceptEncoding == "identity,gzip")
    #expect(head.grpcTimeout == "10S")
    #expect(head.userAgent == "test/1")
    #expect(head.acceptEncoding == "gzip")
    #expect(head.contentEncoding == "identity")
    #expect(head.contentLength == 3)
    #expect(head.others == [HTTP2Header("x-custom", "value")])
    #expect(head.other("x-custom") == "value")
    #expect(wire.bodies[stream] == [1, 2, 3])
    #expect(wire.events.contains(.requestEnded(stream: stream)))

    wire.server.respond(
      to: stream, status: 200, headers: [HTTP2Header("content-type", "application/grpc")],
      body: [9, 8], trailers: [HTTP2Header("grpc-status", "0")])
    #expect(wire.server.wantsToWrite)
    wire.pump()
    let response = try #require(wire.client.responses[stream])
    #expect(response.status == 200)
    #expect(response.headers == ["content-type": "application/grpc"])
    #expect(response.body == [9, 8])
    #expect(response.trailers == ["grpc-status": "0"])
    #expect(response.closeCode == 0)
    #expect(wire.events.contains(.streamClosed(stream: stream, code: 0)))
  }

  /// Scenario: the bytes of a connection arrive one by one.
  /// Guarantees: the same requests and bodies come out.
  @Test func readsByteByByte() throws {
    let wire = try Wire()
    let body = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
    let stream = wire.client.post("/v1/traces", contentType: "application/json", body: body)
    wire.pump(pieceBytes: 1)
    #expect(wire.requests.map(\.path) == ["/v1/traces"])
    #expect(wire.bodies[stream] == body)
  }

  /// Scenario: requests that repeat, and then change, their fields on one connection.
  /// Guarantees: no field of an earlier request shows in a later one.
  @Test func keepsRequestsApart() throws {
    let wire = try Wire()
    let fields = [("x-a", "1"), ("x-b", "2")]
    _ = wire.client.post("/one", contentType: "a/b", headers: fields)
    _ = wire.client.post("/one", contentType: "a/b", headers: fields)
    _ = wire.client.post("/two", contentType: nil, headers: [("x-a", "9")])
    wire.pump()
    #expect(wire.requests.map(\.path) == ["/one", "/one", "/two"])
    #expect(wire.requests.map(\.contentType) == ["a/b", "a/b", nil])
    #expect(wire.requests[1].others == [HTTP2Header("x-a", "1"), HTTP2Header("x-b", "2")])
    #expect(wire.requests[2].others == [HTTP2Header("x-a", "9")])
  }

  /// Scenario: a request with `host` in place of `:authority`, and one with many other fields.
  /// Guarantees: host counts as the authority; the list of other fields is bounded.
  @Test func readsHostAndBoundsOthers() throws {
    let wire = try Wire()
    let many = (0..<50).map { ("x-\($0)", "v") }
    _ = wire.client.request(
      [(":method", "POST"), (":scheme", "http"), (":path", "/"), ("host", "h:1")] + many)
    wire.pump()
    #expect(wire.requests.first?.authority == "h:1")
    #expect(wire.requests.first?.others.count == RequestHead.othersMax)
  }

  /// Scenario: an empty DATA frame with END_STREAM, END_STREAM on the last data, none at all.
  /// Guarantees: each request ends exactly once.
  @Test func endsRequestsHoweverTheyEnd() throws {
    let wire = try Wire()
    let separate = wire.client.post("/", contentType: "a/b", body: [1], end: false)
    wire.pump()
    wire.client.append([], to: separate, end: true)
    let joined = wire.client.post("/", contentType: "a/b", body: [1])
    let bare = wire.client.post("/", contentType: "a/b")
    wire.pump()
    for stream in [separate, joined] {
      #expect(wire.events.count { $0 == .requestEnded(stream: stream) } == 1)
    }
    let isBareEnded = wire.events.contains {
      if case .requestReceived(bare, _, ended: true) = $0 { true } else { false }
    }
    #expect(isBareEnded)
  }

  /// Scenario: a client ends its request with trailers of its own.
  /// Guarantees: they end the request and do not change its head.
  @Test func acceptsRequestTrailers() throws {
    let wire = try Wire()
    wire.feed(preface + frame(type: 4))
    // :method POST, :scheme http, :path / from the static table; then DATA; then a trailer.
    wire.feed(frame(type: 1, flags: 4, stream: 1, [0x83, 0x86, 0x84, 0x41, 1, 0x61]))
    wire.feed(frame(type: 0, stream: 1, [7]))
    wire.feed(frame(type: 1, flags: 5, stream: 1, [0, 1, 0x78, 1, 0x79]))
    #expect(wire.bodies[1] == [7])
    #expect(wire.events.last == .requestEnded(stream: 1))
    #expect(wire.requests.first?.others == [])
  }

  /// Scenario: Trailers-Only: an answer of one head, to a request that is complete.
  /// Guarantees: one HEADERS frame with END_STREAM, no reset.
  @Test func answersWithTrailersOnly() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "application/grpc")
    wire.pump()
    wire.server.respond(to: stream, status: 200, headers: [HTTP2Header("grpc-status", "12")])
    wire.pump()
    let response = wire.client.responses[stream]
    #expect(response?.headerBlocks == 1)
    #expect(response?.grpcStatus == 12)
    #expect(response?.body == [])
    #expect(response?.closeCode == 0)
  }

  /// Scenario: an answer is complete while the client still sends its request.
  /// Guarantees: the answer arrives whole and is followed by RST_STREAM with the code asked for.
  @Test(arguments: [HTTP2ErrorCode.noError, .cancel])
  func callsOffTheRestOfARequest(code: HTTP2ErrorCode) throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "application/grpc", body: [1], end: false)
    wire.pump()
    wire.server.respond(
      to: stream, status: 200, headers: [], body: [5], trailers: [HTTP2Header("grpc-status", "8")],
      resetCode: code)
    let output = wire.serverOutput()
    #expect(
      output.suffix(13)
        == frame(type: 3, stream: UInt32(stream), [0, 0, 0, UInt8(code.rawValue)])[...])
    wire.client.receive(output)
    #expect(wire.client.responses[stream]?.grpcStatus == 8)
    #expect(wire.client.responses[stream]?.closeCode == code.rawValue)
  }

  /// Scenario: an answer in pieces, as a health watch gives it, then its end.
  /// Guarantees: pieces arrive when appended; after the end nothing more is taken.
  @Test func streamsAnAnswer() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "application/grpc")
    wire.pump()
    wire.server.beginResponse(to: stream, status: 200, headers: [])
    wire.pump()
    #expect(wire.client.responses[stream]?.status == 200)
    #expect(wire.server.append([1, 2], to: stream))
    #expect(wire.server.append([3], to: stream))
    #expect(wire.server.pendingBytes(of: stream) == 3)
    wire.pump()
    #expect(wire.client.responses[stream]?.body == [1, 2, 3])
    wire.server.append([4], to: stream)
    wire.server.finish(stream, trailers: [HTTP2Header("grpc-status", "0")])
    wire.pump()
    #expect(wire.client.responses[stream]?.body == [1, 2, 3, 4])
    #expect(wire.client.responses[stream]?.grpcStatus == 0)
    #expect(!wire.server.append([5], to: stream))
  }

  /// Scenario: an answer larger than the client's window of 65 535 bytes, which it opens later.
  /// Guarantees: the answer stops at the window and goes on when there is room.
  @Test func honoursTheClientsWindow() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "a/b")
    wire.pump()
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
    wire.server.respond(to: stream, status: 200, headers: [], body: body)
    let first = wire.serverOutput()
    #expect(first.count < 70_000)
    wire.client.receive(first)
    wire.pump()
    #expect(wire.client.responses[stream]?.body == body)
  }

  /// Scenario: the caller takes only part of what there is to send.
  /// Guarantees: the rest comes with the next call, and nothing twice.
  @Test func writesInPortions() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "a/b")
    wire.pump()
    wire.server.respond(
      to: stream, status: 200, headers: [], body: [UInt8](repeating: 7, count: 40_000))
    var calls = 0
    while wire.server.wantsToWrite {
      var output: [UInt8] = []
      try wire.server.writeOutput { piece in
        piece.withUnsafeBytes { output.append(contentsOf: $0) }
        return false
      }
      if !output.isEmpty { calls += 1 }
      #expect(output.count <= 9 + 16_384)
      wire.client.receive(output)
    }
    #expect(calls >= 4)  // the head, then at least three frames of at most 16 KiB
    #expect(wire.client.responses[stream]?.body.count == 40_000)
  }

  /// Scenario: an answer to a stream the client has reset, or that never was.
  /// Guarantees: nothing is sent, nothing breaks, and the next request works.
  @Test func answersToNobodyAreDropped() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "a/b", body: [1], end: false)
    wire.pump()
    wire.client.reset(stream, code: 8)
    wire.pump()
    #expect(wire.events.contains(.streamClosed(stream: stream, code: 8)))
    wire.server.respond(to: stream, status: 200, headers: [], body: [1])
    wire.server.finish(stream, trailers: [])
    wire.server.consume(stream: stream, bytes: 1)
    wire.server.reset(stream, .cancel)
    let next = wire.client.post("/", contentType: "a/b")
    wire.pump()
    wire.server.respond(to: next, status: 204, headers: [])
    wire.pump()
    #expect(wire.client.responses[next]?.status == 204)
    #expect(wire.failure == nil)
  }

  /// Scenario: the server ends a stream without an answer.
  /// Guarantees: the client sees the code.
  @Test func resetsAStream() throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "a/b", body: [1], end: false)
    wire.pump()
    wire.server.reset(stream, .enhanceYourCalm)
    wire.pump()
    #expect(wire.client.responses[stream]?.closeCode == HTTP2ErrorCode.enhanceYourCalm.rawValue)
  }
}
