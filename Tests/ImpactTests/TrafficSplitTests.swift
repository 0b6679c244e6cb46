import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

@Suite struct TrafficSplitTests {
  static func test(
    _ counts: some Sequence<(Int64, Int64)>, share: Double?, from: Nanos = 0
  ) -> TrafficSplitTest {
    var test = TrafficSplitTest()
    for (index, count) in counts.enumerated() {
      test.add(
        Sample.window(index, Sample.side(count.0), Sample.side(count.1)),
        share: AnnouncedShare(from: from, share: share))
    }
    return test
  }

  /// Scenario: 10 % are announced and 10 %, 13 %, 50 % and 1 % come, of 500 requests a window.
  /// Guarantees: the first two are as announced (within half of the odds), the others are not, with
  /// both shares told.
  @Test(arguments: [(50, false), (65, false), (250, true), (5, true)] as [(Int64, Bool)])
  func sharesSeen(current: Int64, isMismatch: Bool) {
    let test = TrafficSplitTests.test(
      (0..<12).map { _ in (current, 500 - current) }, share: 0.1)
    #expect(test.isMismatch == isMismatch)
    #expect(test.shares.announced.isNear(0.1))
    #expect(test.shares.seen.isNear(Double(current) / 500))
  }

  /// Scenario: half of the requests are announced and a tenth comes, in five windows, in six, in the
  /// first half minute after the announcement, and where nothing is announced.
  /// Guarantees: a word only from six windows on that had time to settle.
  @Test func notTooSoon() {
    let tenth = (0..<6).map { _ in (Int64(50), Int64(450)) }
    #expect(!TrafficSplitTests.test(tenth.prefix(5), share: 0.5).isMismatch)
    #expect(TrafficSplitTests.test(tenth, share: 0.5).isMismatch)
    #expect(!TrafficSplitTests.test(tenth, share: 0.5, from: Sample.time(4)).isMismatch)
    #expect(!TrafficSplitTests.test(tenth, share: nil).isMismatch)
    #expect(TrafficSplitTests.test(tenth, share: nil).windows == 0)
    #expect(!TrafficSplitTests.test([(0, 0), (0, 0)], share: 0.5).isMismatch)
  }

  /// Scenario: requests that come in bunches: a whole window goes to one version or the other, half
  /// of the time as announced.
  /// Guarantees: no mismatch, which the same counts sent one by one would be.
  @Test func bunches() {
    let bunched = [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0].map {
      $0 == 1 ? (Int64(50), Int64(0)) : (0, 50)
    }
    #expect(!TrafficSplitTests.test(bunched, share: 0.5).isMismatch)
    let even = (0..<12).map { _ in (Int64(38), Int64(12)) }
    #expect(TrafficSplitTests.test(even, share: 0.5).isMismatch)
  }

  /// Scenario: a thousand half hours split as announced, with odds at the very edge of what counts as
  /// announced, looked at after every window.
  /// Guarantees: a mismatch in at most 1 % of them (three standard errors allowed).
  @Test func holdsAtAllLooks() {
    var random = SimulatedRandom(seed: 11)
    var mismatches = 0
    let odds = 0.25 * TrafficSplitTest.oddsTolerated
    for _ in 0..<1000 {
      var test = TrafficSplitTest()
      for index in 0..<180 {
        let current = random.poisson(20 * odds / (1 + odds))
        let baseline = random.poisson(20 / (1 + odds))
        test.add(
          Sample.window(index, Sample.side(current), Sample.side(baseline)),
          share: AnnouncedShare(from: 0, share: 0.2))
        if test.isMismatch {
          mismatches += 1
          break
        }
      }
    }
    #expect(mismatches <= 19)
  }

  /// Scenario: a version that is slower, safe or harmless by every number, and gets half of the
  /// requests instead of the tenth announced.
  /// Guarantees: wait, with both shares in the first reason and no promise of a time; as announced,
  /// and by the rules of kept verdicts, it is decided.
  @Test(arguments: [1.0, 1.3]) func aMismatchDecidesNothing(slower: Double) {
    let windows = Sample.quiet(120, slower: slower)
    func answer(_ share: Double, _ rules: GateRules = .latest) -> GateAnswer {
      Gate.answer(
        ConcurrentQuestion(
          version: "v42", baseline: "v41", start: Sample.start, until: Sample.time(120),
          windows: windows, announced: [AnnouncedShare(from: Sample.start, share: share)],
          settings: GateSettings(rules: rules)))
    }
    let decided: Verdict = slower > 1 ? .rollback : .promote
    #expect(answer(0.1).verdict == decided)
    #expect(answer(0.5, .apart).verdict == decided)
    let void = answer(0.5)
    #expect(void.verdict == .wait && void.etaSeconds == nil)
    #expect(
      void.reasons[0].hasPrefix("v42 was announced to get 50 % of the requests and gets 10 %"))
  }

  /// Scenario: a share that jumps from a tenth to half in the middle, and with it whether the version
  /// is slower; nothing else than the share; announced.
  /// Guarantees: waits with the jump as the first reason; else nothing is said of it, and what does
  /// not change is decided. In the minute after a jump nothing is.
  @Test func jumps() {
    func windows(_ count: Int, slower: Double) -> [ComparedWindow] {
      Sample.quiet(count).enumerated().map { index, window in
        guard index >= 60 else { return window }
        let latency = window.current.latency.flatMap {
          LogLatency(weight: 1, mean: $0.mean + log(slower), variance: 0.25)
        }
        return ComparedWindow(
          start: window.start, current: Side(traces: 450, errorTraces: 0, latency: latency),
          baseline: window.baseline)
      }
    }
    func answer(_ windows: [ComparedWindow], _ announced: [AnnouncedShare] = []) -> GateAnswer {
      Gate.answer(
        ConcurrentQuestion(
          version: "v42", baseline: "v41", start: Sample.start, until: Sample.time(windows.count),
          windows: windows, announced: announced))
    }
    #expect(answer(windows(120, slower: 1)).verdict == .promote)
    let void = answer(windows(120, slower: 1.3))
    #expect(void.verdict == .wait)
    #expect(void.reasons[0].hasPrefix("the share of v42 went from 10 % to 50 %"))
    #expect(void.reasons[0].contains("compare differently"))
    let said = [
      AnnouncedShare(from: Sample.start, share: 0.1),
      AnnouncedShare(from: Sample.time(58), share: 0.5),
    ]
    #expect(!answer(windows(120, slower: 1.3), said).reasons[0].contains("nobody announced"))
    let recent = answer(windows(63, slower: 1.3))
    #expect(recent.verdict == .wait)
    #expect(recent.reasons[0].contains("not known yet whether"))
  }

  /// Scenario: markers with a weight in every spelling: of the version, of another, of none, out of
  /// range, inferred, long before, ended, later than the data.
  /// Guarantees: steps in order of time, of the version and of none; what ends announces nothing
  /// after.
  @Test func steps() {
    func marker(
      _ minutes: Nanos, _ weight: MarkerAttribute?, version: String = "v42", end: Nanos? = nil
    ) -> Marker {
      Marker(
        kind: .deployment, service: "checkout", time: Sample.start + minutes * .minute,
        endTime: end.map { Sample.start + $0 * .minute }, version: version,
        attributes: weight.map { [AnnouncedShare.attribute: $0] } ?? [:])
    }
    let early = Marker(
      kind: .deployment, service: "checkout", time: Sample.start - 2 * .hour, version: "v42",
      attributes: ["weight": .integer(70)])
    let inferred = Marker(
      inferredFor: "v42", of: NodeIdentity(name: "checkout"), tenant: .standard,
      time: Sample.start, previousVersion: "v41")
    let markers = [
      marker(20, .text("50%")), marker(10, .number(25.5)), marker(0, .integer(10)),
      marker(5, .integer(80), version: "v41"), marker(12, .text("30"), version: "", end: 15),
      marker(6, .integer(101)), marker(7, .text("much")), marker(8, .boolean(true)), marker(9, nil),
      marker(40, .integer(100)), early, inferred,
    ]
    let steps = AnnouncedShare.steps(
      in: markers, of: "v42", since: Sample.start, until: Sample.start + 30 * .minute)
    #expect(
      steps.map { ($0.from - Sample.start) / .minute } == [0, 10, 12, 15, 20])
    #expect(steps.map(\.share) == [0.1, 0.255, 0.3, nil, 0.5])
    let many = (0..<200).map { marker($0 / 10, .integer(Int64($0 / 2))) }
    #expect(
      AnnouncedShare.steps(
        in: many, of: "v42", since: Sample.start, until: .max
      ).count == AnnouncedShare.countMax)
    #expect(AnnouncedShare(from: 0, share: .nan).share == 0)
    #expect(AnnouncedShare(from: 0, share: 7).share == 1)
  }
}
