import Access
import Logging
import Receive
import Testing

/// Scenario for all: a receiver that knows one token for sending and one for asking.
@Suite struct TokenAccessTests {
  private let sending = TokenLine.make(name: "exporter", scopes: [.ingest])
  private let asking = TokenLine.make(name: "person", scopes: [.query])

  private func security() throws -> ReceiverSecurity {
    ReceiverSecurity(
      tokens: try AccessTokens(lines: [sending.line, asking.line], logger: Logger(label: "test")))
  }

  /// Scenario: spans over OTLP/HTTP with the right token, with none, an unknown one, one for asking.
  /// Guarantees: 200, 401, 401, 403, with a challenge and a status that says what to do; only the right
  /// one reaches the sink, and the connection goes on.
  @Test func overHTTP() async throws {
    let (sending, asking) = (sending.token, asking.token)
    try await ReceiverHarness.run(security: try security()) { harness in
      let connection = try RawConnection(port: harness.httpPort)
      for (token, status, code, challenge) in [
        (nil, 401, 16, #"Bearer realm="spangate""#),
        ("spg_x", 401, 16, #"Bearer realm="spangate", error="invalid_token""#),
        (
          asking, 403, 7, #"Bearer realm="spangate", error="insufficient_scope", scope="ingest""#
        ),
      ] as [(String?, Int, UInt64, String)] {
        let answer = try connection.post(
          body: Payload.protobuf(spans: 1),
          headers: token.map { ["Authorization: Bearer \($0)"] } ?? [])
        #expect(answer.status == status)
        #expect(answer.headers["www-authenticate"] == challenge)
        let fields = try #require(ProtobufFields(answer.body))
        #expect(fields.numbers[1] == code)
        #expect(fields.text(2)?.contains("token") == true)
      }
      #expect(harness.sink.batches.isEmpty)
      let answer = try connection.post(
        body: Payload.protobuf(spans: 2), headers: ["authorization: bearer \(sending)"])
      #expect(answer.status == 200)
      #expect(harness.sink.spanCount == 2)
      #expect(harness.receiver.counters.http.requestsBad == 3)
    }
  }

  /// Scenario: the same over OTLP/gRPC, on one connection; health is asked without a token.
  /// Guarantees: OK, UNAUTHENTICATED, PERMISSION_DENIED; health is told to everybody.
  @Test func overGRPC() async throws {
    let (sending, asking) = (sending.token, asking.token)
    try await ReceiverHarness.run(security: try security()) { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      for (token, status) in [(nil, "16"), ("x", "16"), (asking, "7")] as [(String?, String)] {
        let response = try connection.export(
          Payload.protobuf(spans: 1),
          headers: token.map { [("authorization", "Bearer \($0)")] } ?? [])
        #expect(response.status == 200)
        #expect(response.headers["grpc-status"] == status)
        #expect(response.headers["www-authenticate"]?.hasPrefix("Bearer realm=") == true)
      }
      #expect(harness.sink.batches.isEmpty)
      let health = try connection.call("/grpc.health.v1.Health/Check", [0, 0, 0, 0, 0])
      #expect(health.trailers == ["grpc-status": "0"])
      for _ in 0..<2 {
        let response = try connection.export(
          Payload.protobuf(spans: 1), headers: [("authorization", "Bearer \(sending)")])
        #expect(response.trailers == ["grpc-status": "0"])
      }
      #expect(harness.sink.spanCount == 2)
    }
  }
}
