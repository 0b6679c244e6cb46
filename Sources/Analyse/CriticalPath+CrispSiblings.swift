import Model

extension CriticalPath.Crisp {
  /// The children of one span, cut to its time, and which of them are on the path.
  struct Siblings: Sendable {
    /// Latest end first.
    private(set) var kept: [Fitted] = []
    /// Sorted; filled when an overlap has to be judged.
    private var starts: [Nanos] = []
    private(set) var steps = 0

    /// How much longer than its caller's a server's span may be and still count as the same call.
    private static let lengtheningPercentMax: UInt64 = 101
    /// Overlaps below this share of the parent's duration are taken for the skew of clocks.
    private static let overlapPercent: UInt64 = 1
    /// The end of the earlier and the start of the later one: nothing else may happen meanwhile.
    private static let overlapEvents = 2

    /// Cuts the children of a span that was cut itself.
    mutating func fit(below parent: Fitted, in forest: borrowing TraceForest) {
      kept.removeAll(keepingCapacity: true)
      starts.removeAll(keepingCapacity: true)
      var count = 0
      var last = 0
      for child32 in forest.children(of: parent.span) {
        steps += 1
        let child = Int(child32)
        if CriticalPath.isLinked(child, to: parent.span, in: forest) { continue }
        count += 1
        last = child
        if let fitted = Siblings.cut(forest.spans[child], child, to: parent) {
          kept.append(fitted)
        }
      }
      guard count == 1, Siblings.isCall(last, from: parent, in: forest) else { return }
      let server = forest.spans[last]
      kept = [
        Fitted(
          span: last, start: server.start, end: server.end,
          duration: min(server.durationNanos, parent.duration))
      ]
    }

    private static func cut(_ child: SpanRecord, _ index: Int, to parent: Fitted) -> Fitted? {
      let beginsInside = child.start >= parent.start
      let endsInside = child.end <= parent.end
      var start = child.start
      var end = child.end
      switch (beginsInside, endsInside) {
      case (true, true): break
      case (false, true) where child.end > parent.start: start = parent.start
      case (true, false) where child.start < parent.end: end = parent.end
      default: return nil
      }
      return Fitted(
        span: index, start: start, end: end, duration: end.saturatingSubtracting(start))
    }

    /// Whether an only child is the far side of its parent: a server under a client, or under any
    /// span but a server's that is itself under a server.
    private static func isCall(
      _ child: Int, from parent: Fitted, in forest: borrowing TraceForest
    ) -> Bool {
      let server = forest.spans[child]
      guard server.kind == .server else { return false }
      let caller = forest.spans[parent.span].kind
      if caller != .client {
        guard caller != .server, let above = forest.parent(of: parent.span),
          forest.spans[above].kind == .server
        else { return false }
      }
      let longest = parent.duration.multipliedFullWidth(by: lengtheningPercentMax)
      let length = server.durationNanos.multipliedFullWidth(by: 100)
      return length.high != longest.high ? length.high < longest.high : length.low <= longest.low
    }

    /// Marks the children that are on the path.
    mutating func pick(parentDuration: Nanos) {
      guard !kept.isEmpty else { return }
      var later = lastFinishing
      let first = later
      kept[first].isOnPath = true
      for position in kept.indices where position != first {
        let isBefore = happensBefore(kept[position], kept[later], parentDuration: parentDuration)
        guard isBefore else { continue }
        kept[position].isOnPath = true
        later = position
      }
    }

    /// Cutting makes ends equal that were not, so the first child need not be the one that began
    /// last of those.
    private var lastFinishing: Int {
      var best = 0
      for position in kept.indices {
        guard kept[position].end == kept[0].end else { break }
        if kept[position].start > kept[best].start { best = position }
      }
      return best
    }

    private mutating func happensBefore(
      _ earlier: Fitted, _ later: Fitted, parentDuration: Nanos
    ) -> Bool {
      steps += 1
      if earlier.end < later.start { return true }
      guard earlier.end < later.end, earlier.start < later.start else { return false }
      let overlap = (earlier.end &- later.start).multipliedFullWidth(by: 100)
      let allowed = parentDuration.multipliedFullWidth(by: Siblings.overlapPercent)
      let isSmall =
        overlap.high != allowed.high ? overlap.high < allowed.high : overlap.low < allowed.low
      return isSmall && events(from: later.start, through: earlier.end) == Siblings.overlapEvents
    }

    /// How many children begin or end in a stretch of time, its bounds included. By halving, since
    /// a span may have as many overlaps to judge as it has children.
    private mutating func events(from: Nanos, through: Nanos) -> Int {
      if starts.isEmpty {
        for child in kept { starts.append(child.start) }
        starts.sort()
        steps += starts.count
      }
      steps += 4 * (Int.bitWidth - kept.count.leadingZeroBitCount)
      let begins = count { starts[$0] <= through }
      let beginsBefore = count { starts[$0] < from }
      // The children are sorted by their ends, latest first.
      let ends = count { kept[$0].end >= from }
      let endsAfter = count { kept[$0].end > through }
      return begins - beginsBefore + ends - endsAfter
    }

    /// How many of the children's positions have a property that none has after one that lacks it.
    private func count(where holds: (Int) -> Bool) -> Int {
      var low = 0
      var high = kept.count
      while low < high {
        let middle = (low + high) / 2
        if holds(middle) { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }
}
