import Foundation
import TestSupport
import Testing

@testable import Impact

@Suite struct ClosedTestTests {
  /// Scenario: e-values of two and three hypotheses, worked out by hand at α = 1 %.
  /// Guarantees: one falls at 200 of two whatever the other says; both at 100 each; one at 150 only
  /// with 50 of the other, which stays; none alone at 199.
  @Test(
    arguments: [
      ([200, 0], [true, false]), ([199, 0], [false, false]), ([100, 100], [true, true]),
      ([150, 50], [true, false]), ([150, 49], [false, false]), ([99, 99], [false, false]),
      ([300, 0, 0], [true, false, false]), ([299, 0, 0], [false, false, false]),
      ([250, 50, 0], [true, false, false]), ([210, 0, 90], [true, false, false]),
      ([190, 0, 110], [false, false, false]), ([100, 100, 100], [true, true, true]),
      ([], []), ([100], [true]), ([99.9], [false]),
    ] as [([Double], [Bool])]) func byHand(values: [Double], falls: [Bool])
  {
    #expect(ClosedTest.falls(values.map { log($0 + 1e-9) }, alpha: 0.01) == falls)
  }

  /// Scenario: random e-values of up to five hypotheses.
  /// Guarantees: what falls by a share of α each falls here, and of two whatever e-BH fells; of more
  /// the mean of all suffices for e-BH. One falls exactly when the mean over every set it is in
  /// reaches 1 ÷ α; none falls unless the mean of all does.
  @Test func strongerThanSharesAndBenjaminiHochberg() {
    var random = SeededGenerator()
    for _ in 0..<2_000 {
      let count = 1 + random.below(5)
      let values = (0..<count).map { _ in exp(10 * random.unit() - 2) }
      let falls = ClosedTest.falls(values.map { log($0) }, alpha: 0.01)
      let mean = values.reduce(0, +) / Double(count)
      let ordered = values.sorted(by: >)
      let rejected = (1...count).last { ordered[$0 - 1] >= 100 * Double(count) / Double($0) } ?? 0
      if rejected > 0 { #expect(mean >= 100 * (1 - 1e-12)) }
      for index in values.indices {
        if values[index] >= 100 * Double(count) { #expect(falls[index]) }
        if count == 2, ordered.prefix(rejected).contains(values[index]) { #expect(falls[index]) }
        let everySet = (0..<(1 << count)).allSatisfy { bits in
          guard bits >> index & 1 == 1 else { return true }
          let set = values.indices.filter { bits >> $0 & 1 == 1 }.map { values[$0] }
          return set.reduce(0, +) / Double(set.count) >= 100 * (1 - 1e-12)
        }
        #expect(falls[index] == everySet, "\(index) of \(values)")
      }
      if falls.contains(true) { #expect(mean >= 99.999) }
    }
  }

  /// Scenario: betting games on five fair coins that depend on one another, each looked at after
  /// every toss for as long as one likes.
  /// Guarantees: any falls in no more than 1 % of games (three standard errors allowed).
  @Test func holdsAtAllLooks() {
    var random = SeededGenerator()
    let games = 4_000
    var fallen = 0
    for _ in 0..<games {
      var logarithms = [Double](repeating: 0, count: 5)
      for _ in 0..<200 {
        let shared = random.unit() < 0.5
        for index in logarithms.indices {
          let head = random.unit() < 0.5 ? shared : random.unit() < 0.5
          logarithms[index] += log(head ? 1.3 : 0.7)
        }
        if ClosedTest.falls(logarithms, alpha: 0.01).contains(true) {
          fallen += 1
          break
        }
      }
    }
    #expect(Double(fallen) / Double(games) <= 0.01 + 3 * (0.01 * 0.99 / Double(games)).squareRoot())
  }

  /// Scenario: e-values of no number, without bound, and of nothing.
  /// Guarantees: what is no number fells nothing.
  @Test func oddNumbers() {
    #expect(ClosedTest.falls([.nan, 1], alpha: 0.01) == [false, false])
    #expect(ClosedTest.falls([9, .nan], alpha: 0.01) == [false, false])
    #expect(ClosedTest.falls([-.infinity, -.infinity], alpha: 0.01) == [false, false])
    let control = ErrorControl(alpha: 0.01, logEvidence: 5_000, threshold: 100)
    #expect(control.eValue == ErrorControl.eValueMax)
  }

  /// Scenario: a version that errs somewhat more often and is somewhat slower, neither beyond doubt
  /// at half of α.
  /// Guarantees: rolled back for both together, saying how far the evidence goes; not by the rules of
  /// kept verdicts, which say nothing of it.
  @Test func metricsHelpEachOther() throws {
    let windows = Sample.quiet(60, errors: ({ $0 % 3 == 0 ? 1 : 0 }, { _ in 1 }), slower: 1.06)
    func harmed(_ rules: GateRules) -> Int? {
      var comparison = ConcurrentComparison(settings: GateSettings(rules: rules))
      return windows.firstIndex { window in
        comparison.add(window)
        return comparison.verdict(until: window.start + 10_000_000_000) == .rollback
      }
    }
    let together = try #require(harmed(.together))
    #expect(try together < #require(harmed(.apart)))
    func answer(_ rules: GateRules, _ count: Int) -> GateAnswer {
      Gate.answer(
        Sample.question(Array(windows.prefix(count)), settings: GateSettings(rules: rules)))
    }
    let decided = answer(.together, together + 1)
    let control = try #require(decided.control)
    #expect(decided.verdict == .rollback)
    #expect(control.method == .meanOfEValues && control.eValue >= control.threshold)
    #expect(answer(.apart, together + 1).verdict == .wait)
    #expect(answer(.apart, together + 1).control == nil)
    let before = answer(.together, together)
    #expect(before.verdict == .wait)
    #expect(try #require(before.control).eValue < control.threshold)
  }
}
