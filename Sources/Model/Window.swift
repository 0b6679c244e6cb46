/// Everything one series gathered in one window. Adds and subtracts exactly.
public struct Sums: Equatable, Sendable {
  public var counters: Counters
  /// Of all requests the square of their weight less that of a request that was not sampled, summed:
  /// 0 where none was. In 1/65536ths. Of the greatest weights a few already leave 64 bits.
  public var squaredWeightExcess: Int128
  /// How long requests took: at the node, or, on an edge, as its server saw them.
  public var latency: Histogram
  /// On an edge: how long calls took as the client saw them.
  public var clientLatency: Histogram
  /// At a node: self time, what no callee explains. On an edge: the gap, what neither end explains.
  public var ownTime: Histogram
  /// On a path: how long the traces took in which time was spent there. Weighted with that time, in
  /// nanoseconds adjusted for sampling: its weight is `Counters.Field.criticalPathNanos`.
  public var wholes: Histogram
  /// A few traces in which it can be seen: those with the smallest ids by `Exemplars.rank`.
  public var exemplars: Exemplars

  public init() {
    counters = Counters()
    squaredWeightExcess = 0
    latency = Histogram()
    clientLatency = Histogram()
    ownTime = Histogram()
    wholes = Histogram()
    exemplars = Exemplars()
  }

  /// Nothing is left to read. Exemplars do not count: without requests there is nothing to show.
  public var isZero: Bool {
    counters.isZero && squaredWeightExcess == 0 && latency.isEmpty && clientLatency.isEmpty
      && ownTime.isEmpty && wholes.isEmpty
  }

  /// Adds a finding; with sign −1 takes it away, and its trace out of the examples. Whoever takes a
  /// finding away takes all that its trace says.
  /// - Parameter examples: how many traces are held as examples, those shown and those to follow.
  /// - Returns: whether the finding's trace is one of the examples shown now.
  @discardableResult
  public mutating func add(
    _ finding: Finding, sign: Int64 = 1, examples: Int = Exemplars.countMax
  ) -> Bool {
    counters.merge(finding.counters, sign: sign)
    if let excess = finding.squaredWeightExcess {
      squaredWeightExcess &+= sign < 0 ? 0 &- excess : excess
    }
    let weight = sign &* finding.weight
    if let value = finding.latency { latency.add(value, weight: weight) }
    if let value = finding.clientLatency { clientLatency.add(value, weight: weight) }
    if let value = finding.ownTime { ownTime.add(value, weight: weight) }
    if let value = finding.whole {
      wholes.add(value, weight: sign &* finding.counters[.criticalPathNanos])
    }
    guard let trace = finding.exemplar else { return false }
    guard sign > 0 else {
      exemplars.remove(trace)
      return false
    }
    return exemplars.offer(trace, holding: examples)
  }

  public mutating func merge(_ other: Sums, sign: Int64 = 1) {
    counters.merge(other.counters, sign: sign)
    squaredWeightExcess &+= other.squaredWeightExcess &* Int128(sign)
    latency.merge(other.latency, sign: sign)
    clientLatency.merge(other.clientLatency, sign: sign)
    ownTime.merge(other.ownTime, sign: sign)
    wholes.merge(other.wholes, sign: sign)
    if sign > 0 { exemplars.merge(other.exemplars) }
  }

  /// Equal in everything that is a count or a sum.
  public func hasSameCounts(as other: Sums) -> Bool {
    counters == other.counters && squaredWeightExcess == other.squaredWeightExcess
      && latency == other.latency && clientLatency == other.clientLatency
      && ownTime == other.ownTime && wholes == other.wholes
  }
}

/// The traces shown as examples: of all offered, the few with the smallest hash, so that the
/// choice does not depend on the order of arrival.
///
/// What can be taken back needs more than are shown: the next ones follow where one is taken out. As
/// long as no more are taken out than are held besides those shown, those shown are the first of all.
public struct Exemplars: Equatable, Sendable {
  public static let countMax = 3
  /// How many are held where findings may be taken back: five traces of one series and ten seconds may
  /// turn out not to belong there, of the first eight.
  public static let heldMax = 8
  /// Those shown, and behind them those that are held to follow.
  private var held: [TraceID] = []

  public init() {}

  public var traces: [TraceID] { Array(held.prefix(Exemplars.countMax)) }

  /// - Parameter count: how many are held.
  /// - Returns: whether it is one of those shown.
  @discardableResult
  public mutating func offer(_ trace: TraceID, holding count: Int = Exemplars.countMax) -> Bool {
    if held.count == count, let last = held.last, !Exemplars.precedes(trace, last) {
      return trace == last && count <= Exemplars.countMax
    }
    let position = held.firstIndex { !Exemplars.precedes($0, trace) } ?? held.count
    if position == held.count || held[position] != trace { held.insert(trace, at: position) }
    if held.count > count { held.removeLast(held.count - count) }
    return position < Exemplars.countMax
  }

  mutating func remove(_ trace: TraceID) {
    if let position = held.firstIndex(of: trace) { held.remove(at: position) }
  }

  mutating func merge(_ other: Exemplars) {
    for trace in other.held.prefix(Exemplars.countMax) { offer(trace) }
  }

  /// By rank, and by id where two have the same.
  private static func precedes(_ a: TraceID, _ b: TraceID) -> Bool {
    let first = rank(a)
    let second = rank(b)
    return first != second ? first < second : a < b
  }

  /// The share of all traces that come before this one, 0…1: as good as random, the same everywhere.
  public static func place(of trace: TraceID) -> Double { Double(rank(trace)) / 0x1p64 }

  static func rank(_ trace: TraceID) -> UInt64 {
    var mixed = (trace.high ^ trace.low) &* 0x9E37_79B9_7F4A_7C15
    mixed ^= mixed >> 29
    return mixed &* 0xBF58_476D_1CE4_E5B9 ^ trace.low
  }
}

/// The sum of all findings that fall into one stretch of time: series by key.
public struct Window: Equatable, Sendable {
  public private(set) var series: [SeriesKey: Sums]

  public init() { series = [:] }

  /// The sums of series of which none comes twice and none is zero.
  public init(_ sums: some Sequence<(SeriesKey, Sums)>) {
    series = Dictionary(sums) { first, _ in first }
  }

  public var isEmpty: Bool { series.isEmpty }

  /// Adds a finding, or takes it away with sign −1. A series that sums to nothing disappears.
  /// - Returns: whether the finding's trace is an example of the series now.
  @discardableResult
  public mutating func add(
    _ finding: Finding, sign: Int64 = 1, examples: Int = Exemplars.countMax
  ) -> Bool {
    var isExample = false
    update(finding.key) { isExample = $0.add(finding, sign: sign, examples: examples) }
    return isExample
  }

  public mutating func merge(_ sums: Sums, at key: SeriesKey, sign: Int64 = 1) {
    // What is there for the first time is taken as it is, with its arrays, instead of added up anew.
    if sign == 1, series[key] == nil {
      if !sums.isZero { series[key] = sums }
      return
    }
    update(key) { $0.merge(sums, sign: sign) }
  }

  public mutating func merge(_ other: Window, sign: Int64 = 1) {
    for (key, sums) in other.series { merge(sums, at: key, sign: sign) }
  }

  private mutating func update(_ key: SeriesKey, _ change: (inout Sums) -> Void) {
    if Window.isZero(&series[key, default: Sums()], after: change) {
      series.removeValue(forKey: key)
    }
  }

  private static func isZero(_ sums: inout Sums, after change: (inout Sums) -> Void) -> Bool {
    change(&sums)
    return sums.isZero
  }

  /// Equal in everything that is a count or a sum.
  public func hasSameCounts(as other: Window) -> Bool {
    series.count == other.series.count
      && series.allSatisfy { key, sums in
        other.series[key].map { sums.hasSameCounts(as: $0) } ?? false
      }
  }
}

/// Windows by their start. Merging is commutative and associative.
public struct WindowSums: Equatable, Sendable {
  /// Keyed by the start of the window, Unix nanoseconds.
  public private(set) var windows: [Nanos: Window]

  public init() { windows = [:] }

  public var isEmpty: Bool { windows.isEmpty }
  /// Series in all windows together.
  public private(set) var seriesCount = 0
  /// About what a series takes in memory: its sums, its place in a dictionary that is two thirds full,
  /// and the arrays of short histograms.
  public static let bytesPerSeries = 1_280

  /// - Returns: whether a trace of the findings is an example of a series now.
  @discardableResult
  public mutating func add(
    _ findings: [Finding], sign: Int64 = 1, examples: Int = Exemplars.countMax
  ) -> Bool {
    var isExample = false
    // Findings of one trace come in runs of one window, which is looked up once for each.
    var next = 0
    while next < findings.count {
      let start = findings[next].window
      update(start) { window in
        while next < findings.count, findings[next].window == start {
          if window.add(findings[next], sign: sign, examples: examples) { isExample = true }
          next += 1
        }
      }
    }
    return isExample
  }

  @discardableResult
  public mutating func add(_ finding: Finding, sign: Int64 = 1) -> Bool {
    var isExample = false
    update(finding.window) { isExample = $0.add(finding, sign: sign) }
    return isExample
  }

  public mutating func merge(_ sums: Sums, at key: SeriesKey, window: Nanos) {
    update(window) { $0.merge(sums, at: key) }
  }

  public mutating func merge(_ other: WindowSums, sign: Int64 = 1) {
    for (start, window) in other.windows {
      if sign == 1, windows[start] == nil {
        windows[start] = window
        seriesCount += window.series.count
      } else {
        update(start) { $0.merge(window, sign: sign) }
      }
    }
  }

  private mutating func update(_ start: Nanos, _ change: (inout Window) -> Void) {
    var window = windows.removeValue(forKey: start) ?? Window()
    seriesCount -= window.series.count
    change(&window)
    seriesCount += window.series.count
    if !window.isEmpty { windows[start] = window }
  }

  public func hasSameCounts(as other: WindowSums) -> Bool {
    windows.count == other.windows.count
      && windows.allSatisfy { start, window in
        other.windows[start].map { window.hasSameCounts(as: $0) } ?? false
      }
  }

  /// All windows that begin in [start, end), merged into one: the series of the kinds asked for.
  public func merged(
    from start: Nanos, to end: Nanos, kinds: Set<SeriesKind> = SeriesKind.all
  ) -> Window {
    var sum = Window()
    for (begin, window) in windows where begin >= start && begin < end {
      for (key, sums) in window.series where kinds.contains(key.kind) { sum.merge(sums, at: key) }
    }
    return sum
  }
}
