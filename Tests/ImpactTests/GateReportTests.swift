import Model
import TestSupport
import Testing

@testable import Impact

@Suite struct GateReportTests {
  /// Scenario: random reports, written and read.
  /// Guarantees: equal, to the last bit; the same bytes again; the same answer.
  @Test func readsWhatWasWritten() throws {
    var random = SeededGenerator()
    for _ in 0..<300 {
      let report = random.report()
      let bytes = report.bytes
      let read = try GateReport(bytes: bytes)
      #expect(read == report)
      #expect(read.bytes == bytes)
      #expect(read.answer == report.answer)
    }
  }

  /// Scenario: a report with everything in it, cut short anywhere, and with bytes behind its end.
  /// Guarantees: `MalformedBytes`.
  @Test func cutShort() throws {
    var random = SeededGenerator()
    var report = random.report()
    report.question = GateQuestion(
      concurrent: random.concurrent(), beforeAfter: random.beforeAfter(),
      circumstances: random.circumstances())
    let bytes = report.bytes
    for count in 0..<bytes.count {
      #expect(throws: MalformedBytes.self) { try GateReport(bytes: Array(bytes[..<count])) }
    }
    #expect(throws: MalformedBytes.self) { try GateReport(bytes: bytes + [0]) }
    #expect(throws: MalformedBytes.self) { try GateReport(bytes: []) }
    #expect(throws: MalformedBytes.self) { try GateReport(bytes: [0] + bytes.dropFirst()) }
    #expect(throws: MalformedBytes.self) { try GateReport(bytes: [4] + bytes.dropFirst()) }
  }

  /// Scenario: a report as it was written before circumstances were looked at.
  /// Guarantees: it is read, and the same hypotheses come of it as without circumstances.
  @Test func withoutCircumstances() throws {
    var report = GateReport(
      tenant: .standard, question: GateQuestion(concurrent: Sample.question(Sample.quiet(60))))
    let older = [2] + report.bytes.dropFirst().dropLast()
    #expect(try GateReport(bytes: Array(older)) == report)
    #expect(!report.answer.attribution.contains { $0.terms.contains { $0.name == .topology } })
    report.question.circumstances = Circumstances()
    #expect(report.answer.attribution.contains { $0.terms.contains { $0.name == .topology } })
    #expect(report.answer.verdict == (try GateReport(bytes: Array(older)).answer.verdict))
  }

  /// Scenario: random reports with bits flipped, bytes replaced by the greatest, and numbers by
  /// others that no history gives.
  /// Guarantees: `MalformedBytes`, or a report of which an answer can be made; never a trap.
  @Test func flippedBits() {
    var random = SeededGenerator()
    var read = 0
    for _ in 0..<2_000 {
      var bytes = random.report().bytes
      for _ in 0..<(1 + random.below(4)) {
        let index = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[index] ^= 1 << UInt8(random.below(8))
        case 1: bytes[index] = 0xFF
        default: bytes[index] = UInt8(truncatingIfNeeded: random.next())
        }
      }
      guard let report = try? GateReport(bytes: bytes) else { continue }
      read += 1
      #expect(!report.answer.reasons.isEmpty)
    }
    #expect(read > 100)
  }

  /// Scenario: a report whose floating-point numbers are all of the odd ones: none, infinite,
  /// negative, the least and the greatest.
  /// Guarantees: an answer that promotes nothing, and no trap.
  @Test(arguments: [
    Double.nan, .infinity, -.infinity, -1, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude,
    -.greatestFiniteMagnitude,
  ]) func oddNumbers(number: Double) throws {
    for other in [number, 1, .nan] {
      let latency = LogLatency(weight: number, sum: other, squares: number)
      let side = Side(traces: 50, errorTraces: 0, latency: latency)
      let stretches = StretchSeries(
        now: Stretch(before: side, after: side),
        earlier: (0..<28).map { _ in Stretch(before: side, after: side) })
      for isBoth in [false, true] {
        let report = GateReport(
          tenant: .standard,
          question: GateQuestion(
            concurrent: isBoth
              ? Sample.question((0..<60).map { Sample.window($0, side, side) }) : nil,
            beforeAfter: BeforeAfterQuestion(
              version: "v42", start: Sample.start, until: .max, subject: stretches,
              controls: [stretches])))
        let read = try GateReport(bytes: report.bytes)
        #expect(read.bytes == report.bytes)
        #expect(!read.answer.reasons.isEmpty)
        if !number.isFinite || !other.isFinite { #expect(read.answer.verdict != .rollback) }
      }
    }
  }

  /// Scenario: windows at the ends of time, counts beyond what windows hold.
  /// Guarantees: no trap; counts are held within bounds.
  @Test func extremes() throws {
    let side = Side(traces: .max, errorTraces: .max, unseenFailures: .max)
    let windows = [0, 1, Nanos.max - 1, .max].flatMap { start in
      [0, windowNanos, .max].map { width in
        ComparedWindow(
          start: start, width: width, current: side, baseline: side, unknownFailures: .max)
      }
    }
    for (start, until) in [(0, 0), (0, .max), (.max, 0), (.max, .max)] as [(Nanos, Nanos)] {
      let question = ConcurrentQuestion(
        version: "a", baseline: "b", start: start, until: until, windows: windows,
        history: [side, side])
      let report = GateReport(
        tenant: .standard, question: GateQuestion(concurrent: question))
      #expect(try GateReport(bytes: report.bytes) == report)
      #expect(!report.answer.reasons.isEmpty)
    }
    #expect(windows[0].width == windowNanos && windows[0].unknownFailures == 1 << 40)
  }

  /// Scenario: reports without evidence, with remarks and without, and one with both.
  /// Guarantees: the remarks are the reasons, or come last among them; there always is one.
  @Test func remarks() {
    var report = GateReport(tenant: .standard)
    #expect(!report.hasEvidence)
    #expect(report.answer == .waiting("there is nothing to compare with yet"))
    report.remarks = ["first", "second"]
    #expect(report.answer.reasons == ["first", "second"] && report.answer.verdict == .wait)
    report.question.concurrent = Sample.question(Sample.quiet(120))
    #expect(report.hasEvidence && report.answer.verdict == .promote)
    #expect(report.answer.reasons.suffix(2) == ["first", "second"])
    #expect(report.answer.reasons.count == 4)
    var bare = report
    bare.remarks = []
    #expect(report.answer.evidence == bare.answer.evidence)
    #expect(report.answer.health == bare.answer.health)
  }
}
