internal import CNghttp2

/// Why a connection cannot go on.
public enum HTTP2Error: Error, Equatable, Sendable {
  /// The bytes do not begin with the HTTP/2 preface, or with what must follow it.
  case notHTTP2
  /// The peer sends control frames faster than it reads the answers.
  case flooded
  /// The peer does too much of what is of no use.
  case protected(HTTP2Protection)
  case outOfMemory
  /// The library's code for anything else, all of them programming errors or broken peers.
  case failed(code: Int32)

  init(code: Int32) {
    switch code {
    case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: self = .notHTTP2
    case NGHTTP2_ERR_FLOODED.rawValue: self = .flooded
    case NGHTTP2_ERR_NOMEM.rawValue: self = .outOfMemory
    default: self = .failed(code: code)
    }
  }

  public var message: String {
    switch self {
    case .notHTTP2: "the connection does not begin as HTTP/2 does"
    case .flooded: "the client sends control frames without reading the answers"
    case .protected(.faults):
      "the client makes streams fail too often by frames that break the protocol"
    case .protected(.controlFrames): "the client sends too many frames that ask for nothing"
    case .protected(.unread): "the client leaves too many answers unread"
    case .protected(.incompleteHead): "the client does not complete a header block"
    case .protected(.protocolError): "the client breaks the protocol"
    case .outOfMemory: "no memory for an HTTP/2 session"
    case .failed(let code):
      unsafe "HTTP/2 cannot go on: \(String(cString: nghttp2_strerror(code))) (\(code))"
    }
  }
}

/// The codes RST_STREAM and GOAWAY carry.
/// - Source: RFC 9113 section 7.
public enum HTTP2ErrorCode: UInt32, Sendable {
  case noError = 0
  case protocolError = 1
  case internalError = 2
  case flowControlError = 3
  case settingsTimeout = 4
  case streamClosed = 5
  case frameSizeError = 6
  case refusedStream = 7
  case cancel = 8
  case compressionError = 9
  case connectError = 10
  case enhanceYourCalm = 11
}
