import Foundation
import Journal
import Model
import Testing

@testable import Commands

@Suite struct JournalCommandTests {
  /// Scenario: a journal with one batch (a span, and a link of it) and one seal, below the store's
  /// directory.
  /// Guarantees: a line a span with its names, one for the link in the trace it names, one for the seal,
  /// the summary apart.
  @Test func dump() async throws {
    try await withFolder { folder in
      try fill(folder + "/journal")
      let table = FakeWorld()
      #expect(await table.run("journal", "dump", "--path", folder) == 0)
      let lines = table.output.split(separator: "\n")
      #expect(lines.count == 4)
      #expect(lines[0].hasPrefix("SEQUENCE"))
      #expect(lines[1].contains("prod/shop/front"))
      #expect(lines[1].hasSuffix("GET /  (error)"))
      #expect(lines[2].contains("\(TraceID(high: 5, low: 6))") && lines[2].contains(" link "))
      #expect(lines[3] == "sealed in checkpoint 4: 1")
      #expect(table.errors == "1 segment, 1 batch, 1 span, 1 seal\n")
      let json = FakeWorld()
      let code = await json.run("journal", "dump", "--path", folder + "/journal", "--format=json")
      #expect(code == 0)
      let objects = try json.output.split(separator: "\n").map {
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      }
      #expect(objects.count == 3)
      #expect(objects[0]?["service"] as? String == "prod/shop/front")
      #expect(objects[0]?["operation"] as? String == "GET /")
      #expect(objects[0]?["span_id"] as? String == "0000000000000002")
      #expect(objects[0]?["parent_span_id"] as? String == "")
      #expect(objects[0]?["peer"] as? String == "#0000000000000063")
      #expect(objects[0]?["error"] as? Bool == true)
      #expect(objects[1]?["kind"] as? String == "link")
      #expect(objects[1]?["trace_id"] as? String == "\(TraceID(high: 5, low: 6))")
      #expect(objects[1]?["parent_span_id"] as? String == "0000000000000007")
      #expect(objects[2]?["checkpoint"] as? Int == 4)
    }
  }

  private func fill(_ directory: String) throws {
    let service = Name(
      tenant: .standard, kind: .service,
      text: NodeIdentity(environment: "prod", namespace: "shop", name: "front").text)
    let operation = Name(
      tenant: .standard, kind: .operation, scope: service.id, text: "GET /")
    let trace = TraceID(high: 0, low: 1)
    let span = SpanRecord(
      id: SpanID(2), start: 1_700_000_000 * .second, end: 1_700_000_001 * .second,
      service: service.id, operation: operation.id, peer: NameID(0x63), kind: .server,
      traits: .error)
    let linked = SpanLink(trace: TraceID(high: 5, low: 6), span: SpanID(7))
    let batch = SpanBatch(
      traces: [trace, linked.trace],
      spans: [span, SpanRecord(linkOf: span, in: trace, to: linked)],
      names: [service.id, operation.id])
    var configuration = JournalConfiguration(directory: directory)
    configuration.durability = .os
    var journal = try Journal(opening: configuration)
    let names = [service.id: service, operation.id: operation]
    _ = journal.append(batch) { names[$0] }
    journal.appendSeal(checkpoint: 4, traces: [TraceKey(tenant: .standard, trace: trace)])
    try journal.commit()
  }

  /// Scenario: directories that are no journal, and a journal nothing was written to.
  /// Guarantees: an error that says what to do; the empty journal is shown as empty.
  @Test func whatIsAJournal() async throws {
    try await withFolder { folder in
      for path in ["/etc", folder] {
        let world = FakeWorld()
        #expect(await world.run("journal", "dump", "--path", path) == 70)
        #expect(world.errors.contains("there is no journal at \(path); name the gateway's store"))
        #expect(world.output.isEmpty)
      }
      _ = try Journal(opening: JournalConfiguration(directory: folder + "/journal"))
      for path in [folder, folder + "/journal"] {
        let world = FakeWorld()
        #expect(await world.run("journal", "dump", "--path", path) == 0)
        #expect(world.errors == "0 segments, 0 batches, 0 spans, 0 seals\n")
      }
    }
  }

  /// Scenario: there is no journal, and a damaged one was read.
  /// Guarantees: the first is an error that says what to do; the summary of the second counts.
  @Test func problems() async {
    let world = FakeWorld()
    #expect(await world.run("journal", "dump", "--path", "/nonexistent") == 70)
    #expect(world.errors.contains("there is no journal at /nonexistent"))
    #expect(world.output.isEmpty)
    var summary = JournalReadSummary()
    summary.skippedRecords = 2
    summary.skippedBytes = 30
    summary.tornBytes = 4
    #expect(
      JournalListing.text(of: summary) == "0 segments, 0 batches, 0 spans, 0 seals; "
        + "2 damaged records passed over (30 bytes); 4 bytes of an unfinished group")
  }
}
