import Model
import TestSupport
import Testing

@testable import Windows

@Suite struct PathLimiterTests {
  private let hour: Nanos = 480_000 * .hour

  private func finding(
    _ path: UInt64, below parent: UInt64 = 0, at time: Nanos? = nil, own: Nanos = 1_000_000
  ) -> Finding {
    var finding = Finding(
      window: time ?? hour, key: .path(path, below: parent, operation: NameID(path)),
      latency: parent == 0 ? own : nil, ownTime: own)
    finding.counters[.criticalPathNanos] = Int64(own)
    return finding
  }

  private func time(_ findings: [Finding]) -> Int64 {
    findings.reduce(0) { $0 + $1.counters[.criticalPathNanos] }
  }

  private func count(_ findings: [Finding], _ part: UInt64) -> Int64 {
    findings.filter { $0.key == .overflow(.standard, part: part) }
      .reduce(0) { $0 + $1.counters[.requests] }
  }

  /// Scenario: an entry point with more paths than are told apart, then those known again.
  /// Guarantees: the rest is one path below the entry point, and counted; no time is lost; what has its
  /// place keeps it.
  @Test func paths() {
    var limiter = PathLimiter()
    var findings = [finding(1)]
    for path in 2...UInt64(PathLimiter.pathsOfEntryMax) + 50 {
      findings.append(finding(path, below: 1))
    }
    let before = time(findings)
    limiter.limit(&findings, of: .standard)
    #expect(time(findings) == before)
    let keys = Set(findings.map(\.key))
    // The one of the rest, and the one that counts how many steps it is made of.
    #expect(keys.count == PathLimiter.pathsOfEntryMax + 2)
    #expect(count(findings, SeriesKey.overflowPathsPart) == 50)
    #expect(keys.contains(PathLimiter.overflow(of: 1)))
    #expect(PathLimiter.overflow(of: 1).second == 1)
    #expect(limiter.pathOverflows == 50 && limiter.callOverflows == 0)
    var again = [finding(1), finding(2, below: 1), finding(9_999, below: 1)]
    limiter.limit(&again, of: .standard)
    #expect(again.prefix(3).map(\.key.first) == [1, 2, PathLimiter.overflow(of: 1).first])
  }

  /// Scenario: so many paths once each, in a random order, and a few that are taken again and again.
  /// Guarantees: whatever the order, those are told apart, but for what the lightest that is told apart
  /// had, one trace, and their share of what all others lost; a path is told apart with all before it;
  /// no time is lost; places are bounded.
  @Test func mostTimeIsToldApart() {
    var random = SeededGenerator("mostTimeIsToldApart")
    let once = UInt64(2_000)
    let heavy = (0..<20 as Range<UInt64>).map { 100_000 + $0 }
    var traces = (1...once).map { 1_000 + $0 }
    for path in heavy { traces += Array(repeating: path, count: 120) }
    for _ in 0..<10 {
      traces.shuffle(using: &random)
      var limiter = PathLimiter()
      var told: [SeriesKey: Int64] = [:]
      for path in traces {
        var findings = [finding(1, own: 10), finding(path, below: 1, own: 1_000)]
        findings.append(finding(path + 1_000_000, below: path, own: 10))
        limiter.limit(&findings, of: .standard)
        for finding in findings {
          told[finding.key, default: 0] += finding.counters[.criticalPathNanos]
        }
      }
      let paths = told.filter { $0.key.kind == .path }
      #expect(paths.values.reduce(0, +) == Int64(traces.count) * 1_020)
      #expect(paths.count <= EntryPathSet.placesMax + 1)
      for (key, _) in paths where key.second != 0 && key.third != 0 {
        #expect(paths.keys.contains { $0.first == key.second })
      }
      let overflow = paths[PathLimiter.overflow(of: 1)] ?? 0
      #expect(overflow > 0)
      for path in heavy {
        let apart = paths[.path(path, below: 1, operation: NameID(path))] ?? 0
        let lost = 120 * 1_000 - apart
        #expect(lost <= 2 * 1_010 + overflow / Int64(EntryPathSet.candidatesMax + 1))
      }
    }
  }

  /// Scenario: a path loses its place to another in the middle of a trace that goes on below it.
  /// Guarantees: what is below it goes into the overflow of the same entry point.
  @Test func displacedWithinATrace() {
    var limiter = PathLimiter()
    var first = [finding(1)]
    for path in 2...UInt64(PathLimiter.pathsOfEntryMax) {
      first.append(finding(path, below: 1, own: path == 2 ? 1_000 : 1_000_000))
    }
    limiter.limit(&first, of: .standard)
    var findings = [
      finding(1), finding(2, below: 1, own: 1), finding(9_000, below: 1, own: 5_000_000),
      finding(9_001, below: 2, own: 1),
    ]
    limiter.limit(&findings, of: .standard)
    #expect(findings.prefix(3).map(\.key.first) == [1, 2, 9_000])
    #expect(findings[3].key == PathLimiter.overflow(of: 1))
  }

  /// Scenario: what lies below a path that found no room.
  /// Guarantees: it goes where that one went, under the same entry point, and tells no duration;
  /// errors that began there are those of the overflow.
  @Test func below() {
    var limiter = PathLimiter()
    var first = [finding(1)]
    for path in 2...UInt64(PathLimiter.pathsOfEntryMax) {
      first.append(finding(path, below: 1, own: 100_000_000))
    }
    limiter.limit(&first, of: .standard)
    var findings = [finding(1), finding(5_000, below: 1), finding(5_001, below: 5_000)]
    limiter.limit(&findings, of: .standard)
    #expect(findings[1...2].allSatisfy { $0.key == PathLimiter.overflow(of: 1) })
    #expect(findings.prefix(3).map(\.latency) == [1_000_000, nil, nil])
    #expect(findings.count == 4 && count(findings, SeriesKey.overflowPathsPart) == 2)
    let error = Finding(
      window: hour, key: .errorPath(5_001, below: 5_000, operation: NameID(5_001)), latency: 7)
    var failed = [finding(1), finding(5_000, below: 1), finding(5_001, below: 5_000), error]
    limiter.limit(&failed, of: .standard)
    let overflow = PathLimiter.overflow(of: 1)
    #expect(
      failed[3].key == .errorPath(overflow.first, below: overflow.second, operation: .none))
    #expect(failed[3].latency == 7)
  }

  /// Scenario: more entry points than are told apart; an hour later the first of them again.
  /// Guarantees: the rest is one entry point without an operation, with all below it; a new hour
  /// begins anew.
  @Test func entries() {
    var limiter = PathLimiter()
    var findings = (1...UInt64(PathLimiter.entriesMax) + 1).map { finding($0) }
    let last = UInt64(PathLimiter.entriesMax) + 1
    findings.append(finding(77_777, below: last))
    limiter.limit(&findings, of: .standard)
    #expect(findings.suffix(3).prefix(2).allSatisfy { $0.key == PathLimiter.overflow(of: 0) })
    #expect(findings.filter { $0.key == PathLimiter.overflow(of: 0) }.count == 2)
    var later = [finding(last, at: hour + .hour)]
    limiter.limit(&later, of: .standard)
    #expect(later.map(\.key.first) == [last])
  }

  /// Scenario: an operation that calls more things than are told apart, and too many operations.
  /// Guarantees: the rest is one thing it calls, and then one operation; no call is lost.
  @Test func calls() {
    var limiter = PathLimiter()
    func call(_ caller: UInt64, _ callee: UInt64) -> Finding {
      var finding = Finding(window: hour, key: .call(from: NameID(caller), to: NameID(callee)))
      finding.counters[.requests] = 1
      return finding
    }
    var findings = (1...UInt64(PathLimiter.calleesMax) + 5).map { call(1, $0) }
    findings += (2...UInt64(PathLimiter.callersMax) + 3).map { call($0, 1) }
    let before = findings.count
    limiter.limit(&findings, of: .standard)
    #expect(findings.count == before + 1)
    #expect(count(findings, SeriesKey.overflowCallsPart) == 8 && limiter.callOverflows == 8)
    #expect(findings.filter { $0.key == .call(from: NameID(1), to: .none) }.count == 5)
    #expect(findings.filter { $0.key == .call(from: .none, to: .none) }.count == 3)
    var again = [call(1, 7), call(1, 9_999)]
    limiter.limit(&again, of: .standard)
    #expect(again.prefix(2).map(\.key.second) == [7, 0])
  }
}
