public import Model

/// Bounds the call paths that are told apart: beyond a number of them for one entry point, and a number
/// of entry points, further ones are summed under overflow, so that the shares of an entry point
/// still sum to 1. Likewise what operations call, by operation.
///
/// Of an entry point the paths with most time are told apart, not the first ones (`EntryPathSet`).
///
/// Applied when a trace is sealed, never before: what stands in the overlay must be taken back under
/// the very key it was added with. What was told apart is forgotten every hour, because operations and
/// with them paths never end.
public struct PathLimiter: Sendable {
  public static let pathsOfEntryMax = 250
  public static let entriesMax = 5_000
  /// What one operation calls, and how many operations are told apart that call something.
  public static let calleesMax = 250
  public static let callersMax = 20_000

  /// Of each entry point the paths told apart.
  private var paths: [UInt64: EntryPathSet] = [:]
  /// The entry point of each of them.
  private var entries: [UInt64: UInt64] = [:]
  /// Of each operation what it calls.
  private var callees: [UInt64: Set<UInt64>] = [:]
  private var hour: Nanos = 0
  /// Of the trace being limited: time on the critical path of each path, and below it.
  private var times: [UInt64: Int64] = [:]
  /// Findings summed under overflow: steps of paths, and what operations call.
  public private(set) var pathOverflows: UInt64 = 0
  public private(set) var callOverflows: UInt64 = 0

  public init() {}

  /// The path that takes what finds no room below an entry point: one step after it, without an
  /// operation. 0 stands for all entry points that find none.
  public static func overflow(of entry: UInt64) -> SeriesKey {
    .path(entry ^ 0xFFFF_FFFF_FFFF_FFFF, below: entry, operation: .none)
  }

  /// Rewrites the keys of the findings of one trace that find no room, and adds how many they are.
  /// - Parameter findings: those of paths with callers first, as they are emitted.
  public mutating func limit(_ findings: inout [Finding], of tenant: TenantID) {
    var paths: [Nanos: Int64] = [:]
    var calls: [Nanos: Int64] = [:]
    let before = (pathOverflows, callOverflows)
    redirect(&findings, &paths, &calls)
    guard (pathOverflows, callOverflows) != before else { return }
    for (part, counts) in [
      (SeriesKey.overflowPathsPart, paths), (SeriesKey.overflowCallsPart, calls),
    ] {
      for (window, count) in counts {
        var counters = Counters()
        counters[.requests] = count
        findings.append(
          Finding(window: window, key: .overflow(tenant, part: part), counters: counters))
      }
    }
  }

  /// - Parameters:
  ///   - steps: gets the steps of paths that find no room, by window.
  ///   - calls: gets the calls.
  private mutating func redirect(
    _ findings: inout [Finding], _ steps: inout [Nanos: Int64], _ calls: inout [Nanos: Int64]
  ) {
    var redirected: [UInt64: UInt64] = [:]
    findTimes(in: findings)
    for index in findings.indices {
      if findings[index].key.kind == .call, limitCall(&findings[index]) {
        callOverflows &+= 1
        calls[findings[index].window, default: 0] &+= 1
      }
      if findings[index].key.kind == .errorPath, let home = redirected[findings[index].key.first] {
        let overflow = PathLimiter.overflow(of: home)
        findings[index].key = .errorPath(overflow.first, below: overflow.second, operation: .none)
      }
      guard findings[index].key.kind == .path else { continue }
      renew(findings[index].window)
      let path = findings[index].key.first
      let parent = findings[index].key.second
      let entry = parent == 0 ? path : redirected[parent] ?? entries[parent] ?? parent
      let time = times[path] ?? 0
      guard redirected[parent] != nil || !admits(path, below: parent, of: entry, time, &redirected)
      else { continue }
      let home = paths[entry] == nil ? 0 : entry
      redirected[path] = home
      pathOverflows &+= 1
      steps[findings[index].window, default: 0] &+= 1
      findings[index].key = PathLimiter.overflow(of: home)
      // Only an entry point's own path tells how long the whole took.
      if home != 0 { findings[index].latency = nil }
    }
  }

  /// - Returns: whether it found no room.
  private mutating func limitCall(_ finding: inout Finding) -> Bool {
    renew(finding.window)
    let caller = finding.key.first
    let callee = finding.key.second
    if callees[caller]?.contains(callee) == true { return false }
    if let known = callees[caller], known.count < PathLimiter.calleesMax {
      callees[caller, default: []].insert(callee)
    } else if callees[caller] == nil, callees.count < PathLimiter.callersMax {
      callees[caller] = [callee]
    } else {
      finding.key = .call(from: callees[caller] == nil ? .none : NameID(caller), to: .none)
      return true
    }
    return false
  }

  private mutating func findTimes(in findings: [Finding]) {
    times.removeAll(keepingCapacity: true)
    for finding in findings.reversed() where finding.key.kind == .path {
      let time = (times[finding.key.first] ?? 0) &+ finding.counters[.criticalPathNanos]
      times[finding.key.first] = time
      if finding.key.second != 0 { times[finding.key.second, default: 0] &+= time }
    }
  }

  /// - Parameter redirected: gets a path that loses its place, for what the trace has below it.
  private mutating func admits(
    _ path: UInt64, below parent: UInt64, of entry: UInt64, _ time: Int64,
    _ redirected: inout [UInt64: UInt64]
  ) -> Bool {
    if path == entry {
      guard paths[entry] != nil || paths.count < PathLimiter.entriesMax else { return false }
    } else if paths[entry] == nil {
      return false
    }
    let place = paths[entry, default: EntryPathSet()].admit(
      path, below: parent == 0 ? path : parent, time: time,
      placesMax: PathLimiter.pathsOfEntryMax)
    if let displaced = place.displaced {
      entries[displaced] = nil
      redirected[displaced] = entry
    }
    if place.isAdmitted { entries[path] = entry }
    return place.isAdmitted
  }

  private mutating func renew(_ window: Nanos) {
    let current = window.floored(to: .hour)
    guard current > hour else { return }
    hour = current
    paths.removeAll(keepingCapacity: true)
    entries.removeAll(keepingCapacity: true)
    callees.removeAll(keepingCapacity: true)
  }
}
