import Foundation
import Model
import Testing

@testable import Impact

@Suite struct FinalTestTests {
  /// `count` windows in which the new version is slower by `slower`, with noise that nobody drew.
  private func windows(_ count: Int, slower: Double) -> [ComparedWindow] {
    (0..<count).map { index in
      let noise = 0.09 * sin(Double(index) * 2.4)
      return Sample.window(
        index, Sample.side(50, mean: 17 + noise + log(slower)), Sample.side(450, mean: 17))
    }
  }

  private func test(
    _ windows: [ComparedWindow], deadline: Int, fixedAt: Int, until: Int
  ) -> FinalTest.Result? {
    var test = FinalTest(
      FixedDeadline(time: Sample.time(deadline), fixedAt: Sample.time(fixedAt)))
    for window in windows { test.add(window) }
    return test.result(until: Sample.time(until))
  }

  /// Scenario: three minutes before a deadline, at it, and long after it with other windows since.
  /// Guarantees: no word before; the same word ever after, of the windows from when it was fixed.
  @Test func oneLook() throws {
    let all =
      windows(120, slower: 1.06)
      + (120..<200).map {
        Sample.window($0, Sample.side(50, mean: 19), Sample.side(450, mean: 17))
      }
    #expect(test(all, deadline: 120, fixedAt: 3, until: 119) == nil)
    let result = try #require(test(all, deadline: 120, fixedAt: 3, until: 120))
    #expect(result.windows == 117 && result.isHarmed)
    #expect(result.ratio.isNear(1.06, within: 0.01))
    #expect(result.lower > 1.02 && result.lower < result.ratio)
    #expect(test(all, deadline: 120, fixedAt: 3, until: 200) == result)
    #expect(test(all, deadline: 120, fixedAt: 60, until: 200)?.windows == 60)
  }

  /// Scenario: a deadline named when it is nearly over; one that had passed; an innocent version; one
  /// slower by what counts as none.
  /// Guarantees: fewer than thirty windows that nobody knew of say nothing; neither of the versions is
  /// harmed.
  @Test func notTooSure() {
    let slow = windows(120, slower: 1.5)
    #expect(test(slow, deadline: 120, fixedAt: 91, until: 130) == nil)
    #expect(test(slow, deadline: 120, fixedAt: 90, until: 130)?.isHarmed == true)
    #expect(test(slow, deadline: 60, fixedAt: 100, until: 130) == nil)
    for slower in [0.9, 1, 1.02] {
      #expect(
        test(windows(120, slower: slower), deadline: 120, fixedAt: 0, until: 120)?.isHarmed == false
      )
    }
  }

  /// Scenario: a small slowing that lasts, looked at all along and at the deadline.
  /// Guarantees: waits until the deadline, then rolls back for what it found there, as sure as its
  /// share of α; not by the rules of kept verdicts, nor without a deadline.
  @Test func findsWhatIsSmall() throws {
    let all = windows(100, slower: 1.06)
    func answer(_ count: Int, deadline: Int?, rules: GateRules = .latest) -> GateAnswer {
      Gate.answer(
        ConcurrentQuestion(
          version: "v42", baseline: "v41", start: Sample.start, until: Sample.time(count),
          windows: Array(all.prefix(count)),
          deadline: deadline.map {
            FixedDeadline(time: Sample.time($0), fixedAt: Sample.time(3))
          }, settings: GateSettings(rules: rules)))
    }
    let last = try #require((40...100).first { answer($0, deadline: $0).verdict == .rollback })
    #expect(answer(last, deadline: nil).verdict == .wait)
    #expect(answer(last, deadline: last + 1).verdict == .wait)
    let found = answer(last, deadline: last)
    #expect(found.verdict == .rollback)
    #expect(found.confidence >= 0.998)
    #expect(found.reasons[0].hasPrefix("at the deadline, over \(last - 3) windows"))
    #expect(found.evidence.last?.decision == .harmed)
    #expect(answer(last, deadline: last, rules: .apart).verdict == .wait)
  }

  /// Scenario: Student's t at 99.8 % from tables.
  /// Guarantees: the same to 0.01 for thirty degrees of freedom and more.
  @Test func quantiles() {
    for (degrees, expected) in [(30.0, 3.118), (60, 2.994), (120, 2.935), (1e9, 2.878)] {
      let quantile = ShiftEstimate.quantile(FinalTest.normalQuantile, degrees: degrees)
      #expect((quantile - expected).magnitude < 0.012, "\(degrees): \(quantile)")
    }
  }
}
