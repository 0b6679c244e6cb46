import Model
import TestSupport
import Testing

@Suite struct IdentifierTests {
  /// Scenario: ids are written as text and read again.
  /// Guarantees: 32 lower-case digits with leading zeros; reading takes either case.
  @Test func traceIDIsReadAsItIsWritten() {
    var random = SeededGenerator()
    for _ in 0..<500 {
      let id = TraceID(high: random.anyMagnitude(), low: random.anyMagnitude())
      #expect(id.description.utf8.count == 32)
      #expect(TraceID(hexadecimal: id.description) == id)
      #expect(TraceID(hexadecimal: id.description.uppercased()) == id)
    }
    #expect(
      TraceID(high: 0x0AF7_6519_16CD_43DD, low: 0x8448_EB21_1C80_319C).description
        == "0af7651916cd43dd8448eb211c80319c")
    #expect(SpanID(0xB7AD).description == "000000000000b7ad")
  }

  /// Scenario: a text that is no id.
  /// Guarantees: it is nil, whether too short, too long, or with a digit that is none.
  @Test(arguments: [
    "", "0", String(repeating: "0", count: 31), String(repeating: "0", count: 33),
    "0af7651916cd43dd8448eb211c80319g", "0af7651916cd43d-8448eb211c80319c",
    "+af7651916cd43dd8448eb211c80319c", "0af7651916cd43dd8448eb211c8031é",
  ])
  func otherTextIsNoTraceID(text: String) {
    #expect(TraceID(hexadecimal: text) == nil)
  }

  /// Scenario: hexadecimal digits of every length and every byte.
  /// Guarantees: 1 to 16 digits are read; none, 17, and every other byte are refused.
  @Test func hexadecimalDigits() {
    #expect(UInt64(hexadecimalDigits: []) == nil)
    #expect(UInt64(hexadecimalDigits: Array("f".utf8)[...]) == 15)
    #expect(UInt64(hexadecimalDigits: Array(repeating: UInt8(ascii: "F"), count: 16)[...]) == .max)
    #expect(UInt64(hexadecimalDigits: Array(repeating: UInt8(ascii: "0"), count: 17)[...]) == nil)
    for byte in UInt8.min ... .max {
      let digit = Character(UnicodeScalar(byte))
      let expected = byte < 128 ? digit.hexDigitValue : nil
      #expect(byte.hexadecimalValue.map(Int.init) == expected)
    }
    for value: UInt64 in [0, 1, 0xABC, .max] {
      #expect(value.hexadecimal.utf8.count == 16)
      #expect(UInt64(hexadecimalDigits: Array(value.hexadecimal.utf8)[...]) == value)
    }
  }

  /// Scenario: ids that differ in one half only are compared.
  /// Guarantees: the order is that of the bytes; zero is known as none.
  @Test func orderAndZero() {
    let small = TraceID(high: 1, low: .max)
    let large = TraceID(high: 2, low: 0)
    #expect(small < large && !(large < small))
    #expect(TraceID(high: 1, low: 1) < TraceID(high: 1, low: 2))
    #expect(!(small < small))
    #expect(TraceID(high: 0, low: 0).isZero)
    #expect(!TraceID(high: 0, low: 1).isZero && !TraceID(high: 1, low: 0).isZero)
    #expect(SpanID(1) < SpanID(2) && SpanID.none.isZero && !SpanID(1).isZero)
    #expect(NameID.none.isNone && !NameID(1).isNone && NameID(1) < NameID(2))
  }

  /// Scenario: two tenants send the same trace id.
  /// Guarantees: their traces are different keys.
  @Test func tenantIsPartOfTheKey() {
    let trace = TraceID(high: 1, low: 2)
    let keys: Set<TraceKey> = [
      TraceKey(tenant: .standard, trace: trace), TraceKey(tenant: TenantID(1), trace: trace),
    ]
    #expect(keys.count == 2)
  }
}
