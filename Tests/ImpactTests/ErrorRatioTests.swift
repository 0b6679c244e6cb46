import Foundation
import TestSupport
import Testing

@testable import Impact

@Suite struct ErrorRatioTests {
  /// Requests and errors of both versions and failures nobody can place, window by window.
  static let windows: [ComparedWindow] = [
    (50, 1, 450, 2, 0), (48, 0, 461, 3, 0), (55, 2, 440, 0, 1), (52, 0, 430, 0, 0),
    (47, 3, 455, 1, 0), (0, 0, 450, 2, 4), (51, 1, 0, 0, 0), (60, 2, 300, 4, 0),
  ].enumerated().map { index, counts in
    Sample.window(
      index, Sample.side(counts.0, counts.1), Sample.side(counts.2, counts.3), unknown: counts.4)
  }

  static func test(_ windows: some Sequence<ComparedWindow>) -> ErrorRatioTest {
    var test = ErrorRatioTest()
    for window in windows { test.add(window) }
    return test
  }

  /// Scenario: eight windows; the e-values computed from binomial probabilities with SciPy.
  /// Guarantees: the same, with errors taken as independent and in bursts.
  @Test func evidenceIsThatOfBinomials() {
    let test = ErrorRatioTests.test(ErrorRatioTests.windows)
    #expect(test.logEvidenceOfHarm(dispersion: 1).isNear(4.661291073169833))
    #expect(test.logEvidenceOfHarm(dispersion: 2.5).isNear(1.7654016394978507))
    #expect(test.logEvidenceOfSafety(dispersion: 1).isNear(-5.58301453048399))
    #expect(test.logEvidenceOfSafety(dispersion: 2.5).isNear(-3.1365496656074376))
    #expect(test.decision(alpha: 0.01, dispersion: 1) == .harmed)
    #expect(test.decision(alpha: 0.01, dispersion: 2.5) == .undecided)
    #expect(test.currentFailures == 8)
    #expect(test.windowsWithFailures == 4)
  }

  /// Scenario: the likeliest ratio and the interval of the same windows, found with SciPy by
  /// maximising and by inverting the exact likelihood.
  /// Guarantees: the ratio to 1 %; the interval contains the exact one and is at most 3 % wider.
  @Test func intervalContainsTheExactOne() throws {
    let test = ErrorRatioTests.test(ErrorRatioTests.windows)
    #expect(try #require(test.ratio).isNear(5.980813606719133, within: 0.01))
    let narrow = test.ratioInterval(alpha: 0.01, dispersion: 1)
    #expect(narrow.lower <= 0.8759614924247722 && narrow.lower > 0.8759614924247722 * 0.97)
    let upper = try #require(narrow.upper)
    #expect(upper >= 36.25826100666742 && upper < 36.25826100666742 * 1.03)
    let wide = test.ratioInterval(alpha: 0.01, dispersion: 2.5)
    #expect(wide.lower <= 0.24153642529671693 && wide.lower > 0.24153642529671693 * 0.97)
    #expect(try #require(wide.upper) >= 109.98724906061862)
  }

  /// Scenario: so many errors that the exact interval lies between two ratios of the grid.
  /// Guarantees: the true ratio is inside, and the interval is within a few percent of it.
  @Test func intervalHoldsBetweenTheGridsRatios() throws {
    for exponent in stride(from: -1.0, through: 1, by: 0.03) {
      let truth = exp2(exponent)
      let errors = Int64((1_000_000 * truth).rounded())
      let window = Sample.window(
        0, Sample.side(1 << 30, errors), Sample.side(1 << 30, 1_000_000))
      let test = ErrorRatioTests.test([window])
      let interval = test.ratioInterval(alpha: 0.01, dispersion: 1)
      let upper = try #require(interval.upper)
      #expect(interval.lower <= truth && truth <= upper)
      #expect(upper / interval.lower < 1.2)
      #expect(try #require(test.ratio).isNear(truth, within: 0.01))
    }
  }

  /// Scenario: no window; no errors; errors of one version only.
  /// Guarantees: no evidence without errors; a ratio only where there is one; intervals open where
  /// nothing bounds them.
  @Test func edges() {
    let nothing = ErrorRatioTest()
    #expect(nothing.logEvidenceOfHarm(dispersion: 1) == 0)
    #expect(nothing.logEvidenceOfSafety(dispersion: 1) == 0)
    #expect(nothing.ratio == nil)
    #expect(
      nothing.ratioInterval(alpha: 0.01, dispersion: 1) == RatioInterval(lower: 0, upper: nil))
    #expect(nothing.decision(alpha: 0.01, dispersion: 1) == .undecided)

    let clean = ErrorRatioTests.test([Sample.window(0, Sample.side(50), Sample.side(50))])
    #expect(clean.logEvidenceOfHarm(dispersion: 1) == 0)
    #expect(clean.currentRequests == 50)

    let onlyCurrent = ErrorRatioTests.test([
      Sample.window(0, Sample.side(50, 9), Sample.side(450, 0))
    ])
    #expect(onlyCurrent.ratio == nil)
    #expect(onlyCurrent.decision(alpha: 0.01, dispersion: 1) == .harmed)
    let above = onlyCurrent.ratioInterval(alpha: 0.01, dispersion: 1)
    #expect(above.upper == nil && above.lower > 1.1)

    let onlyBaseline = ErrorRatioTests.test([
      Sample.window(0, Sample.side(450, 0), Sample.side(450, 20))
    ])
    #expect(onlyBaseline.ratio == 0)
    #expect(onlyBaseline.decision(alpha: 0.01, dispersion: 1) == .safe)
    let below = onlyBaseline.ratioInterval(alpha: 0.01, dispersion: 1)
    #expect(below.lower == 0)
    #expect(below.upper.map { $0 < 1 } ?? false)
  }

  /// Scenario: ratios beyond the ends of the grid, and the greatest counts there are.
  /// Guarantees: finite numbers.
  @Test func hugeCountsStayFinite() {
    let all: Int64 = 1 << 40
    for (current, baseline) in [
      (Sample.side(all, all), Sample.side(all, 1)), (Sample.side(all, 1), Sample.side(all, all)),
      (Sample.side(1, 1), Sample.side(all, all)), (Sample.side(all, all), Sample.side(1, 1)),
    ] {
      let test = ErrorRatioTests.test([Sample.window(0, current, baseline)])
      #expect(test.logEvidenceOfHarm(dispersion: 1).isFinite)
      #expect(test.logEvidenceOfSafety(dispersion: 1).isFinite)
      #expect(test.ratio?.isFinite == true)
      let interval = test.ratioInterval(alpha: 0.01, dispersion: 1)
      #expect(interval.lower.isFinite && interval.upper?.isFinite != false)
    }
  }

  /// Scenario: failures nobody can place, beside a version without errors of its own.
  /// Guarantees: they take safety away and are no harm.
  @Test func unknownFailuresTakeSafetyAway() {
    let clean = (0..<20).map { Sample.window($0, Sample.side(100), Sample.side(100, 2)) }
    let shadowed = (0..<20).map {
      Sample.window($0, Sample.side(100), Sample.side(100, 2), unknown: 6)
    }
    #expect(ErrorRatioTests.test(clean).decision(alpha: 0.01, dispersion: 1) == .safe)
    let test = ErrorRatioTests.test(shadowed)
    #expect(test.decision(alpha: 0.01, dispersion: 1) == .undecided)
    #expect(test.logEvidenceOfHarm(dispersion: 1) < 0)
    #expect(test.currentFailures == 0)
  }

  /// Scenario: failed calls to an instance known to run the version, which sent nothing itself.
  /// Guarantees: harm, as if it had reported them.
  @Test func unseenFailuresAreItsOwn() {
    let windows = (0..<6).map {
      Sample.window($0, Sample.side(0, unseen: 5), Sample.side(450, 2))
    }
    #expect(ErrorRatioTests.test(windows).decision(alpha: 0.01, dispersion: 1) == .harmed)
  }

  /// Scenario: random windows, added in one go, split in two and merged both ways, shuffled.
  /// Guarantees: the same evidence up to rounding, the same counts exactly.
  @Test func mergesInAnyOrder() {
    var random = SeededGenerator()
    for _ in 0..<20 {
      let windows = (0..<30).map { index in
        let requests = random.below(Int64(200))
        return Sample.window(
          index, Sample.side(requests, random.below(requests + 1)),
          Sample.side(random.below(500), random.below(5)), unknown: random.below(3))
      }
      let whole = ErrorRatioTests.test(windows)
      let cut = Int(random.below(30))
      let first = ErrorRatioTests.test(windows[..<cut])
      let second = ErrorRatioTests.test(windows[cut...])
      var forwards = first
      forwards.merge(second)
      var backwards = second
      backwards.merge(first)
      let shuffled = ErrorRatioTests.test(windows.shuffled(using: &random))
      for other in [forwards, backwards, shuffled] {
        #expect(
          whole.logEvidenceOfHarm(dispersion: 1).isNear(other.logEvidenceOfHarm(dispersion: 1)))
        #expect(
          whole.logEvidenceOfSafety(dispersion: 1).isNear(other.logEvidenceOfSafety(dispersion: 1)))
        #expect(whole.currentFailures == other.currentFailures)
        #expect(whole.baselineRequests == other.baselineRequests)
        #expect(whole.windowsWithFailures == other.windowsWithFailures)
      }
    }
  }

  /// Scenario: both versions err alike, six hundred histories of 180 looks each.
  /// Guarantees: the e-value against "no more than 1.1 times" reaches 100 in at most 1 %.
  @Test func rarelyCriesWolf() {
    var random = SimulatedRandom(seed: 3)
    var alarms = 0
    for _ in 0..<600 {
      var test = RatioLikelihood(
        ratios: [1.1] + ErrorRatioTest.logarithmicGrid(from: 1.375, to: 11, count: 12))
      for _ in 0..<180 {
        test.add(
          PairCounts(
            currentRequests: 50, currentFailures: Double(random.poisson(0.55)),
            baselineRequests: 450, baselineFailures: Double(random.poisson(4.5))))
        if test.logEvidence(against: 0, for: 1..<13, dispersion: 1) >= log(100) {
          alarms += 1
          break
        }
      }
    }
    #expect(alarms <= 6)
  }
}
