import Model
import TestSupport
import Testing

@testable import Impact

private let service = Name(
  tenant: .standard, kind: .service, text: NodeIdentity(name: "checkout").text)
private let v41 = NameID(41)
private let v42 = NameID(42)
private let v43 = NameID(43)

/// On the hour, so that windows of every width begin there.
private let start: Nanos = Sample.start.floored(to: .hour)

@Suite struct RolloutWindowsTests {
  private var sums = WindowSums()
  private var unreached = WindowSums()
  private let peer = Name(
    tenant: .standard, kind: .external, text: NodeIdentity(name: "checkout").text)

  private func windows(width: Nanos = windowNanos) -> RolloutWindows {
    RolloutWindows(
      service: service.id, width: width, versions: sums,
      unreached: UnreachedFailures(
        of: service, in: unreached, names: [peer.id: peer], current: .none))
  }

  private mutating func add(
    _ version: NameID, _ traces: Int64, errors: Int64 = 0, at time: Nanos, to other: NameID? = nil
  ) {
    var finding = Finding(
      window: time, key: .version(other ?? service.id, version), latency: 50 * .millisecond)
    finding.counters[.traces] = traces
    finding.counters[.errorTraces] = errors
    sums.add(finding)
  }

  /// A failed call of nobody known.
  private mutating func fail(at time: Nanos) {
    var finding = Finding(window: time, key: .unreached(peer.id, at: .none, by: NameID(9)))
    finding.counters[.errorTraces] = 1
    unreached.add(finding)
  }

  /// Scenario: versions with more and less traffic before, at and after the borders of a range.
  /// Guarantees: the busiest within [from, to) besides the one asked about; of equals the one with
  /// the lesser id; none where there was none.
  @Test mutating func busiest() {
    add(v41, 10, at: start - .minute)
    add(v43, 11, at: start - 2 * .minute)
    add(v42, 99, at: start - .minute)
    add(v41, 50, at: start)
    add(v41, 50, at: start - .hour - windowNanos)
    add(.none, 1_000, at: start - .minute)
    add(v41, 1_000, at: start - .minute, to: NameID(8))
    func busiest(_ version: NameID, from: Nanos, to: Nanos) -> NameID? {
      windows().busiestVersion(besides: version, from: from, to: to)
    }
    #expect(busiest(v42, from: start - .hour, to: start) == v43)
    #expect(busiest(v43, from: start - .hour, to: start) == v42)
    #expect(busiest(v42, from: start - .hour, to: start + 1) == v41)
    #expect(busiest(v42, from: start - 2 * .hour, to: start) == v41)
    #expect(busiest(v42, from: start, to: start) == nil)
    #expect(busiest(v42, from: start + .minute, to: start + .hour) == nil)
    add(v41, 1, at: start - .minute)
    #expect(busiest(v42, from: start - .hour, to: start) == v41)
  }

  /// Scenario: two versions with windows before the start, at it, at the end of data and between;
  /// failed calls in a window in which neither had anything.
  /// Guarantees: the windows of [start, until) in order, those with nothing left out, with the calls
  /// nobody can place.
  @Test mutating func compared() throws {
    for index in [-1, 0, 1, 4, 5] as [Int64] {
      let time = Nanos(Int64(start) + index * Int64(windowNanos))
      add(v41, 40 + index, errors: 1, at: time)
      if index != 1 { add(v42, 4, at: time) }
    }
    fail(at: start + 3 * windowNanos)
    fail(at: start + 5 * windowNanos)
    fail(at: start - windowNanos)
    let until = start + 5 * windowNanos
    let found = windows().compared(v42, with: v41, from: start + 1, to: until)
    #expect(found.map { ($0.start - start) / windowNanos } == [0, 1, 3, 4])
    #expect(found.map(\.current.traces) == [4, 0, 0, 4])
    #expect(found.map(\.baseline.traces) == [40, 41, 0, 44])
    #expect(found.map(\.baseline.errorTraces) == [1, 1, 0, 1])
    #expect(found.map(\.unknownFailures) == [0, 0, 1, 0])
    #expect(found.allSatisfy { $0.width == windowNanos })
    #expect(found[0].current.latency != nil && found[1].current.latency == nil)
    #expect(windows().unknownFailures(from: start, to: until) == 1)
    #expect(windows().unknownFailures(from: start, to: until + 1) == 2)
    #expect(windows().total(of: v42, from: start, to: until).traces == 8)
    #expect(windows().total(of: v43, from: start, to: until) == .nothing)
    for (from, to) in [(until, start), (start, start), (start + .day, .max)] {
      #expect(windows().compared(v42, with: v41, from: from, to: to).isEmpty)
    }
  }

  /// Scenario: a baseline with traffic in some windows of the hour before the start, which lies
  /// within a window.
  /// Guarantees: every window of that hour in order, the quiet ones among them, none since the
  /// start's.
  @Test mutating func history() {
    let begin = start + 3 * .second
    for minutes in [0, 1, 59, 60, 61] as [Nanos] {
      add(v41, Int64(1 + minutes), at: start - minutes * .minute)
    }
    let sides = windows().history(of: v41, before: begin)
    #expect(sides.count == 360)
    #expect(sides[0].traces == 61 && sides[6].traces == 60 && sides[354].traces == 2)
    #expect(sides.filter { $0.traces > 0 }.count == 3)
    #expect(windows().history(of: v43, before: begin).allSatisfy { $0 == .nothing })
    #expect(windows().history(of: v41, before: 0).isEmpty)
    #expect(windows().history(of: v41, before: 25 * .second).count == 2)
  }

  /// Scenario: old history in windows of a minute; the change began within one.
  /// Guarantees: the window of the start is compared, not history; widths are told.
  @Test mutating func wideWindows() {
    let begin = start + 30 * .second
    for minutes in 0..<70 as Range<Nanos> { add(v41, 60, at: start - minutes * .minute) }
    for minutes in 0..<10 as Range<Nanos> {
      if minutes > 0 { add(v41, 50, at: start + minutes * .minute) }
      add(v42, 5, at: start + minutes * .minute)
    }
    let wide = windows(width: .minute)
    let found = wide.compared(v42, with: v41, from: begin, to: start + 9 * .minute)
    #expect(found.count == 9 && found.allSatisfy { $0.width == .minute })
    #expect(found[0].start == start && found[0].baseline.traces == 60)
    let history = wide.history(of: v41, before: begin)
    #expect(history.count == 60 && history.allSatisfy { $0.traces == 60 })
    for width in TileWidth.allCases.map(\.nanos) {
      #expect(
        windows(width: width).history(of: v41, before: begin).count == Int(.hour / width))
    }
  }

  /// Scenario: versions of this service and of another, and spans without one.
  /// Guarantees: only this service's versions were seen.
  @Test mutating func sightings() {
    add(v41, 1, at: start)
    add(v41, 1, at: start + .hour)
    add(.none, 1, at: start)
    add(v42, 1, at: start, to: NameID(8))
    #expect(
      windows().sightings == [
        VersionSighting(
          service: service.id, version: v41, first: start, newest: start + .hour)
      ])
  }
}
