import Model

/// The host in a connection string, which may hold passwords: `postgresql://user:secret@db7:5432/shop`,
/// `jdbc:sqlserver://db7:1433;user=a`, `jdbc:oracle:thin:a/secret@db7:1521:x`,
/// `Server=tcp:db7,1433;Password=secret`.
/// - Source: the documentation of JDBC drivers of PostgreSQL, MySQL, SQL Server and Oracle; of
///   ADO.NET, "Connection Strings", with the names that SqlClient, Npgsql and MySqlConnector take;
///   OpenTelemetry semantic conventions 1.4 to 1.24, `db.connection_string` and `messaging.url`.
enum ConnectionString {
  /// nil where there is none, where there are several, of which nobody knows the one that was called,
  /// and where it cannot be told from what is secret.
  static func host(of text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    if let location = unsafe oracleLocation(in: text) { return unsafe host(at: location) }
    if let authority = unsafe authority(in: text) {
      if unsafe !authority.isEmpty { return unsafe host(at: authority) }
    }
    return unsafe hostInPairs(text)
  }

  // MARK: URLs

  /// What stands between `//` and the path, without who logs in; nil where text is no URL, or may go on
  /// with a password.
  private static func authority(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let start = unsafe startOfAuthority(in: text) else { return nil }
    var end = start
    while end < text.count, unsafe !isEnd(text[end]) { end += 1 }
    // A password with a `/` or a `;` in it ends only at an `@` behind them.
    guard unsafe text.position(of: UInt8(ascii: "@"), from: end) == nil else {
      return unsafe text.part(0..<0)
    }
    let authority = unsafe text.part(start..<end)
    guard let at = unsafe authority.lastPosition(of: UInt8(ascii: "@")) else {
      return unsafe authority
    }
    return unsafe authority.part(from: at + 1)
  }

  /// Behind the first `://` that follows nothing but the names of schemes.
  private static func startOfAuthority(in text: UnsafeRawBufferPointer) -> Int? {
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte == UInt8(ascii: ":"), unsafe text.part(from: index).hasPrefix("://") {
        return index + 3
      }
      let letter = byte | 0x20
      guard
        letter >= UInt8(ascii: "a") && letter <= UInt8(ascii: "z")
          || byte >= UInt8(ascii: "+") && byte <= UInt8(ascii: ":")
      else { return nil }
    }
    return nil
  }

  private static func isEnd(_ byte: UInt8) -> Bool {
    TargetAddress.isEndOfAuthority(byte) || byte == UInt8(ascii: ";")
  }

  /// Oracle's drivers write who logs in before `@`, without `//` before it.
  private static func oracleLocation(
    in text: UnsafeRawBufferPointer
  ) -> UnsafeRawBufferPointer? {
    let url = unsafe text.hasPrefix("jdbc:") ? text.part(from: 5) : text
    guard unsafe url.hasPrefix("oracle:"), let at = unsafe url.lastPosition(of: UInt8(ascii: "@"))
    else { return nil }
    var location = unsafe url.part(from: at + 1)
    if let start = unsafe startOfAuthority(in: location) {
      unsafe location = location.part(from: start)
    } else if unsafe location.hasPrefix("//") {
      unsafe location = location.part(from: 2)
    }
    var end = 0
    while end < location.count, unsafe !isEnd(location[end]) { end += 1 }
    unsafe location = location.part(0..<end)
    // Behind host and port, divided by a second colon, the database's name.
    if unsafe location.first != UInt8(ascii: "["),
      let first = unsafe location.position(of: UInt8(ascii: ":")),
      let second = unsafe location.position(of: UInt8(ascii: ":"), from: first + 1)
    {
      unsafe location = location.part(0..<second)
    }
    return unsafe location
  }

  // MARK: Keys and values

  private static let hostKeys: [StaticString] = [
    "SERVER", "DATA SOURCE", "DATASOURCE", "HOST", "ADDRESS", "ADDR", "NETWORK ADDRESS",
    "SERVERNAME",
  ]

  /// `key=value` divided by `;`. A value may be quoted, and then hold what divides.
  private static func hostInPairs(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var start = 0
    while start < text.count {
      let end = unsafe endOfPair(in: text, from: start)
      let pair = unsafe text.part(start..<end)
      start = end + 1
      guard let equals = unsafe pair.position(of: UInt8(ascii: "=")) else { continue }
      let key = unsafe pair.part(0..<equals).trimmed
      for name in hostKeys where unsafe key.equalsIgnoringCase(name) {
        return unsafe host(inValue: pair.part(from: equals + 1).trimmed)
      }
    }
    return nil
  }

  private static func endOfPair(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
    var quote: UInt8?
    var isAtValue = false
    var index = start
    while index < text.count {
      let byte = unsafe text[index]
      index += 1
      if let open = quote {
        guard byte == open else { continue }
        // Twice, it is part of the value.
        if index < text.count, unsafe text[index] == open { index += 1 } else { quote = nil }
      } else if byte == UInt8(ascii: ";") {
        return index - 1
      } else if isAtValue, isQuote(byte) {
        quote = byte
      }
      if byte != 0x20 { isAtValue = byte == UInt8(ascii: "=") }
    }
    return text.count
  }

  private static func isQuote(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
  }

  private static func host(inValue value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var value = unsafe value
    if value.count >= 2, let quote = unsafe value.first, unsafe value.last == quote, isQuote(quote)
    {
      unsafe value = value.part(1..<value.count - 1).trimmed
    }
    for prefix: StaticString in ["tcp:", "admin:", "lpc:"] where unsafe value.hasPrefix(prefix) {
      unsafe value = value.part(from: prefix.utf8CodeUnitCount)
    }
    // SQL Server has the port behind a comma.
    if let comma = unsafe value.position(of: UInt8(ascii: ",")),
      unsafe TargetAddress.isPort(value.part(from: comma + 1).trimmed)
    {
      unsafe value = value.part(0..<comma)
    }
    return unsafe host(at: value)
  }

  // MARK: Hosts

  /// Without the port, the name of an instance (`db7\shop`) and of a service (`db7/shop`).
  private static func host(at location: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var end = 0
    while end < location.count, unsafe location[end] != UInt8(ascii: "\\"),
      unsafe location[end] != UInt8(ascii: "/")
    {
      end += 1
    }
    // A file on a drive, or a pipe: `C:\shop.db`, `np:\\db7\pipe`.
    if end > 0, end < location.count, unsafe location[end - 1] == UInt8(ascii: ":") { return nil }
    let host = unsafe NetworkAddress.withoutPort(location.part(0..<end))
    if unsafe host.isEmpty { return nil }
    // `(local)` is where the caller is, `(DESCRIPTION=…)` a text of its own; what has one of the others in
    // it is a list of hosts, or something that is no host at all.
    for index in 0..<host.count {
      let byte = unsafe host[index]
      let isOdd =
        byte <= 0x20 || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ",")
        || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "@") || isQuote(byte)
      if isOdd { return nil }
    }
    let hasColon = unsafe host.position(of: UInt8(ascii: ":")) != nil
    return unsafe hasColon && IPAddress(host) == nil ? nil : host
  }
}
