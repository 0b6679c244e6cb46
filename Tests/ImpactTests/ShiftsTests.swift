import Analyse
import Corpus
import Foundation
import Model
import TestSupport
import Testing

@testable import Impact

/// Shifts of simulated systems to which one thing happens, and of windows made by hand.
@Suite(.serialized) struct ShiftsTests {
  private static let start: Nanos = 1_700_000_000 * .second / .minute * .minute
  private static let onset = 900
  private static let end = 1_260

  private struct Answer: Sendable {
    var shifts: [LevelShift]
    var names: [NameID: Name]

    func text(_ id: NameID) -> String { names[id].map { NodeIdentity(text: $0.text).name } ?? "" }
    func from(_ metric: LevelShift.Metric, _ node: String) -> [LevelShift] {
      shifts.filter { $0.metric == metric && text($0.place.node) == node }
    }
  }

  private static func answer(
    _ faults: [Fault], system: SystemDescription = .shop(rate: 8), load: Load = Load(),
    seed: UInt64 = 5
  ) async -> Answer {
    await onOwnThread {
      var simulator = Simulator(
        system, faults: faults, load: load, start: ShiftsTests.start, seed: seed)
      var sums = WindowSums()
      var analyser = TraceAnalyser()
      simulator.run(until: Double(ShiftsTests.end + 30)) { trace in
        var findings: [Finding] = []
        analyser.analyse(
          trace.spans, key: TraceKey(tenant: .standard, trace: trace.id), into: &findings)
        sums.add(findings)
      }
      let windows = stride(from: 60, to: ShiftsTests.end, by: 10).map {
        sums.windows[ShiftsTests.start + Nanos($0) * .second] ?? Window()
      }
      return Answer(
        shifts: Shifts(windows, seconds: 10).shifts, names: simulator.names.all)
    }
  }

  /// The window in which the fault begins.
  private static var truth: Int { (onset - 60) / 10 }

  /// Scenario: nothing happens to systems under loads that wander.
  /// Guarantees: no shift.
  @Test(arguments: [1] as [UInt64]) func healthy(seed: UInt64) async {
    let shop = await ShiftsTests.answer([], load: Load(restlessness: 0.1), seed: seed)
    print(
      "healthy",
      shop.shifts.map {
        "\($0.metric) \(shop.text($0.place.node)) \($0.place) \($0.size) \($0.deviation) \(String(describing: $0.explanation))"
      })
    #expect(shop.shifts.isEmpty)
  }

  /// Scenario: one thing goes wrong in the shop: a service slower, failing, behind a slow network, or
  /// answering at once.
  /// Guarantees: a shift of the right quantity at the right place is found, its onset's interval holds
  /// the truth give or take a window, it lasts, and it began there.
  @Test(arguments: [
    (Fault(.slowCode, service: 7, size: 2.5, start: 900), "payment", LevelShift.Metric.selfTime),
    (Fault(.errors, service: 2, size: 0.1, start: 900), "currency", .errorOrigins),
    (Fault(.networkDelay, service: 6, size: 20, start: 900), "checkout", .gap),
    (Fault(.earlyReturn, service: 5, size: 0.7, start: 900), "checkout", .callProbability),
  ]) func found(fault: Fault, service: String, metric: LevelShift.Metric) async throws {
    let answer = await ShiftsTests.answer([fault])
    print(
      "fault", fault.kind,
      answer.shifts.map {
        "\($0.metric.rawValue) \(answer.text($0.place.node))>\(answer.text($0.place.other)) \($0.onset) \($0.onsetEarliest)-\($0.onsetLatest) x\($0.size) d\($0.deviation) \($0.explanation?.rawValue ?? "-") \($0.origin.map { answer.text($0.node) } ?? "-")"
      })
    let shift = try #require(answer.from(metric, service).first)
    #expect(
      shift.onsetEarliest - 1 <= ShiftsTests.truth && ShiftsTests.truth <= shift.onsetLatest + 1)
    #expect(shift.isWorse && shift.ended == nil && shift.explanation == nil)
    #expect(shift.sizeLower <= shift.size && shift.size <= shift.sizeUpper)
    #expect(answer.shifts.allSatisfy { !$0.isWorse || $0.onset >= ShiftsTests.truth - 6 })
  }

  /// Scenario: three times the requests; everything slower at once.
  /// Guarantees: what got slower is said to be explained by the load, or by the platform.
  @Test func explained() async {
    let surge = await ShiftsTests.answer([Fault(.surge, size: 3, start: 900)])
    print(
      "surge",
      surge.shifts.map {
        "\($0.metric.rawValue) \(surge.text($0.place.node)) \($0.onset) x\($0.size) \($0.explanation?.rawValue ?? "-")"
      })
    #expect(!surge.from(.requestRate, "frontend").isEmpty)
    #expect(
      surge.shifts.filter { $0.metric == .selfTime && $0.isWorse }.allSatisfy {
        $0.explanation == .load
      })
    let shock = await ShiftsTests.answer([Fault(.shock, size: 1.6, start: 900)])
    print(
      "shock",
      shock.shifts.map {
        "\($0.metric.rawValue) \(shock.text($0.place.node)) \($0.onset) x\($0.size) \($0.explanation?.rawValue ?? "-")"
      })
    let slower = shock.shifts.filter { $0.metric == .selfTime && $0.place.part.isNone }
    #expect(!slower.isEmpty && slower.allSatisfy { $0.explanation == .platform })
  }

  /// A window in which a node had requests, each of so many milliseconds, of so many operations.
  private static func window(
    _ node: NameID, _ operations: [(operation: NameID, requests: Int, milliseconds: Double)],
    _ random: inout SimulatedRandom
  ) -> Window {
    var window = Window()
    for (operation, requests, milliseconds) in operations {
      for _ in 0..<requests {
        let time = Nanos(milliseconds * exp(0.1 * random.normal()) * Double(Nanos.millisecond))
        for key in [SeriesKey.node(node), .operation(node, operation)] {
          var finding = Finding(window: 0, key: key, latency: time, ownTime: time)
          finding.counters[.requests] = 1
          finding.counters[.requestsAdjusted] = 256
          window.add(finding)
        }
      }
    }
    return window
  }

  private static let node = NameID(11)
  private static let fast = NameID(12)
  private static let slow = NameID(13)

  /// Scenario: a service is asked for its slow operation more often, and each takes as long as ever.
  /// Guarantees: the service's shift is explained by the mix of operations; no operation shifted.
  @Test func operationMix() {
    var random = SimulatedRandom(seed: 8)
    let windows = (0..<120).map { position in
      ShiftsTests.window(
        ShiftsTests.node,
        [
          (ShiftsTests.fast, position < 60 ? 18 : 6, 2),
          (ShiftsTests.slow, position < 60 ? 2 : 14, 20),
        ], &random)
    }
    let shifts = Shifts(windows, seconds: 10).shifts.filter { $0.metric == .selfTime }
    #expect(shifts.count == 1 && shifts.first?.place == LevelShift.Place(node: ShiftsTests.node))
    #expect(shifts.first?.explanation == .operationMix && shifts.first?.isWorse == true)
  }

  /// Scenario: a service that takes twice as long at this time of every day, and today as well; and one
  /// that does so only today.
  /// Guarantees: the first is no shift, the second is.
  @Test func season() {
    var random = SimulatedRandom(seed: 9)
    func day(_ windows: Int, _ seconds: Int, isSlow: Bool) -> [Window] {
      (0..<windows).map { position in
        let time = isSlow && position * seconds >= 1_800 ? 20.0 : 10
        return ShiftsTests.window(ShiftsTests.node, [(ShiftsTests.fast, 12, time)], &random)
      }
    }
    let today = day(360, 10, isSlow: true)
    let same = Shifts.EarlierDays((0..<4).map { _ in day(6, 600, isSlow: true) })
    let other = Shifts.EarlierDays((0..<4).map { _ in day(6, 600, isSlow: false) })
    func found(_ days: Shifts.EarlierDays) -> [LevelShift] {
      Shifts(today, seconds: 10, days: days).shifts.filter {
        $0.metric == .selfTime && abs(log($0.size)) > log(1.5)
      }
    }
    #expect(found(other).contains { abs($0.onset - 180) <= 1 && $0.size > 1.8 })
    #expect(found(same).isEmpty)
  }

  /// Scenario: a service that is slow for ten minutes; only one of two services is asked about; the time
  /// before counts as history.
  /// Guarantees: the shift says when it ended; nothing of the other service, nothing of the history.
  @Test func endedAndChosen() {
    var random = SimulatedRandom(seed: 10)
    let other = NameID(21)
    let windows = (0..<240).map { position in
      var window = ShiftsTests.window(
        ShiftsTests.node, [(ShiftsTests.fast, 10, (120..<180).contains(position) ? 30 : 10)],
        &random)
      window.merge(
        ShiftsTests.window(other, [(NameID(22), 10, position < 40 ? 10 : 30)], &random))
      return window
    }
    let shifts = Shifts(windows, seconds: 10, isIncluded: { $0 == ShiftsTests.node }).shifts
    let slower = shifts.filter {
      $0.place == LevelShift.Place(node: ShiftsTests.node) && $0.isWorse
    }
    #expect(slower.map(\.onset) == [120] && slower.first?.ended == 180)
    #expect(shifts.allSatisfy { $0.place.node == ShiftsTests.node })
    let recent = Shifts(windows, seconds: 10, from: 100).shifts
    #expect(!recent.isEmpty && recent.allSatisfy { $0.onset >= 100 })
  }

  /// Scenario: no windows, empty windows, windows of zero length.
  /// Guarantees: nothing is found and nothing fails.
  @Test func nothing() {
    #expect(Shifts([], seconds: 10).shifts.isEmpty)
    #expect(Shifts(Array(repeating: Window(), count: 50), seconds: 10).shifts.isEmpty)
    #expect(Shifts(Array(repeating: Window(), count: 50), seconds: 600, from: 60).seriesCount == 0)
  }
}
