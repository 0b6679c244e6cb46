import Markers
import Model
import TestSupport
import Testing

private func sighting(
  _ service: UInt64, _ version: UInt64, _ first: Nanos, newest: Nanos? = nil
) -> VersionSighting {
  VersionSighting(
    service: NameID(service), version: NameID(version), first: first, newest: newest ?? first)
}

private func deployment(
  _ service: UInt64, _ version: UInt64, after previous: UInt64, _ time: Nanos
) -> MarkerInference.Deployment {
  .init(
    service: NameID(service), version: NameID(version), previous: NameID(previous), time: time)
}

@Suite struct MarkerInferenceTests {
  /// Scenario: a service's first version, a second one, both again.
  /// Guarantees: only the second is a deployment, once, at its first window.
  @Test func second() {
    var inference = MarkerInference()
    #expect(inference.observe([sighting(1, 10, 100)]).isEmpty)
    #expect(inference.observe([sighting(1, 0, 110)]).isEmpty)
    let changes = inference.observe([sighting(1, 10, 120), sighting(1, 11, 120)])
    #expect(changes.deployments == [deployment(1, 11, after: 10, 120)])
    #expect(changes.retracted.isEmpty)
    #expect(inference.observe([sighting(1, 11, 130), sighting(1, 10, 130)]).isEmpty)
    #expect(inference.observe([sighting(2, 11, 130)]).isEmpty)
  }

  /// Scenario: two versions begin in one window, as when a gateway starts beside a running canary.
  /// Guarantees: neither is a deployment.
  @Test func together() {
    var inference = MarkerInference()
    #expect(inference.observe([sighting(1, 10, 100), sighting(1, 11, 100)]).isEmpty)
  }

  /// Scenario: spans come late: a deployment began earlier, and another version turns out first.
  /// Guarantees: the deployment moves; then it is taken back, and the other becomes one.
  @Test func late() {
    var inference = MarkerInference()
    _ = inference.observe([sighting(1, 10, 100), sighting(1, 11, 120)])
    #expect(
      inference.observe([sighting(1, 11, 110)]).deployments == [deployment(1, 11, after: 10, 110)])
    let changes = inference.observe([sighting(1, 11, 50, newest: 120)])
    #expect(changes.deployments == [deployment(1, 10, after: 11, 100)])
    #expect(changes.retracted.map(\.version) == [NameID(11)])
  }

  /// Scenario: a roll back to an older version, then a new one.
  /// Guarantees: what ran last is the previous version, not what came last.
  @Test func previous() {
    var inference = MarkerInference()
    _ = inference.observe([sighting(1, 10, 100, newest: 500), sighting(1, 11, 200, newest: 250)])
    let changes = inference.observe([sighting(1, 12, 510)])
    #expect(changes.deployments == [deployment(1, 12, after: 10, 510)])
  }

  /// Scenario: what was seen is known again after a restart.
  /// Guarantees: nothing is inferred from it; the next version is.
  @Test func restored() {
    var inference = MarkerInference(knowing: [sighting(1, 10, 100), sighting(1, 11, 200)])
    #expect(inference.observe([sighting(1, 10, 300), sighting(1, 11, 300)]).isEmpty)
    #expect(inference.observe([sighting(1, 12, 310)]).deployments.count == 1)
  }

  /// Scenario: more versions and services than are remembered.
  /// Guarantees: what was not seen for longest is forgotten.
  @Test func bounded() {
    var limits = MarkerInference.Limits()
    limits.versionsPerServiceMax = 3
    limits.servicesMax = 5
    var inference = MarkerInference(limits: limits)
    for time in 0..<100 {
      _ = inference.observe([
        sighting(UInt64(time % 10 + 1), UInt64(time + 1), Nanos(time)),
        sighting(50, UInt64(time + 1), Nanos(time)),
      ])
      #expect(inference.count <= 15)
    }
    let known = MarkerInference(
      knowing: (1...100).map { sighting(1, $0, Nanos($0)) }, limits: limits)
    #expect(known.count == 3)
  }

  /// Scenario: the same sightings in random orders and portions.
  /// Guarantees: in the end the same deployments stand, at the same times.
  @Test func anyOrder() {
    var generator = SeededGenerator()
    for _ in 0..<200 {
      var all: [VersionSighting] = []
      for _ in 0..<(2 + generator.below(12)) {
        all.append(
          sighting(
            UInt64(1 + generator.below(2)), UInt64(1 + generator.below(4)),
            Nanos(generator.below(6)) * windowNanos))
      }
      let expected = standing(all, portion: all.count)
      for portion in 1...3 {
        #expect(standing(all.shuffled(using: &generator), portion: portion) == expected)
      }
    }
  }

  /// What stands after all changes, as `service/version: time`.
  private func standing(_ all: [VersionSighting], portion: Int) -> [String: Nanos] {
    var inference = MarkerInference()
    var standing: [String: Nanos] = [:]
    var rest = all[...]
    while !rest.isEmpty {
      let changes = inference.observe(Array(rest.prefix(portion)))
      rest = rest.dropFirst(portion)
      for gone in changes.retracted { standing["\(gone.service)/\(gone.version)"] = nil }
      for new in changes.deployments { standing["\(new.service)/\(new.version)"] = new.time }
    }
    return standing
  }
}

@Suite struct MarkerMergingTests {
  private let service = NodeIdentity(environment: "prod", namespace: "shop", name: "checkout")
  private let time: Nanos = 1_000 * .hour

  private var inferred: Marker {
    Marker(
      inferredFor: "v2", of: service, tenant: .standard, time: time, previousVersion: "v1")
  }

  private func announced(
    _ kind: MarkerKind = .deployment, service: String = "checkout", namespace: String = "shop",
    environment: String = "prod", version: String = "v2", time: Nanos? = nil
  ) -> Marker {
    Marker(
      kind: kind, service: service, namespace: namespace, environment: environment,
      time: time ?? self.time, version: version)
  }

  /// Scenario: a deployment is inferred and announced, in either order; the announcement names all,
  /// or neither namespace nor environment.
  /// Guarantees: the announced one stands for both.
  @Test func same() {
    let late = time + .hour
    for marker in [
      announced(), announced(namespace: "", environment: ""), announced(time: late),
      announced(time: time - .hour),
    ] {
      #expect(MarkerMerging.rule.place(marker, [inferred]) == .replacing([inferred.id]))
      #expect(MarkerMerging.rule.place(inferred, [marker]) == .within(marker.id))
    }
  }

  /// Scenario: another service, version, place, kind or time.
  /// Guarantees: both stand.
  @Test func different() {
    for marker in [
      announced(.config), announced(service: "cart"), announced(namespace: "x"),
      announced(environment: "staging"), announced(version: "v3"),
      announced(time: time + .hour + 1), announced(time: time - .hour - 1),
    ] {
      #expect(MarkerMerging.rule.place(marker, [inferred]) == .replacing([]))
      #expect(MarkerMerging.rule.place(inferred, [marker]) == .replacing([]))
    }
    #expect(MarkerMerging.rule.place(announced(), [announced(time: 1)]) == .replacing([]))
  }

  /// Scenario: the same version is announced twice.
  /// Guarantees: the nearest stands for what the spans show, whatever their order.
  @Test func nearest() {
    let near = announced(time: time - .minute)
    let far = announced(time: time + 2 * .minute)
    #expect(MarkerMerging.rule.place(inferred, [near, far]) == .within(near.id))
    #expect(MarkerMerging.rule.place(inferred, [far, near]) == .within(near.id))
  }
}
