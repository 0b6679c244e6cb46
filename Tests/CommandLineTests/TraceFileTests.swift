import Foundation
import Testing

@testable import Commands

private func texts(_ text: String) throws -> [String] {
  let file = try TraceFile(name: "file", bytes: Array(text.utf8))
  return file.requests.map { String(decoding: file.body($0), as: UTF8.self) }
}

/// A resource spans record of `count` bytes: tag, length, and zeros.
private func record(_ count: Int) -> [UInt8] {
  precondition(count >= 2 && count < 130, "one byte of length")
  return [0x0A, UInt8(count - 2)] + [UInt8](repeating: 0, count: count - 2)
}

@Suite struct TraceFileTests {
  /// Scenario: one document, several, one a line, an array of them, with marks and blanks around.
  /// Guarantees: each object is one request, byte for byte.
  @Test func json() throws {
    #expect(try texts("{\"a\": {\"b\": 1}}") == ["{\"a\": {\"b\": 1}}"])
    #expect(try texts("{}\n{}\r\n\n{}") == ["{}", "{}", "{}"])
    #expect(try texts("{\n \"a\":\n 1}\n{\"b\":2}") == ["{\n \"a\":\n 1}", "{\"b\":2}"])
    #expect(try texts("\u{FEFF} [ {\"a\":1} , {}\n]\n") == ["{\"a\":1}", "{}"])
    #expect(try texts("{\"a\":\"}\\\"{\"}{}") == ["{\"a\":\"}\\\"{\"}", "{}"])
  }

  /// Scenario: documents that are cut off, and other text between them.
  /// Guarantees: nothing is passed over in silence: what is no object is a request of its own, which
  /// the decoder refuses.
  @Test func damagedJSON() throws {
    #expect(try texts("{} garbage\n{}") == ["{}", "garbage", "{}"])
    #expect(try texts("{\"a\":{") == ["{\"a\":{"])
    #expect(try texts("{\"a\\") == ["{\"a\\"])
    #expect(try texts("[{}") == ["{}"])
    #expect(try texts("[{}] tail") == ["{}", "tail"])
    #expect(try texts("[]") == [])
  }

  /// Scenario: a protobuf message, and one longer than a piece.
  /// Guarantees: it is cut between records only, and the pieces are the whole file.
  @Test func protobuf() throws {
    let small = record(10) + record(20)
    let file = try TraceFile(name: "file", bytes: small)
    #expect(file.requests == [TraceFile.Request(range: 0..<30, encoding: .protobuf)])
    let bytes = record(60) + record(60) + record(120) + record(10)
    #expect(
      ProtobufMessages.ranges(in: bytes, pieceBytes: 100) == [
        0..<60, 60..<120, 120..<240, 240..<250,
      ])
    #expect(ProtobufMessages.ranges(in: bytes, pieceBytes: 130) == [0..<120, 120..<250])
  }

  /// Scenario: protobuf records whose length is the code of a bracket.
  /// Guarantees: they are not taken for JSON.
  @Test(arguments: [UInt8(ascii: "{"), UInt8(ascii: "[")])
  func lengthLooksLikeJSON(length: UInt8) throws {
    let file = try TraceFile(name: "file", bytes: record(Int(length) + 2))
    #expect(file.requests.map(\.encoding) == [.protobuf])
  }

  /// Scenario: messages with their length before them, as the Collector's file exporter writes them.
  /// Guarantees: each is one request, without the length.
  @Test func lengthPrefixed() throws {
    let message = record(20)
    let bytes = [0, 0, 0, 20] + message + [0, 0, 0, 0, 0, 0, 0, 20] + message
    #expect(ProtobufMessages.ranges(in: bytes, pieceBytes: 1 << 20) == [4..<24, 32..<52])
  }

  /// Scenario: files that are no OTLP.
  /// Guarantees: each is refused with what to do.
  @Test(
    arguments: [
      ([], "is empty"), ([0x20, 0x0A], "is empty"), ([0x1F, 0x8B, 8], "is compressed"),
      ([0x0A, 5, 0], "is no OTLP"), ([0x0A], "is empty"), (Array("hello".utf8), "is no OTLP"),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], "is no OTLP"),
      ([0, 0, 0, 9, 0x0A], "is no OTLP"), ([0, 0, 0], "is no OTLP"), ([0x12, 0], "is no OTLP"),
      ([0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0], "is no OTLP"),
    ] as [([UInt8], String)])
  func notOTLP(bytes: [UInt8], text: String) {
    let error = #expect(throws: CommandFailure.self) {
      _ = try TraceFile(name: "file", bytes: bytes)
    }
    #expect(error?.kind == .failed)
    #expect(error?.message.hasPrefix("file \(text)") == true)
  }

  /// Scenario: arbitrary bytes behind the first byte of each format.
  /// Guarantees: no crash, and the ranges lie inside the file, in order.
  @Test func anyBytes() {
    let given = ProcessInfo.processInfo.environment["SPANGATE_SEED"].flatMap(UInt64.init)
    var state = given ?? UInt64.random(in: 0...UInt64.max)
    print("SPANGATE_SEED=\(state)")
    let starts: [[UInt8]] = [[0x7B], [0x5B], [0x0A], [0, 0, 0], []]
    for round in 0..<5_000 {
      var bytes = starts[round % starts.count]
      for _ in 0..<(round % 40) {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let choices = Array("{}[]\",\\\n".utf8) + [0x0A, 2, 0]
        bytes.append(
          state >> 63 == 0
            ? UInt8(truncatingIfNeeded: state >> 40) : choices[Int(state >> 33) % choices.count])
      }
      guard let file = try? TraceFile(name: "file", bytes: bytes) else { continue }
      var last = 0
      for request in file.requests {
        #expect(request.range.lowerBound >= last && request.range.upperBound <= bytes.count)
        #expect(!request.range.isEmpty)
        last = request.range.upperBound
      }
    }
  }
}
