import HTTP2
import OTLP
import Testing

@testable import Receive

/// The parts that need no socket.
@Suite struct PartsTests {
  /// Scenario: the first bytes of a connection, split at every place.
  /// Guarantees: HTTP/2 only by its preface; everything else is left to the HTTP/1.1 parser.
  @Test func sniffsProtocols() {
    let preface = Array("PRI * HTTP/2.0\r\n\r\n".utf8)
    for cut in 0..<16 {
      var sniffer = ProtocolSniffer()
      #expect(sniffer.look(at: preface[..<cut]) == .undecided)
      #expect(sniffer.look(at: preface[cut...]) == .http2)
      guard cut > 0 else { continue }
      var other = ProtocolSniffer()
      #expect(other.look(at: preface[..<cut]) == .undecided)
      #expect(other.look(at: [0]) == .http1)
    }
    var post = ProtocolSniffer()
    #expect(post.look(at: Array("P".utf8)) == .undecided)
    #expect(post.look(at: Array("O".utf8)) == .http1)
  }

  /// Scenario: times around the ends of months, years and leap days.
  /// Guarantees: as `date -u` writes them.
  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
      (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] as [(UInt64, String)])
  func writesDates(seconds: UInt64, text: String) {
    #expect(HTTPDate.text(unixSeconds: seconds) == text)
  }

  /// Scenario: lists of codings.
  /// Guarantees: gzip counts unless its weight is zero.
  @Test func readsCodings() {
    for list in ["gzip", "deflate, gzip", "GZIP;q=0.5", "br,gzip ; q=1", "gzip;q=0.01"] {
      #expect(acceptsGzip(list), "\(list)")
    }
    for list in [nil, "", "identity", "gzip;q=0", "gzip; q=0.0", "xgzip", "deflate;q=1"] {
      #expect(!acceptsGzip(list), "\(String(describing: list))")
    }
  }

  /// Scenario: every way to be turned down.
  /// Guarantees: each has a message, an HTTP error status and a gRPC code; only overload and
  /// shutdown are retryable, and only they carry 503 with a delay or UNAVAILABLE.
  @Test func hasARowForEachRefusal() {
    let refusals: [Refusal] = [
      .undecodable(.tooManySpans(countMax: 3), .traces),
      .undecodable(.malformedGzip(.truncated), .logs),
      .bodyTooLarge(bytesMax: 1), .bodyTimedOut(seconds: 1), .contentTypeUnknown(nil),
      .contentEncodingUnknown("br"), .headersTooLarge(bytesMax: 1),
      .methodNotAllowed("GET", path: "/"), .signalNotServed(path: "/v1/metrics"),
      .pathUnknown("/" + String(repeating: "x", count: 1000)), .notHTTP("x"),
      .contentTypeNotGRPC(nil), .grpcMethodNotPost("GET"), .grpcNeedsHTTP2,
      .grpcPathMalformed("x"), .serviceUnknown("x"), .methodUnknown("x", service: "y"),
      .grpcEncodingUnknown("x"), .timeoutMalformed("x"), .framing(.noMessage, bytesMax: 1),
      .framing(.tooLarge(bytes: 2), bytesMax: 1), .compressedWithoutEncoding, .deadlineExceeded,
      .healthRequestMalformed, .healthServiceUnknown("x"),
      .overloaded(reason: "full", retryAfterSeconds: 0), .shuttingDown, .noRoom,
    ]
    for refusal in refusals {
      let row = refusal.row
      #expect(!row.message.isEmpty && row.message.count < 300, "\(refusal)")
      #expect((400..<600).contains(row.http), "\(refusal)")
      #expect(row.code != .ok)
      #expect((row.retryAfterSeconds != nil) == refusal.isRetryable, "\(refusal)")
      #expect((row.code == .unavailable) == refusal.isRetryable, "\(refusal)")
      if refusal.isRetryable { #expect(row.http == 503 && row.retryAfterSeconds == 1) }
      if row.http == 429 || row.http == 502 || row.http == 504 {
        Issue.record("\(refusal) would be retried")
      }
    }
  }

  /// Scenario: a body without a declared length, growing to the limit and beyond.
  /// Guarantees: room is asked for before bytes are kept, in doubling steps, never beyond the
  /// limit; what was reserved is handed back once.
  @Test func reservesAsBodiesGrow() {
    var asked: [Int] = []
    var intake = BodyIntake(isGRPC: false, bytesMax: 100_000, buffer: [1, 2, 3])
    let piece = [UInt8](repeating: 7, count: 10_000)
    let one: [UInt8] = [1]
    let reserve = { (count: Int) in
      asked.append(count)
      return true
    }
    for _ in 0..<10 { #expect(intake.append(piece.span.bytes, reserve: reserve) == nil) }
    #expect(asked == [16_384, 16_384, 32_768, 34_464])
    #expect(intake.bytes.count == 100_000)
    #expect(intake.append(one.span.bytes, reserve: reserve) == .bodyTooLarge(bytesMax: 100_000))
    #expect(intake.takeReservation() == 100_000)
    #expect(intake.takeReservation() == 0)
    #expect(intake.finish() == nil)
  }

  /// Scenario: no room at all, for declared, growing and framed bodies.
  /// Guarantees: refused before a byte is kept, with nothing left reserved.
  @Test func refusesWithoutRoom() {
    let none = { (_: Int) in false }
    let bytes: [UInt8] = [0, 0, 0, 0, 9, 1]
    var declared = BodyIntake(isGRPC: false, bytesMax: 100, buffer: [])
    #expect(declared.declare(bytes: 50, reserve: none) == .noRoom)
    #expect(declared.declare(bytes: 101, reserve: none) == .bodyTooLarge(bytesMax: 100))
    #expect(declared.declare(bytes: -1, reserve: none) == nil)
    var growing = BodyIntake(isGRPC: false, bytesMax: 100, buffer: [])
    #expect(growing.append(bytes.span.bytes, reserve: none) == .noRoom)
    var framed = BodyIntake(isGRPC: true, bytesMax: 100, buffer: [])
    #expect(framed.append(bytes.span.bytes, reserve: none) == .noRoom)
    for intake in [declared, growing, framed] {
      #expect(intake.bytes.isEmpty)
      #expect(intake.reservedBytes == 0)
    }
  }

  /// Scenario: origins with and without a star, of pages and of other clients.
  /// Guarantees: exact or by the part before and after the star.
  @Test func matchesOrigins() {
    var policy = CrossOriginPolicy()
    var head = RequestHead()
    head.others = [HTTP2Header("origin", "https://a.example.com")]
    #expect(policy.answerHeaders(for: head).isEmpty)
    for (pattern, isAllowed) in [
      ("https://a.example.com", true), ("*", true), ("https://*.example.com", true),
      ("https://*.a.example.com", false), ("https://b.example.com", false),
      ("https://a.example.com*https://a.example.com", false),
    ] {
      policy.allowedOrigins = [pattern]
      let headers = policy.answerHeaders(for: head)
      #expect(headers.contains { $0.name == "access-control-allow-origin" } == isAllowed)
      #expect(headers.first == HTTP2Header("vary", "Origin"))
    }
    #expect(policy.preflightHeaders(for: head) == nil)
  }
}
