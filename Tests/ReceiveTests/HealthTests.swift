import HTTP2
import HTTP2Client
import Receive
import Testing

/// grpc.health.v1.
@Suite struct HealthTests {
  private static let check = "/grpc.health.v1.Health/Check"
  private static let watch = "/grpc.health.v1.Health/Watch"
  private static let traceService = "opentelemetry.proto.collector.trace.v1.TraceService"

  private static func request(_ service: String) -> [UInt8] {
    GRPCFraming.framed(service.isEmpty ? [] : ProtobufWriter.message { $0.text(1, service) })
  }

  /// The statuses of a stream of HealthCheckResponse.
  private static func statuses(_ body: [UInt8]) -> [UInt64?] {
    var rest = body[...]
    var statuses: [UInt64?] = []
    while rest.count >= 5 {
      let length = Int(rest[rest.startIndex + 4])
      let message = Array(rest.dropFirst(5).prefix(length))
      statuses.append(ProtobufFields(message)?.numbers[1] ?? 0)
      rest = rest.dropFirst(5 + length)
    }
    return statuses
  }

  /// Scenario: the server as a whole and the trace service, before and after the gateway serves;
  /// an unknown service; a request that is none.
  /// Guarantees: NOT_SERVING, SERVING, NOT_FOUND, INVALID_ARGUMENT.
  @Test func checks() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      for (isServing, expected) in [(false, 2), (true, 1)] as [(Bool, UInt64)] {
        harness.receiver.setServing(isServing)
        for service in ["", HealthTests.traceService] {
          let response = try connection.call(HealthTests.check, HealthTests.request(service))
          #expect(response.grpcStatus == 0)
          #expect(HealthTests.statuses(response.body) == [expected])
        }
      }
      let unknown = try connection.call(HealthTests.check, HealthTests.request("nobody"))
      #expect(unknown.grpcStatus == 5)
      let malformed = try connection.call(HealthTests.check, GRPCFraming.framed([0xFF]))
      #expect(malformed.grpcStatus == 3)
      let packed = try connection.call(
        HealthTests.check, GRPCFraming.framed([], compressed: true))
      #expect(packed.grpcStatus == 13)
    }
  }

  /// Scenario: watches of a known and of an unknown service while the status changes.
  /// Guarantees: the current status at once, each change once; SERVICE_UNKNOWN for the unknown,
  /// whose stream stays open; when the gateway drains: NOT_SERVING, then the end.
  @Test func watches() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let known = connection.client.post(
        HealthTests.watch, contentType: "application/grpc", body: HealthTests.request(""))
      let unknown = connection.client.post(
        HealthTests.watch, contentType: "application/grpc", body: HealthTests.request("nobody"))
      func statuses(_ stream: Int32) -> [UInt64?] {
        HealthTests.statuses(connection.client.responses[stream]?.body ?? [])
      }
      try connection.run { statuses(known).count == 1 && statuses(unknown).count == 1 }
      #expect(statuses(known) == [2])
      #expect(statuses(unknown) == [3])

      harness.receiver.setServing(true)
      try connection.run { statuses(known).count == 2 }
      harness.receiver.setServing(true)
      harness.receiver.setServing(false)
      try connection.run { statuses(known).count == 3 }
      harness.receiver.setServing(true)
      try connection.run { statuses(known).count == 4 }
      #expect(statuses(known) == [2, 1, 2, 1])
      #expect(statuses(unknown) == [3])
      #expect(connection.client.responses[unknown]?.isEnded == false)

      let drained = harness.startDrain()
      let ended = try connection.response(known)
      #expect(statuses(known) == [2, 1, 2, 1, 2])
      #expect(ended.grpcStatus == 14)
      try connection.run { connection.socket.isClosedByServer }
      #expect(drained.isEnded())
    }
  }

  /// Scenario: a client ends its watch.
  /// Guarantees: later changes are not sent to it, and the connection goes on.
  @Test func endsWatches() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let stream = connection.client.post(
        HealthTests.watch, contentType: "application/grpc", body: HealthTests.request(""))
      try connection.run { connection.client.responses[stream]?.body.isEmpty == false }
      connection.client.reset(stream, code: 8)
      try connection.roundTrip()
      harness.receiver.setServing(true)
      let response = try connection.call(HealthTests.check, HealthTests.request(""))
      #expect(response.grpcStatus == 0)
    }
  }
}
