import Testing

@testable import Impact

@Suite struct DispersionTests {
  /// Scenario: two versions' errors, window by window, with the factor computed by hand.
  /// Guarantees: squared steps ÷ errors at their ends: 144 ÷ 42.
  @Test func isTheRatioOfSteps() {
    var dispersion = Dispersion()
    dispersion.add(errors: [2, 3, 0, 1, 5, 2])
    dispersion.add(errors: [1, 0, 2, 0, 3, 0, 9])
    #expect(dispersion.factor.isNear(144.0 / 42))
  }

  /// Scenario: no windows, no errors, the same number every window.
  /// Guarantees: 1, never less.
  @Test func isNeverBelowOne() {
    var dispersion = Dispersion()
    #expect(dispersion.factor == 1)
    dispersion.add(errors: [0, 0, 0])
    #expect(dispersion.factor == 1)
    dispersion.add(errors: [7, 7, 7, 7])
    #expect(dispersion.factor == 1)
  }

  /// Scenario: independent errors, then bursts of eight at the same rate, over many windows.
  /// Guarantees: about 1 and about 8.
  @Test func measuresBursts() {
    var random = SimulatedRandom(seed: 11)
    var alone = Dispersion()
    alone.add(errors: (0..<4000).map { _ in random.poisson(2) })
    #expect(alone.factor < 1.15)
    var bursts = Dispersion()
    bursts.add(errors: (0..<4000).map { _ in 8 * random.poisson(0.25) })
    #expect(bursts.factor > 7 && bursts.factor < 9)
  }

  /// Scenario: two stretches added one by one and merged either way round.
  /// Guarantees: exactly the same.
  @Test func mergesInAnyOrder() {
    var first = Dispersion()
    first.add(errors: [1, 4, 2])
    var second = Dispersion()
    second.add(errors: [0, 9])
    var forwards = first
    forwards.merge(second)
    var backwards = second
    backwards.merge(first)
    #expect(forwards == backwards)
    var together = Dispersion()
    together.add(errors: [1, 4, 2])
    together.add(errors: [0, 9])
    #expect(forwards == together)
  }

  /// Scenario: the first window of a new version holds eight errors, with and without a baseline
  /// that is known to err one at a time.
  /// Guarantees: taken for a burst of eight, less so the more is known.
  @Test func theFirstErrorsAreTakenForABurst() {
    let window = Sample.window(0, Sample.side(50, 8), Sample.side(450))
    var alone = ConcurrentComparison()
    alone.add(window)
    #expect(alone.dispersion.factor == 8)
    let history = (0..<20).map { _ in Sample.side(500, 2) }
    var known = ConcurrentComparison(history: history)
    known.add(window)
    // (8² + 2²) ÷ (8 + 19 · 4 + 2)
    #expect(known.dispersion.factor == 1)
  }
}
