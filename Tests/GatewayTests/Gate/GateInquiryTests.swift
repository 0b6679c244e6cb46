import Graph
import Impact
import Model
@testable import Query
import Testing

@testable import Gateway

private let change = GateRig.change

@Suite("Questions to the gate, from spans to the answer") struct GateInquiryTests {
  /// Scenario: a version runs ten minutes beside another and does not differ.
  /// Guarantees: promote; service, version, baseline, start and end of data are as found out; a
  /// window counts only once it is finished.
  @Test func promotes() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -30..<66)
    try await shop.serve("v42", in: 0..<66)
    try await shop.reach(66)
    for version in ["v42", nil] {
      let report = try await shop.ask(version)
      let answer = report.answer
      #expect(answer.verdict == .promote, "\(answer.reasons)")
      #expect(answer.comparison == .concurrent && answer.health.score == 100)
      let subject = report.subject
      #expect(subject.service == "shop/checkout" && subject.environment == "prod")
      #expect(subject.version == "v42" && subject.baseline == "v41" && subject.marker == nil)
      #expect(subject.start == change && subject.deadline == nil)
      // The newest span ended 0.9 s into window 66, and 31 s are waited for.
      #expect(subject.until == GateRig.time(62))
      let windows = try #require(report.question.concurrent?.windows)
      #expect(windows.map(\.start) == (0..<62).map(GateRig.time))
      #expect(windows.allSatisfy { $0.width == windowNanos && $0.current.traces == 30 })
      #expect(report.question.beforeAfter == nil && report.remarks.isEmpty)
      let history = try #require(report.question.concurrent?.history)
      #expect(history.count == 360 && history.suffix(30).allSatisfy { $0.traces == 30 })
    }
    try await shop.stop()
  }

  /// Scenario: a version fails one request in five, another is twice as slow.
  /// Guarantees: rollback, saying which.
  @Test(arguments: [(6, 50.0, "failed"), (0, 100.0, "slower beyond")])
  func rollsBack(errors: Int, milliseconds: Double, reason: String) async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -12..<40)
    try await shop.serve("v42", in: 0..<40, errors: errors, milliseconds: milliseconds)
    try await shop.reach(40)
    let answer = try await shop.ask().answer
    #expect(answer.verdict == .rollback && answer.comparison == .concurrent)
    #expect(answer.reasons.first?.contains(reason) == true, "\(answer.reasons)")
    try await shop.stop()
  }

  /// Scenario: questions about what is not known, or not uniquely.
  /// Guarantees: wait, each with a reason that says what to do; nothing is kept of them.
  @Test func waitsForWhatIsUnknown() async throws {
    let shop = try await GateRig()
    #expect(
      try await shop.ask().answer.reasons == ["no service checkout has been seen; check the name"])
    try await shop.serve("v41", in: 0..<10)
    try await shop.serve(GateRig.Traffic(service: "cart", version: "v1"), in: 0..<10)
    try await shop.serve(
      GateRig.Traffic(service: "cart", environment: "staging", version: "v1"), in: 0..<10)
    try await shop.serve(GateRig.Traffic(service: "mail", version: "v1"), in: 0..<10)
    try await shop.serve(
      GateRig.Traffic(service: "mail", namespace: "office", version: "v1"), in: 0..<10)
    try await shop.serve(GateRig.Traffic(service: "plain"), in: 0..<10)
    try await shop.reach(20)
    let known = try shop.announce("v42", change + .minute)
    let questions: [(GateRequest, String)] = [
      (
        GateRequest(service: "chekout"), "no service chekout has been seen; spelled alike: checkout"
      ),
      (GateRequest(service: "shop/chekout"), "spelled alike: shop/checkout"),
      (GateRequest(service: "checkout", namespace: "office"), "not in that namespace or"),
      (GateRequest(service: "checkout", namespace: ""), "not in that namespace or"),
      (GateRequest(service: "checkout", environment: "staging"), "not in that namespace or"),
      (GateRequest(service: Name.overflowText), "no service \(Name.overflowText) has been seen"),
      (GateRequest(service: "prod\u{1F}shop\u{1F}checkout"), "has been seen"),
      (GateRequest(service: String(repeating: "é%_", count: 300)), "has been seen; check the name"),
      (
        GateRequest(service: "mail"),
        "several services are called mail: office/mail, shop/mail; ask for one by its id"
      ),
      (
        GateRequest(service: "shop/cart"),
        "shop/cart runs in several environments: prod, staging; name one with `environment`"
      ),
      (
        GateRequest(service: "checkout", version: "v43"),
        "no span of checkout v43 has been seen; seen: v41"
      ),
      (
        GateRequest(service: "plain", version: "v43"),
        "no span of plain v43 has been seen; its spans name no version"
      ),
      (GateRequest(service: "plain"), "spans of plain name no version and no deployment"),
      (GateRequest(service: "checkout"), "checkout has had but one version so far"),
      (
        GateRequest(service: "checkout", version: "v42"),
        "v42 was announced for \(Timestamp.text(change + .minute)), but no span of it has been seen"
      ),
      (GateRequest(service: "checkout", marker: "mk_0123456789abcdef"), "no marker mk_0123456789"),
      (GateRequest(marker: "nonsense"), "no marker nonsense is known"),
      (
        GateRequest(service: "shop/mail", marker: "\(known)"),
        "marker \(known) is about checkout, not about shop/mail"
      ),
      (
        GateRequest(version: "v41", marker: "\(known)"),
        "marker \(known) is about v42, not about v41"
      ),
    ]
    for (request, reason) in questions {
      let report = try await shop.ask(request)
      #expect(report.answer.verdict == .wait && !report.hasEvidence)
      #expect(report.answer.reasons.count == 1)
      #expect(report.answer.reasons[0].contains(reason), "\(report.answer.reasons)")
    }
    try await shop.stop()
  }

  /// Scenario: a version has only begun; no span was received since the start; a marker lies in the
  /// future.
  /// Guarantees: wait until a window of it is finished.
  @Test func waitsForTheFirstWindow() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -10..<3)
    try await shop.serve("v42", in: 0..<3)
    try await shop.reach(3)
    let report = try await shop.ask()
    #expect(report.answer.reasons[0].contains("there is no finished window to look at yet"))
    #expect(report.subject.start == change && report.subject.until == change - windowNanos)
    try await shop.serve("v42", in: 3..<5)
    try await shop.reach(5)
    let later = try await shop.ask()
    #expect(later.hasEvidence && later.answer.verdict == .wait)
    #expect(later.question.concurrent?.windows.count == 1)
    try shop.announce("v42", change + 5 * .hour, previous: "v41")
    #expect(try await !shop.ask().hasEvidence)
    try await shop.stop()
  }

  /// Scenario: the marker is put a minute after the first span, a minute before it, and a day after
  /// it: the version runs again.
  /// Guarantees: the start is the first span where that came a little earlier, else the marker.
  @Test(arguments: [(-60, 0), (60, 60), (-7_200, 7_200)])
  func start(firstAfterMarker seconds: Int64, expected: Int64) async throws {
    let shop = try await GateRig(now: 140)
    let marker = Nanos(Int64(change) - seconds * 1_000_000_000) + 3 * .second
    let last = Int(max(0, -seconds) / 10) + 20
    try await shop.serve("v41", in: -10..<last, traces: 2)
    try await shop.serve("v42", in: 0..<last, traces: 2)
    try await shop.reach(last)
    try shop.announce("v42", marker)
    let start = try await shop.ask().subject.start
    let begin =
      seconds > 0
      ? Int64(change) - expected * 1_000_000_000
      : Int64(change) + expected * 1_000_000_000
    #expect(start == Nanos(begin))
    try await shop.stop()
  }

  /// Scenario: three versions ran in the hour before; the marker names one of them, one nobody saw,
  /// and none.
  /// Guarantees: the one that is named, where it was seen; else the busiest; and the answer says so.
  @Test func baseline() async throws {
    let shop = try await GateRig()
    try await shop.serve("v39", in: -20..<14, traces: 3)
    try await shop.serve("v40", in: -20..<14, traces: 9)
    try await shop.serve("v41", in: -20..<14, traces: 6)
    try await shop.serve("v42", in: 0..<14, traces: 20)
    try await shop.reach(14)
    #expect(try await shop.ask().subject.baseline == "v40")
    let named = try shop.announce("v42", change, previous: "v39")
    #expect(try await shop.ask().subject.baseline == "v39")
    #expect(try await shop.ask().subject.marker == named)
    let odd = try shop.announce("v42", change + .second, previous: "v7")
    let report = try await shop.ask(marker: odd)
    #expect(report.subject.baseline == "v40" && report.subject.marker == odd)
    #expect(report.answer.reasons.last == "no span of the previous version v7 is known")
    #expect(try await shop.ask(nil, service: nil, marker: named).subject.version == "v42")
    try await shop.stop()
  }

  /// Scenario: the version replaced the other at once: it does as well, it fails half of all
  /// requests, it is ten times as slow; other services run on.
  /// Guarantees: before and after is compared; innocent it is promoted; whatever it does, weak
  /// evidence never rolls back.
  @Test(arguments: [(0, 50.0), (15, 50.0), (0, 500.0)])
  func beforeAfter(errors: Int, milliseconds: Double) async throws {
    let shop = try await GateRig(now: 25)
    try await shop.serve("v41", in: -2_040..<0, traces: 4)
    try await shop.serve(
      GateRig.Traffic(service: "apart", version: "v1", traces: 2), in: -2_040..<90)
    try await shop.serve(
      "v42", in: 0..<90, traces: 30, errors: errors, milliseconds: milliseconds)
    try await shop.reach(90)
    let report = try await shop.ask()
    let question = try #require(report.question.beforeAfter)
    #expect(report.question.concurrent?.baselineIsGone == true)
    #expect(question.controls.count == 1 && question.subject.earlier.count == 28)
    #expect(question.subject.now.before.traces == 4 * 360)
    #expect(question.subject.now.after.traces == 30 * 86)
    let answer = report.answer
    let isInnocent = errors == 0 && milliseconds == 50
    #expect(answer.verdict == (isInnocent ? .promote : .wait), "\(answer.reasons)")
    #expect(answer.comparison == .beforeAfter)
    try await shop.stop()
  }

  /// Scenario: a version answers a little, then dies before it can send a span; its callers see
  /// failures at its address. Another never answers at all and is announced.
  /// Guarantees: the failures count as the version's own; neither is promoted, whatever the
  /// baseline does.
  @Test func dyingVersions() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -30..<66, address: "10.0.0.4")
    try await shop.serve("v42", in: 0..<6, address: "10.0.0.5")
    try await shop.fail("checkout", at: "10.0.0.5", in: 6..<66)
    try await shop.fail("checkout", at: "10.0.0.4", in: 30..<31, traces: 1)
    try await shop.fail("checkout.shop.svc", at: "10.0.0.99", in: 40..<42, traces: 1)
    try shop.announce("v43", change)
    try await shop.reach(66)
    let report = try await shop.ask()
    let windows = try #require(report.question.concurrent?.windows)
    #expect(windows.reduce(0) { $0 + $1.current.unseenFailures } == 56 * 5)
    #expect(windows.reduce(0) { $0 + $1.baseline.unseenFailures } == 1)
    #expect(windows.reduce(0) { $0 + $1.unknownFailures } == 2)
    #expect(report.answer.verdict == .rollback, "\(report.answer.reasons)")
    let never = try await shop.ask("v43")
    #expect(never.answer.verdict == .wait)
    #expect(never.answer.reasons[0].contains("a version that cannot be seen is not safe"))
    try await shop.stop()
  }

  /// Scenario: the same question is asked twice, after a restart at once, with another number of
  /// shards, and after everything was sealed and stored.
  /// Guarantees: byte for byte the same report, so the same answer: what was in the journal is not
  /// taken for silence.
  @Test func sameAgain() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -30..<66, address: "10.0.0.4")
    try await shop.serve("v42", in: 0..<66, address: "10.0.0.5")
    try await shop.fail("checkout", at: "10.0.0.5", in: 3..<5)
    try await shop.reach(66)
    let first = try await shop.ask()
    #expect(first.answer.evidence.count == 3)
    #expect(try await shop.ask().bytes == first.bytes)
    for shards in [1, 3] {
      try await shop.restart(shards: shards)
      let again = try await shop.ask()
      #expect(again == first)
      #expect(again.bytes == first.bytes && again.answer == first.answer)
    }
    try await shop.rig.pass(12 * .second)
    try await shop.rig.pass(61 * .second)
    try await shop.engine.checkpointer.run()
    // The checkpoint inferred the deployment from the spans.
    var stored = try await shop.ask()
    #expect(stored.subject.marker != nil)
    stored.subject.marker = nil
    #expect(stored.bytes == first.bytes)
    try await shop.restart()
    stored = try await shop.ask()
    stored.subject.marker = nil
    #expect(stored.bytes == first.bytes)
    try await shop.stop()
  }

  /// Scenario: an hour three days ago is replayed; asked before it is sealed, and after it was
  /// stored and its fine tiles deleted.
  /// Guarantees: windows of a minute; the same verdict, before and after.
  @Test func oldHistory() async throws {
    let shop = try await GateRig(now: 36 * 60)
    try await shop.serve("v41", in: -60..<96)
    try await shop.serve("v42", in: 0..<96)
    try await shop.engine.flush()
    let fresh = try await shop.ask()
    #expect(fresh.answer.verdict == .promote, "\(fresh.answer.reasons)")
    let windows = try #require(fresh.question.concurrent?.windows)
    #expect(windows.count == 16 && windows.allSatisfy { $0.width == .minute })
    #expect(windows.allSatisfy { $0.current.traces == 180 && $0.baseline.traces == 180 })
    #expect(fresh.question.concurrent?.history.count == 60)
    try await shop.rig.pass(12 * .second)
    try await shop.rig.pass(61 * .second)
    try await shop.engine.checkpointer.run()
    try shop.engine.store.deleteExpired(now: shop.engine.now, retention: 100 * .day)
    var stored = try await shop.ask()
    stored.subject.marker = nil
    #expect(stored.bytes == fresh.bytes)
    try await shop.stop()
  }

  /// Scenario: a marker of 1970 is asked about.
  /// Guarantees: an answer, in no more time than others take.
  @Test(.timeLimit(.minutes(3))) func ancientMarker() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -10..<14)
    try await shop.serve("v42", in: 0..<14)
    try await shop.rig.pass(12 * .second)
    try await shop.rig.pass(61 * .second)
    try await shop.engine.checkpointer.run()
    let marker = try shop.announce("", 1)
    let report = try await shop.ask("v42", marker: marker)
    #expect(report.answer.verdict == .wait && report.subject.start == 0)
    try await shop.stop()
  }

  /// Scenario: spans name no version, and a deployment is announced.
  /// Guarantees: all traffic since the change is judged against the hour before; it is said.
  @Test func withoutVersions() async throws {
    let shop = try await GateRig(now: 25)
    try await shop.serve("", in: -660..<90, traces: 8)
    try await shop.reach(90)
    try shop.announce("", change + 4 * .second)
    try shop.announce("v42", change + 4 * .second, service: "unrelated")
    let marker = try shop.announce("v42", change + 4 * .second)
    let report = try await shop.ask(nil, marker: marker)
    #expect(report.answer.comparison == .beforeAfter && report.question.concurrent == nil)
    #expect(report.subject.baseline == "" && report.subject.start == change)
    #expect(report.answer.reasons.last?.contains("name no version") == true)
    try await shop.stop()
  }

  /// Scenario: deadlines are named: a time, a duration, another, none, one that has passed, and one
  /// before the start.
  /// Guarantees: the first stays and others are answered with a remark; once it has passed without
  /// a verdict that is said; one before the start is never kept.
  @Test func deadlines() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -10..<20, traces: 2)
    try await shop.serve("v42", in: 0..<20, traces: 2)
    try await shop.reach(20)
    #expect(try await shop.ask().subject.deadline == nil)
    let past = try await shop.ask(deadline: .at(change - 1))
    #expect(past.subject.deadline == change - 1)
    #expect(past.answer.reasons.last?.contains("has passed without a verdict") == true)
    #expect(try await shop.ask().subject.deadline == nil)
    let first = try await shop.ask(deadline: .after(30 * .minute))
    #expect(first.subject.deadline == change + 30 * .minute && first.remarks.isEmpty)
    #expect(try await shop.ask().subject.deadline == change + 30 * .minute)
    #expect(try await shop.ask(deadline: .after(30 * .minute)).remarks.isEmpty)
    let second = try await shop.ask(deadline: .at(change + .minute))
    #expect(second.subject.deadline == change + 30 * .minute)
    #expect(
      second.answer.reasons.last
        == "the deadline stays \(Timestamp.text(change + 30 * .minute)), as "
        + "the first question that named one said; \(Timestamp.text(change + .minute)) changes "
        + "nothing")
    // Of another version it is its own.
    let other = try await shop.ask("v41", deadline: .after(.minute))
    #expect(other.subject.deadline == GateRig.time(-10) + .minute)
    #expect(other.answer.reasons.last?.contains("has passed without a verdict") == true)
    try await shop.restart()
    #expect(try await shop.ask().subject.deadline == change + 30 * .minute)
    #expect(try await shop.ask(deadline: .after(.max)).subject.deadline != .max)
    try await shop.stop()
  }

  /// Scenario: a feature flag is switched on while two versions run: nothing happens, both begin to
  /// fail, both become unreachable.
  /// Guarantees: all traffic since then is judged, against the hour before: that both do equally
  /// badly clears nobody. Asked about a version by name, that version is judged.
  @Test(arguments: [(0, false), (10, false), (0, true)])
  func flags(errors: Int, unreachable: Bool) async throws {
    let shop = try await GateRig(now: 25)
    for version in ["v41", "v42"] {
      let address = version == "v41" ? "10.0.0.4" : "10.0.0.5"
      try await shop.serve(version, in: -2_040..<0, traces: 3, address: address)
      try await shop.serve(version, in: 0..<90, traces: 30, errors: errors, address: address)
      if unreachable { try await shop.fail("checkout", at: address, in: 0..<90) }
    }
    try await shop.reach(90)
    let flag = try shop.engine.store.insert(
      Marker(kind: .featureFlag, service: "checkout", time: change)
    ).id
    let report = try await shop.ask(nil, marker: flag)
    let question = try #require(report.question.beforeAfter)
    #expect(report.question.concurrent == nil && report.subject.baseline == "")
    #expect(question.subject.now.after.traces == 60 * 86)
    #expect(question.unknownFailures == (unreachable ? 2 * 5 * 86 : 0))
    let isInnocent = errors == 0 && !unreachable
    #expect(report.answer.verdict == (isInnocent ? .promote : .wait), "\(report.answer.reasons)")
    #expect(
      report.answer.reasons.last
        == "the feature_flag is of no one version: all traffic of checkout since then is judged")
    #expect(try await shop.ask("v42", marker: flag).subject.baseline == "v41")
    try await shop.stop()
  }

  /// Scenario: the service is held to an objective by its id, its name, or both; one is of latency alone;
  /// the question says otherwise.
  /// Guarantees: the question counts before the objective, the id before the name, and what was set up
  /// where neither says anything; the last reason says which it was.
  @Test func objectives() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -30..<66)
    try await shop.serve("v42", in: 0..<66)
    try await shop.reach(66)
    let byName = ServiceObjective(errorRate: 0.004)
    let byID = ServiceObjective(errorRate: 0.002)
    let latency = ServiceObjective(latencyP99: .second)
    let least = ServiceObjective(errorRate: 0.00001)
    for (objectives, asked, share, said) in [
      (["checkout": byName], nil, 0.004, "the objective of checkout in slo.services"),
      (
        ["checkout": byName, "shop/checkout": byID], nil, 0.002,
        "the objective of shop/checkout in slo.services"
      ),
      (["checkout": byName, "shop/checkout": latency], nil, 0.01, nil),
      (["cart": byName], nil, 0.01, nil),
      (["checkout": byName], 0.05, 0.05, "the question says so"),
      (["checkout": least], nil, 0.0001, "the objective of checkout in slo.services"),
    ] as [([String: ServiceObjective], Double?, Double, String?)] {
      let report = try await GateInquiry(
        engine: shop.engine,
        request: GateRequest(service: "checkout", version: "v42", errorsTolerated: asked),
        errorsTolerated: 0.01, objectives: objectives
      ).report()
      #expect(report.question.concurrent?.settings.errorsTolerated == share)
      let last = try #require(report.answer.reasons.last)
      if let said {
        #expect(last == "\(HumanText.percent(share)) of requests may fail: \(said)")
      } else {
        #expect(!last.contains("may fail"))
      }
      #expect(try GateReport(bytes: report.bytes).answer == report.answer)
    }
    let unknown = try await GateInquiry(
      engine: shop.engine,
      request: GateRequest(service: "checkout", version: "v9", errorsTolerated: 0.1),
      errorsTolerated: 0.01
    ).report()
    #expect(unknown.answer.reasons.count == 1 && unknown.answer.reasons[0].contains("v9"))
    try await shop.stop()
  }

  /// Scenario: a version replaces another at the moment at which what it calls gets three times as slow,
  /// by a deployment of its own or without one; three other services go on as ever.
  /// Guarantees: wait, although it looks worse than before beyond all others; the first reason names the
  /// service and its caller, or its deployment, and so do the fields of the likeliest hypothesis, in JSON
  /// and in the report; a kept verdict gives the same again.
  @Test(arguments: [false, true]) func namesWhoElseDidIt(isDeployed: Bool) async throws {
    let shop = try await GateRig(now: 25)
    var marker: MarkerID?
    if isDeployed { marker = try shop.announce("v7", change, service: "stock") }
    for other in ["mail", "search", "ads"] {
      try await shop.serve(GateRig.Traffic(service: other, traces: 3), in: -2_040..<90)
    }
    try await shop.serve(
      GateRig.Traffic(version: "v41", traces: 6, callee: "stock", calleeMilliseconds: 20),
      in: -2_040..<0)
    try await shop.serve(
      GateRig.Traffic(
        version: "v42", traces: 6, milliseconds: 90, callee: "stock", calleeMilliseconds: 60),
      in: 0..<90)
    try await shop.reach(90)
    let report = try await shop.ask()
    let answer = report.answer
    #expect(Gate.answer(report.question).verdict == .rollback)
    #expect(answer.verdict == .wait && answer.comparison == .beforeAfter, "\(answer.reasons)")
    let first = try #require(answer.attribution.max { $0.probability < $1.probability })
    #expect(first.kind == (isDeployed ? .otherChange : .dependency), "\(answer.attribution)")
    #expect(first.name == (isDeployed ? "deployment of shop/stock v7" : "shop/stock"))
    #expect(first.caller == (isDeployed ? nil : "shop/checkout") && first.marker?.marker == marker)
    let who = isDeployed ? "\(try #require(marker))" : "called by shop/checkout"
    #expect(answer.reasons[0].contains("(\(first.name ?? ""), \(who)) than of this change"))
    #expect(try GateReport(bytes: report.bytes).answer == answer)
    let json = String(
      decoding: GateDocument.bytes(report, answer, id: nil), as: UTF8.self)
    #expect(
      json.contains(isDeployed ? "\"marker\":{\"id\":\"\(who)\"" : "\"caller\":\"shop/checkout\""))
    var page = ImpactReport(marker: Marker(kind: .deployment, service: "checkout", time: change))
    page.gate = report
    page.answer = answer
    let text = ImpactPage(page).markdown
    #expect(text.contains("| \(first.kind.rawValue.replacing("_", with: " ")): "), "\(text)")
    #expect(text.contains(ImpactPage.plain(who)))
    try await shop.stop()
  }

  /// Scenario: a least health is asked for.
  /// Guarantees: it is part of the question, with the error rate that is tolerated.
  @Test func leastHealth() async throws {
    let shop = try await GateRig()
    try await shop.serve("v41", in: -30..<66)
    try await shop.serve("v42", in: 0..<66)
    try await shop.reach(66)
    let asked = try await shop.ask(minHealth: 100)
    #expect(asked.answer.verdict == .promote)
    #expect(asked.question.concurrent?.settings.minHealth == 100)
    #expect(asked.question.concurrent?.settings.errorsTolerated == 0.01)
    try await shop.stop()
  }
}
