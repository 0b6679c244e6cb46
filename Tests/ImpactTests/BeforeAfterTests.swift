import Foundation
import Testing

@testable import Impact

@Suite struct BeforeAfterTests {
  static let placebos = [
    -0.0061, 0.0149, -0.0231, 0.0231, 0.0329, 0.0009, 0.0186, 0.015, 0.0021, -0.0072, -0.0307,
    0.0382, 0.009, 0.0604, 0.0265, 0.0156, -0.0031, 0.0378, -0.0001, 0.0414, 0.002, 0.0137,
  ]

  /// Stretches whose latency rose by `shift` (of ln), with errors as given.
  static func stretch(
    _ shift: Double, requests: Int64 = 3000, errors: Int64 = 0, before: Int64 = 0
  ) -> Stretch {
    Stretch(
      before: Sample.side(36_000, before, mean: 17),
      after: Sample.side(requests, errors, mean: 17 + shift))
  }

  static func question(
    now: Stretch, earlier: [Stretch?], controls: [StretchSeries] = [], history: [Side] = [],
    unknown: Int64 = 0, settings: GateSettings = GateSettings()
  ) -> BeforeAfterQuestion {
    BeforeAfterQuestion(
      version: "v42", start: Sample.time(0), until: Sample.time(60),
      subject: StretchSeries(now: now, earlier: earlier), controls: controls, history: history,
      unknownFailures: unknown, settings: settings)
  }

  /// Scenario: a shift and 22 earlier ones; effect and width computed with NumPy and SciPy.
  /// Guarantees: the same.
  @Test func estimateIsThatOfTheSpread() throws {
    let estimate = ShiftEstimate(
      shift: Shift(size: 0.035, variance: 1e-6), placebos: BeforeAfterTests.placebos)
    #expect(estimate.effect.isNear(0.022190909090909094, within: 1e-8))
    #expect(try #require(estimate.halfWidth).isNear(0.055745430905740245, within: 1e-4))
    #expect(estimate.rulesOut(1.1))
    #expect(!estimate.rulesOut(1.05))
    // ln 1.05 − effect = 0.0266: fifteen of 22 were off by less.
    let gap = log(1.05) - estimate.effect
    let smaller = BeforeAfterTests.placebos.filter { ($0 - 0.012809090909090909).magnitude < gap }
    #expect(estimate.confidence(below: 1.05) == Double(smaller.count) / 23)
  }

  /// Scenario: Student's t at 99 % from SciPy.
  /// Guarantees: the same to 0.001.
  @Test func quantilesOfStudentsT() {
    for (degrees, expected) in [
      (19, 2.5394831906239625), (20, 2.527977002741573), (30, 2.457261542400591),
      (59, 2.3912288372073567), (200, 2.345137082259468),
    ] {
      #expect((ShiftEstimate.quantile(degrees: Double(degrees)) - expected).magnitude < 0.001)
    }
  }

  /// Scenario: one earlier stretch far off the others.
  /// Guarantees: the width is at least as wide as that.
  @Test func theWorstSeenCounts() throws {
    let estimate = ShiftEstimate(
      shift: Shift(size: 0, variance: 0), placebos: Array(repeating: 0, count: 40) + [0.41])
    #expect(try #require(estimate.halfWidth) > 0.39)
  }

  /// Scenario: nothing ever varied, and there were no errors, in twenty stretches before and now.
  /// Guarantees: a hundred and fifty requests without an error rule out nothing; nor does a spread
  /// of nothing make latency exact.
  @Test func fewRequestsSayLittle() throws {
    let calm = { BeforeAfterTests.stretch(0, requests: 150) }
    let answer = Gate.answer(
      BeforeAfterTests.question(now: calm(), earlier: Array(repeating: calm(), count: 22)))
    #expect(answer.verdict == .wait)
    #expect(answer.evidence.map(\.decision) == [.undecided, .undecided, .undecided])
    // 2.326 · √(0.25 ÷ 150 + 0.25 ÷ 36 000)
    let latency = try #require(answer.evidence.last?.interval)
    #expect(latency.lower.isNear(exp(-0.09516), within: 1e-4))
    #expect(BeforeAfter.errorShift(calm())?.variance == 4)
  }

  /// Scenario: median of none, of an odd and of an even number of values.
  /// Guarantees: 0, the middle one, the mean of the middle two.
  @Test func medians() {
    #expect(BeforeAfter.median([]) == 0)
    #expect(BeforeAfter.median([5, 1, 3]) == 3)
    #expect(BeforeAfter.median([4, 1, 3, 2]) == 2.5)
  }

  /// Scenario: everything became 15 % slower at the moment of the change: this service and three
  /// that have nothing to do with it.
  /// Guarantees: with them the service is promoted, without them it waits.
  @Test func whatHappenedToOthersIsTakenOff() {
    let earlier = BeforeAfterTests.placebos.map { BeforeAfterTests.stretch($0 / 5) as Stretch? }
    let calm = Array(repeating: BeforeAfterTests.stretch(0) as Stretch?, count: 22)
    let others = [0.13, 0.14, 0.3].map {
      StretchSeries(now: BeforeAfterTests.stretch($0), earlier: calm)
    }
    let now = BeforeAfterTests.stretch(0.14)
    let alone = Gate.answer(BeforeAfterTests.question(now: now, earlier: earlier))
    #expect(alone.verdict == .wait)
    #expect(alone.comparison == .beforeAfter)
    #expect(alone.reasons.contains { $0.contains("5 % slower is not ruled out") })
    #expect(alone.reasons.contains { $0.contains("no other services") })
    let answer = Gate.answer(
      BeforeAfterTests.question(now: now, earlier: earlier, controls: others))
    #expect(answer.verdict == .promote)
    #expect(answer.reasons.contains { $0.contains("less what happened to 3 other services") })
    #expect(answer.confidence > 0.9 && answer.confidence < 1)
    #expect(answer.evidence.map(\.decision) == [.safe, .safe, .safe])
    #expect(answer.etaSeconds == nil)
  }

  /// Scenario: nineteen earlier stretches with data among gaps.
  /// Guarantees: waits, says so, and for how long: one more stretch of ten minutes.
  @Test func twentyStretchesAreNeeded() {
    let earlier =
      (0..<19).map { BeforeAfterTests.stretch(Double($0 % 2) / 1000) as Stretch? } + [nil, nil]
    let answer = Gate.answer(
      BeforeAfterTests.question(now: BeforeAfterTests.stretch(0), earlier: earlier))
    #expect(answer.verdict == .wait)
    #expect(answer.reasons.contains { $0.contains("19 earlier stretches") })
    #expect(answer.etaSeconds == 600)
    let enough = Gate.answer(
      BeforeAfterTests.question(
        now: BeforeAfterTests.stretch(0), earlier: earlier + [BeforeAfterTests.stretch(0)]))
    #expect(enough.verdict == .promote)
  }

  /// Scenario: ten times the errors, ten times the latency, since the change, and nothing else to
  /// compare with.
  /// Guarantees: waits, for nobody knows whose fault it is, and says that no control is usable.
  @Test func withoutControlsNothingIsRolledBack() {
    let earlier = BeforeAfterTests.placebos.map {
      BeforeAfterTests.stretch($0, errors: 30, before: 360) as Stretch?
    }
    let answer = Gate.answer(
      BeforeAfterTests.question(
        now: BeforeAfterTests.stretch(2.3, errors: 300, before: 360), earlier: earlier))
    #expect(answer.verdict == .wait)
    #expect(answer.reasons.contains { $0.contains("times the rate of the hour before") })
    #expect(answer.evidence.allSatisfy { $0.decision == .undecided })
    #expect(answer.reasons.contains { $0.hasPrefix("no usable control: 0 services") })
  }

  /// Services that were as calm as the subject, and are off by `shifts` now.
  private static func controls(_ shifts: [Double]) -> [StretchSeries] {
    shifts.enumerated().map { index, shift in
      StretchSeries(
        now: stretch(shift),
        earlier: placebos.indices.map { stretch(placebos[($0 + 5 * index) % 22] / 5) as Stretch? })
    }
  }

  private static var calm: [Stretch?] { placebos.map { stretch($0 / 5) as Stretch? } }

  /// Scenario: 15 % slower since the change while others stayed as they were; while all became as
  /// slow, each a little differently; with two others only; with others without history; by the rules
  /// of kept verdicts.
  /// Guarantees: rolled back in the first case alone, and told by what; each other says what is
  /// missing or nothing.
  @Test func rollsBackWhatStandsOutFromTheControls() throws {
    let now = BeforeAfterTests.stretch(0.14)
    func answer(_ controls: [StretchSeries], _ rules: GateRules = .latest) -> GateAnswer {
      Gate.answer(
        BeforeAfterTests.question(
          now: now, earlier: BeforeAfterTests.calm, controls: controls,
          settings: GateSettings(rules: rules)))
    }
    let still = BeforeAfterTests.controls([0.001, -0.002, 0.003, 0])
    let found = answer(still)
    #expect(found.verdict == .rollback && found.comparison == .beforeAfter)
    #expect(found.confidence >= 0.99 && found.etaSeconds == nil)
    #expect(found.evidence.last?.decision == .harmed)
    #expect(found.reasons[0].contains("any of 22 earlier stretches"))
    #expect(found.reasons[0].contains("any of 4 services it cannot have touched"))
    #expect(answer(still, .apart).verdict == .wait)
    #expect(answer(still, .apart).reasons.allSatisfy { !$0.contains("no usable control") })

    #expect(answer(BeforeAfterTests.controls([0.12, 0.13, 0.15, 0.16])).verdict != .rollback)
    let apart = answer(BeforeAfterTests.controls([0, 0.1, -0.1, 0.05]))
    #expect(apart.verdict == .wait)
    #expect(apart.reasons.contains { $0.hasPrefix("it looks worse, but not beyond") })
    let few = answer(BeforeAfterTests.controls([0.001, 0]))
    #expect(few.verdict == .wait)
    #expect(few.reasons.contains { $0.hasPrefix("no usable control: 2 services") })
    let young = still.map { StretchSeries(now: $0.now, earlier: Array($0.earlier.prefix(19))) }
    #expect(answer(young).reasons.contains { $0.hasPrefix("no usable control: 0 services") })
  }

  /// Scenario: five times the errors while others stayed as they were; the same where all of them are
  /// failures nobody can place; where they are nine.
  /// Guarantees: rolled back; wait; wait.
  @Test func rollsBackErrors() {
    func stretch(_ errors: Int64) -> Stretch {
      BeforeAfterTests.stretch(0, errors: errors, before: 360)
    }
    func series(_ now: Stretch) -> StretchSeries {
      StretchSeries(now: now, earlier: (0..<22).map { stretch(28 + Int64($0 % 5)) as Stretch? })
    }
    func answer(_ now: Stretch, unknown: Int64 = 0) -> GateAnswer {
      Gate.answer(
        BeforeAfterTests.question(
          now: now, earlier: series(now).earlier,
          controls: (0..<4).map { series(stretch(29 + Int64($0))) }, unknown: unknown))
    }
    let found = answer(stretch(150))
    #expect(found.verdict == .rollback)
    #expect(found.evidence.first?.decision == .harmed)
    #expect(found.reasons[0].hasPrefix("150 of 3 000 requests to v42 failed (5 %)"))
    #expect(answer(stretch(30), unknown: 120).verdict == .wait)
    #expect(answer(stretch(30)).verdict == .promote)
  }

  /// Scenario: a usual error rate of 2 %, over what is tolerated, that stayed as it was.
  /// Guarantees: promoted because a threefold rise is ruled out; failures nobody can place undo it.
  @Test func steadyErrorsAreSafe() {
    let earlier = (0..<24).map { index in
      BeforeAfterTests.stretch(0, errors: 60 + Int64(index % 5), before: 720) as Stretch?
    }
    let now = BeforeAfterTests.stretch(0, errors: 62, before: 720)
    let answer = Gate.answer(BeforeAfterTests.question(now: now, earlier: earlier))
    #expect(answer.verdict == .promote)
    #expect(answer.reasons.contains { $0.contains("threefold rise over the hour before") })
    let shadowed = Gate.answer(
      BeforeAfterTests.question(now: now, earlier: earlier, unknown: 200))
    #expect(shadowed.verdict == .wait)
  }

  /// Scenario: no request at all, few requests, no latency, poor health.
  /// Guarantees: each waits with its reason.
  @Test func waitsForWhatIsMissing() {
    let earlier = Array(repeating: BeforeAfterTests.stretch(0) as Stretch?, count: 22)
    let none = Gate.answer(
      BeforeAfterTests.question(
        now: Stretch(before: .nothing, after: .nothing), earlier: earlier))
    #expect(none.verdict == .wait)
    #expect(none.reasons == ["no finished window holds a request to v42 yet"])
    #expect(none.comparison == nil)

    let few = Gate.answer(
      BeforeAfterTests.question(now: BeforeAfterTests.stretch(0, requests: 50), earlier: earlier))
    #expect(few.verdict == .wait)
    #expect(few.reasons.contains("50 of at least 100 requests"))
    #expect(few.etaSeconds == 600)

    let tiny = Gate.answer(
      BeforeAfterTests.question(now: BeforeAfterTests.stretch(0, requests: 3), earlier: earlier))
    #expect(tiny.verdict == .wait)
    #expect(tiny.evidence.map(\.metric) == [.errorRate])
    #expect(tiny.reasons.contains { $0.contains("not yet surely below 1 %") })

    let poor = Gate.answer(
      BeforeAfterTests.question(
        now: BeforeAfterTests.stretch(0), earlier: earlier,
        settings: GateSettings(minHealth: 101)))
    #expect(poor.verdict == .wait)
    #expect(poor.reasons.contains { $0.contains("health 100 is below the 101") })
  }
}
