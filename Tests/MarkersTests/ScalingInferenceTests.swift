import Markers
import Model
import TestSupport
import Testing

private let minute: Nanos = .minute

/// An instance that was seen from one minute to another, after the first hour.
private func sighting(
  _ instance: UInt64, _ first: Nanos, _ newest: Nanos, version: UInt64 = 0, service: UInt64 = 1
) -> InstanceSighting {
  InstanceSighting(
    service: NameID(service), instance: NameID(instance), version: NameID(version),
    first: .hour + first * minute, newest: .hour + newest * minute)
}

private func steps(_ sightings: [InstanceSighting]) -> [String] {
  var inference = ScalingInference()
  return inference.observe(sightings).steps.map(text)
}

private func text(_ step: ScalingInference.Step) -> String {
  "\(step.from)→\(step.to) at \((step.time - .hour) / minute)\(step.isRollout ? " rollout" : "")"
}

@Suite struct ScalingInferenceTests {
  /// Scenario: a service starts with two instances; later two more come, within two minutes of each
  /// other, and three go.
  /// Guarantees: two scalings, each from the first instance to the last; the first instances are none.
  @Test func upAndDown() {
    #expect(steps([sighting(1, 0, 9), sighting(2, 0, 9)]) == [])
    #expect(
      steps([
        sighting(1, 0, 60), sighting(2, 0, 40), sighting(3, 20, 41), sighting(4, 22, 41),
      ]) == ["2→4 at 20", "4→1 at 40"])
  }

  /// Scenario: an instance is not seen for a while and comes again; the newest instance came just now.
  /// Guarantees: neither is told before it is certain; what was told and turns out wrong is taken back.
  @Test func notYet() {
    var inference = ScalingInference()
    #expect(inference.observe([sighting(1, 0, 10), sighting(2, 0, 8)]).isEmpty)
    #expect(inference.observe([sighting(1, 0, 12)]).isEmpty)
    let gone = inference.observe([sighting(1, 0, 14)])
    #expect(gone.steps.map(text) == ["2→1 at 8"])
    let back = inference.observe([sighting(2, 14, 14)])
    #expect(back.steps.isEmpty && back.retracted == gone.steps)
    #expect(inference.observe([sighting(1, 0, 15), sighting(2, 15, 15)]).isEmpty)
  }

  /// Scenario: a rolling deployment with a surge; one that leaves one more; autoscaling without a new
  /// version.
  /// Guarantees: the surge is no scaling; what stays is one of a rollout; the last is one of none.
  @Test func rollout() {
    let old = (1...3).map { sighting($0, 0, 20 + Nanos($0), version: 1) }
    let new = (4...6).map { sighting($0, 16 + Nanos($0), 40, version: 2) }
    #expect(steps(old + new) == [])
    let more = old + new + [sighting(7, 22, 40, version: 2)]
    #expect(steps(more) == ["3→4 at 20 rollout"])
    let later = old + new + [sighting(8, 30, 40, version: 2)]
    #expect(steps(later) == ["3→4 at 30"])
  }

  /// Scenario: more instances and services than are remembered; a service that is seen for hours.
  /// Guarantees: nothing is said of what is not known whole; what is long over is forgotten.
  @Test func bounded() {
    var limits = ScalingInference.Limits()
    limits.instancesPerServiceMax = 4
    limits.servicesMax = 3
    var inference = ScalingInference(limits: limits)
    let many = (1...20).map { sighting($0, Nanos($0) * 10, 400) }
    #expect(inference.observe(many).isEmpty)
    for service in 2...9 as ClosedRange<UInt64> {
      _ = inference.observe([sighting(1, 0, Nanos(service), service: service)])
    }
    #expect(inference.count <= 12)
    var long = ScalingInference()
    for number in 0..<200 as Range<UInt64> {
      let begin = Nanos(number) * 10
      _ = long.observe([sighting(1, 0, begin), sighting(number + 2, begin, begin + 5)])
      #expect(long.count < 12)
    }
  }

  /// Scenario: after a restart the last hour is known again.
  /// Guarantees: nothing is told twice, and nothing of what is only the ground; the next step is.
  @Test func restored() {
    let known = [sighting(1, 0, 60), sighting(2, 4, 60), sighting(3, 30, 60)]
    var inference = ScalingInference(knowing: known, since: .hour)
    #expect(
      inference.observe([sighting(1, 60, 61), sighting(2, 60, 61), sighting(3, 60, 61)]).isEmpty)
    let next = inference.observe([
      sighting(1, 61, 80), sighting(2, 61, 80), sighting(3, 61, 80), sighting(4, 70, 80),
    ])
    #expect(next.steps.map(text) == ["3→4 at 70"])
    #expect(next.retracted.isEmpty)
  }

  /// Scenario: the same sightings in random orders and portions, within what stays open.
  /// Guarantees: in the end the same scalings stand.
  @Test func anyOrder() {
    var generator = SeededGenerator()
    for _ in 0..<200 {
      var all: [InstanceSighting] = []
      for _ in 0..<(2 + generator.below(20)) {
        let first = Nanos(generator.below(50))
        all.append(
          sighting(
            UInt64(1 + generator.below(6)), first, first + Nanos(generator.below(8)),
            version: UInt64(generator.below(3)), service: UInt64(1 + generator.below(2))))
      }
      let expected = standing(all, portion: all.count)
      for portion in 1...4 {
        #expect(standing(all.shuffled(using: &generator), portion: portion) == expected)
      }
    }
  }

  private func standing(_ all: [InstanceSighting], portion: Int) -> [String: String] {
    var inference = ScalingInference()
    var standing: [String: String] = [:]
    var rest = all[...]
    while !rest.isEmpty {
      let changes = inference.observe(Array(rest.prefix(portion)))
      rest = rest.dropFirst(portion)
      for gone in changes.retracted { standing["\(gone.service)/\(gone.time)"] = nil }
      for new in changes.steps {
        standing["\(new.service)/\(new.time)"] = "\(text(new)) to \(new.endTime)"
      }
    }
    return standing
  }
}

@Suite struct ScalingMergingTests {
  private let service = NodeIdentity(environment: "prod", namespace: "shop", name: "checkout")

  private func inferred(_ from: Int, _ to: Int) -> Marker {
    Marker(
      inferredScaling: .init(from: from, to: to), of: service, tenant: .standard, time: .hour,
      endTime: .hour + .minute, isRollout: false)
  }

  private func announced(_ from: Int?, _ to: Int, _ time: Nanos, name: String = "checkout")
    -> Marker
  {
    Marker(
      kind: .scaling, service: name, namespace: "shop", time: time,
      scaling: .init(from: from, to: to))
  }

  /// Scenario: a scaling is announced, with and without the size before, and seen, in either order.
  /// Guarantees: the announced one stands for both.
  @Test func same() {
    for marker in [
      announced(2, 3, .hour), announced(nil, 3, .hour - 4 * .minute),
      announced(2, 4, .hour + 5 * .minute),
    ] {
      let seen = inferred(2, 3)
      #expect(MarkerMerging.rule.place(marker, [seen]) == .replacing([seen.id]))
      #expect(MarkerMerging.rule.place(seen, [marker]) == .within(marker.id))
    }
  }

  /// Scenario: another way, another service, another time, another kind.
  /// Guarantees: both stand.
  @Test func different() {
    let seen = inferred(2, 3)
    for marker in [
      announced(3, 2, .hour), announced(2, 3, .hour, name: "cart"),
      announced(2, 3, .hour + 10 * .minute), announced(2, 3, .hour - 10 * .minute),
      Marker(kind: .deployment, service: "checkout", time: .hour),
    ] {
      #expect(MarkerMerging.rule.place(marker, [seen]) == .replacing([]))
      #expect(MarkerMerging.rule.place(seen, [marker]) == .replacing([]))
    }
  }
}
