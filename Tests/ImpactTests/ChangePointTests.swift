import Foundation
import TestSupport
import Testing

@testable import Impact

/// Where a series goes over to another level, over simulated series whose truth is known.
@Suite(.serialized) struct ChangePointTests {
  /// Noise that goes together over some time, with noise of its own in each window on top.
  private struct Noise {
    var random: SimulatedRandom
    var persistence: Double
    var ownShare: Double
    var isHeavy = false
    private var level: Double?

    init(seed: UInt64, persistence: Double, ownShare: Double = 0, isHeavy: Bool = false) {
      random = SimulatedRandom(seed: seed)
      self.persistence = persistence
      self.ownShare = ownShare
      self.isHeavy = isHeavy
    }

    mutating func next() -> Double {
      let fresh = random.normal()
      let moved =
        level.map {
          persistence * $0 + (1 - persistence * persistence).squareRoot() * fresh
        } ?? fresh
      level = moved
      var own = random.normal()
      if isHeavy, random.uniform() < 0.02 { own *= 6 }
      return (1 - ownShare).squareRoot() * moved + ownShare.squareRoot() * own
    }
  }

  private static func series(
    _ noise: inout Noise, windows: Int = 360, _ level: (Int) -> Double = { _ in 0 }
  ) -> ObservedSeries {
    ObservedSeries(
      values: (0..<windows).map { level($0) + noise.next() },
      weights: Array(repeating: 1, count: windows))
  }

  /// Scenario: 500 series without a change, each of noise of one sort: independent, going together over
  /// some windows or over many, with and without noise of each window's own, with rare large values.
  /// Guarantees: a change is found in no more of them than was asked for, by three standard errors.
  @Test(arguments: [
    (0.0, 0.0, false), (0.5, 0.0, false), (0.8, 0.0, false), (0.9, 0.5, false), (0.0, 1.0, true),
  ]) func falseAlarms(persistence: Double, ownShare: Double, isHeavy: Bool) async {
    let alpha = 0.01
    let count = 500
    let found = await onOwnThread {
      (0..<count).count { seed in
        var noise = Noise(
          seed: UInt64(seed), persistence: persistence, ownShare: ownShare, isHeavy: isHeavy)
        return !ChangePoints.find(in: ChangePointTests.series(&noise), alpha: alpha).isEmpty
      }
    }
    let limit = alpha * Double(count) + 3 * (alpha * Double(count)).squareRoot()
    #expect(Double(found) <= limit)
  }

  /// Scenario: 200 series that go up by two standard deviations of a window at window 270, or, where
  /// neighbours go together, by four.
  /// Guarantees: it is found in nearly all, once, and the interval of its onset holds the truth.
  @Test(arguments: [(0.0, 2.0), (0.5, 4.0)]) func steps(persistence: Double, size: Double) async {
    let (found, held, single) = await onOwnThread {
      var found = 0
      var held = 0
      var single = 0
      for seed in 0..<200 {
        var noise = Noise(seed: UInt64(seed) + 9_000, persistence: persistence)
        let series = ChangePointTests.series(&noise) { $0 < 270 ? 0 : size }
        let points = ChangePoints.find(in: series, alpha: 1e-5)
        if let first = points.first {
          found += 1
          if first.interval.contains(270) { held += 1 }
        }
        if points.count == 1 { single += 1 }
      }
      return (found, held, single)
    }
    #expect(found >= 190 && Double(held) >= 0.95 * Double(found) && single >= 190)
  }

  /// Scenario: a level that comes and goes; one that goes up twice; a straight line; a wave of a day.
  /// Guarantees: both ends of the first, both steps of the second; no step where there is none.
  @Test func shapes() {
    var noise = Noise(seed: 3, persistence: 0)
    func positions(_ level: (Int) -> Double) -> [Int] {
      ChangePoints.find(in: ChangePointTests.series(&noise, level), alpha: 1e-3).map(\.position)
    }
    let pulse = positions { (120..<180).contains($0) ? 4 : 0 }
    #expect(pulse.count == 2 && abs(pulse[0] - 120) <= 2 && abs(pulse[1] - 180) <= 2)
    let stairs = positions { $0 < 120 ? 0 : $0 < 240 ? 4 : 8 }
    #expect(stairs.count == 2 && abs(stairs[0] - 120) <= 2 && abs(stairs[1] - 240) <= 2)
    #expect(positions { 0.02 * Double($0) }.isEmpty)
    #expect(positions { 3 * sin(Double($0) / 8_640 * 2 * .pi) }.isEmpty)
  }

  /// Scenario: 1 000 series of rare errors, one in two hundred requests, fifty requests a window.
  /// Guarantees: a change is found in no more than was asked for, by three standard errors.
  @Test func rareEvents() async {
    let found = await onOwnThread {
      (0..<1_000).count { seed in
        var random = SimulatedRandom(seed: UInt64(seed) + 77)
        var series = ObservedSeries(windows: 360)
        for window in 0..<360 {
          series.weights[window] = 50
          series.values[window] = Double(random.binomial(50, chance: 0.005)) / 50
        }
        let share = series.mean(0..<360) ?? 0
        return !ChangePoints.find(
          in: series, alpha: 0.01, varianceFloor: share * (1 - share) / 50
        ).isEmpty
      }
    }
    #expect(Double(found) <= 10 + 3 * 10.0.squareRoot())
  }

  /// Scenario: too few windows; nothing but one value; windows of which most saw nothing.
  /// Guarantees: nothing is found, and positions are those of the windows that saw something.
  @Test func little() {
    let short = ObservedSeries(values: [0, 0, 9, 9], weights: [1, 1, 1, 1])
    #expect(ChangePoints.find(in: short, alpha: 0.01).isEmpty)
    let constant = ObservedSeries(
      values: Array(repeating: 5, count: 100), weights: Array(repeating: 1, count: 100))
    #expect(ChangePoints.find(in: constant, alpha: 0.01).isEmpty)
    #expect(ChangePoints.find(in: ObservedSeries(windows: 100), alpha: 0.01).isEmpty)
    var sparse = ObservedSeries(windows: 300)
    var random = SimulatedRandom(seed: 4)
    for window in stride(from: 0, to: 300, by: 3) {
      sparse.weights[window] = 1
      sparse.values[window] = random.normal() + (window < 150 ? 0 : 6)
    }
    let points = ChangePoints.find(in: sparse, alpha: 0.001)
    #expect(points.count == 1 && points.first?.position == 150)
  }

  /// Scenario: limits for more and for less that is known of the variance.
  /// Guarantees: Kolmogorov's law where it is known; higher the less is.
  @Test func limits() {
    let known = ChangePoints.critical(0.01, freedom: .infinity)
    #expect(abs(known - 1.628) < 0.001)
    #expect(ChangePoints.critical(0.01, freedom: 60) > known)
    #expect(
      ChangePoints.critical(0.01, freedom: 5) > ChangePoints.critical(0.01, freedom: 20))
    #expect(ChangePoints.critical(1e-6, freedom: 20) > ChangePoints.critical(1e-3, freedom: 20))
  }
}
