import Model
import TestSupport
import Testing

@testable import FlowLogs

@Suite struct FlowLogReaderTests {
  private static let now: Nanos = 1_700_000_000 * .second

  private func read(
    _ text: String, environment: String = "", names: NameTable = NameTable()
  ) -> (batches: [SpanBatch], summary: FlowLogSummary) {
    read(Array(text.utf8), environment: environment, names: names)
  }

  private func read(
    _ body: [UInt8], environment: String = "", names: NameTable = NameTable()
  ) -> (batches: [SpanBatch], summary: FlowLogSummary) {
    var reader = FlowLogReader(
      body, environment: environment, names: names, tenant: .standard,
      limits: FlowLogLimits(retentionNanos: 14 * .day), now: FlowLogReaderTests.now)
    var batches: [SpanBatch] = []
    while let batch = reader.nextBatch() { batches.append(batch) }
    return (batches, reader.summary)
  }

  private func line(_ source: String, _ destination: String, bytes: Int = 100) -> String {
    "2 1 eni-1 \(source) \(destination) 50000 80 6 1 \(bytes) 1699999900 1699999960 ACCEPT OK"
  }

  /// Scenario: lines of the default format, with blanks, line ends of Windows, an empty line, and none
  /// at the end.
  /// Guarantees: a record each, of an external node and a client, with their names listed once.
  @Test func records() throws {
    let names = NameTable()
    let text = line("10.0.0.1", "10.0.0.2") + "\r\n\n" + line("10.0.0.3", "10.0.0.2")
    let (batches, summary) = read(text, environment: "prod", names: names)
    let batch = try #require(batches.first)
    #expect(batches.count == 1 && batch.count == 2 && summary == FlowLogSummary())
    for span in batch.spans {
      #expect(span.trafficKind == TrafficKind(.flowLog, recordedBy: .unknown))
      #expect(span.trafficBytes == 100 && span.end == 1_699_999_960 * .second)
      let server = names.name(span.trafficServer)
      #expect(server?.kind == .external)
      #expect(server?.text == NodeIdentity(environment: "prod", name: "10.0.0.2").text)
      #expect(names.name(span.trafficClient)?.kind == .client)
    }
    #expect(batch.names.count == 3 && Set(batch.names).count == 3)
  }

  /// Scenario: a header in an order of its own; after some lines, another one, as where files are joined.
  /// Guarantees: each line is read by the header above it.
  @Test func headers() {
    let text = """
      dstaddr srcaddr end bytes log-status
      10.0.0.2 10.0.0.1 1699999960 7 OK
      srcaddr dstaddr start
      10.0.0.3 10.0.0.4 1699999960
      """
    let (batches, summary) = read(text)
    #expect(batches.flatMap(\.spans).map(\.trafficBytes) == [7, 0] && summary.rejectedLines == 0)
  }

  /// Scenario: a header that lacks what every record needs, and lines below it.
  /// Guarantees: it is told what is missing; no line below it is guessed at.
  @Test(arguments: [
    ("srcaddr end", "dstaddr"), ("srcaddr dstaddr bytes", "start or end"),
    ("pkt-srcaddr end", "dstaddr"),
  ]) func headersThatLackFields(header: String, missing: String) {
    let (batches, summary) = read("\(header)\n10.0.0.1 1699999960")
    #expect(batches.isEmpty && summary.rejectedLines == 2)
    #expect(summary.rejected[0].message.contains("and \(missing) is not among them"))
  }

  /// Scenario: good lines among bad ones: too short, of the future, of long ago, without data, too long.
  /// Guarantees: every good one is a record; every other is counted, and told by its number.
  @Test func badLinesLoseNoGoodOnes() {
    let old = line("10.0.0.1", "10.0.0.2").replacing(
      "1699999900 1699999960", with: "1418530010 1418530070")
    let future = line("10.0.0.1", "10.0.0.2").replacing("1699999960", with: "1700009999")
    let none = "2 1 eni-1 - - - - - - - 1699999900 1699999960 - NODATA"
    let long = String(repeating: "x", count: 5000)
    let lines = [
      line("10.0.0.1", "10.0.0.2"), "nonsense", old, future, none, long,
      line("10.0.0.5", "10.0.0.6"),
    ]
    let (batches, summary) = read(lines.joined(separator: "\n"))
    #expect(batches.flatMap(\.spans).count == 2)
    #expect(summary.skipped == 1 && summary.rejectedLines == 4)
    #expect(summary.rejected.map(\.line) == [2, 3, 4, 6])
    #expect(
      summary.rejected[1].message
        == "line 3 ended before the retention (raise store.retention to replay history)")
  }

  /// Scenario: lines nobody can know the meaning of, flows that were not let through and intervals without
  /// data among a good line.
  /// Guarantees: one record; every other line is counted by its reason, and no name is learned from it.
  @Test func countedByReason() {
    let names = NameTable()
    let good = line("10.0.0.1", "10.0.0.2")
    let other = line("10.0.0.3", "10.0.0.4")
    let lines = [
      good, other.replacing("ACCEPT", with: "REJECT"), other.replacing("ACCEPT", with: "REJECT"),
      other.replacing("ACCEPT OK", with: "- NODATA"), other.replacing("ACCEPT", with: "MAYBE"),
      other.replacing("1699999900", with: "1699999961"), line("10.0.0.3", "2001:db8::1"),
      line("10.0.0.3", "10.0.0.4", bytes: 65_536),
    ]
    let (batches, summary) = read(lines.joined(separator: "\n"), names: names)
    #expect(batches.map(\.count) == [1] && batches.first?.names.count == 2)
    #expect(summary.skipped == 3 && summary.skips == [.rejectedFlow: 2, .noData: 1])
    #expect(summary.rejectedLines == 4)
    #expect(
      summary.reasons == [
        .unknownAction: 1, .endBeforeStart: 1, .mixedFamilies: 1, .impossibleCount: 1,
      ])
  }

  /// Scenario: a log of nothing but flows that were not let through.
  /// Guarantees: no record, and nothing that is rejected.
  @Test func nothingLetThrough() {
    let rejected = line("10.0.0.1", "10.0.0.2").replacing("ACCEPT", with: "REJECT")
    let (batches, summary) = read(Array(repeating: rejected, count: 7).joined(separator: "\n"))
    #expect(batches.isEmpty && summary.rejectedLines == 0)
    #expect(summary.skips == [.rejectedFlow: 7])
  }

  /// Scenario: thousands of bad lines.
  /// Guarantees: all are counted, the first are told.
  @Test func rejectionsAreBounded() {
    let (_, summary) = read(String(repeating: "x\n", count: 3000))
    #expect(summary.rejectedLines == 3000)
    #expect(summary.rejected.count == FlowLogSummary.rejectedShownMax)
  }

  /// Scenario: more lines than a batch holds, many of them equal, read twice.
  /// Guarantees: as many records as lines, no two with the same trace; the second time the same ones, so
  /// that nothing is counted again.
  @Test func sentAgain() {
    let text = (0..<6000).map { line("10.0.0.1", "10.0.0.\($0 % 3)") }.joined(separator: "\n")
    let (batches, _) = read(text)
    let traces = batches.flatMap(\.traces)
    #expect(batches.count == 2 && traces.count == 6000 && Set(traces).count == 6000)
    #expect(read(text).batches.flatMap(\.traces) == traces)
    let elsewhere = read(text, environment: "prod").batches.flatMap(\.traces)
    #expect(Set(elsewhere).isDisjoint(with: traces))
  }

  /// Scenario: more addresses than are told apart.
  /// Guarantees: those beyond are summed under overflow, and their records say so.
  @Test func addressesAreBounded() {
    var limits = NameLimits()
    limits.peersMax = 2
    let text = (1...4).map { line("10.0.0.1", "10.0.0.\($0)") }.joined(separator: "\n")
    let spans = read(text, names: NameTable(limits: limits)).batches.flatMap(\.spans)
    #expect(spans.count { $0.traits.contains(.overflow(.external)) } == 2)
    #expect(spans.count { $0.traits.contains(.overflow(.client)) } == 0)
  }

  /// Scenario: a good log, changed at random.
  /// Guarantees: never a crash; lines are records, skipped, rejected, empty or headers.
  @Test func mutationsNeverCrash() {
    var random = SeededGenerator()
    let valid = Array(
      (["version srcaddr dstaddr srcport dstport bytes start end action log-status"]
        + (0..<20).map { "2 10.0.0.\($0) 10.0.1.1 40000 80 9 1699999900 1699999960 ACCEPT OK" })
        .joined(separator: "\n").utf8)
    for _ in 0..<2000 {
      var bytes = valid
      for _ in 0..<3 {
        let index = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[index] = UInt8(random.below(256))
        case 1: bytes.remove(at: index)
        default: bytes.insert(bytes[random.below(bytes.count)], at: index)
        }
      }
      let (batches, summary) = read(bytes)
      let lines = bytes.count { $0 == 0x0A } + 1
      let told = batches.reduce(0) { $0 + $1.count } + summary.skipped + summary.rejectedLines
      #expect(told <= lines, "seed \(random.seed)")
    }
  }
}
