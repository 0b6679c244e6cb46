import Model
import Testing

@testable import OTLP

@Suite struct OverflowTraitTests {
  /// Scenario: a name table with room for two operations of a service; three are sent, one twice.
  /// Guarantees: the span whose name found no room says so, each time, and the others do not.
  @Test func theSpanSaysThatItsNameFoundNoRoom() throws {
    var limits = NameLimits()
    limits.operationsMax = 2
    var decode = DecodeLimits()
    decode.retentionNanos = .max
    let decoder = OTLPDecoder(names: NameTable(limits: limits), limits: decode)
    let spans = ["a", "b", "c", "c"].enumerated().map { index, name in
      #"{"traceId":"\#(String(repeating: "1", count: 32))","spanId":"000000000000000\#(index + 1)","#
        + #""name":"\#(name)","startTimeUnixNano":"1000","endTimeUnixNano":"2000"}"#
    }
    let body =
      #"{"resourceSpans":[{"scopeSpans":[{"spans":["# + spans.joined(separator: ",") + "]}]}]}"
    let decoded = try Array(body.utf8).withUnsafeBytes {
      try decoder.decode($0, encoding: .json, tenant: .standard, now: 3000)
    }
    #expect(
      decoded.batch.spans.map { $0.traits.contains(.overflow(.operation)) }
        == [false, false, true, true])
    #expect(decoded.batch.spans.allSatisfy { !$0.traits.contains(.overflow(.service)) })
  }
}
