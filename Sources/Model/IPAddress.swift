/// An address of the Internet Protocol, in one form however it was written.
/// - Source: RFC 4291, 2.2 (how IPv6 addresses may be written) and 2.5.5.2 (IPv4 addresses within them);
///   RFC 5952 (the one way they should be).
public struct IPAddress: Hashable, Sendable {
  /// 16 bytes; of IPv4 the last four, behind `::ffff:`.
  private var high: UInt64
  private var low: UInt64

  /// nil for what is no address: a name, one with a port, a zone or brackets, a part that is too large.
  public init?(_ text: some Collection<UInt8>) {
    guard text.count <= IPAddress.bytesMax else { return nil }
    if text.contains(UInt8(ascii: ":")) {
      guard let groups = IPAddress.groups(text) else { return nil }
      high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
      low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    } else {
      guard let parts = IPAddress.parts(text) else { return nil }
      high = 0
      low = IPAddress.mappedPrefix << 32 | UInt64(parts)
    }
  }

  /// The longest an address can be written, an IPv4 one within an IPv6 one.
  public static let bytesMax = 45
  private static let mappedPrefix: UInt64 = 0xFFFF

  /// Whether it is one of IPv4, also where it was written as one of IPv6.
  public var isIPv4: Bool { high == 0 && low >> 32 == IPAddress.mappedPrefix }

  /// Whether the whole network can reach it: not of a private network, one link or this machine, not
  /// kept back for documents and measurements, and for one receiver.
  /// - Source: IANA, "IPv4 Special-Purpose Address Registry" and the one of IPv6; RFC 6052, 2.1, of
  ///   IPv4 addresses behind a translator.
  public var isPublic: Bool {
    if isIPv4 { return IPAddress.isPublic(UInt32(truncatingIfNeeded: low)) }
    if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 {
      return IPAddress.isPublic(UInt32(truncatingIfNeeded: low))
    }
    let isGlobal = high >> 61 == 1
    let isKept = [
      (0x2001_0000, 9), (0x2001_0DB8, 0), (0x2002_0000, 16), (0x3FFF_0000, 12),
    ].contains { (network: UInt64, bits: UInt64) in (high >> 32) >> bits == network >> bits }
    return isGlobal && !isKept
  }

  private static func isPublic(_ address: UInt32) -> Bool {
    ![
      (0x0000_0000, 24), (0x0A00_0000, 24), (0x6440_0000, 22), (0x7F00_0000, 24),
      (0xA9FE_0000, 16), (0xAC10_0000, 20), (0xC000_0000, 8), (0xC000_0200, 8),
      (0xC058_6300, 8), (0xC0A8_0000, 16), (0xC612_0000, 17), (0xC633_6400, 8),
      (0xCB00_7100, 8), (0xE000_0000, 29),
    ].contains { (network: UInt32, bits: UInt32) in address >> bits == network >> bits }
  }

  /// `10.0.0.1`; `2001:db8::1`: lower case, no leading zeros, the longest run of zeros left out.
  public var text: String {
    guard !isIPv4 else {
      return [24, 16, 8, 0].map { String(low >> $0 & 0xFF) }.joined(separator: ".")
    }
    let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { half >> UInt64($0) & 0xFFFF } }
    func joined(_ groups: ArraySlice<UInt64>) -> String {
      groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard let zeros = IPAddress.longestZeros(groups) else { return joined(groups[...]) }
    return joined(groups[..<zeros.lowerBound]) + "::" + joined(groups[zeros.upperBound...])
  }

  /// The first of the longest runs of two zeros or more.
  private static func longestZeros(_ groups: [UInt64]) -> Range<Int>? {
    var longest: Range<Int>?
    var start = 0
    for index in groups.indices {
      guard groups[index] == 0 else {
        start = index + 1
        continue
      }
      let run = start..<index + 1
      if run.count >= 2, run.count > longest?.count ?? 0 { longest = run }
    }
    return longest
  }

  /// Four numbers up to 255; nothing but digits and dots.
  private static func parts(_ text: some Collection<UInt8>) -> UInt32? {
    var address: UInt32 = 0
    var part: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        // A leading zero would make it octal to some.
        guard digits == 0 || part > 0 else { return nil }
        part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
        digits += 1
        guard part <= 255 else { return nil }
      case UInt8(ascii: "."):
        dots += 1
        guard digits > 0, dots <= 3 else { return nil }
        address = address << 8 | part
        part = 0
        digits = 0
      default: return nil
      }
    }
    guard digits > 0, dots == 3 else { return nil }
    return address << 8 | part
  }

  /// Eight groups of at most four digits, of which one run of zeros may be left out.
  private static func groups(_ text: some Collection<UInt8>) -> [UInt16]? {
    var groups: [UInt16] = []
    var gap: Int?
    let pieces = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    for (index, piece) in pieces.enumerated() {
      if piece.isEmpty {
        // Only `::` leaves out; at either end it leaves two pieces empty.
        let isFirst = index == 0
        let isLast = index == pieces.count - 1
        if isFirst, pieces.count > 1, pieces[1].isEmpty { continue }
        if isLast, gap == groups.count, pieces[index - 1].isEmpty { continue }
        guard !isFirst, !isLast, gap == nil else { return nil }
        gap = groups.count
      } else if piece.contains(UInt8(ascii: ".")) {
        guard index == pieces.count - 1, let inner = parts(piece) else { return nil }
        groups += [UInt16(truncatingIfNeeded: inner >> 16), UInt16(truncatingIfNeeded: inner)]
      } else {
        guard piece.count <= 4, let group = hexadecimal(piece) else { return nil }
        groups.append(group)
      }
    }
    guard let gap else { return groups.count == 8 ? groups : nil }
    guard groups.count < 8 else { return nil }
    groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
    return groups
  }

  private static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt16? {
    var value: UInt16 = 0
    for digit in digits {
      guard let number = digit.hexadecimalValue else { return nil }
      value = value << 4 | UInt16(number)
    }
    return value
  }
}
