import HTTP2
import TestSupport
import Testing

@Suite struct GRPCFramingTests {
  struct Outcome: Equatable {
    var messages: [[UInt8]] = []
    var flags: [Bool] = []
    var error: GRPCFramingError?
  }

  /// Everything that comes out of `pieces`.
  private func read(
    _ pieces: [[UInt8]], bytesMax: Int = 1000, messagesMax: Int = 1
  ) -> Outcome {
    var framing = GRPCFraming(messageBytesMax: bytesMax, messagesMax: messagesMax)
    var outcome = Outcome()
    var message: [UInt8] = []
    for piece in pieces {
      var offset = 0
      steps: while true {
        switch framing.next(in: piece.span.bytes, at: &offset) {
        case .exhausted: break steps
        case .began(_, let compressed):
          outcome.flags.append(compressed)
          message = []
        case .bytes(let range): message += piece[range]
        case .ended: outcome.messages.append(message)
        case .failed(let error):
          outcome.error = error
          return outcome
        }
      }
    }
    outcome.error = framing.finish()
    return outcome
  }

  /// Scenario: a message split in two at every byte, and into single bytes.
  /// Guarantees: the same message comes out, with its flag.
  @Test func readsSplitAtEveryByte() {
    let message = (0..<40).map { UInt8($0) }
    let bytes = GRPCFraming.framed(message, compressed: true)
    let expected = Outcome(messages: [message], flags: [true])
    for cut in 0...bytes.count {
      #expect(read([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
    }
    #expect(read(bytes.map { [$0] }) == expected)
  }

  /// Scenario: several messages, cut at random places.
  /// Guarantees: all come out whole. The seed is printed and can be given.
  @Test func readsRandomCuts() {
    let seed = SeededGenerator().seed
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let messages = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
        (0..<Int.random(in: 0...50, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
      }
      var rest = messages.flatMap { GRPCFraming.framed($0) }[...]
      var pieces: [[UInt8]] = []
      while !rest.isEmpty {
        let count = Int.random(in: 1...min(20, rest.count), using: &generator)
        pieces.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
      }
      let outcome = read(pieces, messagesMax: 5)
      #expect(outcome.messages == messages, "SPANGATE_SEED=\(seed)")
      #expect(outcome.error == nil, "SPANGATE_SEED=\(seed)")
    }
  }

  /// Scenario: no message, an empty one, two where one is allowed.
  /// Guarantees: none and two are named; empty is a message.
  @Test func countsMessages() {
    #expect(read([]).error == .noMessage)
    #expect(read([[0, 0, 0, 0, 0]]) == Outcome(messages: [[]], flags: [false]))
    let two = GRPCFraming.framed([1]) + GRPCFraming.framed([2])
    #expect(read([two]).error == .tooManyMessages)
    #expect(read([two]).messages == [[1]])
    #expect(read([two], messagesMax: 2).messages == [[1], [2]])
  }

  /// Scenario: a request that ends within the prefix or within the message.
  /// Guarantees: `truncated` at every cut.
  @Test func namesTruncation() {
    let bytes = GRPCFraming.framed([1, 2, 3])
    for cut in 1..<bytes.count {
      #expect(read([Array(bytes[..<cut])]).error == .truncated)
    }
  }

  /// Scenario: a prefix that declares more than the limit, with no byte of the message sent.
  /// Guarantees: refused on the prefix, and for good; the limit itself is allowed.
  @Test func checksSizeBeforeBytes() {
    #expect(read([[0, 0, 0, 3, 0xE9]]).error == .tooLarge(bytes: 1001))
    #expect(read([[0, 0xFF, 0xFF, 0xFF, 0xFF]]).error == .tooLarge(bytes: 4_294_967_295))
    #expect(read([GRPCFraming.framed([UInt8](repeating: 0, count: 1000))]).error == nil)

    var framing = GRPCFraming(messageBytesMax: 1)
    var offset = 0
    let bytes: [UInt8] = [0, 0, 0, 0, 2, 9, 9]
    #expect(framing.next(in: bytes.span.bytes, at: &offset) == .failed(.tooLarge(bytes: 2)))
    #expect(framing.next(in: bytes.span.bytes, at: &offset) == .failed(.tooLarge(bytes: 2)))
    #expect(framing.finish() == .tooLarge(bytes: 2))
  }

  /// Scenario: flag bytes above 1.
  /// Guarantees: refused by name.
  @Test(arguments: [2, 3, 128, 255] as [UInt8])
  func refusesUnknownFlags(flag: UInt8) {
    #expect(read([[flag, 0, 0, 0, 0]]).error == .badFlag(flag))
  }
}

@Suite struct GRPCTextTests {
  /// Scenario: timeouts in every unit, the largest, and malformed ones.
  /// Guarantees: nanoseconds, saturating; nil for what is malformed.
  @Test func readsTimeouts() {
    #expect(GRPCText.timeoutNanos("1H") == 3_600_000_000_000)
    #expect(GRPCText.timeoutNanos("2M") == 120_000_000_000)
    #expect(GRPCText.timeoutNanos("10S") == 10_000_000_000)
    #expect(GRPCText.timeoutNanos("100m") == 100_000_000)
    #expect(GRPCText.timeoutNanos("7u") == 7_000)
    #expect(GRPCText.timeoutNanos("00000009n") == 9)
    #expect(GRPCText.timeoutNanos("99999999H") == .max)
    for text in ["", "S", "1", "1s", "-1S", "1.5S", "123456789S", "1 S", "S1", "１S"] {
      #expect(GRPCText.timeoutNanos(text) == nil, "\(text)")
    }
  }

  /// Scenario: messages with percent signs, newlines, quotes, emoji, spaces at either end.
  /// Guarantees: only printable ASCII leaves, no blank at either end, and decoding gives the
  /// message back.
  @Test func encodesMessages() {
    #expect(GRPCText.percentEncoded("plain ~ \"text\"") == "plain ~ \"text\"")
    #expect(GRPCText.percentEncoded("50%\nü") == "50%25%0A%C3%BC")
    #expect(GRPCText.percentEncoded("😀") == "%F0%9F%98%80")
    #expect(GRPCText.percentEncoded("") == "")
    #expect(GRPCText.percentEncoded(" ") == "%20")
    #expect(GRPCText.percentEncoded("grpc-timeout is ") == "grpc-timeout is%20")
    #expect(GRPCText.percentEncoded("  a b  ") == "%20 a b %20")
    #expect(GRPCText.percentEncoded(" ü") == "%20%C3%BC")
  }

  /// Scenario: byte strings of each length modulo three.
  /// Guarantees: base64 as published, without padding (RFC 4648 section 10).
  @Test func encodesBase64() {
    let vectors = [
      "": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE",
      "foobar": "Zm9vYmFy",
    ]
    for (text, encoded) in vectors { #expect(GRPCText.base64(Array(text.utf8)) == encoded) }
    #expect(GRPCText.base64([0xFB, 0xFF]) == "+/8")
  }
}
