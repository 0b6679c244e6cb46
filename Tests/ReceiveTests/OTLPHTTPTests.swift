import Model
import OTLP
import Receive
import Testing

/// OTLP/HTTP as the OTLP specification has it, over HTTP/1.1.
@Suite struct OTLPHTTPTests {
  /// Scenario: the same spans as protobuf and as JSON on one port, chosen by content type, with
  /// and without parameters and in any case.
  /// Guarantees: both reach the sink; success is exactly 200 with an empty message (no bytes, or
  /// `{}`) and the content type of the request.
  @Test(arguments: [
    ("application/x-protobuf", "application/x-protobuf"), ("application/json", "application/json"),
    ("application/json; charset=utf-8", "application/json"),
    ("Application/X-Protobuf", "application/x-protobuf"),
  ])
  func acceptsBothEncodings(sent: String, answered: String) async throws {
    try await ReceiverHarness.run { harness in
      let isJSON = answered == "application/json"
      let body = isJSON ? Payload.json(spans: 3) : Payload.protobuf(spans: 3)
      let answer = try RawConnection(port: harness.httpPort).post(type: sent, body: body)
      #expect(answer.status == 200)
      #expect(answer.headers["content-type"] == answered)
      #expect(answer.text == (isJSON ? "{}" : ""))
      #expect(answer.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT")
      #expect(harness.sink.spanCount == 3)
      #expect(harness.receiver.counters.http.requests == 1)
      #expect(harness.receiver.counters.http.spansAccepted == 3)
      #expect(harness.receiver.counters.http.bytes == body.count)
    }
  }

  /// Scenario: nothing to export: no bytes, `{}`, resource spans without scope spans.
  /// Guarantees: success without partial_success, and the sink is not asked.
  @Test func acceptsEmptyRequests() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      for (type, body) in [
        ("application/x-protobuf", []), ("application/json", Array("{}".utf8)),
        ("application/x-protobuf", ProtobufWriter.message { $0.data(1, []) }),
      ] as [(String, [UInt8])] {
        let answer = try connection.post(type: type, body: body)
        #expect(answer.status == 200)
        #expect(answer.text == (type == "application/json" ? "{}" : ""))
      }
      #expect(harness.sink.batches.isEmpty)
    }
  }

  /// Scenario: three of five spans are bad; then all of them.
  /// Guarantees: 200 with the number rejected and a message; the good ones reach the sink; both
  /// are counted by reason.
  @Test func answersPartialSuccess() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let some = try connection.post(body: Payload.protobuf(spans: 5, badSpans: 3))
      #expect(some.status == 200)
      let partial = try #require(ProtobufFields(some.body)?.data[1]?.first)
      #expect(ProtobufFields(partial)?.numbers[1] == 3)
      #expect(ProtobufFields(partial)?.text(2)?.isEmpty == false)
      #expect(harness.sink.spanCount == 2)
      let all = try connection.post(body: Payload.protobuf(spans: 2, badSpans: 2))
      #expect(all.status == 200)
      #expect(harness.sink.batches.count == 1)
      #expect(harness.receiver.counters.http.spansRejected == [.invalidTraceID: 5])
      #expect(harness.receiver.counters.http.spansAccepted == 2)
    }
  }

  /// Scenario: an endpoint set for traces alone, so that the exporter posts to `/`.
  /// Guarantees: taken with an OTLP content type; with another, 415.
  @Test func acceptsPostToRoot() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      #expect(try connection.post("/", body: Payload.protobuf(spans: 1)).status == 200)
      #expect(try connection.post("/", type: "text/html", body: [1]).status == 415)
      #expect(try connection.post("/v1/traces?a=b", body: Payload.protobuf(spans: 1)).status == 200)
      #expect(harness.sink.spanCount == 2)
    }
  }

  /// Scenario: both ports asked for OTLP/HTTP.
  /// Guarantees: both answer.
  @Test func servesHTTPOnBothPorts() async throws {
    try await ReceiverHarness.run { harness in
      for port in [harness.httpPort, harness.grpcPort] {
        let answer = try RawConnection(port: port).post(body: Payload.protobuf(spans: 1))
        #expect(answer.status == 200)
      }
    }
  }

  /// Scenario: a content type that is not OTLP's, and none.
  /// Guarantees: 415 with a Status that says what is accepted.
  @Test(arguments: ["text/plain", nil]) func refusesOtherContentTypes(type: String?) async throws {
    try await ReceiverHarness.run { harness in
      let answer = try RawConnection(port: harness.httpPort).post(type: type, body: [1])
      #expect(answer.status == 415)
      #expect(answer.text.contains("application/x-protobuf or application/json"))
      #expect(answer.text.contains("\"code\":3"))
      #expect(harness.receiver.counters.http.requestsBad == 1)
    }
  }

  /// Scenario: methods other than POST; HEAD among them, and OPTIONS without permission for pages.
  /// Guarantees: 405 with Allow; HEAD without a body.
  @Test(arguments: ["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])
  func refusesOtherMethods(method: String) async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let answer = try connection.post(type: nil, body: [], method: method)
      #expect(answer.status == 405)
      #expect(answer.headers["allow"] == "POST")
      #expect(try connection.post(body: []).status == 200)
    }
  }

  /// Scenario: signals that are not served, and paths nobody knows.
  /// Guarantees: 404 with a Status in the encoding of the request.
  @Test(arguments: ["/v1/metrics", "/v1development/profiles", "/nowhere"])
  func refusesOtherSignals(path: String) async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let answer = try connection.post(path, body: [])
      #expect(answer.status == 404)
      #expect(answer.headers["content-type"] == "application/x-protobuf")
      let status = try #require(ProtobufFields(answer.body))
      #expect(status.numbers[1] == 12)
      #expect(status.text(2)?.contains(path) == true)
      let json = try connection.post(path, type: "application/json", body: [])
      #expect(json.headers["content-type"] == "application/json")
      #expect(json.text.contains("\"code\":12"))
    }
  }

  /// Scenario: bodies that are not what their content type says.
  /// Guarantees: 400, never 500; a Status with a BadRequest, in the encoding of the request; the
  /// connection goes on.
  @Test func answersBadRequests() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let protobuf = try connection.post(body: [0xFF, 0xFF, 0xFF])
      #expect(protobuf.status == 400)
      let status = try #require(ProtobufFields(protobuf.body))
      #expect(status.numbers[1] == 3)
      let detail = try #require(status.data[3]?.first.flatMap(ProtobufFields.init))
      #expect(detail.text(1) == "type.googleapis.com/google.rpc.BadRequest")
      let json = try connection.post(type: "application/json", body: Array("[1".utf8))
      #expect(json.status == 400)
      #expect(json.headers["content-type"] == "application/json")
      #expect(json.text.contains("\"code\":3"))
      #expect(json.text.contains("google.rpc.BadRequest"))
      #expect(try connection.post(body: Payload.protobuf(spans: 1)).status == 200)
      #expect(harness.receiver.counters.http.requestsBad == 2)
    }
  }

  /// Scenario: a body over the limit, by its declared length, without one, and once unpacked.
  /// Guarantees: 413 with a Status that names the limit and asks for no retry; the declared one is
  /// refused before a byte of the body is read or reserved.
  @Test func refusesOversizedBodies() async throws {
    try await ReceiverHarness.run {
      $0.decodeLimits.requestBytesMax = 100_000
    } _: { harness in
      let declared = try RawConnection(port: harness.httpPort)
      try declared.send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
          + "Content-Length: 100001\r\n\r\n")
      let early = try declared.answer()
      #expect(early.status == 413)
      #expect(early.text.contains("100000 bytes"))
      #expect(early.text.contains("\"code\":8"))
      #expect(!early.text.contains("RetryInfo"))
      #expect(early.headers["retry-after"] == nil)
      #expect(harness.sink.reservations.isEmpty)

      let chunked = try RawConnection(port: harness.httpPort)
      try chunked.send(
        "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
          + "Transfer-Encoding: chunked\r\n\r\n")
      for _ in 0..<101 {
        try chunked.send(Array("3e8\r\n".utf8) + [UInt8](repeating: 0, count: 1000) + [13, 10])
      }
      #expect(try chunked.answer().status == 413)

      let bomb = Payload.gzip([UInt8](repeating: 0, count: 5_000_000))
      let packed = try RawConnection(port: harness.httpPort).post(
        body: bomb, headers: ["Content-Encoding: gzip"])
      #expect(packed.status == 413)
      #expect(harness.sink.reservedMost <= 200_000)
    }
  }

  /// Scenario: gzip, identity, no and unknown content encodings.
  /// Guarantees: the first three are read; the unknown gets 415 with `Accept-Encoding: gzip`.
  @Test func readsContentEncodings() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let plain = Payload.protobuf(spans: 10)
      for (encoding, body) in [
        ("gzip", Payload.gzip(plain)), ("GZIP", Payload.gzip(plain)), ("identity", plain),
      ] {
        let answer = try connection.post(body: body, headers: ["Content-Encoding: \(encoding)"])
        #expect(answer.status == 200)
      }
      #expect(harness.sink.spanCount == 30)
      let unknown = try connection.post(body: plain, headers: ["Content-Encoding: br"])
      #expect(unknown.status == 415)
      #expect(unknown.headers["accept-encoding"] == "gzip")
    }
  }

  /// Scenario: gzip of several members, of which the last is small or empty; truncated; with
  /// trailing garbage; with a wrong checksum.
  /// Guarantees: members are joined; damage is a 400.
  @Test func readsOddGzip() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let plain = Payload.protobuf(spans: 2000)
      let gzip = ["Content-Encoding: gzip"]
      let halves = Payload.gzip(Array(plain[..<90_000])) + Payload.gzip(Array(plain[90_000...]))
      #expect(try connection.post(body: halves, headers: gzip).status == 200)
      let emptyLast = Payload.gzip(plain) + Payload.gzip([])
      #expect(try connection.post(body: emptyLast, headers: gzip).status == 200)
      #expect(harness.sink.spanCount == 4000)

      let whole = Payload.gzip(plain)
      #expect(try connection.post(body: Array(whole.dropLast(9)), headers: gzip).status == 400)
      #expect(try connection.post(body: whole + [1, 2, 3], headers: gzip).status == 400)
      var damaged = whole
      damaged[whole.count - 6] ^= 1
      #expect(try connection.post(body: damaged, headers: gzip).status == 400)
      #expect(try connection.post(body: [1, 2], headers: gzip).status == 400)
    }
  }

  /// Scenario: a client that accepts gzip, gets a short and a long answer.
  /// Guarantees: only the long one is compressed, and unpacks to the Status.
  @Test func compressesLongAnswers() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let accept = ["Accept-Encoding: deflate, gzip"]
      let short = try connection.post(body: Payload.protobuf(spans: 1), headers: accept)
      #expect(short.headers["content-encoding"] == nil)
      let bad = Array("[1".utf8)  // answered with a message and, in the details, once more
      let long = try connection.post(type: "application/json", body: bad, headers: accept)
      #expect(long.headers["content-encoding"] == "gzip")
      #expect(String(decoding: try Payload.gunzip(long.body), as: UTF8.self).contains("\"code\""))
      let plain = try connection.post(
        type: "application/json", body: bad, headers: ["Accept-Encoding: gzip;q=0"])
      #expect(plain.headers["content-encoding"] == nil)
    }
  }

  /// Scenario: the sink refuses a batch, or has no room for a body.
  /// Guarantees: 503 with Retry-After in whole seconds of at least one, and RetryInfo; nothing is
  /// lost by answering 200; the next request can succeed.
  @Test func answersOverload() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      harness.sink.behaviour = .refuse("the journal is full", 7)
      let refused = try connection.post(type: "application/json", body: Payload.json(spans: 1))
      #expect(refused.status == 503)
      #expect(refused.headers["retry-after"] == "7")
      #expect(refused.text.contains("the journal is full"))
      #expect(refused.text.contains("\"retryDelay\":\"7s\""))
      harness.sink.behaviour = .refuse("soon", 0)
      #expect(try connection.post(body: Payload.protobuf(spans: 1)).headers["retry-after"] == "1")

      harness.sink.behaviour = .accept
      harness.sink.roomBytes = 10
      let noRoom = try connection.post(body: Payload.protobuf(spans: 1))
      #expect(noRoom.status == 503)
      #expect(noRoom.headers["retry-after"] == "1")
      harness.sink.roomBytes = .max
      #expect(try connection.post(body: Payload.protobuf(spans: 1)).status == 200)
      #expect(harness.receiver.counters.http.requestsRefused == 3)
      #expect(harness.receiver.counters.http.spansAccepted == 1)
    }
  }

  /// Scenario: the sink answers later, from another thread.
  /// Guarantees: no answer before it does, then 200.
  @Test func answersOnlyAfterTheSink() async throws {
    try await ReceiverHarness.run { harness in
      harness.sink.behaviour = .hold
      let connection = try RawConnection(port: harness.httpPort)
      try connection.sendRequest(body: Payload.protobuf(spans: 2))
      #expect(harness.eventually { harness.sink.heldCount == 1 })
      #expect(harness.receiver.counters.http.spansAccepted == 0)
      #expect(harness.sink.reserved > 0)
      harness.sink.answerHeld()
      #expect(try connection.answer().status == 200)
      #expect(harness.receiver.counters.http.spansAccepted == 2)
      harness.sink.behaviour = .acceptElsewhere
      #expect(try connection.post(body: Payload.protobuf(spans: 2)).status == 200)
    }
  }

  /// Scenario: a body too large for the event loop, plain and gzip, protobuf and JSON.
  /// Guarantees: decoded all the same, on a worker.
  @Test func decodesLargeBodiesOnWorkers() async throws {
    try await ReceiverHarness.run { harness in
      let connection = try RawConnection(port: harness.httpPort)
      let large = Payload.protobuf(spans: 5000)
      #expect(large.count > 256 << 10)
      #expect(try connection.post(body: large).status == 200)
      let packed = try connection.post(
        body: Payload.gzip(large), headers: ["Content-Encoding: gzip"])
      #expect(packed.status == 200)
      let json = try connection.post(type: "application/json", body: Payload.json(spans: 5000))
      #expect(json.status == 200)
      #expect(harness.sink.spanCount == 15_000)
    }
  }

  /// Scenario: more bodies for the workers than may wait.
  /// Guarantees: refused as overload, to be sent again.
  @Test func refusesWhenWorkersAreBusy() async throws {
    try await ReceiverHarness.run {
      $0.workerQueueMax = 0
    } _: { harness in
      let answer = try RawConnection(port: harness.httpPort).post(
        type: "application/json", body: Payload.json(spans: 1))
      #expect(answer.status == 503)
      #expect(answer.headers["retry-after"] == "1")
    }
  }
}
