import Markers
import Model
import TestSupport
import Testing

private func marker(
  _ state: MarkerState?, _ time: Nanos, ended: Nanos? = nil, version: String = "",
  scaling: Marker.Scaling? = nil
) -> Marker {
  Marker(
    kind: .deployment, service: "a", time: time, endTime: ended, state: state, version: version,
    scaling: scaling, dedupeKey: "k")
}

@Suite struct MarkerLifeTests {
  /// Scenario: markers say an end without a state, a state without an end, both, or neither.
  /// Guarantees: what is over has an end, and nothing else has; old ids stay what they were.
  @Test func ends() {
    #expect(marker(nil, 5).state == nil && marker(nil, 5).endTime == nil)
    #expect(marker(nil, 5, ended: 7).state == .finished)
    #expect(marker(.failed, 5).endTime == 5)
    #expect(marker(.started, 5, ended: 7).endTime == nil)
    let unkeyed = Marker(kind: .config, service: "a", time: 5, endTime: 7)
    #expect(
      unkeyed.id == Marker(kind: .config, service: "a", time: 5, endTime: 7, state: .finished).id)
    #expect(
      unkeyed.id != Marker(kind: .config, service: "a", time: 5, endTime: 7, state: .failed).id)
  }

  /// Scenario: a change begins, ends, is taken back; its beginning is told last.
  /// Guarantees: its state only moves on; its end is that of the state it has.
  @Test func forward() {
    let finished = marker(.finished, 8, version: "v2")
    var life = finished.merged(with: marker(.inProgress, 5))
    #expect(life.state == .finished && life.time == 5 && life.endTime == 8)
    life = life.merged(with: marker(.started, 3))
    #expect(life.state == .finished && life.time == 3 && life.version == "v2")
    life = life.merged(with: marker(.finished, 9))
    #expect(life.endTime == 8)
    life = life.merged(with: marker(.rolledBack, 20))
    #expect(life.state == .rolledBack && life.endTime == 20 && life.time == 3)
    #expect(life.merged(with: finished) == life)
  }

  /// Scenario: instances of a group are launched, and others ended, one message each.
  /// Guarantees: steps in one direction are one step from the first to the last.
  @Test func scaling() {
    let up = marker(nil, 1, scaling: .init(from: 2, to: 3))
      .merged(with: marker(nil, 2, scaling: .init(from: 3, to: 5, reason: "cpu")))
    #expect(up.scaling == .init(from: 2, to: 5, reason: "cpu"))
    let down = marker(nil, 1, scaling: .init(from: 5, to: 4))
      .merged(with: marker(nil, 2, scaling: .init(from: 4, to: 1)))
    #expect(down.scaling == .init(from: 5, to: 1))
    #expect(up.merged(with: down).scaling == up.scaling)
  }

  /// Scenario: random messages about one change, merged in random orders and groups, some twice.
  /// Guarantees: one answer.
  @Test func anyOrder() {
    var generator = SeededGenerator()
    for _ in 0..<500 {
      let messages = (0..<(2 + generator.below(6))).map { _ in random(&generator) }
      let expected = merged(messages)
      for _ in 0..<4 {
        var again = messages + [messages[generator.below(messages.count)]]
        again.shuffle(using: &generator)
        let split = 1 + generator.below(again.count - 1)
        let grouped = merged(Array(again[..<split])).merged(with: merged(Array(again[split...])))
        #expect(grouped == expected)
      }
    }
  }

  private func merged(_ markers: [Marker]) -> Marker {
    markers.dropFirst().reduce(markers[0]) { $0.merged(with: $1) }
  }

  private func random(_ generator: inout SeededGenerator) -> Marker {
    let texts = ["", "a", "b", "c"]
    var attributes: [String: MarkerAttribute] = [:]
    for _ in 0..<generator.below(40) {
      attributes["\(generator.below(90))"] = .integer(Int64(generator.below(3)))
    }
    let states = [nil] + MarkerState.allCases.map(Optional.some)
    let hasSize = generator.below(3) > 0
    return Marker(
      kind: MarkerKind.allCases[generator.below(3)], service: texts[generator.below(4)],
      namespace: texts[generator.below(4)], environment: texts[generator.below(4)],
      time: Nanos(generator.below(5)), endTime: generator.below(2) == 0 ? nil : 9,
      state: states[generator.below(states.count)], version: texts[generator.below(4)],
      previousVersion: texts[generator.below(4)],
      scaling: hasSize
        ? .init(
          from: generator.below(3) == 0 ? nil : generator.below(5), to: generator.below(5),
          reason: texts[generator.below(4)]) : nil,
      source: texts[generator.below(4)], dedupeKey: "k", url: texts[generator.below(4)],
      attributes: attributes)
  }
}
