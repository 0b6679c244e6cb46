import COTLP
import CProtobufC
import Testing

@testable import OTLP

@Suite struct RPCStatusTests {
  private func json(_ status: RPCStatus) -> String {
    String(decoding: status.encoded(.json), as: UTF8.self)
  }

  /// Scenario: a status with nothing but code and message.
  /// Guarantees: both forms hold the two, and no details.
  @Test func plainStatus() {
    let status = RPCStatus(code: .unimplemented, message: "no")
    #expect(status.encoded(.protobuf) == [0x08, 12, 0x12, 2, 0x6E, 0x6F])
    #expect(json(status) == #"{"code":12,"message":"no"}"#)
  }

  /// Scenario: OK without a message.
  /// Guarantees: protobuf leaves defaults out; JSON names them.
  @Test func okStatus() {
    #expect(RPCStatus(code: .ok, message: "").encoded(.protobuf).isEmpty)
    #expect(json(RPCStatus(code: .ok, message: "")) == #"{"code":0,"message":""}"#)
  }

  /// Scenario: a status that invites another try in seven seconds.
  /// Guarantees: its detail is a RetryInfo inside an Any, as the definitions have it.
  @Test func retryDetail() {
    let status = RPCStatus(code: .unavailable, message: "full", retryDelaySeconds: 7)
    let expected = ProtobufBuilder {
      $0.field(1, varint: 14)
      $0.field(2, text: "full")
      $0.field(3) {
        $0.field(1, text: "type.googleapis.com/google.rpc.RetryInfo")
        $0.field(2) { $0.field(1) { $0.field(1, varint: 7) } }
      }
    }.bytes
    #expect(status.encoded(.protobuf) == expected)
    #expect(
      json(status)
        == #"{"code":14,"message":"full","details":[{"@type":"#
        + #""type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}"#)
  }

  /// Scenario: the answer to a body that cannot be decoded.
  /// Guarantees: INVALID_ARGUMENT with a BadRequest that names the part and the reason.
  @Test func badRequestDetail() {
    let error = DecodeError.malformedJSON(offset: 3, path: "resourceSpans[0]", reason: "a \"word\"")
    let status = RPCStatus(error)
    let expected = ProtobufBuilder {
      $0.field(1, varint: 3)
      $0.field(2, text: error.message)
      $0.field(3) {
        $0.field(1, text: "type.googleapis.com/google.rpc.BadRequest")
        $0.field(2) {
          $0.field(1) {
            $0.field(1, text: "resourceSpans[0]")
            $0.field(2, text: error.message)
          }
        }
      }
    }.bytes
    #expect(status.encoded(.protobuf) == expected)
    #expect(
      json(status).contains(#""fieldViolations":[{"field":"resourceSpans[0]","description":""#))
    #expect(json(status).contains(#"a \"word\""#))
  }

  /// Scenario: every error of the decoder.
  /// Guarantees: malformed ones are 400, too large ones 413; none is retryable; each message says
  /// where it is, or what to do.
  @Test(arguments: [
    DecodeError.malformedProtobuf(offset: 7, reason: "a length"),
    .malformedJSON(offset: 1, path: "", reason: "no brace"),
    .malformedGzip(.truncated), .malformedGzip(.trailingGarbage),
    .malformedGzip(.checksumMismatch), .malformedGzip(.notGzip), .malformedGzip(.outOfMemory),
    .tooDeep(levelsMax: 64), .bodyTooLarge(bytesMax: 5),
    .memoryTooLarge(bytes: 9, bytesMax: 5), .tooManySpans(countMax: 1),
  ])
  func decodeErrorsAreAnswered(error: DecodeError) {
    let status = RPCStatus(error)
    #expect(status.retryDelaySeconds == nil)
    #expect(status.message == error.message && error.message.count > 40)
    switch error.kind {
    case .malformed:
      #expect(error.kind.httpStatus == 400 && status.code == .invalidArgument)
      #expect(status.badRequestField == "body")
    case .tooLarge:
      #expect(error.kind.httpStatus == 413 && status.code == .resourceExhausted)
      #expect(status.badRequestField == nil)
    }
  }

  /// Scenario: all seventeen codes.
  /// Guarantees: the HTTP status is that of the Collector's mapping.
  @Test func codesMapToHTTP() {
    let statuses = RPCCode.allCases.map(\.httpStatus)
    #expect(
      statuses == [
        200, 503, 500, 400, 503, 500, 500, 403, 429, 500, 503, 503, 404, 500, 503, 503, 401,
      ])
  }

  /// Scenario: a message of control characters, quotes, and several scripts; one that is too long.
  /// Guarantees: the JSON escapes what it must; the long one is cut between characters.
  @Test func messagesAreEscapedAndCut() {
    let odd = RPCStatus(code: .internal, message: "a\u{1}\u{1F}\n\"\\ü😀")
    #expect(json(odd) == #"{"code":13,"message":"a\u0001\u001f\n\"\\ü😀"}"#)
    let long = RPCStatus(code: .internal, message: "x" + String(repeating: "ü", count: 4000))
    #expect(long.encoded(.json).count < RPCStatus.messageBytesMax + 30)
    #expect(json(long).hasSuffix("üü\"}"))
  }

  /// Scenario: text cut at each length around characters of two and four bytes.
  /// Guarantees: never longer than asked, never a character in part.
  @Test func cutKeepsCharactersWhole() {
    let text = "aü😀b"
    let lengths = (0...9).map { text.cut(toUTF8Bytes: $0).utf8.count }
    #expect(lengths == [0, 1, 1, 3, 3, 3, 3, 7, 8, 8])
    #expect(text.cut(toUTF8Bytes: -1).isEmpty)
  }
}
