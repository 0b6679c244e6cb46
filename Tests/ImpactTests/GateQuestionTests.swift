import Foundation
import Model
import Testing

@testable import Impact

@Suite("Which comparison a verdict comes from") struct GateQuestionTests {
  /// A quiet service with stretches enough; a typical request takes so many times as long since.
  private func beforeAfter(slower: Double = 1, errors: Int64 = 0) -> BeforeAfterQuestion {
    func stretch(_ index: Int, _ after: Double, _ errors: Int64) -> Stretch {
      let noise = 0.005 * sin(Double(index) * 2.4)
      return Stretch(
        before: Sample.side(6_000, mean: log(50e6)),
        after: Sample.side(2_000, errors, mean: log(50e6) + noise + log(after)))
    }
    let series = StretchSeries(
      now: stretch(0, slower, errors), earlier: (1...28).map { stretch($0, 1, 0) })
    return BeforeAfterQuestion(
      version: "v42", start: Sample.start, until: Sample.time(60), subject: series, controls: [])
  }

  /// A baseline that stops after `count` of 60 windows.
  private func replaced(after count: Int, errors: Int64 = 0) -> ConcurrentQuestion {
    let windows = Sample.quiet(60, errors: ({ _ in errors }, { _ in 0 })).enumerated().map {
      $0 < count
        ? $1 : ComparedWindow(start: $1.start, current: $1.current, baseline: .nothing)
    }
    return Sample.question(windows)
  }

  /// Scenario: nothing; one of the two comparisons.
  /// Guarantees: a wait that says so; the answer of the one there is.
  @Test func oneOrNone() {
    #expect(
      Gate.answer(GateQuestion()) == .waiting("there is nothing to compare with yet"))
    let concurrent = Sample.question(Sample.quiet(120))
    #expect(Gate.answer(GateQuestion(concurrent: concurrent)) == Gate.answer(concurrent))
    #expect(Gate.answer(GateQuestion(concurrent: concurrent)).comparison == .concurrent)
    let alone = Gate.answer(GateQuestion(beforeAfter: beforeAfter()))
    #expect(alone.verdict == .promote && alone.comparison == .beforeAfter)
  }

  /// Scenario: the baseline stopped before anything was decided, and the hour before agrees.
  /// Guarantees: before and after decides.
  @Test func baselineReplaced() {
    let question = GateQuestion(
      concurrent: replaced(after: 3), beforeAfter: beforeAfter())
    #expect(question.concurrent?.baselineIsGone == true)
    let answer = Gate.answer(question)
    #expect(answer.verdict == .promote && answer.comparison == .beforeAfter)
  }

  /// Scenario: the baseline stopped after the versions were seen to differ for the worse, or to lean
  /// that way.
  /// Guarantees: the comparison with it stands; the weaker one does not clear what it holds against
  /// the version.
  @Test func harmIsNotOverruled() {
    let harmed = GateQuestion(
      concurrent: replaced(after: 40, errors: 4), beforeAfter: beforeAfter())
    #expect(Gate.answer(harmed).verdict == .rollback)
    let leaning = GateQuestion(
      concurrent: replaced(after: 7, errors: 4), beforeAfter: beforeAfter())
    #expect(Gate.answer(leaning).verdict != .promote)
  }

  /// Scenario: before and after alone sees a version that errs, and one that is slower.
  /// Guarantees: it waits; it never rolls back.
  @Test func weakEvidenceNeverRollsBack() {
    for question in [beforeAfter(slower: 4), beforeAfter(errors: 2_000)] {
      let answer = Gate.answer(GateQuestion(beforeAfter: question))
      #expect(answer.verdict == .wait && answer.comparison == .beforeAfter)
    }
  }

  /// Scenario: baselines that run on, pause for two windows, stop for three, never ran, and ran only
  /// before the start.
  /// Guarantees: gone is what had traffic and has none any more, beyond accident.
  @Test func whatIsGone() {
    #expect(!replaced(after: 60).baselineIsGone)
    #expect(!replaced(after: 58).baselineIsGone)
    #expect(replaced(after: 57).baselineIsGone)
    #expect(!replaced(after: 0).baselineIsGone)
    let windows = replaced(after: 0).windows
    let busy = [Side](repeating: Sample.side(450), count: 360)
    #expect(Sample.question(windows, history: busy).baselineIsGone)
    #expect(!Sample.question([], until: 0, history: busy).baselineIsGone)
    #expect(Sample.question([], until: 3, history: busy).baselineIsGone)
    // One request in an hour says nothing by its absence.
    let rare = [Sample.side(1)] + [Side](repeating: .nothing, count: 359)
    #expect(!Sample.question(windows, history: rare).baselineIsGone)
    let early = ConcurrentQuestion(
      version: "a", baseline: "b", start: 5, until: 10, windows: [], history: busy)
    #expect(!early.baselineIsGone)
  }

  /// Scenario: the same, in windows of a minute.
  /// Guarantees: their width counts.
  @Test func wideWindows() {
    let width = Nanos.minute
    func question(_ count: Int) -> ConcurrentQuestion {
      let windows = (0..<20).map { index in
        ComparedWindow(
          start: Sample.start + Nanos(index) * width, width: width, current: Sample.side(300),
          baseline: index < count ? Sample.side(30) : .nothing)
      }
      return ConcurrentQuestion(
        version: "a", baseline: "b", start: Sample.start, until: Sample.start + 20 * width,
        windows: windows, history: [])
    }
    #expect(!question(20).baselineIsGone)
    #expect(question(19).baselineIsGone)
  }
}
