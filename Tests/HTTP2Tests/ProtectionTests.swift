import HTTP2Client
import Testing

@testable import HTTP2

/// What a client may do that is of no use, and that others of use are not taken for it.
@Suite struct ProtectionTests {
  private static let second: UInt64 = 1_000_000_000

  /// A request's head: POST / of authority "a"; complete, with a body to come.
  private static let head: [UInt8] = [0x83, 0x86, 0x84, 0x41, 1, 0x61]

  /// A connection on which streams are open, each 2 apart from 1 on.
  private func opened(
    _ streams: Int = 0, _ configure: (inout HTTP2Configuration) -> Void = { _ in }
  ) throws -> Wire {
    var configuration = HTTP2Configuration()
    configure(&configuration)
    let wire = try Wire(configuration)
    wire.feed(preface + frame(type: 4))
    for index in 0..<streams { wire.feed(request(index)) }
    return wire
  }

  private func request(_ index: Int) -> [UInt8] {
    frame(type: 1, flags: 4, stream: UInt32(index * 2 + 1), ProtectionTests.head)
  }

  private func ended(_ wire: Wire) -> [HTTP2Protection] {
    wire.events.compactMap { if case .ended(let reason) = $0 { reason } else { nil } }
  }

  /// The codes of GOAWAY frames among bytes, read by hand: a client's session would not take in
  /// answers to what it has not sent itself.
  private func goAways(_ bytes: [UInt8]) -> [UInt32] {
    var codes: [UInt32] = []
    var start = 0
    while start + 9 <= bytes.count {
      let length = bytes[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
      if bytes[start + 3] == 7 {
        codes.append(bytes[start + 13..<start + 17].reduce(0) { $0 << 8 | UInt32($1) })
      }
      start += 9 + length
    }
    return codes
  }

  /// Scenario: streams that the client makes this side reset (CVE-2025-8671), in three ways: a
  /// window beyond the largest, a body longer than declared, a field that is not allowed.
  /// Guarantees: the connection ends at the burst with ENHANCE_YOUR_CALM, and says why once; what
  /// comes after is not read.
  @Test(arguments: [0, 1, 2])
  func endsMadeResets(way: Int) throws {
    let wire = try opened { $0.faultsBurst = 20 }
    var output: [UInt8] = []
    for index in 0..<60 {
      let stream = UInt32(index * 2 + 1)
      switch way {
      case 0:
        wire.feed(request(index) + frame(type: 8, stream: stream, [0x7F, 0xFF, 0xFF, 0xFF]))
      case 1:
        let length: [UInt8] = [0x0F, 0x0D, 1, 0x31]
        wire.feed(
          frame(type: 1, flags: 4, stream: stream, ProtectionTests.head + length)
            + frame(type: 0, stream: stream, [1, 2, 3]))
      default:
        let connection: [UInt8] = [0, 10] + Array("connection".utf8) + [5] + Array("close".utf8)
        wire.feed(frame(type: 1, flags: 4, stream: stream, ProtectionTests.head + connection))
      }
      output += wire.serverOutput()
    }
    #expect(ended(wire) == [.faults])
    #expect(wire.failure == .protected(.faults))
    #expect(goAways(output) == [HTTP2ErrorCode.enhanceYourCalm.rawValue])
    #expect(wire.requests.count <= 22)
  }

  /// Scenario: the same faults, fewer than the burst, then as many again much later.
  /// Guarantees: time gives room back; the connection lives.
  @Test func forgivesRareFaults() throws {
    let wire = try opened { $0.faultsBurst = 20 }
    for index in 0..<60 {
      let stream = UInt32(index * 2 + 1)
      wire.now += ProtectionTests.second
      wire.feed(request(index) + frame(type: 8, stream: stream, [0x7F, 0xFF, 0xFF, 0xFF]))
      wire.client.receive(wire.serverOutput())
    }
    #expect(wire.failure == nil)
    #expect(wire.requests.count == 60)
  }

  /// Scenario: resets of our own: answers before the request's end, and streams over the limit.
  /// Guarantees: neither is the client's fault.
  @Test func ownResetsAreNoFaults() throws {
    var configuration = HTTP2Configuration()
    configuration.faultsBurst = 1
    configuration.concurrentStreamsMax = 2
    let wire = try Wire(configuration)
    // More than the limit only once: a client that has read the limit breaks the protocol then.
    for round in 0..<20 {
      let streams = (0..<(round == 0 ? 6 : 2)).map { _ in
        wire.client.post("/", contentType: "a/b", body: [1], end: false)
      }
      wire.pump()
      for stream in streams.prefix(2) { wire.server.respond(to: stream, status: 400, headers: []) }
      wire.pump()
    }
    #expect(wire.requests.count == 40)
    #expect(wire.failure == nil)
    #expect(ended(wire) == [])
  }

  /// Scenario: frames that ask for nothing, over and over, each sort: PING (read and answered),
  /// SETTINGS, PRIORITY, WINDOW_UPDATE, one of an unknown type, DATA without data, DATA with
  /// nothing but padding.
  /// Guarantees: the connection ends at the burst, before others are harmed.
  @Test(arguments: 0..<7)
  func endsFloodsOfNothing(sort: Int) throws {
    let wire = try opened(1) { $0.controlFramesBurst = 100 }
    let nothing: [UInt8] =
      switch sort {
      case 0: frame(type: 6, [UInt8](repeating: 0, count: 8))
      case 1: frame(type: 4)
      case 2: frame(type: 2, stream: 1, [0, 0, 0, 0, 16])
      case 3: frame(type: 8, [0, 0, 0, 1])
      case 4: frame(type: 0xBB, [1, 2, 3])
      case 5: frame(type: 0, stream: 1)
      default: frame(type: 0, flags: 8, stream: 1, [3, 0, 0, 0])
      }
    var sent = 0
    var output: [UInt8] = []
    while wire.failure == nil, sent < 1000 {
      wire.feed(nothing)
      output += wire.serverOutput()
      sent += 1
    }
    #expect(ended(wire) == [.controlFrames])
    #expect((90...110).contains(sent), "\(sent)")
    #expect(goAways(output) == [HTTP2ErrorCode.enhanceYourCalm.rawValue])
  }

  /// Scenario: clients as they are: a WINDOW_UPDATE for each answer and one for the connection,
  /// with a PING beside each request, for a hundred times the burst; then a PING every ten
  /// seconds for a day without a request.
  /// Guarantees: the connection lives.
  @Test func honestClientsPass() throws {
    let wire = try opened { $0.controlFramesBurst = 100 }
    let update = frame(type: 8, [0, 0, 0, 1])
    let ping = frame(type: 6, [UInt8](repeating: 0, count: 8))
    for index in 0..<5000 {
      let stream = UInt32(index * 2 + 1)
      wire.feed(request(index) + update + ping + update + frame(type: 0, flags: 1, stream: stream))
      wire.server.respond(to: Int32(stream), status: 200, headers: [])
      _ = wire.serverOutput()
    }
    #expect(wire.failure == nil)
    for _ in 0..<8640 {
      wire.now += 10 * ProtectionTests.second
      wire.feed(ping)
      _ = wire.serverOutput()
    }
    #expect(wire.failure == nil)
    #expect(wire.requests.count == 5000)
  }

  /// Scenario: a client that opens streams and resets what is refused, and never reads.
  /// Guarantees: what waits to be sent is bounded by name.
  @Test func endsUnreadQueues() throws {
    let wire = try opened {
      $0.queuedFramesMax = 50
      $0.concurrentStreamsMax = 1
    }
    var index = 0
    while wire.failure == nil, index < 1000 {
      wire.feed(request(index))
      index += 1
    }
    #expect(ended(wire) == [.unread])
    #expect(index < 60)
  }

  /// Scenario: a header block without an end, and one that is completed.
  /// Guarantees: the session tells that it is open, and which one it is, until it ends.
  @Test func tellsOpenHeaderBlocks() throws {
    let wire = try opened(1)
    #expect(wire.server.incompleteHead == nil)
    wire.feed(frame(type: 1, flags: 0, stream: 3, [0x83, 0x86]))
    let block = try #require(wire.server.incompleteHead)
    wire.feed(frame(type: 9, flags: 0, stream: 3, [0x84]))
    #expect(wire.server.incompleteHead == block)
    wire.feed(frame(type: 9, flags: 4, stream: 3, [0x41, 1, 0x61]))
    #expect(wire.server.incompleteHead == nil)
    #expect(wire.requests.count == 2)
  }

  /// Scenario: bytes that end a connection, and in the same segment and later ones a malformed
  /// frame (CVE-2026-27135), each with garbage of a seed.
  /// Guarantees: no crash; the reason is given once; nothing after it is read.
  @Test func readsNothingAfterTheEnd() throws {
    let wire = try opened(1)
    wire.feed(frame(type: 0, stream: 0, [1]) + frame(type: 4, [1]))
    wire.client.receive(wire.serverOutput())
    for _ in 0..<10 {
      wire.feed(frame(type: 4, [1, 2, 3]) + [UInt8](repeating: 0xFF, count: 100))
      wire.feed(request(5))
      wire.client.receive(wire.serverOutput())
    }
    #expect(wire.requests.count == 1)
    #expect(ended(wire) == [.protocolError])
    #expect(wire.client.goAways.map(\.code) == [HTTP2ErrorCode.protocolError.rawValue])
  }

  /// Scenario: a bucket by the clock, and one whose clock goes back.
  /// Guarantees: never more than burst plus rate times time; time that goes back gives nothing.
  @Test func bucketKeepsItsRate() {
    var bucket = TokenBucket(burst: 10, perSecond: 2)
    var taken = 0
    for step in 0..<1000 {
      if bucket.take(1, at: UInt64(step) * ProtectionTests.second / 10) { taken += 1 }
    }
    #expect((10 + 199...10 + 200).contains(taken), "\(taken)")
    for _ in 0..<100 {
      if bucket.take(1, at: 0) { taken += 1 }
      if bucket.take(1, at: 99 * ProtectionTests.second) { taken += 1 }
    }
    #expect(taken <= 211)
    let last = [11, 10, 1].map { bucket.take($0, at: .max) }
    #expect(last == [false, true, false])
    bucket.earn(3)
    let earned = [3, 1].map { bucket.take($0, at: .max) }
    #expect(earned == [true, false])
  }
}
