import Impact
import Logging
import Model
import Receive
import Testing

@testable import Gateway
@testable import Query

private let change = GateRig.change

/// Scenario for all: a service with a change, whose event time a test owns.
@Suite("What a change did, from spans to the report") struct ImpactInquiryTests {
  private func report(_ shop: GateRig, _ marker: Marker) async throws -> ImpactReport {
    let engine = shop.engine
    let receiver = Receiver(
      configuration: ReceiverConfiguration(), group: shop.rig.group, sink: engine.pipeline,
      names: engine.names, clock: { engine.now }, logger: Logger(label: "test"))
    let doors = try Doors(
      configuration: Configuration(), clock: { engine.now }, logger: Logger(label: "test"))
    let backend = GatewayBackend(
      engine: engine, receiver: receiver, doors: doors, configuration: Configuration(),
      clock: { engine.now })
    let call = Call(
      backend: backend, configuration: QueryConfiguration(), tenant: .standard, segments: [:],
      parameters: ParameterReader())
    return try await ImpactInquiry(call, marker, environment: nil).report()
  }

  /// Scenario: a deployment takes two minutes; five minutes of event time after its end, a version that
  /// does as the one before, one that fails more, one that is slower.
  /// Guarantees: an assessment stands, with an interval and a decision of errors and latency, and the
  /// time after the end is looked at by itself.
  @Test(arguments: [
    (0, 50.0, ImpactReport.Assessment.noWorse), (6, 50, .worse), (0, 120, .worse),
  ]) func standsWithinFiveMinutes(
    errors: Int, milliseconds: Double, assessment: ImpactReport.Assessment
  ) async throws {
    let shop = try await GateRig(now: 8)
    try await shop.serve("v41", in: -60..<12)
    try await shop.serve("v42", in: 0..<42, errors: errors, milliseconds: milliseconds)
    try await shop.reach(42)
    let marker = try shop.engine.store.insert(
      Marker(
        kind: .deployment, service: "checkout", time: change, endTime: change + 2 * .minute,
        state: .finished, version: "v42", previousVersion: "v41"))
    let stored = try #require(try shop.engine.store.marker(marker.id, tenant: .standard))
    let report = try await report(shop, stored)
    #expect(report.assessment == assessment, "\(report.reasons)")
    #expect(report.during?.start == change && report.during?.end == change + 2 * .minute)
    let after = try #require(report.after)
    #expect(after.start == change + 2 * .minute && after.end <= change + 7 * .minute)
    for metric in [ChangeEffect.Metric.errorRate, .latencyP95] {
      let effect = try #require(report.impact?.effects.first { $0.metric == metric })
      #expect(effect.interval != nil && effect.decision != nil && effect.after != nil)
    }
    #expect(report.title == "shop/checkout" && !report.reasons.isEmpty)
    try await shop.stop()
  }

  /// Scenario: a scaling after which requests take longer; the same report before any window since then
  /// is finished.
  /// Guarantees: worse, although no version tells of it; nothing to go by yet.
  @Test func scaling() async throws {
    let shop = try await GateRig(now: 8)
    let scaling = Marker(
      kind: .scaling, service: "checkout", namespace: "shop", time: change,
      scaling: Marker.Scaling(from: 5, to: 2))
    let id = try shop.engine.store.insert(scaling).id
    let stored = try #require(try shop.engine.store.marker(id, tenant: .standard))
    try await shop.serve(GateRig.Traffic(milliseconds: 50), in: -60..<0)
    let early = try await report(shop, stored)
    #expect(early.assessment == .noData)
    try await shop.serve(GateRig.Traffic(milliseconds: 90), in: 0..<42)
    try await shop.reach(42)
    let report = try await report(shop, stored)
    #expect(report.assessment == .worse, "\(report.reasons)")
    #expect(report.during == nil && report.after != nil)
    try await shop.stop()
  }
}
