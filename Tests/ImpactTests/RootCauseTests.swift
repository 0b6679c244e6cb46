import Analyse
import Corpus
import Model
import TestSupport
import Testing

@testable import Impact

/// The corpus in release builds is `make accuracy`; here are single changes, each with its answer.
@Suite(.serialized) struct RootCauseTests {
  private static let start: Nanos = 1_700_000_000 * .second / .minute * .minute

  /// Windows of a system to which something happens at second 240, and its causes.
  private func causes(
    _ faults: [Fault], system: SystemDescription = .shop(rate: 8), seed: UInt64 = 5
  ) async -> (causes: [RootCause], text: @Sendable (NameID) -> String) {
    await onOwnThread { RootCauseTests.simulated(faults, system, seed) }
  }

  private static func simulated(
    _ faults: [Fault], _ system: SystemDescription, _ seed: UInt64
  ) -> (causes: [RootCause], text: @Sendable (NameID) -> String) {
    var simulator = Simulator(system, faults: faults, start: RootCauseTests.start, seed: seed)
    var sums = WindowSums()
    var analyser = TraceAnalyser()
    simulator.run(until: 450) { trace in
      var findings: [Finding] = []
      analyser.analyse(
        trace.spans, key: TraceKey(tenant: .standard, trace: trace.id), into: &findings)
      sums.add(findings)
    }
    func windows(_ from: Int, _ to: Int) -> [Window] {
      stride(from: from, to: to, by: 10).map {
        sums.windows[RootCauseTests.start + Nanos($0) * .second] ?? Window()
      }
    }
    let found = RootCauses(base: windows(60, 240), current: windows(240, 420), seconds: 10)
    let names = simulator.names.all
    return (found.causes, { names[$0].map { NodeIdentity(text: $0.text).name } ?? "" })
  }

  /// Scenario: nothing happens.
  /// Guarantees: nothing is found.
  @Test func healthy() async { #expect(await causes([]).causes.isEmpty) }

  /// Scenario: one thing goes wrong in the shop: a service slower, failing, behind a slow network, or
  /// answering at once; a database slower.
  /// Guarantees: it is the first cause, with what is wrong and the way from the entry to it.
  @Test(arguments: [
    (Fault(.slowCode, service: 7, size: 2.5, start: 240), "payment", RootCause.Kind.selfTime),
    (Fault(.errors, service: 2, size: 0.1, start: 240), "currency", .errors),
    (Fault(.networkDelay, service: 6, size: 20, start: 240), "cart", .edgeGap),
    (Fault(.earlyReturn, service: 5, size: 0.7, start: 240), "checkout", .structure),
    (Fault(.slowDatabase, service: 11, size: 5, start: 240), "products-db", .selfTime),
    (Fault(.lostInstances, service: 2, size: 1, start: 240), "currency", .errors),
    (Fault(.wrongAddress, service: 5, callee: 7, size: 0.6, start: 240), "checkout", .errors),
  ]) func found(fault: Fault, service: String, kind: RootCause.Kind) async throws {
    let (causes, text) = await causes([fault])
    let first = try #require(causes.first)
    #expect(text(first.node) == service && first.kind == kind)
    #expect(first.evidence.first.map { $0.deviation.magnitude > CauseSearch.deviationMin } == true)
    #expect(first.path.first.map(text) == "frontend" && first.path.last.map(text) == service)
    #expect(abs(causes.reduce(0) { $0 + $1.confidence } - 1) < 1e-9)
  }

  /// Scenario: a slow service, whose callers get slower too.
  /// Guarantees: the callers are affected and no causes.
  @Test func callersAreAffected() async throws {
    let (causes, text) = await causes([Fault(.slowCode, service: 7, size: 4, start: 240)])
    let first = try #require(causes.first)
    #expect(Set(first.affected.map(text)).isSuperset(of: ["checkout"]))
    #expect(!causes.contains { ["checkout", "frontend"].contains(text($0.node)) })
  }

  /// Scenario: a service so slow that its caller gives up on it and fails.
  /// Guarantees: the caller's errors began at the caller, but the slow service is the cause.
  @Test func callersGiveUp() async throws {
    let (causes, text) = await causes([Fault(.slowCode, service: 7, size: 200, start: 240)])
    let first = try #require(causes.first)
    #expect(text(first.node) == "payment" && first.kind == .selfTime)
    #expect(!causes.contains { text($0.node) == "checkout" && $0.kind == .errors })
  }

  /// Scenario: everything slower at once; three times as many requests.
  /// Guarantees: the platform, or the load, and no single service before it.
  @Test func everywhere() async throws {
    #expect(await causes([Fault(.shock, size: 1.6, start: 240)]).causes.first?.kind == .platform)
    let load = await causes([Fault(.surge, size: 3, start: 240)]).causes
    #expect(load.first?.kind == .load)
  }

  /// Scenario: no windows, one window, empty windows, and more now than before.
  /// Guarantees: nothing is found and nothing fails.
  @Test func nothingToCompare() {
    #expect(RootCauses(base: [], current: [], seconds: 10).causes.isEmpty)
    #expect(RootCauses(base: [Window()], current: [Window()], seconds: 10).causes.isEmpty)
    let node = Finding(
      window: 0, key: .node(NameID(1)), latency: 5 * .millisecond, ownTime: 5 * .millisecond)
    var window = Window()
    window.add(node)
    #expect(RootCauses(base: [window], current: [window, window], seconds: 10).causes.isEmpty)
  }

  /// Scenario: means over windows whose neighbours go together, and over windows that do not.
  /// Guarantees: the same values, one after the other in blocks, are worth less evidence.
  @Test func neighboursGoTogether() throws {
    var apart = Observations(windows: 24)
    var together = Observations(windows: 24)
    for window in 0..<24 {
      apart.counts[window] = 10
      together.counts[window] = 10
      // Whether the number of ones in the window's number is even: no two lags agree.
      apart.sums[window] = window.nonzeroBitCount % 2 == 0 ? 100 : 120
      together.sums[window] = window / 6 % 2 == 0 ? 100 : 120
    }
    #expect(apart.mean == 11 && together.mean == 11)
    let first = try #require(apart.variance)
    let second = try #require(together.variance)
    #expect(second > 1.5 * first)
    #expect(Observations(windows: 3).variance == nil && Observations(windows: 3).mean == nil)
  }

  /// Scenario: shares of few and of many, with none before, and one side empty.
  /// Guarantees: more events are more evidence; none of many is not certainty; nothing without events.
  @Test func shares() throws {
    func share(_ events: Double, of count: Double) -> Observations {
      var observations = Observations(windows: 1)
      observations.counts = [count]
      observations.sums = [events]
      return observations
    }
    let few = try #require(ShareChange(share(0, of: 100), share(3, of: 100)))
    let many = try #require(ShareChange(share(0, of: 10_000), share(300, of: 10_000)))
    #expect(few.deviation < 2 && many.deviation > 10)
    #expect(ShareChange(share(0, of: 0), share(1, of: 10)) == nil)
  }
}
