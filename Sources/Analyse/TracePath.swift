public import Model

/// The critical path of a whole trace by one rule.
/// - Cost: O(n log n) at most, no recursion.
public struct TracePath: Sendable {
  /// A stretch of time in which a root waited for one span.
  public struct Section: Sendable, Equatable {
    public var span: Int
    public var from: Nanos
    public var until: Nanos
  }

  /// What the rule counts for one span.
  public struct Share: Sendable, Equatable {
    public var span: Int
    public var time: Nanos
    /// What of the time is counted for other spans already: it is taken off after summing, so that
    /// a sum is only negative as a whole.
    public var covered: Nanos

    public var exclusive: Nanos { time.saturatingSubtracting(covered) }
  }

  /// Root by root, latest first. Those of one root do not overlap and cover its duration.
  public private(set) var sections: [Section] = []
  /// The spans on the path, each once; under `wallclock` and `jaeger` only those with time.
  public private(set) var shares: [Share] = []
  /// What failed on the path and beside it; only `crisp` knows it.
  public private(set) var errors: CriticalPath.ErrorPath?

  public init(_ forest: TraceForest, rule: CriticalPathRule) {
    let roots = CriticalPath.roots(of: forest, rule: rule)
    switch rule {
    case .wallclock:
      var path = CriticalPath()
      for root in roots { path.walk(forest, from: root) { add($0, $1, $2) } }
      shareSections(count: forest.spans.count)
    case .jaeger:
      var path = CriticalPath.Jaeger()
      for root in roots { path.walk(forest, from: root) { add($0, $1, $2) } }
      shareSections(count: forest.spans.count)
    case .crisp:
      var path = CriticalPath.Crisp()
      var errors = CriticalPath.ErrorPath()
      for root in roots {
        path.walk(forest, from: root) { add($0, $1, $2) }
        for member in path.members {
          shares.append(
            Share(span: member.span, time: member.duration, covered: member.covered))
        }
        path.addErrors(to: &errors, in: forest)
      }
      self.errors = errors
    }
  }

  private mutating func add(_ span: Int, _ from: Nanos, _ until: Nanos) {
    sections.append(Section(span: span, from: from, until: until))
  }

  private mutating func shareSections(count: Int) {
    var times = Array(repeating: Nanos(0), count: count)
    for section in sections { times[section.span] &+= section.until &- section.from }
    for span in times.indices where times[span] > 0 {
      shares.append(Share(span: span, time: times[span], covered: 0))
    }
  }
}

extension CriticalPath {
  /// The roots whose paths a rule finds: Jaeger shows that of every span without a parent, the
  /// others prefer those that name none.
  public static func roots(of forest: TraceForest, rule: CriticalPathRule) -> [Int] {
    switch rule {
    case .wallclock, .crisp: roots(of: forest)
    case .jaeger: forest.spans.indices.filter { forest.parent(of: $0) == nil }
    }
  }
}
