/// The 32-bit cyclic redundancy check by Castagnoli, eight bytes a step.
/// - Shape: polynomial 0x1EDC6F41, reflected (0x82F63B78); register inverted before and after.
/// - Source: RFC 3720, section 12.1; check values in appendix B.4. The tables for eight bytes a
///   step: Kounavis and Berry, "A Systematic Approach to Building High Performance,
///   Software-Based, CRC Generators", 2005.
enum CRC32C {
  /// - Parameter seed: Where the register starts; 0 is the published check.
  static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    unsafe tables.withUnsafeBufferPointer { table in
      var register = ~seed
      var offset = 0
      while offset &+ 8 <= bytes.count {
        let word = UInt64(
          littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        register = unsafe step(word ^ UInt64(register), table)
        offset &+= 8
      }
      while offset < bytes.count {
        let index = Int(truncatingIfNeeded: (register ^ UInt32(unsafe bytes[offset])) & 0xFF)
        register = unsafe table[index] ^ register >> 8
        offset &+= 1
      }
      return ~register
    }
  }

  @inline(__always)
  private static func step(_ word: UInt64, _ table: UnsafeBufferPointer<UInt32>) -> UInt32 {
    var register: UInt32 = 0
    for lane in 0..<8 {
      let byte = Int(truncatingIfNeeded: word >> UInt64(8 &* lane) & 0xFF)
      register ^= unsafe table[(7 &- lane) &* 256 &+ byte]
    }
    return register
  }

  /// Table n holds the check of a byte followed by n zero bytes.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var register = UInt32(byte)
      for _ in 0..<8 { register = register & 1 == 0 ? register >> 1 : register >> 1 ^ 0x82F6_3B78 }
      tables[byte] = register
    }
    for index in 256..<tables.count {
      let last = tables[index - 256]
      tables[index] = tables[Int(last & 0xFF)] ^ last >> 8
    }
    return tables
  }()
}
