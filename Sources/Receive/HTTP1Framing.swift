import HTTP2
import NIOHTTP1

/// What an HTTP/1.1 head says about the connection and the body, rather than about the request.
struct HTTP1Framing: Equatable {
  /// The client means to send more on this connection.
  var isKeepAlive: Bool
  var isHTTP10: Bool
  /// The body comes only after an interim answer (`Expect: 100-continue`).
  var expectsContinue: Bool
  /// What is left of a request answered early is worth reading to keep the connection.
  var isRestShort: Bool

  private static let restBytesMax = 64 << 10

  init(_ head: HTTPRequestHead) {
    isKeepAlive = head.isKeepAlive
    isHTTP10 = head.version == .http1_0
    expectsContinue =
      head.headers.first(name: "expect")?.lowercased() == "100-continue" && !isHTTP10
    let isChunked = head.headers.contains(name: "transfer-encoding")
    let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
    isRestShort = !isChunked && !expectsContinue && length <= HTTP1Framing.restBytesMax
  }
}

extension RequestHead {
  /// The fields this gateway reads of an HTTP/1.1 head.
  init(_ head: HTTPRequestHead) {
    self.init()
    method = head.method.rawValue
    path = head.uri
    let headers = head.headers
    authority = headers.first(name: "host") ?? ""
    contentType = headers.first(name: "content-type")
    contentEncoding = headers.first(name: "content-encoding")
    acceptEncoding = headers.first(name: "accept-encoding")
    contentLength = headers.first(name: "content-length").flatMap { Int($0) }
    userAgent = headers.first(name: "user-agent")
    authorization = headers.first(name: "authorization")
    for name in ["origin", "access-control-request-method"] {
      if let value = headers.first(name: name) { others.append(HTTP2Header(name, value)) }
    }
  }
}
