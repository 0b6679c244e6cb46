import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

@Suite struct GateTests {
  /// Every seventh window an error of the baseline, of 450 requests: 0.03 %.
  static func rareErrors(_ index: Int) -> Int64 { index % 7 == 0 ? 1 : 0 }

  /// Scenario: an hour of two versions that do not differ and hardly err.
  /// Guarantees: promoted, with both reasons, safe evidence and full health.
  @Test func promotesWhatIsSafe() throws {
    let windows = Sample.quiet(120, errors: ({ _ in 0 }, GateTests.rareErrors))
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .promote)
    #expect(answer.comparison == .concurrent)
    #expect(answer.confidence >= 0.99)
    #expect(answer.evidence.map(\.metric) == [.errors, .errorRate, .latency])
    #expect(answer.evidence.map(\.decision) == [.safe, .safe, .safe])
    #expect(answer.reasons.count == 2)
    #expect(answer.reasons[0].hasPrefix("0 of 6 000 requests to v42 failed (0 %)"))
    #expect(answer.reasons[1].hasSuffix("5 % slower is ruled out"))
    #expect(answer.health.score == 100)
    #expect(answer.etaSeconds == nil)
    let latency = try #require(answer.evidence.last)
    #expect(try #require(latency.baseline).isNear(50, within: 0.01))
    #expect(try #require(latency.ratio).isNear(1, within: 0.01))
  }

  /// Scenario: the new version fails ten times as often.
  /// Guarantees: rolled back within a few minutes, saying how often each fails.
  @Test func rollsBackWhatErrs() {
    let windows = Sample.quiet(24, errors: ({ _ in 2 }, { _ in 2 }))
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .rollback)
    #expect(answer.confidence >= 0.99)
    #expect(answer.reasons.count == 1)
    #expect(answer.reasons[0].contains("48 of 1 200 requests to v42 failed (4 %)"))
    #expect(answer.reasons[0].contains("48 of 10 800 requests to v41 failed (0.44 %)"))
    #expect(answer.reasons[0].contains("9.0 times as often"))
    #expect(answer.evidence.first?.decision == .harmed)
    #expect(answer.health.score.map { $0 < 80 } ?? false)
    #expect(answer.smallestDetectable.errorsRatio.map { $0 > 1.1 && $0 < 9 } ?? false)
  }

  /// Scenario: only the new version fails, and it is 30 % slower.
  /// Guarantees: rolled back for both.
  @Test func namesEveryHarm() {
    let windows = Sample.quiet(30, errors: ({ _ in 2 }, { _ in 0 }), slower: 1.3)
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .rollback)
    #expect(answer.reasons.count == 2)
    #expect(answer.reasons[0].contains("0 of 13 500 requests to v41 failed (0 %)"))
    #expect(answer.reasons[0].contains(": at least 39.4 times as often"))
    #expect(answer.reasons[1].contains("65 ms with v42, 50 ms with v41"))
    #expect(answer.evidence.first?.ratio == nil)
    #expect(answer.evidence.last?.decision == .harmed)
  }

  /// Scenario: all errors in a single window, as many as one likes.
  /// Guarantees: no rollback: it may be an accident. And no promotion.
  @Test func oneBadWindowIsNoVerdict() {
    let windows = Sample.quiet(30, errors: ({ $0 == 12 ? 50 : 0 }, { _ in 0 }))
    for count in 1...30 {
      #expect(Gate.answer(Sample.question(Array(windows[..<count]))).verdict == .wait)
    }
  }

  /// Scenario: nothing at all; only the old version; the two never at the same time.
  /// Guarantees: waits, each time saying why, without a division by zero anywhere.
  @Test func noDataWaits() {
    let empty = Gate.answer(Sample.question([]))
    #expect(empty.verdict == .wait)
    #expect(empty.reasons == ["no finished window holds a request to v42 yet"])
    #expect(empty.evidence.isEmpty && empty.comparison == nil && empty.etaSeconds == nil)
    #expect(empty.health.score == nil && empty.confidence == 0)

    let onlyOld = (0..<90).map { Sample.window($0, .nothing, Sample.side(450, mean: 17)) }
    #expect(Gate.answer(Sample.question(onlyOld)).verdict == .wait)

    let apart = (0..<90).map {
      $0 < 45
        ? Sample.window($0, .nothing, Sample.side(450, mean: 17))
        : Sample.window($0, Sample.side(50, mean: 17), .nothing)
    }
    let answer = Gate.answer(Sample.question(apart))
    #expect(answer.verdict == .wait)
    #expect(answer.comparison == nil)
    #expect(
      answer.reasons.contains { $0.contains("have not had a request in the same ten seconds") })
    #expect(answer.reasons.contains { $0.contains("v41 has had no request for") })
    #expect(answer.reasons.contains("latency can be compared in 0 windows; 6 are needed"))
    #expect(GateAnswer.waiting("unknown service").verdict == .wait)
  }

  /// Scenario: an early look at two versions with the usual errors.
  /// Guarantees: says how many requests of how many there were, how long it takes, and what could
  /// be seen so far.
  @Test func saysHowLongItTakes() throws {
    let windows = Sample.quiet(12, errors: ({ $0 % 4 == 1 ? 1 : 0 }, { _ in 2 }))
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .wait)
    let reason = try #require(answer.reasons.first { $0.hasPrefix("600 of about ") })
    #expect(reason.contains("requests needed to rule out a threefold rise in errors"))
    let eta = try #require(answer.etaSeconds)
    #expect(eta > 60 && eta < 1800 && eta % 10 == 0)
    let errors = try #require(answer.smallestDetectable.errorsRatio)
    #expect(errors > 3 && errors < 10)
    let latency = try #require(answer.smallestDetectable.latencyRatio)
    #expect(latency > 1.02 && latency < 1.5)
    #expect(answer.confidence > 0 && answer.confidence < 0.99)
  }

  /// Scenario: 499 requests without error are needed; 300 have come in a minute.
  /// Guarantees: exactly that is said, with 40 more seconds.
  @Test func saysHowManyRequestsAreMissing() {
    let answer = Gate.answer(Sample.question(Sample.quiet(6)))
    #expect(
      answer.reasons.first == "300 of about 499 requests needed to show that fewer than 1 % fail")
    #expect(answer.etaSeconds.map { $0 >= 40 } ?? false)
    #expect(answer.smallestDetectable.errorsRatio != nil)
  }

  /// Scenario: the requests it says are needed, at the rate it supposes.
  /// Guarantees: with them errors are safe, and with a tenth fewer they are not.
  @Test func forecastsComeTrue() throws {
    let windows = Sample.quiet(6, errors: ({ _ in 1 }, { _ in 9 }))
    var comparison = ConcurrentComparison()
    for window in windows { comparison.add(window) }
    let forecast = GateForecast(comparison, shift: nil)
    guard case .ruleOutRise(let requests) = try #require(forecast.need) else {
      Issue.record("2 % of errors can only be safe by comparison")
      return
    }
    let rate = try #require(comparison.usualErrors.rate)
    let more = requests - 300
    let evidence = { (requests: Double) in
      comparison.errors.extended(
        by: PairCounts(
          currentRequests: requests, currentFailures: requests * rate,
          baselineRequests: requests * 9, baselineFailures: requests * 9 * rate)
      ).logEvidenceOfSafety(dispersion: comparison.dispersion.factor)
    }
    #expect(evidence(more) >= log(100))
    #expect(evidence(more * 0.9) < log(100))
  }

  /// Scenario: a version that fails in 5 % of requests with nothing beside it.
  /// Guarantees: waits, saying that neither way to be safe is in sight.
  @Test func neitherWayInSight() {
    let windows = (0..<20).map { Sample.window($0, Sample.side(100, 5, mean: 17), .nothing) }
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .wait)
    #expect(answer.reasons.contains { $0.contains("too little of v41 to compare with") })
    #expect(answer.etaSeconds == nil)
  }

  /// Scenario: a version that did well for three minutes and then is killed: without a trace, and
  /// with its callers' failures that nobody can place.
  /// Guarantees: not promoted at any look after; the reasons say what was seen.
  @Test func aDeadVersionIsNotPromoted() {
    let alive = Sample.quiet(120)
    let dead = (120..<180).map { Sample.window($0, .nothing, Sample.side(500, mean: log(50e6))) }
    for count in 123...180 {
      let answer = Gate.answer(Sample.question(Array((alive + dead)[..<count])))
      #expect(answer.verdict == .wait)
      #expect(answer.reasons[0].hasPrefix("v42 has had no request for"))
    }
    // Windows nobody recorded anything in are missing, not empty.
    #expect(Gate.answer(Sample.question(alive, until: 123)).verdict == .wait)
    #expect(Gate.answer(Sample.question(alive, until: 120)).verdict == .promote)

    let shadowed = alive.prefix(60).enumerated().map { index, window in
      Sample.window(index, window.current, window.baseline, unknown: index < 30 ? 0 : 10)
    }
    let answer = Gate.answer(Sample.question(shadowed))
    #expect(answer.verdict == .wait)
    #expect(answer.reasons[0].hasPrefix("300 calls failed without reaching a version"))
    let unseen = Gate.answer(
      Sample.question((0..<9).map { Sample.window($0, .nothing, Sample.side(9), unknown: 2) }))
    #expect(unseen.reasons.count == 2)
  }

  /// Scenario: a version that never came up: all that is known of it are calls to its instances
  /// that failed.
  /// Guarantees: rolled back, with evidence.
  @Test func aVersionThatNeverCameUpIsRolledBack() {
    let windows = (0..<6).map {
      Sample.window($0, Sample.side(0, unseen: 20), Sample.side(450, 1, mean: 17))
    }
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .rollback)
    #expect(answer.reasons[0].contains("120 of 120 requests to v42 failed (100 %)"))
    #expect(answer.evidence.map(\.metric) == [.errors, .errorRate])
    let once = Gate.answer(Sample.question(Array(windows.prefix(1))))
    #expect(once.verdict == .wait)
    #expect(once.reasons[0].hasPrefix("20 of about "))
  }

  /// Scenario: errors that lean towards harm, twenty to one, while the tolerated rate is not
  /// reached by far.
  /// Guarantees: no promotion until that has settled.
  @Test func suspicionHoldsAPromotionBack() {
    let windows = Sample.quiet(160, errors: ({ [20, 60, 100].contains($0) ? 1 : 0 }, { _ in 0 }))
    var comparison = ConcurrentComparison()
    for window in windows { comparison.add(window) }
    #expect(comparison.logSafetyOfRate >= log(100))
    #expect(comparison.isSuspicious)
    #expect(
      comparison.decisions(comparison.latency.shift, until: Sample.time(160)).errors == .undecided)
    let answer = Gate.answer(Sample.question(windows))
    #expect(answer.verdict == .wait)
    #expect(answer.etaSeconds == nil && answer.confidence <= 0.99)
    #expect(
      answer.reasons.contains { $0.hasSuffix("leans towards harm, but not yet beyond doubt") })
  }

  /// Scenario: everything safe, and a health or a number of requests that is not enough.
  /// Guarantees: promote becomes wait, for that reason; a health that suffices changes nothing.
  @Test func healthAndTrafficHoldAPromotionBack() {
    let windows = Sample.quiet(120)
    let poor = Gate.answer(
      Sample.question(windows, settings: GateSettings(minHealth: 101)))
    #expect(poor.verdict == .wait)
    #expect(poor.reasons == ["health 100 is below the 101 asked for"])
    #expect(
      Gate.answer(Sample.question(windows, settings: GateSettings(minHealth: 99))).verdict
        == .promote)

    // Errors are safe early where the baseline fails all the time.
    let failing = (0..<12).map { index in
      Sample.window(
        index, Sample.side(8, 0, mean: 17 - 0.5 + 0.01 * Double(index % 3)),
        Sample.side(450, 230, mean: 17))
    }
    let few = Gate.answer(Sample.question(failing))
    #expect(few.verdict == .wait)
    #expect(few.reasons == ["96 of at least 100 requests"])
  }

  /// Scenario: the same windows in any order, asked twice.
  /// Guarantees: the same answer, to the last digit.
  @Test func theSameHistoryGivesTheSameAnswer() {
    var random = SeededGenerator()
    let windows = (0..<90).map { index in
      Sample.window(
        index,
        Sample.side(random.below(60), random.below(2), mean: 17 + Double(random.below(100)) / 500),
        Sample.side(random.below(500), random.below(5), mean: 17), unknown: random.below(2))
    }
    let first = Gate.answer(Sample.question(windows))
    #expect(first == Gate.answer(Sample.question(windows)))
    #expect(first == Gate.answer(Sample.question(windows.shuffled(using: &random), until: 90)))
  }

  /// Scenario: random windows of every kind: empty, failing, enormous, without latency.
  /// Guarantees: an answer with a reason and only finite numbers.
  @Test func noHistoryYieldsWhatIsNoNumber() {
    var random = SeededGenerator()
    let counts: [Int64] = [0, 0, 1, 2, 50, 4000, 1 << 40]
    for _ in 0..<200 {
      let side = { (random: inout SeededGenerator) -> Side in
        let traces = counts.randomElement(using: &random) ?? 0
        return Sample.side(
          traces, [0, 0, 1, traces / 2, traces].randomElement(using: &random) ?? 0,
          unseen: random.below(4) == 0 ? 3 : 0,
          mean: random.below(3) == 0 ? nil : Double(random.below(29)))
      }
      let windows = (0..<random.below(14)).map {
        Sample.window(Int($0), side(&random), side(&random), unknown: random.below(5) / 4)
      }
      let answer = Gate.answer(Sample.question(windows, history: [side(&random), side(&random)]))
      #expect(!answer.reasons.isEmpty)
      #expect(answer.confidence.isFinite && (0...1).contains(answer.confidence))
      #expect(answer.health.score?.isFinite != false)
      for evidence in answer.evidence {
        for number in [
          evidence.baseline, evidence.current, evidence.ratio, evidence.interval?.lower,
          evidence.interval?.upper,
        ] {
          #expect(number?.isFinite != false)
        }
      }
      for number in [
        answer.smallestDetectable.errorsRatio, answer.smallestDetectable.latencyRatio,
      ] {
        #expect(number?.isFinite != false)
      }
    }
  }

  /// Scenario: settings out of range.
  /// Guarantees: brought into it.
  @Test func settingsAreBroughtIntoRange() {
    #expect(GateSettings(errorsTolerated: 0).errorsTolerated == 0.0001)
    #expect(GateSettings(errorsTolerated: 7).errorsTolerated == 0.5)
    #expect(GateSettings(errorsTolerated: .nan).errorsTolerated == 0.01)
  }

  /// Scenario: a long rollout in windows of an hour, the version last seen minutes before the data
  /// ends.
  /// Guarantees: what the window hides is not promoted; the question keeps it.
  @Test func silenceWithinAWideWindow() throws {
    let windows = Sample.quiet(60).map {
      ComparedWindow(
        start: Sample.start + ($0.start - Sample.start) * 360, width: .hour, current: $0.current,
        baseline: $0.baseline)
    }
    let until = windows[59].start + .hour
    func question(_ lastSeen: Nanos?) -> ConcurrentQuestion {
      ConcurrentQuestion(
        version: "v42", baseline: "v41", start: Sample.start, until: until, windows: windows,
        lastSeen: lastSeen)
    }
    #expect(Gate.answer(question(nil)).verdict == .promote)
    let silent = question(until - 55 * .minute)
    #expect(Gate.answer(silent).verdict == .wait)
    let report = GateReport(tenant: .standard, question: GateQuestion(concurrent: silent))
    #expect(try GateReport(bytes: report.bytes) == report)
  }
}
