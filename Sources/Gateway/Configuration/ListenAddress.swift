public import Model

extension ListenAddress {
  /// Reads `host:port`, `[::1]:port`, or `:port` (every interface, IPv6 and IPv4).
  public init(parsing text: String) throws(InvalidValue) {
    guard let colon = text.lastIndex(of: ":") else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' has no port",
        remedy: "write host:port, such as 127.0.0.1:4317")
    }
    let port = try ListenAddress.port(text[text.index(after: colon)...])
    self.init(host: try ListenAddress.host(text[..<colon]), port: port)
  }

  private static func port(_ text: Substring) throws(InvalidValue) -> Int {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let port = Int(text), port <= 65_535
    else {
      throw InvalidValue(
        "'\(InvalidValue.shown(text))' is not a port",
        remedy: "use 0 (any free port) to 65535; write an IPv6 address as [::1]:4317")
    }
    return port
  }

  private static func host(_ text: Substring) throws(InvalidValue) -> String {
    if text.isEmpty { return "::" }
    if text.first == "[" {
      let inside = text.dropFirst().dropLast()
      let allowed = inside.utf8.allSatisfy {
        $0.hexadecimalValue != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
          || $0 == UInt8(ascii: "%")
      }
      if text.last == "]", inside.contains(":"), allowed { return String(inside) }
    } else {
      let allowed = text.utf8.allSatisfy {
        (0x21...0x7E).contains($0) && !":/@[]".utf8.contains($0)
      }
      if allowed, text.utf8.count <= 255 { return String(text) }
    }
    throw InvalidValue(
      "'\(InvalidValue.shown(text))' is not a host",
      remedy: "write a name or an address, an IPv6 address in brackets, such as [::1]:4317")
  }
}
