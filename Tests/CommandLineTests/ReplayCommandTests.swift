import Foundation
import Model
import OTLP
import Testing

@testable import Commands

private let second: UInt64 = 1_000_000_000
private let began: UInt64 = 1_700_000_000_000_000_000

@Suite struct ReplayCommandTests {
  /// Scenario: three requests to a gateway that takes them.
  /// Guarantees: the original bytes arrive, at the path of OTLP/HTTP, with type and token; the
  /// report counts spans.
  @Test func sends() async {
    let world = FakeWorld()
    let lines = (1...3).map { Sample.request(trace: $0) }
    for _ in lines { world.answer(200, "{}") }
    let code = await world.run(
      "replay", "-", "--to", "gateway:4318", input: lines.joined(separator: " \n"),
      environment: ["SPANGATE_TOKEN": "t"])
    #expect(code == 0)
    #expect(world.requests.map { String(decoding: $0.body, as: UTF8.self) } == lines)
    #expect(world.requests.first?.url.absoluteString == "http://gateway:4318/v1/traces")
    #expect(
      world.requests.first?.headers == [
        "Authorization": "Bearer t", "Content-Type": "application/json",
      ])
    #expect(
      world.output
        == "3 requests sent, 9 spans accepted, 0 rejected, 0 requests refused, 0 retries\n")
    #expect(world.errors.isEmpty && world.sleeps.isEmpty)
  }

  /// Scenario: a protobuf file, to a path of its own.
  /// Guarantees: the content type is protobuf, the path stays.
  @Test func protobuf() async throws {
    try await withFolder { folder in
      try write([0x0A, 0], to: folder + "/traces.pb")
      let world = FakeWorld()
      world.answer(200, "")
      let code = await world.run(
        "replay", folder + "/traces.pb", "--to", "https://h/otlp/traces", "--format=json",
        isTerminal: true)
      #expect(code == 0)
      #expect(world.requests.first?.headers == ["Content-Type": "application/x-protobuf"])
      #expect(world.requests.first?.url.absoluteString == "https://h/otlp/traces")
      #expect(
        world.output == "{\"requests\":1,\"accepted_spans\":0,\"rejected_spans\":0,"
          + "\"refused_requests\":0,\"retries\":0}\n")
    }
  }

  /// Scenario: a gateway that is too busy, with and without Retry-After, then takes the request.
  /// Guarantees: it waits as long as asked, else twice as long each time, at most a minute.
  @Test func retries() async {
    let world = FakeWorld()
    world.answer(429, "", headers: ["retry-after": "3"])
    world.answer(503, "")
    world.answer(503, "", headers: ["retry-after": "3600"])
    world.answer(502, "", headers: ["retry-after": "soon"])
    world.answer(200, "{}")
    #expect(await world.run("replay", "-", "--to", "h", input: Sample.request()) == 0)
    #expect(world.sleeps == [3 * second, second, 60 * second, 4 * second])
    #expect(world.output.contains("4 retries"))
  }

  /// Scenario: a gateway that stays too busy, one that is gone, one that does not allow it, one
  /// that is another server.
  /// Guarantees: the replay ends with the exit code of the contract.
  @Test func givesUp() async {
    let busy = FakeWorld()
    for _ in 0..<20 { busy.answer(503, "") }
    #expect(await busy.run("replay", "-", "--to", "h", input: Sample.request()) == 69)
    #expect(busy.requests.count == ReplaySender.attemptsMax)
    #expect(busy.errors.contains("was too busy 10 times"))
    for (status, code) in [(0, 69), (401, 77), (403, 77), (404, 64)] as [(Int, Int32)] {
      let world = FakeWorld()
      if status > 0 { world.answer(status, "") }
      #expect(await world.run("replay", "-", "--to", "h", input: Sample.request()) == code)
      #expect(!world.errors.isEmpty)
    }
  }

  /// Scenario: a request is refused as a whole, and of another one some spans are.
  /// Guarantees: the gateway's words are shown with the place, the rest is sent, exit code 70.
  @Test func rejections() async {
    let world = FakeWorld()
    world.answer(400, "{\"code\":3,\"message\":\"no spans\"}")
    world.answer(
      200, "{\"partialSuccess\":{\"rejectedSpans\":\"2\",\"errorMessage\":\"too old\"}}")
    world.answer(413, "too big")
    let lines = (1...3).map { Sample.request(trace: $0) }.joined(separator: "\n")
    #expect(await world.run("replay", "-", "--to", "h", input: lines) == 70)
    #expect(
      world.errors == """
        standard input, request 1 (line 1): refused with status 400: no spans
        standard input, request 2 (line 2): too old
        standard input, request 3 (line 3): refused with status 413: too big

        """)
    #expect(
      world.output
        == "1 request sent, 1 span accepted, 2 rejected, 2 requests refused, 0 retries\n")
  }

  /// Scenario: requests ten seconds apart, at twice the speed, one out of order, one unreadable.
  /// Guarantees: they are sent five seconds apart, less what sending took; others at once.
  @Test func pace() async throws {
    let world = FakeWorld()
    let lines =
      [0, 10, 5, 30].map { Sample.request(start: began + $0 * second) } + ["{\"resourceSpans\":1}"]
    for _ in lines { world.answer(200, "{}") }
    let code = await world.run(
      "replay", "-", "--to", "h", "--speed", "2", input: lines.joined(separator: "\n"))
    #expect(code == 0)
    #expect(world.sleeps.count == 2)
    let first = try #require(world.sleeps.first)
    let last = try #require(world.sleeps.last)
    #expect(first > 4 * second && first <= 5 * second)
    #expect(last > 9 * second && last <= 10 * second)
    #expect(await world.run("replay", "-", "--to", "h", "--speed", "0") == 64)
    #expect(await world.run("replay", "-", "--to", "h", "--speed", "nan") == 64)
  }

  /// Scenario: two requests a century apart.
  /// Guarantees: no wait is longer than an hour.
  @Test func longPace() async {
    let world = FakeWorld()
    for _ in 0..<2 { world.answer(200, "{}") }
    let lines = [second, 4_000_000_000 * second].map { Sample.request(start: $0) }
    let code = await world.run(
      "replay", "-", "--to", "h", "--speed", "0.0001", input: lines.joined(separator: "\n"))
    #expect(code == 0)
    #expect(world.sleeps == [ReplayPace.waitNanosMax])
  }

  /// Scenario: export responses in both encodings, damaged ones, and numbers no gateway sends.
  /// Guarantees: what can be read is read; nothing crashes.
  @Test func partialSuccess() {
    #expect(PartialSuccess([], .protobuf) == PartialSuccess(Array("{}".utf8), .json))
    var partial = PartialSuccess([0x0A, 6, 0x08, 3, 0x12, 2, 0x68, 0x69], .protobuf)
    #expect(partial.rejectedSpans == 3)
    #expect(partial.message == "hi")
    partial = PartialSuccess(
      [0x0A, 11, 0x08] + [UInt8](repeating: 0xFF, count: 9) + [1], .protobuf)
    #expect(partial.rejectedSpans == .max)
    for json in [
      "[]", "{", "{\"partialSuccess\":{\"rejectedSpans\":-5}}", "{\"partialSuccess\":1}",
    ] {
      #expect(PartialSuccess(Array(json.utf8), .json).rejectedSpans == 0)
    }
    #expect(
      PartialSuccess(Array("{\"partialSuccess\":{\"rejectedSpans\":7}}".utf8), .json)
        .rejectedSpans == 7)
    let fields = WireFields(
      [0x09] + [UInt8](repeating: 1, count: 8) + [0x15, 0, 0, 0, 0, 0x18, 5, 0x07])
    #expect(fields.varint(3) == 5)
    #expect(WireFields([0x12, 200, 1]).text(2) == nil)
  }

  /// Scenario: a protobuf request is refused with a status message.
  /// Guarantees: the message of the status is shown.
  @Test func protobufRefusal() async throws {
    try await withFolder { folder in
      try write([0x0A, 0], to: folder + "/traces.pb")
      let world = FakeWorld()
      world.answer(HTTPAnswer(status: 400, body: [0x08, 3, 0x12, 3, 0x62, 0x61, 0x64]))
      #expect(await world.run("replay", folder + "/traces.pb", "--to", "h") == 70)
      #expect(world.errors.hasSuffix("refused with status 400: bad\n"))
    }
  }
}
