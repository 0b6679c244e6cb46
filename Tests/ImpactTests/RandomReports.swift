import Model
import TestSupport

@testable import Impact

extension SeededGenerator {
  mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }

  mutating func text() -> String {
    let letters = Array("v42.-/ é\u{0}\u{1F}\"\\😀")
    return String((0..<below(9)).map { _ in letters[below(letters.count)] })
  }

  mutating func side() -> Side {
    let traces = Int64(once(in: 6) ? anyMagnitude() >> 1 : next() % 60)
    return Side(
      traces: traces, errorTraces: once(in: 2) ? 0 : Int64(next() % 60),
      unseenFailures: once(in: 3) ? Int64(next() % 5) : 0,
      latency: once(in: 4)
        ? nil
        : LogLatency(weight: Double(traces) + unit(), mean: 10 + 12 * unit(), variance: unit()))
  }

  mutating func sides(_ countMax: Int) -> [Side] { (0..<below(countMax)).map { _ in side() } }

  mutating func settings() -> GateSettings {
    GateSettings(
      errorsTolerated: unit() * 0.1, minHealth: once(in: 2) ? nil : 100 * unit(),
      rules: once(in: 4) ? .apart : .latest)
  }

  mutating func concurrent() -> ConcurrentQuestion {
    let width = TileWidth.allCases[below(4)].nanos
    let start = Sample.start + UInt64(below(1_000_000))
    let windows = (0..<below(40)).map { index in
      ComparedWindow(
        start: start + UInt64(index) * width, width: width, current: side(), baseline: side(),
        unknownFailures: once(in: 5) ? Int64(below(4)) : 0, isWarmingUp: once(in: 4))
    }
    return ConcurrentQuestion(
      version: text(), baseline: text(), start: start, until: start + 41 * width,
      windows: windows, history: sides(20),
      announced: (0..<below(3)).map { index in
        AnnouncedShare(
          from: start + UInt64(index * below(99)) * windowNanos,
          share: once(in: 4) ? nil : unit())
      },
      deadline: once(in: 2)
        ? nil : FixedDeadline(time: start + anyMagnitude() % .hour, fixedAt: anyMagnitude()),
      settings: settings())
  }

  private mutating func stretch() -> Stretch { Stretch(before: side(), after: side()) }

  private mutating func series() -> StretchSeries {
    StretchSeries(
      now: stretch(), earlier: (0..<below(29)).map { _ in once(in: 5) ? nil : stretch() })
  }

  mutating func beforeAfter() -> BeforeAfterQuestion {
    BeforeAfterQuestion(
      version: text(), start: Sample.start, until: Sample.start + anyMagnitude() % .day,
      subject: series(), controls: (0..<below(4)).map { _ in series() }, history: sides(30),
      unknownFailures: Int64(below(5)), otherChanges: once(in: 3) ? below(4) : 0,
      settings: settings())
  }

  private mutating func moment() -> Circumstances.Moment? {
    once(in: 3)
      ? nil
      : Circumstances.Moment(
        earliest: once(in: 4) ? anyMagnitude() : Sample.start + UInt64(below(99)) * windowNanos,
        latest: Sample.start + UInt64(below(199)) * windowNanos,
        ended: once(in: 2) ? nil : once(in: 3) ? anyMagnitude() : Sample.start + .minute)
  }

  private mutating func operation() -> Circumstances.Operation? {
    once(in: 3) ? nil : Circumstances.Operation(name: text(), amount: 2 * unit())
  }

  mutating func circumstances() -> Circumstances {
    let changes = (0..<below(4)).map { _ in
      Circumstances.Change(
        marker: MarkerID(next()), kind: MarkerKind.allCases[below(MarkerKind.allCases.count)],
        service: text(), version: text(), place: Circumstances.Place.allCases[below(3)],
        time: once(in: 4) ? anyMagnitude() : Sample.start, undone: once(in: 2) ? nil : next())
    }
    let causes = (0..<below(4)).map { _ in
      Circumstances.Cause(
        kind: RootCause.Kind.allCases[below(RootCause.Kind.allCases.count)],
        place: Circumstances.Place.allCases[below(3)], service: text(), caller: text(),
        share: unit())
    }
    return Circumstances(
      changes: changes, onset: moment(), surge: moment(), causes: causes, mix: operation(),
      busiest: operation(),
      instances: once(in: 2) ? nil : Circumstances.Instances(before: below(9), now: below(9)),
      undone: once(in: 2) ? nil : anyMagnitude())
  }

  mutating func report() -> GateReport {
    var subject = GateReport.Subject()
    subject.service = text()
    subject.environment = text()
    subject.version = text()
    subject.baseline = text()
    subject.rollbackTo = text()
    subject.marker = once(in: 2) ? nil : MarkerID(next())
    subject.start = once(in: 3) ? nil : anyMagnitude()
    subject.until = once(in: 3) ? nil : anyMagnitude()
    subject.deadline = once(in: 3) ? nil : anyMagnitude()
    return GateReport(
      tenant: TenantID(UInt32(truncatingIfNeeded: anyMagnitude())), subject: subject,
      question: GateQuestion(
        concurrent: once(in: 3) ? nil : concurrent(),
        beforeAfter: once(in: 3) ? nil : beforeAfter(),
        circumstances: once(in: 3) ? nil : circumstances()),
      remarks: (0..<below(3)).map { _ in text() })
  }
}
