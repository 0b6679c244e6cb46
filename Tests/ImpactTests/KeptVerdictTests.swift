import Foundation
import Testing

@testable import Impact

@Suite struct KeptVerdictTests {
  /// A verdict as a gateway kept it that wrote form 1, and what it had answered.
  private struct Kept: Decodable {
    let name: String
    let bytes: Data
    let verdict: String
    /// The bits of a floating-point number.
    let confidence: UInt64
    let reasons: [String]
    let decisions: [String]
    let eta: Int?
  }

  /// Scenario: verdicts of every kind, kept in the form that knew nothing of rules, by the gateway
  /// that wrote it (`kept-verdicts.json`); among them one that the rules of today would decide
  /// otherwise.
  /// Guarantees: they are read, and the same answers come of them to the last bit, now and when
  /// they are written again.
  @Test func areGivenAgain() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("kept-verdicts.json")
    let decoder = JSONDecoder()
    let all = try decoder.decode([Kept].self, from: Data(contentsOf: file))
    #expect(Set(all.map(\.verdict)) == ["promote", "rollback", "wait"])
    for kept in all {
      let report = try GateReport(bytes: [UInt8](kept.bytes))
      for read in [report, try GateReport(bytes: report.bytes)] {
        let answer = read.answer
        #expect(answer.verdict.rawValue == kept.verdict, "\(kept.name)")
        #expect(answer.confidence.bitPattern == kept.confidence, "\(kept.name)")
        #expect(answer.reasons == kept.reasons)
        #expect(answer.evidence.map(\.decision.rawValue) == kept.decisions)
        #expect(answer.etaSeconds == kept.eta)
        #expect(answer.control == nil)
      }
    }
  }
}
