public import Model

/// What would become of a trace if one of its spans took longer, or no time at all.
///
/// Both rest on one reading of the trace. A span waits for its children except those that are
/// asynchronous (`CriticalPath`), each cut to its parent's time. A child begins when all siblings
/// that had ended before it began have ended, after as long a pause as the last of them left; a
/// span ends when all children it waited for have ended, after as long a rest as the last of them
/// left. Durations may change, pauses and rests may not.
///
/// **Slack** of a span: how much longer it could take before its root takes longer. **Drag**: how
/// much sooner its root would end if the span and all below it took no time. A span has one of the
/// two at most. Where children overlap, the critical path names one span for each instant and
/// this looks at causes: a child that overlapped the path and gated nothing may be on the path and
/// have slack.
/// - Units: nanoseconds.   - Cost: O(n log n), no recursion; buffers are reused.
public struct SlackAndDrag: Sendable {
  /// The slack of a span that no root waits for.
  public static let unbounded = Nanos.max

  /// Parallel to the forest's spans.
  public private(set) var slacks: [Nanos] = []
  /// Parallel to the forest's spans.
  public private(set) var drags: [Nanos] = []

  /// A child that is waited for, in its parent's time.
  private struct Child {
    var span: Int32
    var from: Nanos
    var until: Nanos
    /// How much longer the child could take before its parent takes longer.
    var slack: Nanos = 0
  }

  private struct Window {
    var span: Int32
    var from: Nanos
    var until: Nanos
  }

  private var queue: [Window] = []
  /// Latest end first.
  private var children: [Child] = []
  /// Positions in `children`, latest start first.
  private var byStart: [Int32] = []
  private var running = SlackHeap()
  /// How many children were looked at since this was made.
  private(set) var steps = 0

  public init() {}

  /// Finds slack and drag of every span.
  public mutating func find(in forest: borrowing TraceForest) {
    let count = forest.spans.count
    slacks.removeAll(keepingCapacity: true)
    slacks.append(contentsOf: repeatElement(SlackAndDrag.unbounded, count: count))
    drags.removeAll(keepingCapacity: true)
    drags.append(contentsOf: repeatElement(0, count: count))
    queue.removeAll(keepingCapacity: true)
    for root in CriticalPath.roots(of: forest) {
      let span = forest.spans[root]
      slacks[root] = 0
      drags[root] = span.durationNanos
      queue.append(Window(span: Int32(root), from: span.start, until: span.end))
    }
    var next = 0
    while next < queue.count {
      let parent = queue[next]
      next += 1
      listChildren(of: parent, in: forest)
      if children.count == 1 {
        takeOnly(children[0], of: parent, in: forest)
        continue
      }
      findSlacks(until: children.first?.until ?? parent.until)
      findDrags(from: parent.from, below: drags[Int(parent.span)])
      for child in children {
        slacks[Int(child.span)] = child.slack.saturatingAdding(slacks[Int(parent.span)])
        look(below: child, in: forest)
      }
    }
  }

  /// Most parents are clients that wait for their server and nothing else.
  private mutating func takeOnly(
    _ child: Child, of parent: Window, in forest: borrowing TraceForest
  ) {
    slacks[Int(child.span)] = slacks[Int(parent.span)]
    drags[Int(child.span)] = min(drags[Int(parent.span)], child.until &- child.from)
    look(below: child, in: forest)
  }

  private mutating func look(below child: Child, in forest: borrowing TraceForest) {
    guard !forest.children(of: Int(child.span)).isEmpty else { return }
    queue.append(Window(span: child.span, from: child.from, until: child.until))
  }

  private mutating func listChildren(of parent: Window, in forest: borrowing TraceForest) {
    children.removeAll(keepingCapacity: true)
    byStart.removeAll(keepingCapacity: true)
    for child32 in forest.children(of: Int(parent.span)) {
      steps += 1
      let child = Int(child32)
      let span = forest.spans[child]
      let touches = span.start <= parent.until && span.end >= parent.from
      guard touches, !CriticalPath.isAsynchronous(child, of: Int(parent.span), in: forest) else {
        continue
      }
      byStart.append(Int32(children.count))
      children.append(
        Child(
          span: child32, from: max(span.start, parent.from), until: min(span.end, parent.until)))
    }
    guard children.count > 1 else { return }
    byStart.sort { a, b in
      let first = children[Int(a)].from
      let second = children[Int(b)].from
      return first != second ? first > second : a < b
    }
  }

  /// A child may end as late as the first thing that waits for it allows: its parent's rest, or a
  /// sibling's beginning, which may itself be late by that sibling's slack. Siblings that begin
  /// after a child's end are all found by the time its turn comes, because ends only get earlier.
  private mutating func findSlacks(until end: Nanos) {
    var latest = end
    var started = 0
    for position in children.indices {
      let until = children[position].until
      while started < byStart.count, Int(byStart[started]) < position {
        let later = children[Int(byStart[started])]
        guard later.from >= until else { break }
        let gate = lastEnd(before: later, after: Int(byStart[started]))
        latest = min(latest, gate.saturatingAdding(later.slack))
        started += 1
      }
      children[position].slack = latest &- until
    }
  }

  /// The end that a child began after: the latest of those not after its start.
  private mutating func lastEnd(before child: Child, after position: Int) -> Nanos {
    var low = position + 1
    var high = children.count - 1
    while low < high {
      steps += 1
      let middle = (low + high) / 2
      if children[middle].until > child.from { low = middle + 1 } else { high = middle }
    }
    return children[low].until
  }

  /// Without a child its parent waits for whatever else ends last, and is held up by every later
  /// sibling that ran beside the child, except for the slack of that sibling.
  private mutating func findDrags(from start: Nanos, below limit: Nanos) {
    running.removeAll()
    for position in children.indices {
      let child = children[position]
      let least = running.least(at: child.until)
      if child.slack == 0 {
        let hasEarlier = position + 1 < children.count
        let before = hasEarlier ? children[position + 1].until : start
        let own = min(child.until &- before, child.until &- child.from, least)
        drags[Int(child.span)] = min(limit, own)
      }
      running.add(slack: child.slack, start: child.from)
    }
    steps += children.count
  }
}

/// Siblings that end later than the child looked at, least slack first. A binary heap from which
/// those are dropped, when they come up, that had not begun at an ever earlier time.
private struct SlackHeap: Sendable {
  private struct Entry {
    var slack: Nanos
    var start: Nanos
  }

  private var entries: [Entry] = []

  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }

  mutating func add(slack: Nanos, start: Nanos) {
    entries.append(Entry(slack: slack, start: start))
    var position = entries.count - 1
    while position > 0 {
      let above = (position - 1) / 2
      guard entries[position].slack < entries[above].slack else { return }
      entries.swapAt(position, above)
      position = above
    }
  }

  /// The least slack of those that had begun before a time; the largest value where there are none.
  mutating func least(at time: Nanos) -> Nanos {
    while let first = entries.first, first.start >= time { removeFirst() }
    return entries.first?.slack ?? .max
  }

  private mutating func removeFirst() {
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    var position = 0
    while 2 * position + 1 < entries.count {
      var below = 2 * position + 1
      if below + 1 < entries.count, entries[below + 1].slack < entries[below].slack { below += 1 }
      guard entries[below].slack < entries[position].slack else { return }
      entries.swapAt(position, below)
      position = below
    }
  }
}
