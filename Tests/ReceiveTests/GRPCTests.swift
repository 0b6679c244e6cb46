import HTTP2
import HTTP2Client
import Model
import Receive
import Testing

/// OTLP/gRPC over HTTP/2, with a client of another implementation.
@Suite struct GRPCTests {
  /// Scenario: an export call, with and without `te: trailers`, in each of the accepted content
  /// types, on both ports.
  /// Guarantees: head, one empty message, trailers with status 0; the spans reach the sink.
  @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
  func exports(type: String) async throws {
    try await ReceiverHarness.run { harness in
      let body = GRPCFraming.framed(Payload.protobuf(spans: 3))
      for port in [harness.grpcPort, harness.httpPort] {
        let connection = try HTTP2Connection(port: port)
        for headers in [[("te", "trailers")], []] {
          let response = try connection.call(
            HTTP2Connection.exportPath, body, contentType: type, headers: headers)
          #expect(response.status == 200)
          #expect(response.headers["content-type"] == "application/grpc")
          #expect(response.message == [])
          #expect(response.trailers == ["grpc-status": "0"])
          #expect(response.headers["grpc-status"] == nil)
          #expect(response.closeCode == 0)
        }
      }
      #expect(harness.sink.spanCount == 12)
      #expect(harness.receiver.counters.grpc.requests == 4)
      #expect(harness.receiver.counters.grpc.spansAccepted == 12)
      #expect(harness.receiver.counters.http.requests == 0)
    }
  }

  /// Scenario: the same bytes over gRPC and over HTTP.
  /// Guarantees: the same batch.
  @Test func storesTheSameAsHTTP() async throws {
    try await ReceiverHarness.run { harness in
      let body = Payload.protobuf(spans: 4)
      _ = try HTTP2Connection(port: harness.grpcPort).export(body)
      _ = try RawConnection(port: harness.httpPort).post(body: body)
      #expect(harness.sink.batches.count == 2)
      #expect(harness.sink.batches.first == harness.sink.batches.last)
    }
  }

  /// Scenario: a message cut in two at every byte, in DATA frames of their own; in frames of one
  /// byte each; ended by an empty frame.
  /// Guarantees: read as one message.
  @Test func readsMessagesInPieces() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let bytes = GRPCFraming.framed(Payload.protobuf(spans: 1))
      for cut in 0...bytes.count {
        let stream = connection.beginExport(Array(bytes[..<cut]))
        try connection.flush()
        connection.client.append(Array(bytes[cut...]), to: stream)
        try connection.flush()
        connection.client.append([], to: stream, end: true)
        #expect(try connection.response(stream).grpcStatus == 0)
      }
      let stream = connection.beginExport()
      for byte in bytes {
        connection.client.append([byte], to: stream)
        try connection.flush()
      }
      connection.client.append([], to: stream, end: true)
      #expect(try connection.response(stream).grpcStatus == 0)
      #expect(harness.sink.spanCount == bytes.count + 2)
    }
  }

  /// Scenario: some spans are bad, then all; warnings are left to the decoder's tests.
  /// Guarantees: status 0 with partial_success, never a retryable status.
  @Test func answersPartialSuccess() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      for (spans, bad) in [(5, 3), (2, 2)] {
        let response = try connection.export(Payload.protobuf(spans: spans, badSpans: bad))
        #expect(response.grpcStatus == 0)
        let partial = try #require(
          response.message.flatMap(ProtobufFields.init)?.data[1]?.first.flatMap(ProtobufFields.init)
        )
        #expect(partial.numbers[1] == UInt64(bad))
        #expect(partial.text(2)?.isEmpty == false)
      }
      #expect(harness.receiver.counters.grpc.spansRejected == [.invalidTraceID: 5])
    }
  }

  /// Scenario: no message, two, a truncated one, a flag of 2, a compressed one without encoding.
  /// Guarantees: INTERNAL with a text, as Trailers-Only; never a hang.
  @Test(
    arguments: [
      ([], "received no request message", nil),
      ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "multiple request messages", nil),
      ([0, 0, 0, 0, 9, 1], "the request message is truncated", nil),
      ([0, 0], "the request message is truncated", nil),
      ([2, 0, 0, 0, 0], "unknown compressed-flag 2", nil),
      ([1, 0, 0, 0, 1, 0], "compressed", nil), ([1, 0, 0, 0, 1, 0], "compressed", "identity"),
    ] as [([UInt8], String, String?)])
  func refusesBrokenFraming(bytes: [UInt8], text: String, encoding: String?) async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let headers = encoding.map { [("grpc-encoding", $0)] } ?? []
      let response = try connection.call(HTTP2Connection.exportPath, bytes, headers: headers)
      #expect(response.status == 200)
      #expect(response.grpcStatus == 13)
      #expect(response.grpcMessage?.contains(text) == true)
      #expect(response.headerBlocks == 1)
      #expect(response.body == [])
      #expect(harness.receiver.counters.grpc.requestsBad == 1)
    }
  }

  /// Scenario: a length prefix over the limit, with nothing after it; a message that unpacks to
  /// more than the limit.
  /// Guarantees: RESOURCE_EXHAUSTED without RetryInfo; the first before the body was sent or
  /// reserved, followed by RST_STREAM NO_ERROR because the client has not ended.
  @Test func refusesOversizedMessages() async throws {
    try await ReceiverHarness.run {
      $0.decodeLimits.requestBytesMax = 100_000
    } _: { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let early = try connection.response(connection.beginExport([0, 0, 2, 0, 0]))
      #expect(early.grpcStatus == 8)
      #expect(early.grpcMessage?.contains("100000") == true)
      #expect(early.headers["grpc-status-details-bin"] == nil)
      #expect(early.closeCode == 0)
      #expect(harness.sink.reservations.isEmpty)

      let bomb = Payload.gzip([UInt8](repeating: 0, count: 5_000_000))
      let packed = try connection.export(
        bomb, compressed: true, headers: [("grpc-encoding", "gzip")])
      #expect(packed.grpcStatus == 8)
      #expect(packed.statusDetails == nil)
      #expect(try connection.export(Payload.protobuf(spans: 1)).grpcStatus == 0)
    }
  }

  /// Scenario: gzip messages, plain messages under `grpc-encoding: gzip`, unknown encodings.
  /// Guarantees: the first two are read; the unknown is UNIMPLEMENTED and told what is known.
  @Test func readsEncodings() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let gzip = [("grpc-encoding", "gzip")]
      let plain = Payload.protobuf(spans: 5)
      let packed = try connection.export(Payload.gzip(plain), compressed: true, headers: gzip)
      #expect(packed.grpcStatus == 0)
      #expect(try connection.export(plain, headers: gzip).grpcStatus == 0)
      #expect(
        try connection.export(plain, headers: [("grpc-encoding", "identity")]).grpcStatus == 0)
      #expect(harness.sink.spanCount == 15)
      let unknown = try connection.export(plain, headers: [("grpc-encoding", "snappy")])
      #expect(unknown.grpcStatus == 12)
      #expect(unknown.headers["grpc-accept-encoding"] == "identity,gzip")
    }
  }

  /// Scenario: a long answer to clients that do and do not list gzip.
  /// Guarantees: compressed only for the one that does.
  @Test func compressesAnswersOnlyWhenAsked() async throws {
    try await ReceiverHarness.run {
      $0.compressedAnswerBytesMin = 20
    } _: { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let body = Payload.protobuf(spans: 3, badSpans: 1)
      let plain = try connection.export(body)
      #expect(plain.body.first == 0)
      #expect(plain.headers["grpc-encoding"] == nil)
      let packed = try connection.export(
        body, headers: [("grpc-accept-encoding", "identity, gzip")])
      #expect(packed.body.first == 1)
      #expect(packed.headers["grpc-encoding"] == "gzip")
      #expect(try packed.message.map(Payload.gunzip) == plain.message)
    }
  }

  /// Scenario: bytes that are no ExportTraceServiceRequest.
  /// Guarantees: INVALID_ARGUMENT, with a BadRequest in the details.
  @Test func refusesMalformedMessages() async throws {
    try await ReceiverHarness.run { harness in
      let response = try HTTP2Connection(port: harness.grpcPort).export([0xFF, 0xFF])
      #expect(response.grpcStatus == 3)
      let status = try #require(response.statusDetails)
      #expect(status.numbers[1] == 3)
      let detail = try #require(status.data[3]?.first.flatMap(ProtobufFields.init))
      #expect(detail.text(1) == "type.googleapis.com/google.rpc.BadRequest")
    }
  }

  /// Scenario: the sink refuses, with a reason that is not plain ASCII; and has no room.
  /// Guarantees: UNAVAILABLE, the reason percent-encoded, RetryInfo in grpc-status-details-bin.
  @Test func answersOverload() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      harness.sink.behaviour = .refuse("100% full\n😀", 3)
      let refused = try connection.export(Payload.protobuf(spans: 1))
      #expect(refused.grpcStatus == 14)
      #expect(refused.grpcMessage == "100%25 full%0A%F0%9F%98%80")
      let status = try #require(refused.statusDetails)
      #expect(status.numbers[1] == 14)
      #expect(status.text(2) == "100% full\n😀")
      let detail = try #require(status.data[3]?.first.flatMap(ProtobufFields.init))
      #expect(detail.text(1) == "type.googleapis.com/google.rpc.RetryInfo")
      let retry = try #require(detail.data[2]?.first.flatMap(ProtobufFields.init))
      #expect(retry.data[1]?.first.flatMap(ProtobufFields.init)?.numbers[1] == 3)

      harness.sink.roomBytes = 10
      let noRoom = try connection.export(Payload.protobuf(spans: 1))
      #expect(noRoom.grpcStatus == 14)
      #expect(noRoom.statusDetails != nil)
      #expect(harness.receiver.counters.grpc.requestsRefused == 2)
    }
  }

  /// Scenario: services and methods that are not served, and paths that are none.
  /// Guarantees: UNIMPLEMENTED, Trailers-Only, naming the service or the method.
  @Test(arguments: [
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "unknown service"),
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Import", "unknown method Import"),
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Import", "unknown method Import"),
    ("/grpc.health.v1.Health/List", "unknown method List"), ("/nothing", "malformed method name"),
    ("nothing", "malformed method name"),
  ])
  func refusesUnknownMethods(path: String, text: String) async throws {
    try await ReceiverHarness.run { harness in
      // A path without a slash is a protocol error to some: any refusal will do there.
      let response = try HTTP2Connection(port: harness.grpcPort).call(path, [0, 0, 0, 0, 0])
      if path.hasPrefix("/") {
        #expect(response.grpcStatus == 12)
        #expect(response.grpcMessage?.contains(text) == true)
        #expect(response.headerBlocks == 1)
      } else {
        #expect(response.closeCode != nil)
      }
    }
  }

  /// Scenario: a gRPC path with another content type; another method than POST.
  /// Guarantees: HTTP 415 and 405, with a gRPC status for clients that look for it.
  @Test func refusesWhatIsNotGRPC() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      for type in ["application/json", "application/grpc+json", "application/grpc-web"] {
        let response = try connection.call(HTTP2Connection.exportPath, [1], contentType: type)
        #expect(response.status == 415)
        #expect(response.grpcStatus == 3)
      }
      let get = connection.client.request([
        (":method", "GET"), (":scheme", "http"), (":path", HTTP2Connection.exportPath),
        (":authority", "a"), ("content-type", "application/grpc"),
      ])
      let response = try connection.response(get)
      #expect(response.status == 405)
      #expect(response.headers["allow"] == "POST")
      #expect(response.grpcStatus == 13)
    }
  }

  /// Scenario: custom fields, a `-bin` value that is no base64, values outside ASCII.
  /// Guarantees: none of it is an error.
  @Test func toleratesMetadata() async throws {
    try await ReceiverHarness.run { harness in
      let response = try HTTP2Connection(port: harness.grpcPort).export(
        Payload.protobuf(spans: 1),
        headers: [("x-custom", "v"), ("x-data-bin", "AQI=,!!!"), ("x-text", "grün")])
      #expect(response.grpcStatus == 0)
    }
  }

  /// Scenario: a header list over the limit, then an ordinary call on the same connection.
  /// Guarantees: 431, and the connection survives.
  @Test func survivesLargeHeaders() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let large = (0..<9).map { ("x-\($0)", String(repeating: "v", count: 2000)) }
      let response = try connection.export(Payload.protobuf(spans: 1), headers: large)
      #expect(response.status == 431)
      #expect(response.grpcStatus == 8)
      #expect(try connection.export(Payload.protobuf(spans: 1)).grpcStatus == 0)
    }
  }

  /// Scenario: an upload of 60 MiB, larger than every window; beside it a stalled one.
  /// Guarantees: it works, and the stalled stream blocks nobody; PING is answered meanwhile.
  @Test func takesLargeUploads() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.grpcPort)
      let stalled = connection.beginExport([0, 0, 0, 0, 9, 1])
      try connection.roundTrip()
      let message = Payload.protobuf(spans: 1000, padding: 60_000)
      #expect(message.count > 60_000_000)
      #expect(try connection.export(message).grpcStatus == 0)
      #expect(harness.sink.spanCount == 1000)
      try connection.roundTrip()
      connection.client.reset(stalled, code: 8)
      try connection.roundTrip()
      #expect(harness.eventually { harness.sink.reserved == 0 })
    }
  }

  /// Scenario: OTLP/HTTP over HTTP/2.
  /// Guarantees: the same answers as over HTTP/1.1; errors before the end of the body too.
  @Test func servesOTLPHTTP() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try HTTP2Connection(port: harness.httpPort)
      let good = try connection.call(
        "/v1/traces", Payload.json(spans: 2), contentType: "application/json", headers: [])
      #expect(good.status == 200)
      #expect(good.headers["content-type"] == "application/json")
      #expect(good.body == Array("{}".utf8))
      #expect(harness.receiver.counters.http.spansAccepted == 2)

      let wrong = connection.client.post(
        "/v1/traces", contentType: "text/plain", body: [1], end: false)
      let refused = try connection.response(wrong)
      #expect(refused.status == 415)
      #expect(refused.closeCode == 0)

      let declared = connection.client.post(
        "/v1/traces", contentType: "application/json", body: [1], end: false,
        headers: [("content-length", "99999999999")])
      #expect(try connection.response(declared).status == 413)

      let head = connection.client.request([
        (":method", "HEAD"), (":scheme", "http"), (":path", "/v1/traces"), (":authority", "a"),
      ])
      let headed = try connection.response(head)
      #expect(headed.status == 405)
      #expect(headed.body == [])
    }
  }
}
