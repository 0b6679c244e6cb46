/// Addresses behind a scheme: `tcp://host:port`, the targets that gRPC dials (`dns:///host:port`,
/// `ipv4:address:port`), and Envoy's internal listeners (`envoy://listener/host:port`).
/// - Source: gRPC, "gRPC Name Resolution"; RFC 3986, 3; Envoy documentation, "Internal listener".
enum TargetAddress {
  /// What names host and port. Text without a scheme, of a socket in the file system, or with several
  /// addresses, of which nobody knows the one that was called, as it is; empty where there is none.
  static func location(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let colon = unsafe text.position(of: UInt8(ascii: ":")) else { return unsafe text }
    let scheme = unsafe text.part(0..<colon)
    let rest = unsafe text.part(from: colon + 1)
    let location: UnsafeRawBufferPointer
    if unsafe rest.hasPrefix("//") {
      if unsafe isOfFiles(scheme) { return unsafe text }
      unsafe location = unsafe TargetAddress.location(in: rest.part(from: 2), scheme)
    } else if unsafe isResolver(scheme), unsafe !isPort(rest) {
      unsafe location = unsafe rest
    } else {
      // A path, as of `unix:/run/db.sock`, holds no port.
      return unsafe text
    }
    return unsafe location.position(of: UInt8(ascii: ",")) == nil ? location : text
  }

  /// - Parameter rest: what stands behind `//`.
  private static func location(
    in rest: UnsafeRawBufferPointer, _ scheme: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer {
    var start = 0
    var end = 0
    while end < rest.count, unsafe !isEndOfAuthority(rest[end]) {
      if unsafe rest[end] == UInt8(ascii: "@") { start = end + 1 }
      end += 1
    }
    let authority = unsafe rest.part(start..<end)
    // Of these the authority is who resolves the name.
    let isEnvoys = unsafe scheme.equals("envoy")
    guard unsafe isEnvoys || authority.isEmpty || isResolver(scheme) else {
      return unsafe authority
    }
    var path = unsafe rest.part(from: min(end + 1, rest.count))
    if let end = unsafe path.firstIndex(where: { isEndOfAuthority($0) }) {
      unsafe path = path.part(0..<end)
    }
    return unsafe path.isEmpty && !isEnvoys ? authority : path
  }

  private static func isResolver(_ scheme: UnsafeRawBufferPointer) -> Bool {
    unsafe scheme.equals("dns") || scheme.equals("ipv4") || scheme.equals("ipv6")
      || scheme.equals("xds") || scheme.equals("passthrough")
  }

  private static func isOfFiles(_ scheme: UnsafeRawBufferPointer) -> Bool {
    unsafe scheme.equals("unix") || scheme.equals("unix-abstract") || scheme.equals("file")
  }

  /// Nothing but digits; nothing at all, too.
  static func isPort(_ text: UnsafeRawBufferPointer) -> Bool {
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") { return false }
    }
    return true
  }

  static func isEndOfAuthority(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
  }
}
