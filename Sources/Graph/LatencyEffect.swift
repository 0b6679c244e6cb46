import Model

/// Makes one step of all paths faster or slower.
struct LatencyEffect {
  private let target: Node
  private let operation: String?
  private let changeNanos: Double
  /// More than that all requests together cannot gain.
  private let gainNanosMax: Double
  /// By operation: how much longer a request takes, nanoseconds, where calls' slack is known.
  private let losses: [NameID: Double]

  init(
    _ target: Node, _ operation: String?, changeNanos: Double, gainNanosMax: Double,
    losses: [NameID: Double]
  ) {
    self.gainNanosMax = gainNanosMax
    self.target = target
    self.operation = operation
    self.changeNanos = changeNanos
    self.losses = losses
  }

  /// Time that is not on the critical path is nobody's gain: what paths say is gained is an upper bound,
  /// because other work may become critical instead. Where the service is not the entry point itself, its
  /// calls' drag bounds it as well. What is lost has to use up the slack of the calls first; where that
  /// is not known, what is on the path loses all of it, and nothing else does.
  func entries(_ tree: PathTree, _ environment: String?) -> [WhatIf.Latency] {
    let found = tree.entries.compactMap { entry -> WhatIf.Latency? in
      guard environment.map({ $0 == entry.step.environment }) ?? true,
        let mean = entry.sums.latency.meanNanos
      else { return nil }
      let weight = Double(max(entry.sums.latency.weight, 1))
      let passage = Passage(tree, entry, matches, change)
      var changed = passage.changed
      if changed < 0, !matches(entry.step) {
        changed = max(changed, -gainNanosMax * Double(SpanRecord.weightOne))
      }
      let loss = entry.nodes.first.flatMap { losses[$0.operation] }
      return WhatIf.Latency(
        entry: entry.step.label, environment: entry.step.environment,
        requests: entry.sums.counters.adjusted(.requestsAdjusted), mean: mean / 1e6,
        expected: max(0, mean + (loss ?? changed / weight)) / 1e6,
        onPathShare: passage.share, overflowShare: passage.overflowShare)
    }
    return found.sorted { a, b in
      let effects = ((a.expected - a.mean).magnitude, (b.expected - b.mean).magnitude)
      return effects.0 != effects.1 ? effects.0 > effects.1 : a.entry < b.entry
    }
  }

  private func matches(_ step: PathTree.Step) -> Bool {
    step.serviceID == target.id && step.environment == target.environment
      && (operation.map { $0 == step.operation } ?? true)
  }

  /// Over all requests, in nanoseconds × 256: no request takes less than nothing.
  private func change(_ own: Histogram) -> Double {
    own.buckets.reduce(0) { sum, bucket in
      guard bucket.weight > 0, bucket.index != HistogramScale.underIndex else { return sum }
      let low = HistogramScale.lowerEdgeNanos(bucket.index)
      let high = HistogramScale.upperEdgeNanos(bucket.index)
      return sum + Double(bucket.weight) * max(changeNanos, -(low + high) / 2)
    }
  }
}

/// How the requests of one entry point come by a service.
private struct Passage {
  private(set) var changed = 0.0
  private(set) var share = 0.0
  private(set) var overflowShare = 0.0

  init(
    _ tree: PathTree, _ entry: PathTree.Group, _ matches: (PathTree.Step) -> Bool,
    _ change: (Histogram) -> Double
  ) {
    /// A path, by the place of the one before it, and in how many traces it comes by the service.
    var paths: [(above: Int, traces: Int64, passing: Int64)] = []
    var waiting = [(group: entry, above: -1)]
    var spent = 0.0
    var unknown = 0.0
    while let (group, above) = waiting.popLast() {
      let time = group.sums.counters[.criticalPathNanos]
      let traces = group.sums.counters[.traces]
      spent += Double(time)
      if group.isOverflow { unknown += Double(time) }
      let isPassing = matches(group.step) && time > 0
      if matches(group.step) { changed += change(group.sums.ownTime) }
      let place = paths.count
      paths.append((above, traces, isPassing ? traces : 0))
      for next in tree.next(after: group) { waiting.append((next, place)) }
    }
    // A trace that comes by the service comes by all that lies before it: no more do than were there.
    for path in paths.indices.reversed() {
      let above = paths[path].above
      guard above >= 0 else { continue }
      paths[above].passing &+= min(paths[path].passing, paths[path].traces)
    }
    if let entry = paths.first, entry.traces > 0 {
      share = Double(min(entry.passing, entry.traces)) / Double(entry.traces)
    }
    if spent > 0 { overflowShare = unknown / spent }
  }
}
