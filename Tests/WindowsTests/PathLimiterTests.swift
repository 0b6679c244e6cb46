import Model
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

  /// Scenario: an entry point with more paths than are told apart, then those known again.
  /// Guarantees: the rest is one path below the entry point; no time is lost; what has its place
  /// keeps it.
  @Test func paths() {
    var limiter = PathLimiter()
    var findings = [finding(1)]
    for path in 2...UInt64(PathLimiter.pathsOfEntryMax) + 50 {
      findings.append(finding(path, below: 1))
    }
    let before = time(findings)
    limiter.limit(&findings)
    #expect(time(findings) == before)
    let keys = Set(findings.map(\.key))
    #expect(keys.count == PathLimiter.pathsOfEntryMax + 1)
    #expect(keys.contains(PathLimiter.overflow(of: 1)))
    #expect(PathLimiter.overflow(of: 1).second == 1)
    #expect(limiter.overflows == 50)
    var again = [finding(1), finding(2, below: 1), finding(9_999, below: 1)]
    limiter.limit(&again)
    #expect(again.map(\.key.first) == [1, 2, PathLimiter.overflow(of: 1).first])
  }

  /// Scenario: what lies below a path that found no room.
  /// Guarantees: it goes where that one went, under the same entry point, and tells no duration;
  /// errors that began there are those of the overflow.
  @Test func below() {
    var limiter = PathLimiter()
    var first = [finding(1)]
    for path in 2...UInt64(PathLimiter.pathsOfEntryMax) { first.append(finding(path, below: 1)) }
    limiter.limit(&first)
    var findings = [finding(1), finding(5_000, below: 1), finding(5_001, below: 5_000)]
    limiter.limit(&findings)
    #expect(findings.dropFirst().allSatisfy { $0.key == PathLimiter.overflow(of: 1) })
    #expect(findings.map(\.latency) == [1_000_000, nil, nil])
    let error = Finding(
      window: hour, key: .errorPath(5_001, below: 5_000, operation: NameID(5_001)), latency: 7)
    var failed = [finding(1), finding(5_000, below: 1), finding(5_001, below: 5_000), error]
    limiter.limit(&failed)
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
    limiter.limit(&findings)
    #expect(findings.suffix(2).allSatisfy { $0.key == PathLimiter.overflow(of: 0) })
    #expect(findings.filter { $0.key == PathLimiter.overflow(of: 0) }.count == 2)
    var later = [finding(last, at: hour + .hour)]
    limiter.limit(&later)
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
    let count = findings.count
    limiter.limit(&findings)
    #expect(findings.count == count)
    #expect(findings.filter { $0.key == .call(from: NameID(1), to: .none) }.count == 5)
    #expect(findings.filter { $0.key == .call(from: .none, to: .none) }.count == 3)
    var again = [call(1, 7), call(1, 9_999)]
    limiter.limit(&again)
    #expect(again.map(\.key.second) == [7, 0])
  }
}
