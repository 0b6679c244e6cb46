import Model
import Testing

@testable import OTLP

@Suite struct RejectionMessageTests {
  private func message(
    _ counts: [(RejectionReason, Int)], _ limits: DecodeLimits = DecodeLimits()
  ) -> String? {
    var tally = RejectionTally()
    for (reason, count) in counts { tally.reject(reason, spans: count) }
    return tally.rejections(limits: limits).message
  }

  /// Scenario: several reasons, one span and several.
  /// Guarantees: one sentence with counts, reasons and remedies, in singular and plural.
  @Test func sentence() {
    #expect(
      message([(.endBeforeRetention, 1), (.invalidTraceID, 2)])
        == "3 spans rejected: 2 have a trace id that is not 16 non-zero bytes (send 16 bytes, which "
        + "OTLP/JSON writes as 32 hexadecimal digits); 1 ended more than 14 days ago "
        + "(raise store.retention to replay history)")
    #expect(message([]) == nil)
    #expect(message([(.unreadable, 0)]) == nil)
    #expect(message([(.enumByName, 2)])?.contains("2 name their kind") == true)
    #expect(message([(.endInTheFuture, 2)])?.contains("2 end more than 10 minutes in") == true)
    #expect(message([(.deprecatedInstrumentationLibrarySpans, 2)])?.contains("2 use ") == true)
  }

  /// Scenario: every reason there is.
  /// Guarantees: each has a label of its own for /metrics, and says what is wrong and what to do.
  @Test func everyReason() {
    for reason in RejectionReason.allCases {
      #expect(reason.label.wholeMatch(of: /[a-z0-9_]+/) != nil)
      #expect(!reason.explanation.isEmpty)
      let text = message([(reason, 1)])
      #expect(text?.hasPrefix("1 span rejected: 1 ") == true)
      #expect(text?.hasSuffix("(\(reason.remedy))") == true)
    }
    #expect(Set(RejectionReason.allCases.map(\.label)).count == RejectionReason.allCases.count)
  }

  /// Scenario: limits that are not whole days or minutes.
  /// Guarantees: said in the widest unit that is exact.
  @Test(arguments: [
    (Nanos.day, "1 day"), (36 * .hour, "36 hours"), (90 * .second, "90 seconds"),
    (.minute, "1 minute"), (1_500_000_000, "1500000000 ns"), (0, "0 ns"),
  ]) func limitsInWords(nanos: Nanos, words: String) {
    var limits = DecodeLimits()
    limits.retentionNanos = nanos
    #expect(message([(.endBeforeRetention, 1)], limits)?.contains("than \(words) ago") == true)
  }

  /// Scenario: warnings alone, and beside rejections.
  /// Guarantees: 0 spans are rejected by a warning; both are said.
  @Test func warnings() {
    var tally = RejectionTally()
    tally.warn(.stringIndexFields)
    tally.warn(.stringIndexFields)
    tally.warn(.unknownTopLevelKey("a"))
    tally.warn(.unknownTopLevelKey("a"))
    tally.warn(.unknownTopLevelKey("b"))
    let warned = tally.rejections(limits: DecodeLimits())
    #expect(warned.rejectedSpans == 0 && warned.counts.isEmpty)
    #expect(warned.message?.hasPrefix("unknown top-level keys a, b: ") == true)
    #expect(warned.message?.contains("2 attribute keys or values were references") == true)
    tally.reject(.invalidSpanID)
    let both = tally.rejections(limits: DecodeLimits()).message
    #expect(both?.hasPrefix("1 span rejected: ") == true && both?.contains(". unknown") == true)
  }
}
