import HTTP2

/// Which web pages may post spans (CORS). Off without origins.
/// - Source: the Fetch standard, section "HTTP CORS protocol".
public struct CrossOriginPolicy: Sendable, Equatable {
  /// Origins as browsers send them, with at most one `*` each: `https://*.example.com`, or `*`.
  public var allowedOrigins: [String] = []
  /// Request fields a page may set besides the content type and encoding.
  public var allowedHeaders: [String] = []
  /// How long a browser may remember the permission; browsers take five seconds when not told.
  public var maxAgeSeconds = 7200

  public init() {}

  /// The fields that let a page read the answer; empty for other clients and origins not allowed.
  func answerHeaders(for head: RequestHead) -> [HTTP2Header] {
    guard !allowedOrigins.isEmpty else { return [] }
    let vary = HTTP2Header("vary", "Origin")
    guard let origin = head.other("origin"), allows(origin) else { return [vary] }
    return [vary, HTTP2Header("access-control-allow-origin", origin)]
  }

  /// A browser asks whether it may post; nil when the request is no such question.
  func preflightHeaders(for head: RequestHead) -> [HTTP2Header]? {
    guard head.method == "OPTIONS", !allowedOrigins.isEmpty,
      let origin = head.other("origin"), head.other("access-control-request-method") != nil
    else { return nil }
    guard allows(origin) else { return [] }
    let names = ["content-type", "content-encoding"] + allowedHeaders
    return [
      HTTP2Header("access-control-allow-methods", "POST"),
      HTTP2Header("access-control-allow-headers", names.joined(separator: ", ")),
      HTTP2Header("access-control-max-age", String(maxAgeSeconds)),
    ]
  }

  private func allows(_ origin: String) -> Bool {
    allowedOrigins.contains { pattern in
      guard let star = pattern.firstIndex(of: "*") else { return pattern == origin }
      let before = pattern[..<star]
      let after = pattern[pattern.index(after: star)...]
      return origin.utf8.count >= before.utf8.count + after.utf8.count
        && origin.hasPrefix(before) && origin.hasSuffix(after)
    }
  }
}
