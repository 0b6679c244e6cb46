import Foundation
import Model
import Testing

@testable import Impact

/// Questions whose data does not fit together.
@Suite struct OddQuestionTests {
  private static let hour: Nanos = Sample.start
  private func written(_ time: Nanos) -> String { "T\(time / .second)" }

  /// Scenario: two deployments at once, of the version asked about and of another; a flag, a
  /// configuration that is a step of the rollout, a scaling, an incident, one long before and one after
  /// the data.
  /// Guarantees: the other deployment and the flag are told of, in order of time, and nothing else.
  @Test func twoDeploymentsAtOnce() {
    func marker(_ kind: MarkerKind, _ minutes: Int, version: String = "", weight: Bool = false)
      -> Marker
    {
      Marker(
        kind: kind, service: "checkout",
        time: Nanos(Int64(OddQuestionTests.hour) + Int64(minutes) * Int64(Nanos.minute)),
        version: version, attributes: weight ? ["weight": .integer(5)] : [:])
    }
    let own = marker(.deployment, 0, version: "v42")
    let markers = [
      own, marker(.deployment, 1, version: "v42"), marker(.featureFlag, 3),
      marker(.deployment, -2, version: "v43"), marker(.config, 4, weight: true),
      marker(.scaling, 1), marker(.incident, 1), marker(.deployment, -30, version: "v40"),
      marker(.deployment, 90, version: "v44"),
    ]
    let found = ConcurrentChange.of(
      version: "v42", besides: own.id, in: markers, start: OddQuestionTests.hour,
      until: OddQuestionTests.hour + .hour)
    #expect(found.map(\.marker.version) == ["v43", ""])
    #expect(found.map(\.marker.kind) == [.deployment, .featureFlag])
    let replaced = ConcurrentChange.of(
      version: "v42", baseline: "v43", besides: own.id, in: markers,
      start: OddQuestionTests.hour, until: OddQuestionTests.hour + .hour)
    #expect(replaced.map(\.marker.kind) == [.featureFlag])
    let seconds = (OddQuestionTests.hour - 2 * .minute) / .second
    #expect(
      found[0].sentence(written: written).hasPrefix("v43 was deployed at T\(seconds), at about"))
    #expect(found[1].sentence(written: written).hasPrefix("a feature flag changed at"))
  }

  /// Scenario: before and after, slower beyond any doubt, with another change at the same time.
  /// Guarantees: wait, since nobody knows whose fault it is; rolled back without it.
  @Test func anotherChangeKeepsFromRollingBack() {
    func answer(_ changes: Int) -> GateAnswer {
      let calm = BeforeAfterTests.placebos.map { BeforeAfterTests.stretch($0 / 5) as Stretch? }
      let controls = (0..<4).map { index in
        StretchSeries(
          now: BeforeAfterTests.stretch(0),
          earlier: calm.indices.map { calm[($0 + 5 * index) % calm.count] })
      }
      return Gate.answer(
        BeforeAfterQuestion(
          version: "v42", start: Sample.start, until: Sample.time(60),
          subject: StretchSeries(now: BeforeAfterTests.stretch(0.2), earlier: calm),
          controls: controls, otherChanges: changes))
    }
    #expect(answer(0).verdict == .rollback)
    let two = answer(2)
    #expect(two.verdict == .wait)
    #expect(two.reasons.contains { $0.contains("2 other changes of the service") })
  }

  /// Scenario: a baseline seen for fifty seconds in all, and for a minute, with many errors of the new
  /// version; part of it before the change.
  /// Guarantees: wait, saying how long it was seen; rolled back from a minute on.
  @Test func baselineShorterThanAMinute() {
    let windows = Sample.quiet(6, errors: ({ _ in 20 }, { _ in 0 }))
    let short = Gate.answer(Sample.question(Array(windows.prefix(5))))
    #expect(short.verdict == .wait)
    let reason = "v41 was seen for 50 s only: 60 s are needed to know what is usual for it"
    #expect(short.reasons.last == reason)
    #expect(Gate.answer(Sample.question(windows)).verdict == .rollback)
    let before = Array(windows.prefix(4))
    #expect(Gate.answer(Sample.question(before, history: [Sample.side(9)])).verdict == .wait)
    let history = [Sample.side(9), .nothing, Sample.side(9)]
    #expect(Gate.answer(Sample.question(before, history: history)).verdict == .rollback)
    let kept = Sample.question(Array(windows.prefix(5)), settings: GateSettings(rules: .apart))
    #expect(Gate.answer(kept).verdict == .rollback)
  }

  /// Scenario: a flag whose marker came twenty minutes late: the last earlier stretches are already
  /// 20 % slower, and so is the one since.
  /// Guarantees: wait with that as the first reason, not promoted as no change; by the rules of kept
  /// verdicts as before; a stretch a little off is no reason.
  @Test func aMarkerThatArrivesAfterItsEffect() {
    func answer(_ last: [Double], _ rules: GateRules = .latest) -> GateAnswer {
      let shifts = last + BeforeAfterTests.placebos.map { $0 / 10 }
      return Gate.answer(
        BeforeAfterTests.question(
          now: BeforeAfterTests.stretch(0), earlier: shifts.map { BeforeAfterTests.stretch($0) },
          settings: GateSettings(rules: rules)))
    }
    let late = answer([0.2, 0.2])
    #expect(late.verdict == .wait)
    #expect(late.reasons[0].contains("before the change is said to have begun"))
    #expect(!answer([0.2, 0.2], .apart).reasons[0].contains("said to have begun"))
    #expect(answer([0.002, 0.004]).verdict == .promote)
  }

  /// Scenario: markers before and after the first span by seconds, minutes, an hour and more; none.
  /// Guarantees: the earlier of the two is the start, up to an hour; what does not fit together is
  /// told, with by how much.
  @Test(
    arguments: [
      (nil, 0, 0, nil), (0, 0, 0, nil), (0, -30, -30, nil), (30, 0, 0, nil),
      (0, -600, -600, "the marker of v42 came 10 min after its first span"),
      (0, -7200, 0, "v42 had been seen for 2.0 h when its marker came"),
      (0, 600, 0, nil), (0, 3600, 0, "the first span of v42 came 60 min after its marker"),
    ] as [(Int?, Int, Int, String?)])
  func markersAndFirstSpans(marker: Int?, seen: Int, start: Int, remark: String?) throws {
    func time(_ seconds: Int) -> Nanos {
      Nanos(Int64(OddQuestionTests.hour) + Int64(seconds) * Int64(Nanos.second))
    }
    let found = RolloutStart(of: "v42", marker: marker.map(time), firstSeen: time(seen))
    #expect(found.time == time(start).floored(to: windowNanos))
    if let remark {
      #expect(try #require(found.remark).hasPrefix(remark))
    } else {
      #expect(found.remark == nil)
    }
  }

  /// Scenario: a marker an hour ahead of all data, and one a minute ahead.
  /// Guarantees: nothing to look at yet; the first says that a clock may be off, and by how much.
  @Test func clocksOffByAnHour() {
    let late = RolloutStart.notYet(
      "v42", start: OddQuestionTests.hour + .hour, until: OddQuestionTests.hour, written: written)
    #expect(late.hasPrefix("v42 began at T") && late.hasSuffix("a clock is off by about 60 min"))
    let soon = RolloutStart.notYet(
      "v42", start: OddQuestionTests.hour + .minute, until: OddQuestionTests.hour, written: written)
    #expect(soon.hasSuffix("there is no finished window to look at yet"))
    #expect(
      RolloutStart(of: "a", marker: .max, firstSeen: 0).time == Nanos.max.floored(to: windowNanos))
    #expect(RolloutStart(of: "a", marker: 0, firstSeen: .max).remark != nil)
  }

  /// Scenario: one request a minute to either version for an hour, none failing; and all of the new
  /// one's failing.
  /// Guarantees: wait, saying how many of how many requests there were; rolled back.
  @Test func oneRequestAMinute() {
    func answer(_ errors: Int64) -> GateAnswer {
      let windows = (0..<60).map { index in
        Sample.window(
          6 * index, Sample.side(1, errors, mean: 17 + 0.3 * sin(Double(index))),
          Sample.side(1, 0, mean: 17 + 0.3 * cos(Double(index))))
      }
      return Gate.answer(Sample.question(windows, until: 360))
    }
    let quiet = answer(0)
    #expect(quiet.verdict == .wait)
    #expect(quiet.reasons[0] == "60 of about 499 requests needed to show that fewer than 1 % fail")
    #expect(quiet.etaSeconds.map { $0 > 3600 } ?? true)
    #expect(answer(1).verdict == .rollback)
  }
}

@Suite struct RollbackTargetTests {
  private func verdict(_ version: String, _ verdict: Verdict) -> StoredVerdict {
    let rollout = RolloutID(
      tenant: .standard, service: "shop/checkout", environment: "", version: version)
    return StoredVerdict(
      id: VerdictID(rollout, verdict: verdict.rawValue, since: 0), tenant: .standard,
      rollout: rollout, service: "shop/checkout", version: version, verdict: verdict.rawValue,
      since: 0, until: 0, report: [], answer: [])
  }

  /// Scenario: a baseline that was healthy; that was itself to be rolled back; that is not known; with
  /// versions before it, some of them to be rolled back too, one of no name.
  /// Guarantees: the baseline, else the one seen last that was healthy, of equals always the same;
  /// nil where none was.
  @Test func lastHealthy() {
    let others = [("v39", 30), ("v41", 90), ("v40", 60), ("v38", 60), ("", 95)].map {
      RollbackTarget.Candidate(version: $0.0, newest: $0.1)
    }
    func target(_ baseline: String?, _ condemned: Set<String>) -> String? {
      RollbackTarget.version(baseline: baseline, others: others, condemned: condemned)
    }
    #expect(target("v41", []) == "v41")
    #expect(target("v41", ["v41"]) == "v38")
    #expect(target("v41", ["v41", "v38"]) == "v40")
    #expect(target(nil, []) == "v41" && target("", ["v41", "v40", "v38"]) == "v39")
    #expect(target("v41", ["v38", "v39", "v40", "v41"]) == nil)
    #expect(RollbackTarget.version(baseline: nil, others: [], condemned: []) == nil)
  }

  /// Scenario: verdicts, the newest first: rolled back and judged well since, the other way round,
  /// waiting since, never anything but waiting.
  /// Guarantees: the newest that decided something counts.
  @Test func condemned() {
    let verdicts = [
      verdict("a", .promote), verdict("a", .rollback), verdict("b", .rollback),
      verdict("b", .promote), verdict("c", .wait), verdict("c", .rollback), verdict("d", .wait),
    ]
    #expect(RollbackTarget.condemned(in: verdicts) == ["b", "c"])
    #expect(RollbackTarget.condemned(in: []).isEmpty)
  }
}
