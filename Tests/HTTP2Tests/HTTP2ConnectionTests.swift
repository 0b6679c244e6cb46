import HTTP2
import HTTP2Client
import Testing

/// What holds for a connection as a whole: windows, limits, broken peers, the end.
@Suite struct HTTP2ConnectionTests {
  /// Scenario: a client connects and sends its preface.
  /// Guarantees: SETTINGS is the first frame of the server, with the limits as configured.
  @Test func announcesItsLimitsFirst() throws {
    let wire = try Wire()
    let output = wire.serverOutput()
    #expect(output[3] == 4)
    wire.client.receive(output)
    #expect(wire.client.settings == [3: 256, 4: 1 << 20, 6: 16 << 10])
    #expect(wire.client.windowUpdates[0] == (8 << 20) - 65_535)
  }

  /// Scenario: a large upload whose bytes the server takes, then one whose bytes it does not.
  /// Guarantees: room is given back only for what was taken; the stalled stream leaves the others
  /// on the connection alone.
  @Test func givesRoomOnlyForWhatWasTaken() throws {
    let wire = try Wire()
    wire.pump()
    let taken = wire.client.post(
      "/", contentType: "a/b", body: [UInt8](repeating: 1, count: 5 << 20))
    wire.pump()
    #expect(wire.bodies[taken]?.count == 5 << 20)

    wire.consumes = false
    let stalled = wire.client.post(
      "/", contentType: "a/b", body: [UInt8](repeating: 2, count: 5 << 20))
    wire.pump()
    #expect(wire.bodies[stalled]?.count == 1 << 20)
    #expect(wire.client.unsentBytes(stalled) == 4 << 20)

    wire.consumes = true
    let other = wire.client.post(
      "/", contentType: "a/b", body: [UInt8](repeating: 3, count: 2 << 20))
    wire.client.ping()
    wire.pump()
    #expect(wire.bodies[other]?.count == 2 << 20)
    #expect(wire.client.pingAnswers == 1)

    wire.server.consume(stream: stalled, bytes: 1 << 20)
    wire.pump()
    #expect(wire.bodies[stalled]?.count == 5 << 20)
  }

  /// Scenario: more streams than allowed, sent before the client could know the limit.
  /// Guarantees: the surplus is refused with REFUSED_STREAM, which clients may retry.
  @Test func refusesStreamsOverTheLimit() throws {
    var configuration = HTTP2Configuration()
    configuration.concurrentStreamsMax = 2
    let wire = try Wire(configuration)
    let streams = (0..<4).map { _ in
      wire.client.post("/", contentType: "a/b", body: [1], end: false)
    }
    wire.pump()
    let codes = streams.map { wire.client.responses[$0]?.closeCode }
    #expect(codes == [nil, nil, 7, 7])
    #expect(wire.failure == nil)
  }

  /// Scenario: a header list over 16 KiB, then an ordinary request.
  /// Guarantees: the first is named as too large, the second is read: the connection survives.
  @Test func survivesHeadersOverTheLimit() throws {
    let wire = try Wire()
    let big = (0..<5).map { ("x-\($0)", String(repeating: "v", count: 4000)) }
    let large = wire.client.post("/large", contentType: "a/b", headers: big)
    wire.pump()
    #expect(wire.events == [.headersTooLarge(stream: large)])
    wire.server.respond(to: large, status: 431, headers: [])
    _ = wire.client.post("/next", contentType: "a/b")
    wire.pump()
    #expect(wire.client.responses[large]?.status == 431)
    #expect(wire.requests.map(\.path) == ["/next"])
  }

  /// Scenario: a `connection` field, and a body that is not as long as its declared length.
  /// Guarantees: the stream is reset with PROTOCOL_ERROR, the connection goes on.
  @Test(arguments: [("connection", "close"), ("content-length", "5")])
  func refusesMalformedRequests(field: (String, String)) throws {
    let wire = try Wire()
    let stream = wire.client.post("/", contentType: "a/b", body: [1], headers: [field])
    wire.pump()
    #expect(wire.client.responses[stream]?.closeCode == 1)
    #expect(!wire.events.contains(.requestEnded(stream: stream)))
    _ = wire.client.post("/next", contentType: "a/b")
    wire.pump()
    #expect(wire.requests.last?.path == "/next")
  }

  /// Scenario: bytes that are no HTTP/2; a frame larger than allowed; frames on stream 0.
  /// Guarantees: an error with a text, or a GOAWAY with the code the RFC names; never a crash.
  @Test func endsBrokenConnections() throws {
    let garbage = try Wire()
    garbage.feed(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    #expect(garbage.failure == .notHTTP2)
    #expect(garbage.failure?.message.isEmpty == false)

    let huge = try Wire()
    huge.feed(preface + frame(type: 4))
    huge.feed([0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1])
    huge.client.receive(huge.serverOutput())
    #expect(huge.client.goAways.map(\.code) == [HTTP2ErrorCode.frameSizeError.rawValue])
    #expect(huge.server.isFinished)

    let misplaced = try Wire()
    misplaced.feed(preface + frame(type: 4) + frame(type: 0, stream: 0, [1]))
    misplaced.client.receive(misplaced.serverOutput())
    #expect(misplaced.client.goAways.map(\.code) == [HTTP2ErrorCode.protocolError.rawValue])
  }

  /// Scenario: a client floods with PING and never reads the answers.
  /// Guarantees: the connection ends at the configured number of queued answers.
  @Test func endsFloods() throws {
    let wire = try Wire()
    wire.feed(preface + frame(type: 4))
    wire.feed((0..<1000).flatMap { _ in frame(type: 6, [UInt8](repeating: 0, count: 8)) })
    #expect(wire.failure == .flooded)
  }

  /// Scenario: HEADERS and RST_STREAM over and over.
  /// Guarantees: a GOAWAY after the configured burst.
  @Test func limitsResets() throws {
    var configuration = HTTP2Configuration()
    configuration.resetsBurst = 10
    configuration.resetsPerSecond = 1
    let wire = try Wire(configuration)
    wire.feed(preface + frame(type: 4))
    for stream in stride(from: UInt32(1), to: 61, by: 2) {
      wire.feed(frame(type: 1, flags: 4, stream: stream, [0x83, 0x86, 0x84, 0x41, 1, 0x61]))
      wire.feed(frame(type: 3, stream: stream, [0, 0, 0, 8]))
      wire.client.receive(wire.serverOutput())
    }
    #expect(wire.client.goAways.count == 1)
    #expect(wire.requests.count < 20)
  }

  /// Scenario: a graceful end while a request is open.
  /// Guarantees: first a notice that names no stream, then, after the client has read it, the last
  /// stream; the open request is answered; then the connection is finished.
  @Test func endsGracefully() throws {
    let wire = try Wire()
    let open = wire.client.post("/", contentType: "a/b")
    wire.pump()
    wire.server.announceShutdown()
    wire.pump()
    #expect(wire.client.goAways.map(\.lastStream) == [.max])
    #expect(wire.events.contains(.pingAcknowledged))
    wire.server.shutDown()
    wire.pump()
    #expect(wire.client.goAways.map(\.lastStream) == [.max, open])
    #expect(wire.client.goAways.map(\.code) == [0, 0])
    #expect(!wire.server.isFinished)
    wire.server.respond(to: open, status: 200, headers: [])
    wire.pump()
    #expect(wire.client.responses[open]?.status == 200)
    #expect(wire.server.isFinished)
  }

  /// Scenario: a graceful end of a connection without streams.
  /// Guarantees: both steps, and the first alone does not finish it for good.
  @Test func endsGracefullyWhenIdle() throws {
    let wire = try Wire()
    let done = wire.client.post("/", contentType: "a/b")
    wire.pump()
    wire.server.respond(to: done, status: 200, headers: [])
    wire.pump()
    wire.server.announceShutdown()
    wire.pump()
    #expect(wire.events.last == .pingAcknowledged)
    #expect(!wire.server.isFinished)
    wire.server.shutDown()
    // Read raw: this client's session takes nothing in any more after the first step.
    #expect(wire.serverOutput() == frame(type: 7, [0, 0, 0, UInt8(done), 0, 0, 0, 0]))
    #expect(wire.server.isFinished)
  }

  /// Scenario: field values that are not UTF-8.
  /// Guarantees: they are repaired, never an error.
  @Test func repairsFieldValues() throws {
    let wire = try Wire()
    wire.feed(preface + frame(type: 4))
    wire.feed(
      frame(
        type: 1, flags: 5, stream: 1,
        [0x83, 0x86, 0x84, 0x41, 1, 0x61, 0, 1, 0x78, 2, 0xC3, 0x28]))
    #expect(wire.requests.first?.other("x") == "\u{FFFD}(")
  }

  /// Scenario: every error.
  /// Guarantees: each has a text that says something.
  @Test(
    arguments: [HTTP2Error.notHTTP2, .flooded, .outOfMemory, .failed(code: -902)]
      + HTTP2Protection.allCases.map { .protected($0) })
  func namesErrors(error: HTTP2Error) {
    #expect(error.message.count > 10)
  }
}
