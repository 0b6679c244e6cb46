import TestSupport
import Testing

@testable import Journal

@Suite struct CRC32CTests {
  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBytes { CRC32C.checksum($0) }
  }

  /// Scenario: the published check values (RFC 3720, appendix B.4, and that of the digits 1 to 9).
  /// Guarantees: the sums are CRC32C.
  @Test func agreesWithThePublishedValues() {
    #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum(Array(0..<32)) == 0x46DD_794E)
    #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
    #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
    #expect(checksum([]) == 0)
  }

  /// Scenario: random bytes of every length up to 40, and a sum that goes on from another.
  /// Guarantees: eight bytes a step give the same as one bit a step; a seed continues a sum.
  @Test func agreesWithTheDefinition() {
    var generator = SeededGenerator("agreesWithTheDefinition")
    for length in 0...40 {
      let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(checksum(bytes) == bitwise(bytes))
      let cut = length / 3
      let first = checksum(Array(bytes[..<cut]))
      let both = Array(bytes[cut...]).withUnsafeBytes { CRC32C.checksum($0, seed: first) }
      #expect(both == bitwise(bytes))
    }
  }

  private func bitwise(_ bytes: [UInt8]) -> UInt32 {
    var register = UInt32.max
    for byte in bytes {
      register ^= UInt32(byte)
      for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0x82F6_3B78 }
    }
    return ~register
  }
}
