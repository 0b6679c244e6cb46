import Model

/// Hosts in addresses, URLs and the names of upstream clusters.
enum NetworkAddress {
  private static let colon = UInt8(ascii: ":")

  /// Without scheme, port and zone: `10.0.0.5:8080`, `[::1]:80`, `::1`, `fe80::1%eth0`, `tcp://example.com:80`,
  /// `example.com` → the host. Empty where there is none.
  static func host(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    unsafe withoutRootDot(hostBeforePort(TargetAddress.location(in: text)))
  }

  /// The same; a number behind a colon is a port, and a name with a colon of its own stays whole.
  static func withoutPort(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let location = unsafe TargetAddress.location(in: text)
    let host = unsafe hostBeforePort(location)
    guard host.count < location.count, unsafe location.first != UInt8(ascii: "["),
      unsafe location[host.count] == colon
    else { return unsafe withoutRootDot(host) }
    let port = unsafe location.part(from: host.count + 1)
    return unsafe TargetAddress.isPort(port) ? withoutRootDot(host) : location
  }

  /// `db.example.` is the same name as `db.example`: the dot says that nothing is to be appended when it is
  /// looked up. In a path it is part of a file's name.
  /// - Source: RFC 1034, 3.1 (absolute names).
  private static func withoutRootDot(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard unsafe host.last == UInt8(ascii: "."), unsafe host.position(of: UInt8(ascii: "/")) == nil
    else { return unsafe host }
    return unsafe host.part(0..<host.count - 1)
  }

  private static func hostBeforePort(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if unsafe text.first == UInt8(ascii: "["),
      let end = unsafe text.position(of: UInt8(ascii: "]"))
    {
      return unsafe withoutZone(text.part(1..<end))
    }
    guard let first = unsafe text.position(of: colon) else { return unsafe text }
    guard unsafe text.position(of: colon, from: first + 1) == nil else {
      return unsafe withoutZone(text)
    }
    // A path has no port: `unix:/run/db.sock`.
    if unsafe text.part(from: first + 1).hasPrefix("/") { return unsafe text }
    return unsafe text.part(0..<first)
  }

  /// An address of IPv6 without the interface it is reached by, which means something to its sender alone.
  /// - Source: RFC 4007, 11; RFC 6874 (how URLs write it).
  private static func withoutZone(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let percent = unsafe text.position(of: UInt8(ascii: "%")) else { return unsafe text }
    let address = unsafe text.part(0..<percent)
    return unsafe IPAddress(address) == nil ? text : address
  }

  /// Whether two texts are one address, however IPv6 is written.
  /// - Parameter address: in the form of `NameText.appendAddress`.
  static func isSame(_ host: UnsafeRawBufferPointer, _ address: [UInt8]) -> Bool {
    if unsafe host.equals(address) { return true }
    guard unsafe host.position(of: colon) != nil, let parsed = unsafe IPAddress(host) else {
      return false
    }
    return Array(parsed.text.utf8) == address
  }

  /// An address of IPv6 in its one form; all else as it was sent.
  static func canonical(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    guard unsafe text.position(of: colon) != nil, let parsed = unsafe IPAddress(text) else {
      return unsafe Array(text)
    }
    return Array(parsed.text.utf8)
  }

  /// The host of `scheme://user@host:port/path`; nil where there is none.
  static func host(ofURL url: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let scheme = unsafe url.position(of: colon),
      unsafe url.part(from: scheme).hasPrefix("://")
    else { return nil }
    var start = scheme + 3
    var end = start
    while end < url.count, unsafe !TargetAddress.isEndOfAuthority(url[end]) {
      if unsafe url[end] == UInt8(ascii: "@") { start = end + 1 }
      end += 1
    }
    let host = unsafe withoutRootDot(hostBeforePort(url.part(start..<end)))
    return unsafe host.isEmpty ? nil : host
  }

  /// Who an upstream cluster of Envoy is. Istio writes `direction|port|subset|host`; its clusters
  /// for traffic to nowhere known name nobody.
  static func nameOf(_ cluster: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    if unsafe cluster.equals("PassthroughCluster") || cluster.equals("BlackHoleCluster") {
      return nil
    }
    var start = 0
    var bars = 0
    for index in 0..<cluster.count where unsafe cluster[index] == UInt8(ascii: "|") {
      bars += 1
      start = index + 1
    }
    guard bars == 3 else { return unsafe cluster }
    let host = unsafe cluster.part(from: start)
    return unsafe host.isEmpty ? nil : host
  }

  /// Loopback, or one of the sender's own addresses.
  static func isLocal(_ address: UnsafeRawBufferPointer, own: [[UInt8]]) -> Bool {
    let host = unsafe host(of: address)
    if unsafe isLoopback(host) { return true }
    for address in own where unsafe isSame(host, address) { return true }
    return false
  }

  private static func isLoopback(_ host: UnsafeRawBufferPointer) -> Bool {
    if unsafe host.equals("::1") || host.equalsIgnoringCase("LOCALHOST") { return true }
    let mapped: StaticString = "::ffff:"
    if unsafe host.hasPrefix(mapped) {
      return unsafe isLoopbackIPv4(host.part(from: mapped.utf8CodeUnitCount))
    }
    return unsafe isLoopbackIPv4(host)
  }

  /// 127.0.0.0/8: `127.` and nothing but digits and dots, so that `127.example.com` is none.
  private static func isLoopbackIPv4(_ host: UnsafeRawBufferPointer) -> Bool {
    guard unsafe host.hasPrefix("127.") else { return false }
    for index in 0..<host.count {
      let byte = unsafe host[index]
      if byte != UInt8(ascii: "."), byte < UInt8(ascii: "0") || byte > UInt8(ascii: "9") {
        return false
      }
    }
    return true
  }
}
