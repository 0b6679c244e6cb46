/// One header field.
public struct HTTP2Header: Sendable, Hashable {
  public var name: String
  public var value: String

  public init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

/// Everything a request says before its body; the same for HTTP/1.1 and HTTP/2.
public struct RequestHead: Sendable, Equatable {
  public var method = ""
  /// Path and query as sent.
  public var path = ""
  public var authority = ""
  public var contentType: String?
  public var contentEncoding: String?
  public var acceptEncoding: String?
  /// Body bytes as declared; nil when the request does not say (or not a number).
  public var contentLength: Int?
  public var userAgent: String?
  /// A secret: never logged.
  public var authorization: String?
  public var te: String?
  public var grpcEncoding: String?
  public var grpcAcceptEncoding: String?
  public var grpcTimeout: String?
  /// Other fields: at most `othersMax`, in order; what is over is left out.
  public var others: [HTTP2Header] = []

  public static let othersMax = 32

  public init() {}

  /// The first of the other fields with this lower-case name.
  public func other(_ name: String) -> String? { others.first { $0.name == name }?.value }
}
