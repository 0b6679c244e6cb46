import HTTP2
import HTTP2Client
import Model
import Receive
import Testing

/// Calls that end before they are answered.
@Suite struct GRPCDeadlineTests {
  /// Scenario: the sink is slower than the client's deadline; the request complete or not.
  /// Guarantees: DEADLINE_EXCEEDED; an unfinished request is reset with CANCEL; the reservation is
  /// released once the sink is done; what the sink took is not undone.
  @Test func keepsDeadlines() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let complete = try connection.export(
        Payload.protobuf(spans: 1), headers: [("grpc-timeout", "50m")])
      #expect(complete.grpcStatus == 4)
      #expect(complete.closeCode == 0)
      #expect(harness.sink.reserved > 0)
      harness.sink.answerHeld()
      #expect(harness.eventually { harness.sink.reserved == 0 })
      #expect(harness.receiver.counters.grpc.spansAccepted == 1)

      let unfinished = try connection.response(
        connection.beginExport([0, 0, 0], headers: [("grpc-timeout", "50m")]))
      #expect(unfinished.grpcStatus == 4)
      #expect(unfinished.closeCode == HTTP2ErrorCode.cancel.rawValue)
      #expect(harness.receiver.counters.grpc.requestsAbandoned == 2)
    }
  }

  /// Scenario: deadlines that are far away, or too large for any clock.
  /// Guarantees: answered in time.
  @Test(arguments: ["10S", "1H", "99999999H"])
  func meetsDeadlines(timeout: String) async throws {
    try await ReceiverHarness.run { harness in
      let response = try HTTP2Connection(port: harness.grpcPort).export(
        Payload.protobuf(spans: 1), headers: [("grpc-timeout", timeout)])
      #expect(response.grpcStatus == 0)
    }
  }

  /// Scenario: deadlines that are none.
  /// Guarantees: HTTP 400 and INTERNAL "malformed grpc-timeout".
  @Test(arguments: ["10", "S", "-1S", "123456789S", "1x"])
  func refusesMalformedDeadlines(timeout: String) async throws {
    try await ReceiverHarness.run { harness in
      let response = try HTTP2Connection(port: harness.grpcPort).export(
        Payload.protobuf(spans: 1), headers: [("grpc-timeout", timeout)])
      #expect(response.status == 400)
      #expect(response.grpcStatus == 13)
      #expect(response.grpcMessage?.hasPrefix("malformed grpc-timeout") == true)
      #expect(harness.sink.batches.isEmpty)
    }
  }

  /// Scenario: RST_STREAM CANCEL in the middle of an upload, and while the sink works.
  /// Guarantees: the first frees its reservation at once; the second when the sink is done, and
  /// its spans stay.
  @Test func freesCancelledRequests() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let upload = connection.beginExport([0, 0, 1, 0, 0, 1, 2, 3])
      try connection.roundTrip()
      #expect(harness.sink.reserved == 65_536)
      connection.client.reset(upload, code: 8)
      try connection.roundTrip()
      #expect(harness.sink.reserved == 0)

      let late = connection.beginExport(GRPCFraming.framed(Payload.protobuf(spans: 1)), end: true)
      try connection.roundTrip()
      #expect(harness.sink.heldCount == 1)
      connection.client.reset(late, code: 8)
      try connection.roundTrip()
      harness.sink.answerHeld()
      #expect(harness.eventually { harness.sink.reserved == 0 })
      #expect(harness.receiver.counters.grpc.spansAccepted == 1)
      #expect(harness.receiver.counters.grpc.requestsAbandoned == 2)
    }
  }

  /// Scenario: the connection breaks while a worker decodes and the sink holds.
  /// Guarantees: everything reserved is released in the end.
  @Test func freesRequestsOfBrokenConnections() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      do {
        let connection = try HTTP2Connection(port: harness.grpcPort)
        let large = GRPCFraming.framed(Payload.protobuf(spans: 20_000))
        for _ in 0..<4 { _ = connection.beginExport(large, end: true) }
        _ = connection.beginExport(GRPCFraming.framed(Payload.protobuf(spans: 1)), end: true)
        try connection.run { harness.sink.heldCount >= 1 || connection.client.unsentBytes(9) == 0 }
        try connection.roundTrip()
      }
      #expect(harness.eventually { harness.receiver.counters.connectionsOpen == 0 })
      #expect(
        harness.eventually {
          harness.sink.answerHeld()
          return harness.sink.reserved == 0
        })
    }
  }
}
