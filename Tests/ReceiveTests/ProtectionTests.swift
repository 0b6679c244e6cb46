import HTTP2
import HTTP2Client
import Model
import Receive
import Testing

/// What one client may cost the others: connections of its own that are ended, and counted.
@Suite struct ProtectionTests {
  /// The head of an export call, field by field without indexing.
  private static let exportHead: [UInt8] =
    [0x83, 0x86, 0x41, 1, 0x61]
    + [0x04, UInt8(HTTP2Connection.exportPath.utf8.count)]
    + Array(HTTP2Connection.exportPath.utf8)
    + [0x0F, 0x10, 16] + Array("application/grpc".utf8)
    + [0, 2] + Array("te".utf8) + [8] + Array("trailers".utf8)

  /// An empty export on a stream; its answer has a message of five bytes.
  private static func export(stream: UInt32) -> [UInt8] {
    frame(type: 1, flags: 4, stream: stream, exportHead)
      + frame(type: 0, flags: 1, stream: stream, [0, 0, 0, 0, 0])
  }

  /// The types of all frames that come until one of that type does, or the end.
  private func read(_ connection: RawConnection, until type: UInt8) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var types: [UInt8] = []
    while !types.contains(type) {
      let more = try connection.receive()
      guard !more.isEmpty else { break }
      bytes += more
      while bytes.count >= 9 {
        let length = bytes[..<3].reduce(0) { $0 << 8 | Int($1) }
        guard bytes.count >= 9 + length else { break }
        types.append(bytes[3])
        bytes.removeFirst(9 + length)
      }
    }
    return types
  }

  /// Scenario: a client whose windows are shut asks, and never makes room for the answers.
  /// Guarantees: each stream is reset after the time for unread answers, and counted; another
  /// client is served meanwhile.
  @Test func endsStreamsNobodyReads() async throws {
    try await ReceiverHarness.run {
      $0.writeTimeoutNanos = 200 * .millisecond
    } _: { harness in
      let connection = try RawConnection(port: harness.grpcPort)
      try connection.send(
        preface + frame(type: 4, [0, 4, 0, 0, 0, 0]) + ProtectionTests.export(stream: 1))
      let types = try read(connection, until: 3)
      #expect(types.contains(1), "the head of the answer needs no room")
      #expect(!types.contains(0))
      #expect(types.contains(3))
      #expect(harness.receiver.counters.protections == [.unread: 1])
      let other = try HTTP2Connection(port: harness.grpcPort)
      #expect(try other.export(Payload.protobuf(spans: 1)).grpcStatus == 0)
    }
  }

  /// Scenario: a header block that does not end, on a connection that has had requests.
  /// Guarantees: the connection ends after the time for a head, and is counted.
  @Test func endsHeadsThatNeverEnd() async throws {
    try await ReceiverHarness.run {
      // Long enough for the first request to be read whatever else the machine does.
      $0.headTimeoutNanos = 3 * .second
    } _: { harness in
      let connection = try RawConnection(port: harness.grpcPort)
      try connection.send(preface + frame(type: 4) + ProtectionTests.export(stream: 1))
      #expect(try read(connection, until: 0).contains(0))
      try connection.send(frame(type: 1, stream: 3, [0x83]))
      _ = try read(connection, until: 7)
      #expect(try connection.isClosed())
      #expect(harness.receiver.counters.protections == [.incompleteHead: 1])
    }
  }

  /// Scenario: a flood of PING from a client that reads, with another client beside it.
  /// Guarantees: GOAWAY, the end, and a count; the other client's calls are answered.
  @Test func endsFloods() async throws {
    try await ReceiverHarness.run { harness in
      let other = try HTTP2Connection(port: harness.grpcPort)
      let connection = try RawConnection(port: harness.grpcPort)
      let ping = frame(type: 6, [UInt8](repeating: 0, count: 8))
      try connection.send(preface + frame(type: 4))
      for _ in 0..<30 {
        do {
          try connection.send((0..<100).flatMap { _ in ping })
        } catch { break }
        #expect(try other.export(Payload.protobuf(spans: 1)).grpcStatus == 0)
      }
      #expect(
        harness.eventually {
          harness.receiver.counters.protections.values.reduce(0, +) == 1
        })
    }
  }
}
