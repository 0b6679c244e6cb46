/// Tells HTTP/2 from everything else by the first bytes of a connection.
struct ProtocolSniffer {
  enum Verdict: Equatable {
    case undecided
    case http2
    /// HTTP/1.1, or nothing known: its parser decides.
    case http1
  }

  private var matched = 0
  private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  /// No request line begins like this, so the rest of the preface need not be waited for.
  private static let decisiveBytes = 16

  /// Looks at the next bytes, each only once.
  mutating func look(at bytes: some Sequence<UInt8>) -> Verdict {
    for byte in bytes {
      guard byte == ProtocolSniffer.preface[matched] else { return .http1 }
      matched += 1
      if matched == ProtocolSniffer.decisiveBytes { return .http2 }
    }
    return .undecided
  }
}
