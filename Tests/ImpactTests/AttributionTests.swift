import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

@Suite struct AttributionTests {
  private func side(_ traces: Int64, errors: Int64 = 0, mean: Double = 17) -> Side {
    Side(
      traces: traces, errorTraces: errors,
      latency: LogLatency(weight: Double(traces), mean: mean, variance: 0.1))
  }

  /// Half an hour of the old version, then ten minutes of both.
  private func concurrent(
    currentMean: Double, baselineMean: Double, currentErrors: Int64 = 0, requests: Int64 = 100,
    rules: GateRules = .latest
  ) -> GateReport {
    // Windows differ a little, as they do.
    func wander(_ index: Int) -> Double { 0.01 * sin(Double(index) * 1.7) }
    let windows = (0..<60).map { index in
      ComparedWindow(
        start: Sample.start + Nanos(index) * windowNanos,
        current: side(requests / 2, errors: currentErrors, mean: currentMean + wander(index)),
        baseline: side(requests / 2, mean: baselineMean + wander(index + 3)))
    }
    let question = ConcurrentQuestion(
      version: "v42", baseline: "v41", start: Sample.start,
      until: Sample.start + 60 * windowNanos, windows: windows,
      history: (0..<180).map { side(100 + Int64($0 % 5), mean: 17 + wander($0)) },
      settings: GateSettings(rules: rules))
    return GateReport(tenant: .standard, question: GateQuestion(concurrent: question))
  }

  private func probability(_ kind: Hypothesis.Kind, _ answer: GateAnswer) -> Double {
    answer.attribution.first { $0.kind == kind }?.probability ?? 0
  }

  /// Scenario: the new version fails, or is slow, beside an old one that is as it was.
  /// Guarantees: rollback, and this deployment above all others; the shared causes have a term against
  /// them.
  @Test(arguments: [(17.3, Int64(0)), (17.0, Int64(5))])
  func ownFault(mean: Double, errors: Int64) {
    let answer = concurrent(currentMean: mean, baselineMean: 17, currentErrors: errors).answer
    #expect(answer.verdict == .rollback)
    #expect(probability(.thisDeployment, answer) > 0.8)
    let platform = answer.attribution.first { $0.kind == .platform }
    #expect(platform?.terms.contains { $0.name == .versionSplit && $0.logOdds < 0 } == true)
  }

  /// Scenario: both versions get slower at the moment of the deployment; once with three times as many
  /// requests.
  /// Guarantees: this deployment is unlikely, and no more noise; with the requests the load is ahead.
  @Test func sharedShock() {
    let shock = concurrent(currentMean: 17.4, baselineMean: 17.4).answer
    #expect(shock.verdict != .rollback)
    #expect(probability(.thisDeployment, shock) < 0.1 && probability(.noise, shock) < 0.1)
    let surge = concurrent(currentMean: 17.4, baselineMean: 17.4, requests: 300).answer
    #expect(surge.attribution.max { $0.probability < $1.probability }?.kind == .load)
    #expect(probability(.load, surge) > probability(.load, shock))
  }

  /// Scenario: nothing changes.
  /// Guarantees: promote, and most likely nothing happened.
  @Test func quiet() {
    let answer = concurrent(currentMean: 17, baselineMean: 17).answer
    #expect(answer.verdict == .promote)
    #expect(answer.attribution.max { $0.probability < $1.probability }?.kind == .noise)
    #expect(probability(.thisDeployment, answer) < 0.1)
  }

  /// Scenario: the same, by the rules of kept verdicts.
  /// Guarantees: no hypotheses; the same verdict and reasons otherwise, also when written and read.
  @Test func olderRules() throws {
    let report = concurrent(currentMean: 17.3, baselineMean: 17, rules: .together)
    #expect(report.answer.attribution.isEmpty && report.answer.verdict == .rollback)
    #expect(try GateReport(bytes: report.bytes).answer == report.answer)
    #expect(GateReport(tenant: .standard).answer.attribution.isEmpty)
  }

  /// Scenario: random questions, with odd numbers among them.
  /// Guarantees: every hypothesis once, probabilities that sum to 1, no term beyond the greatest; a
  /// concurrent verdict stays as it was; the same list when written and read.
  @Test func always() throws {
    var random = SeededGenerator()
    for _ in 0..<300 {
      let report = random.report()
      guard report.hasEvidence, report.question.rules == .attributed else { continue }
      let answer = report.answer
      #expect(answer.attribution.map(\.kind) == Hypothesis.Kind.allCases)
      #expect(abs(answer.attribution.reduce(0) { $0 + $1.probability } - 1) < 1e-9)
      let terms = answer.attribution.flatMap(\.terms)
      #expect(terms.allSatisfy { $0.logOdds.magnitude <= Hypothesis.termMax && !$0.why.isEmpty })
      if answer.comparison != .beforeAfter {
        #expect(answer.verdict == Gate.answer(report.question).verdict)
      }
      #expect(try GateReport(bytes: report.bytes).answer == answer)
    }
  }

  /// Scenario: before and after would roll back; most likely it is something else, or this change.
  /// Guarantees: wait, and the first reason names it; or the rollback stands. Side by side it stands
  /// whatever is likely.
  @Test func overrules() {
    func answer(_ comparison: Comparison) -> GateAnswer {
      GateAnswer(
        verdict: .rollback, confidence: 0.99, reasons: ["it is slower"], comparison: comparison)
    }
    let surge = concurrent(currentMean: 17.4, baselineMean: 17.4, requests: 300).question
    let load = Attribution(surge)
    #expect(load.otherAhead?.kind == .load)
    let waits = answer(.beforeAfter).attributed(load)
    #expect(waits.verdict == .wait && waits.reasons[0].contains("the doing of more requests"))
    #expect(waits.reasons.last == "it is slower" && waits.confidence == 0)
    #expect(answer(.concurrent).attributed(load).verdict == .rollback)
    let own = Attribution(concurrent(currentMean: 17.3, baselineMean: 17).question)
    #expect(own.otherAhead == nil)
    #expect(answer(.beforeAfter).attributed(own).verdict == .rollback)
  }
}
