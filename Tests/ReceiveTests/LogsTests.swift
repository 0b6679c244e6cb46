import HTTP2
import HTTP2Client
import Model
import Receive
import Testing

/// Logs go the way of traces: the same listeners, limits, refusals and durability.
@Suite struct LogsTests {
  private static let exportPath = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

  /// Scenario: access logs over HTTP/1.1, as protobuf and as JSON, plain and with gzip, on both ports.
  /// Guarantees: 200 with an empty message; every record reaches the sink, as traffic, and is counted
  /// apart from spans.
  @Test func overHTTP() async throws {
    try await ReceiverHarness.run { harness in
      for port in [harness.httpPort, harness.grpcPort] {
        let connection = try RawConnection(port: port)
        let plain = Payload.logs(records: 3)
        #expect(try connection.post("/v1/logs", body: plain).status == 200)
        let packed = try connection.post(
          "/v1/logs", body: Payload.gzip(plain), headers: ["Content-Encoding: gzip"])
        #expect(packed.status == 200 && packed.text == "")
        let json = try connection.post(
          "/v1/logs?x=1", type: "application/json", body: Payload.jsonLogs(records: 2))
        #expect(json.status == 200 && json.text == "{}")
      }
      #expect(harness.sink.spanCount == 16)
      #expect(harness.sink.batches.allSatisfy { $0.spans.allSatisfy { $0.kind == .traffic } })
      let counters = harness.receiver.counters.http
      #expect(counters.logRecordsAccepted == 16 && counters.spansAccepted == 0)
      #expect(counters.requests == 6)
    }
  }

  /// Scenario: the same over gRPC, and over HTTP/2 without gRPC.
  /// Guarantees: the same batch each time.
  @Test func overHTTP2() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let body = Payload.logs(records: 2)
      let response = try connection.call(LogsTests.exportPath, GRPCFraming.framed(body))
      #expect(response.grpcStatus == 0 && response.message == [])
      let packed = try connection.call(
        LogsTests.exportPath, GRPCFraming.framed(Payload.gzip(body), compressed: true),
        headers: [("grpc-encoding", "gzip")])
      #expect(packed.grpcStatus == 0)
      let plain = try connection.call("/v1/logs", body, contentType: "application/x-protobuf")
      #expect(plain.status == 200)
      #expect(harness.sink.batches.count == 3)
      #expect(harness.sink.batches.allSatisfy { $0 == harness.sink.batches.first })
      #expect(harness.receiver.counters.grpc.logRecordsAccepted == 4)
    }
  }

  /// Scenario: access logs among other logs; other logs alone; records without a time.
  /// Guarantees: other logs are accepted without a word and counted; bad records are told of in the words
  /// of logs, and counted by reason.
  @Test func otherLogsAndBadOnes() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      func send(_ body: [UInt8]) throws -> ClientResponse {
        try connection.call(LogsTests.exportPath, GRPCFraming.framed(body))
      }
      #expect(try send(Payload.logs(records: 1, others: 5)).message == [])
      #expect(try send(Payload.logs(records: 0, others: 4)).message == [])
      #expect(harness.sink.spanCount == 1)
      let partial = try #require(
        send(Payload.logs(records: 1, badRecords: 2)).message.flatMap(ProtobufFields.init)?
          .data[1]?.first.flatMap(ProtobufFields.init))
      #expect(partial.numbers[1] == 2)
      #expect(partial.text(2)?.hasPrefix("2 log records rejected: ") == true)
      let counters = harness.receiver.counters.grpc
      #expect(counters.logRecordsIgnored == [.text: 9])
      #expect(counters.logRecordsRejected == [.noTimestamps: 2] && counters.spansRejected == [:])
    }
  }

  /// Scenario: events of Kubernetes alone and beside an access log; a sink that answers from another
  /// thread, one that refuses.
  /// Guarantees: they reach the sink, and are acknowledged and counted when it has them; what it
  /// refuses is told to come again, and nothing of that request is admitted.
  @Test func eventsOfKubernetes() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      func post(_ body: [UInt8]) throws -> Int {
        try connection.post("/v1/logs", type: "application/json", body: body).status
      }
      #expect(try post(Payload.events(3)) == 200)
      harness.sink.behaviour = .acceptElsewhere
      #expect(try post(Payload.events(1, records: 2)) == 200)
      #expect(harness.sink.events.count == 4 && harness.sink.spanCount == 2)
      #expect(harness.sink.events.allSatisfy { $0.kind == "Deployment" && $0.time == 1 })
      harness.sink.behaviour = .refuse("full", 3)
      #expect(try post(Payload.events(1, records: 2)) == 503)
      #expect(harness.sink.spanCount == 2)
      let counters = harness.receiver.counters.http
      #expect(counters.logRecordsAccepted == 6 && counters.logRecordsIgnored == [:])
    }
  }

  /// Scenario: bytes that are no request of logs, other methods and types; a gateway without room.
  /// Guarantees: refused as traces are, in words about logs; what has no room is told to come again.
  @Test func refusals() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let bad = try connection.post("/v1/logs", body: [0xFF])
      #expect(bad.status == 400)
      let status = try #require(ProtobufFields(bad.body))
      #expect(status.text(2)?.contains("protobuf ExportLogsServiceRequest") == true)
      #expect(try connection.post("/v1/logs", body: [], method: "PUT").status == 405)
      #expect(try connection.post("/v1/logs", type: "text/plain", body: []).status == 415)
      harness.sink.behaviour = .refuse("full", 3)
      let full = try connection.post("/v1/logs", body: Payload.logs(records: 1))
      #expect(full.status == 503 && full.headers["retry-after"] == "3")
      #expect(harness.receiver.counters.http.logRecordsAccepted == 0)
    }
  }
}
