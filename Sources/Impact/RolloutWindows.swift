public import Model

/// What was seen of one service, from an hour before a change on, window by window: the stuff that
/// questions about a rollout are made of.
public struct RolloutWindows: Sendable {
  public let service: NameID
  /// How long each window is, nanoseconds.
  public let width: Nanos
  /// The series `.version` of the service.
  private let windows: WindowSums
  private let unreached: UnreachedFailures
  private let ages: InstanceAges

  /// How long before the change its baseline is looked at.
  public static let historyNanos: Nanos = .hour

  public init(
    service: NameID, width: Nanos, versions: WindowSums, unreached: UnreachedFailures,
    ages: InstanceAges = InstanceAges()
  ) {
    self.ages = ages
    self.service = service
    self.width = width
    windows = versions
    self.unreached = unreached
  }

  /// The version with most traces in [from, to), besides `version`; of equals the one with the
  /// lesser id. nil when there is none.
  public func busiestVersion(besides version: NameID, from: Nanos, to: Nanos) -> NameID? {
    var traces: [NameID: Int64] = [:]
    for (start, window) in windows.windows where start >= from && start < to {
      for (key, sums) in window.series where isVersion(key) {
        traces[NameID(key.second), default: 0] += sums.counters[.traces]
      }
    }
    traces[version] = nil
    return traces.filter { $0.value > 0 }.max { a, b in
      a.value != b.value ? a.value < b.value : a.key > b.key
    }?.key
  }

  /// When versions were first and last seen in the windows.
  public var sightings: [VersionSighting] {
    windows.versionSightings.filter { $0.service == service }
  }

  private func isVersion(_ key: SeriesKey) -> Bool {
    key.kind == .version && key.first == service.raw && key.second != 0
  }

  /// What a version did in one window.
  public func side(_ version: NameID, in start: Nanos) -> Side {
    let unseen = unreached.count(of: version, in: start)
    guard let sums = windows.windows[start]?.series[.version(service, version)] else {
      return Side(traces: 0, errorTraces: 0, unseenFailures: unseen)
    }
    return Side(sums, unseenFailures: unseen)
  }

  /// Failed calls in [from, to) that nobody can lay to a version.
  public func unknownFailures(from: Nanos, to: Nanos) -> Int64 {
    failures(from, to) { unreached.count(of: .none, in: $0) }
  }

  /// Failed calls in [from, to) of which no span of the service tells, whichever version it was.
  public func unreachedFailures(from: Nanos, to: Nanos) -> Int64 {
    failures(from, to) { unreached.total(in: $0) }
  }

  private func failures(_ from: Nanos, _ to: Nanos, _ count: (Nanos) -> Int64) -> Int64 {
    unreached.windows.filter { $0 >= from && $0 < to }.reduce(0) { $0 + count($1) }
  }

  /// A version's windows in the hour before `start`, in order, those without requests among them.
  public func history(of version: NameID, before start: Nanos) -> [Side] {
    let first = start.saturatingSubtracting(RolloutWindows.historyNanos).floored(to: width)
    return stride(from: first, to: start.floored(to: width), by: Int(width)).map {
      side(version, in: $0)
    }
  }

  /// What a version did from `start` to `until`.
  public func total(of version: NameID, from start: Nanos, to until: Nanos) -> Side {
    compared(version, with: version, from: start, to: until)
      .reduce(.nothing) { $0.merged(with: $1.current) }
  }

  /// Both versions from `start` to `until`; windows in which neither had anything are left out.
  public func compared(
    _ version: NameID, with baseline: NameID, from start: Nanos, to until: Nanos
  ) -> [ComparedWindow] {
    let starts = Set(windows.windows.keys).union(unreached.windows)
      .filter { $0 >= start.floored(to: width) && $0 < until }
    return starts.sorted().map { window in
      ComparedWindow(
        start: window, width: width, current: side(version, in: window),
        baseline: side(baseline, in: window),
        unknownFailures: unreached.count(of: .none, in: window),
        isWarmingUp: ages.isWarmingUp(version, in: window, width: width))
    }
  }
}
