public import Model

/// Bounds the call paths that are told apart: beyond a number of them for one entry point, and a number
/// of entry points, further ones are summed under overflow, so that the shares of an entry point
/// still sum to 1. Likewise what operations call, by operation.
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
  private var paths: [UInt64: Set<UInt64>] = [:]
  /// The entry point of each of them.
  private var entries: [UInt64: UInt64] = [:]
  /// Of each operation what it calls.
  private var callees: [UInt64: Set<UInt64>] = [:]
  private var hour: Nanos = 0
  /// Findings summed under overflow.
  public private(set) var overflows: UInt64 = 0

  public init() {}

  /// The path that takes what finds no room below an entry point: one step after it, without an
  /// operation. 0 stands for all entry points that find none.
  public static func overflow(of entry: UInt64) -> SeriesKey {
    .path(entry ^ 0xFFFF_FFFF_FFFF_FFFF, below: entry, operation: .none)
  }

  /// Rewrites the keys of the findings of one trace that find no room.
  /// - Parameter findings: those of paths with callers first, as they are emitted.
  public mutating func limit(_ findings: inout [Finding]) {
    var redirected: [UInt64: UInt64] = [:]
    for index in findings.indices {
      if findings[index].key.kind == .call { limitCall(&findings[index]) }
      if findings[index].key.kind == .errorPath, let home = redirected[findings[index].key.first] {
        let overflow = PathLimiter.overflow(of: home)
        findings[index].key = .errorPath(overflow.first, below: overflow.second, operation: .none)
      }
      guard findings[index].key.kind == .path else { continue }
      renew(findings[index].window)
      let path = findings[index].key.first
      let parent = findings[index].key.second
      let entry = parent == 0 ? path : redirected[parent] ?? entries[parent] ?? parent
      guard redirected[parent] != nil || !admits(path, of: entry) else { continue }
      let home = paths[entry] == nil ? 0 : entry
      redirected[path] = home
      overflows &+= 1
      findings[index].key = PathLimiter.overflow(of: home)
      // Only an entry point's own path tells how long the whole took.
      if home != 0 { findings[index].latency = nil }
    }
  }

  private mutating func limitCall(_ finding: inout Finding) {
    renew(finding.window)
    let caller = finding.key.first
    let callee = finding.key.second
    if callees[caller]?.contains(callee) == true { return }
    if let known = callees[caller], known.count < PathLimiter.calleesMax {
      callees[caller, default: []].insert(callee)
    } else if callees[caller] == nil, callees.count < PathLimiter.callersMax {
      callees[caller] = [callee]
    } else {
      overflows &+= 1
      finding.key = .call(from: callees[caller] == nil ? .none : NameID(caller), to: .none)
    }
  }

  private mutating func admits(_ path: UInt64, of entry: UInt64) -> Bool {
    if paths[entry]?.contains(path) == true { return true }
    if path == entry {
      guard paths.count < PathLimiter.entriesMax else { return false }
    } else {
      guard let known = paths[entry], known.count < PathLimiter.pathsOfEntryMax else {
        return false
      }
    }
    paths[entry, default: []].insert(path)
    entries[path] = entry
    return true
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
