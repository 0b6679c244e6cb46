import Analyse
import Corpus
import Model
import TestSupport
import Testing

@testable import Impact

/// Changes in a simulated shop whose truth is known.
@Suite(.serialized) struct ChangeImpactTests {
  private static let start: Nanos = 1_700_000_000 * .second / .minute * .minute

  private struct Found: Sendable {
    var impact: ChangeImpact
    var text: [NameID: String]

    subscript(_ metric: ChangeEffect.Metric) -> ChangeEffect? {
      impact.effects.first { $0.metric == metric }
    }
  }

  /// What a change of payment at second 240, over at 300, did by second 540.
  private func impact(_ faults: [Fault]) async -> Found {
    await onOwnThread { ChangeImpactTests.simulated(faults) }
  }

  private static func simulated(_ faults: [Fault]) -> Found {
    var simulator = Simulator(.shop(rate: 8), faults: faults, start: start, seed: 5)
    var sums = WindowSums()
    var analyser = TraceAnalyser()
    simulator.run(until: 560) { trace in
      var findings: [Finding] = []
      analyser.analyse(
        trace.spans, key: TraceKey(tenant: .standard, trace: trace.id), into: &findings)
      sums.add(findings)
    }
    func windows(_ from: Int, _ to: Int) -> [Window] {
      stride(from: from, to: to, by: 10).map {
        sums.windows[start + Nanos($0) * .second] ?? Window()
      }
    }
    let names = simulator.names.all
    let payment = names.values.first {
      $0.kind == .service && NodeIdentity(text: $0.text).name == "payment"
    }?.id
    let impact = ChangeImpact(
      of: payment,
      ChangeImpact.Phases(
        before: windows(60, 240), during: windows(240, 300), after: windows(300, 540)),
      seconds: 10, errorsTolerated: 0.01)
    return Found(
      impact: impact, text: names.mapValues { NodeIdentity(text: $0.text).name })
  }

  /// Scenario: a change that does nothing.
  /// Guarantees: figures of all three times, an interval that holds no effect, nothing harmed, nobody
  /// affected.
  @Test func nothing() async throws {
    let found = await impact([])
    #expect(found.impact.hasBothSides && found.impact.affected.isEmpty)
    #expect(found.impact.effects.map(\.metric) == ChangeEffect.Metric.allCases)
    for effect in found.impact.effects {
      #expect(effect.before != nil && effect.during != nil && effect.after != nil)
      #expect(effect.decision != .harmed, "\(effect)")
      let interval = try #require(effect.interval)
      let none = effect.isDifference ? 0.0 : 1
      #expect(interval.lower <= none && interval.upper.map { $0 >= none } ?? true, "\(effect)")
    }
    #expect(found[.requestRate]?.decision == nil)
  }

  /// Scenario: payment takes three times as long since the change.
  /// Guarantees: its latency and its own time are harmed, by about as much; errors are not; checkout,
  /// which calls it, is affected and slower.
  @Test func slower() async throws {
    let found = await impact([Fault(.slowCode, service: 7, size: 3, start: 240)])
    let ownTime = try #require(found[.selfTime])
    #expect(ownTime.decision == .harmed && ownTime.effect.map { $0 > 1.8 } == true)
    #expect(found[.latencyP50]?.decision == .harmed)
    #expect(found[.errorRate]?.decision != .harmed)
    let checkout = try #require(
      found.impact.affected.first { found.text[$0.node] == "checkout" })
    #expect(try #require(checkout.latencyAfter) > (try #require(checkout.latencyBefore)))
    #expect(found.impact.causes.first.map { found.text[$0.node] == "payment" } == true)
  }

  /// Scenario: every second request to payment fails since the change.
  /// Guarantees: the error rate is harmed by about as much, and somebody upstream is affected.
  @Test func failing() async throws {
    let found = await impact([Fault(.errors, service: 7, size: 0.5, start: 240)])
    let errors = try #require(found[.errorRate])
    #expect(errors.decision == .harmed)
    #expect(errors.effect.map { $0 > 0.4 && $0 < 0.6 } == true, "\(errors)")
    #expect(!found.impact.affected.isEmpty)
  }

  /// Scenario: a service without requests before, without any at all, and no service.
  /// Guarantees: no effects of what was not seen, and nothing traps.
  @Test func nothingSeen() {
    var window = Window()
    var finding = Finding(window: 0, key: .node(NameID(1)), latency: .millisecond)
    finding.counters[.traces] = 1
    finding.counters[.requestsAdjusted] = 256
    window.add(finding)
    let phases = ChangeImpact.Phases(before: [Window()], during: [], after: [window, window])
    let new = ChangeImpact(of: NameID(1), phases, seconds: 10, errorsTolerated: 0.01)
    #expect(!new.hasBothSides && new.effects.allSatisfy { $0.before == nil && $0.effect == nil })
    let unseen = ChangeImpact(of: NameID(2), phases, seconds: 10, errorsTolerated: 0.01)
    #expect(unseen.effects.allSatisfy { $0.since == nil && $0.interval == nil })
    #expect(ChangeImpact(of: nil, phases, seconds: 10, errorsTolerated: 0.01).effects.isEmpty)
  }
}
