import TestSupport
import Testing

@testable import Model

@Suite struct IPAddressTests {
  /// Scenario: the same addresses, written in all the ways there are.
  /// Guarantees: one text each: lower case, no leading zeros, the first longest run of zeros left out; an
  /// IPv4 address within an IPv6 one is the IPv4 address.
  @Test(arguments: [
    ("2001:db8::1", ["2001:DB8::1", "2001:db8:0:0::1", "2001:0db8:0000:0000:0000:0000:0000:0001"]),
    ("::1", ["0:0:0:0:0:0:0:1", "::0001", "0::1"]), ("::", ["0::", "::0", "0:0:0:0:0:0:0:0"]),
    ("fe80::", ["FE80::", "fe80:0::0"]), ("1:2:3:4:5:6:7:8", ["1:2:3:4:5:6:0007:8"]),
    ("2001:0:0:1::1", ["2001:0:0:1:0:0:0:1", "2001::1:0:0:0:1"]),
    ("1:0:2:3:4:5:6:7", ["1::2:3:4:5:6:7"]), ("1::", ["1:0:0:0::"]),
    ("::2:3:0:0:0", ["0:0:0:2:3::"]),
    ("10.0.0.7", ["::ffff:10.0.0.7", "::FFFF:a00:7"]),
    ("64:ff9b::a00:1", ["64:ff9b::10.0.0.1"]),
  ])
  func oneForm(text: String, written: [String]) throws {
    for other in [text] + written {
      let address = try #require(IPAddress(other.utf8), "\(other)")
      #expect(address.text == text, "\(other)")
      #expect(address == IPAddress(text.utf8))
      #expect(address.isIPv4 == !text.contains(":"))
    }
  }

  /// Scenario: addresses at both ends of every network that is not the whole world's, and beside them.
  /// Guarantees: only what is beside them is public; an IPv4 address is judged alike behind a translator
  /// and within IPv6.
  @Test func publicAddresses() throws {
    func isPublic(_ text: String) throws -> Bool { try #require(IPAddress(text.utf8)).isPublic }
    for text in [
      "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
      "127.0.0.1", "127.255.255.255", "169.254.0.0", "169.254.169.254", "172.16.0.0",
      "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.0", "192.168.255.255", "198.18.0.0",
      "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.0",
      "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
      "100::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1",
      "2002:7f00:1::", "3fff::1",
    ] {
      #expect(try !isPublic(text), "\(text)")
    }
    for text in [
      "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
      "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
      "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
      "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2606:4700::1", "2a00::1", "2001:200::1", "2003::1",
    ] {
      #expect(try isPublic(text), "\(text)")
    }
  }

  /// Scenario: names, impossible numbers, ports, zones, brackets, too many and too few parts.
  /// Guarantees: no address.
  @Test(arguments: [
    "", ".", ":", ":::", "::1::", "1::2::3", "10.0.0", "10.0.0.", ".10.0.0.1", "10.0.0.256",
    "10.0.0.1.1",
    "010.0.0.1", "10.00.0.1", "10..0.1", "10.0.0.1:80", "[::1]", "fe80::1%eth0", "g::1", "12345::1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", ":1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:", "1:", ":1",
    "10.0.0.1::", "::10.0.0", "example.com", "cafe", "١.٢.٣.٤", "::10.0.0.999",
  ])
  func noAddress(text: String) { #expect(IPAddress(text.utf8) == nil) }

  /// Scenario: addresses of random bytes, many of them zero; random bytes as text.
  /// Guarantees: the text of an address is read as the same address; nothing crashes.
  @Test func everyTextIsReadAsItIsWritten() throws {
    var random = SeededGenerator()
    for _ in 0..<2_000 {
      let groups = (0..<8).map { _ in random.once(in: 2) ? 0 : random.next() & 0xFFFF }
      let written = groups.map { String($0, radix: 16) }.joined(separator: ":")
      let address = try #require(IPAddress(written.utf8))
      #expect(IPAddress(address.text.utf8) == address, "seed \(random.seed)")
      let alphabet = Array("0123456789abcdefF:.::".utf8)
      let noise = (0..<random.below(20)).map { _ in alphabet[random.below(alphabet.count)] }
      if let found = IPAddress(noise) { #expect(IPAddress(found.text.utf8) == found) }
    }
  }
}
