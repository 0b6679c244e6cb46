import Foundation
import Model
import Testing

@testable import Impact

@Suite struct WarmUpTests {
  private let service = NameID(1)
  private let old = NameID(2)
  private let new = NameID(3)

  /// The instances seen in each window.
  private func windows(_ seen: [(window: Int, instance: UInt64, version: NameID)]) -> WindowSums {
    var sums = WindowSums()
    sums.add(
      seen.map { item in
        var finding = Finding(
          window: Sample.time(item.window),
          key: .instance(service, NameID(item.instance), version: item.version))
        finding.counters[.traces] = 1
        return finding
      })
    return sums
  }

  /// Scenario: an instance of the new version seen for three minutes, a second one that joins, one of
  /// the old version, and a window in which none was seen.
  /// Guarantees: warming up for two minutes from the first span of the first; not where an older one
  /// was seen too, nor where none was, nor as another version.
  @Test func ages() {
    var seen = (0..<18).map { (window: $0, instance: UInt64(10), version: new) }
    seen.remove(at: 5)
    seen += (14..<18).map { ($0, 11, new) } + (0..<18).map { ($0, 12, old) }
    let ages = InstanceAges(of: service, in: windows(seen))
    let warming = (0..<18).filter {
      ages.isWarmingUp(new, in: Sample.time($0), width: windowNanos)
    }
    #expect(warming == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11])
    #expect(!ages.isWarmingUp(NameID(9), in: Sample.start, width: windowNanos))
    #expect(!ages.isWarmingUp(new, in: Sample.start, width: 3 * .minute))
    #expect(InstanceAges(of: NameID(7), in: windows(seen)) == InstanceAges())
  }

  /// Scenario: instances that live for a minute each, one after the other; and an instance that keeps
  /// its name but is of another version than before.
  /// Guarantees: always warming up; its age counts whatever it ran.
  @Test func churn() {
    let seen = (0..<60).map { (window: $0, instance: UInt64(100 + $0 / 6), version: new) }
    let ages = InstanceAges(of: service, in: windows(seen))
    #expect(
      (0..<60).allSatisfy { ages.isWarmingUp(new, in: Sample.time($0), width: windowNanos) })
    let kept = (0..<24).map { (window: $0, instance: UInt64(5), version: $0 < 20 ? old : new) }
    #expect(
      !InstanceAges(of: service, in: windows(kept))
        .isWarmingUp(new, in: Sample.time(21), width: windowNanos))
  }

  private func answer(_ count: Int, warmingUp: Int, slower: (Int) -> Double, errors: Int64 = 0)
    -> GateAnswer
  {
    let windows = Sample.quiet(count, errors: ({ _ in errors }, { _ in 0 })).enumerated().map {
      index, window in
      let latency = window.current.latency.flatMap {
        LogLatency(weight: 1, mean: $0.mean + log(slower(index)), variance: 0.25)
      }
      return ComparedWindow(
        start: window.start,
        current: Side(
          traces: 50, errorTraces: window.current.errorTraces, latency: latency),
        baseline: window.baseline, isWarmingUp: index < warmingUp)
    }
    return Gate.answer(Sample.question(windows))
  }

  /// Scenario: a version twice as slow in its first two minutes and as fast as the other after.
  /// Guarantees: promoted, saying what was left out; the same windows not known to be of new
  /// instances are a harm.
  @Test func aColdStartIsNoRegression() {
    let cold = { (index: Int) in index < 12 ? 2.0 : 1 }
    let promoted = answer(120, warmingUp: 12, slower: cold)
    #expect(promoted.verdict == .promote)
    #expect(
      promoted.reasons.last?.hasPrefix("in 12 windows v42 had no instance older than 2 min") == true
    )
    #expect((8...12).contains { answer($0, warmingUp: 0, slower: cold).verdict == .rollback })
    #expect((6...12).allSatisfy { answer($0, warmingUp: 12, slower: cold).verdict == .wait })
  }

  /// Scenario: a version that is slow forever; one whose instances never live long enough to be warm;
  /// one that errs while it warms up.
  /// Guarantees: each is rolled back: the first after its start, the second once no more is left out,
  /// the third at once.
  @Test func whatStaysSlowIsFound() {
    #expect(answer(40, warmingUp: 12, slower: { _ in 1.3 }).verdict == .rollback)
    let churning = answer(60, warmingUp: 60, slower: { _ in 2 })
    #expect(churning.verdict == .rollback)
    #expect(churning.reasons.last?.hasSuffix("since instances keep being new") == true)
    #expect(answer(30, warmingUp: 60, slower: { _ in 2 }).verdict == .wait)
    #expect(answer(12, warmingUp: 12, slower: { _ in 1 }, errors: 5).verdict == .rollback)
    #expect(answer(120, warmingUp: 120, slower: { _ in 1 }).verdict == .promote)
  }
}
