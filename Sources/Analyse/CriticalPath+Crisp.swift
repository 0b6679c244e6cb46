public import Model

extension CriticalPath {
  /// The `crisp` critical path.
  ///
  /// Of a span's children the one that ends last is on the path, then each one, by its end, that
  /// happens before the one taken last: it ends earlier than that one begins, or overlaps it by
  /// less than 1 % of the parent's duration while no other child begins or ends in the overlap.
  /// Children are cut to their parent's time first; those outside of it, or longer than it at both
  /// ends, are left out with all below them. The only child of a call is not cut when it is a
  /// server and at most 1.01 times as long as its parent; only its duration is then held to the
  /// parent's, which leaves its end where it was.
  ///
  /// A span's exclusive time is its duration less the durations of its children on the path, and
  /// none when that is negative: it is not always the length of its sections, and exclusive times
  /// can add up to more than the root's duration.
  ///
  /// Where the publication leaves room: of children that end together the one that began last is
  /// taken (there, the one that stands later in the file); what two children share by the 1 % is in
  /// the section of the one that ends last (there, in both); and spans of different hosts are not
  /// excepted from cutting without their kinds saying so, because spans keep no host.
  /// - Cost: O(n log n) after the forest is built, no recursion.
  public struct Crisp: Sendable {
    /// A span on the path.
    public struct Member: Sendable, Equatable {
      public var span: Int
      /// Its duration after cutting.
      public var duration: Nanos
      /// The durations of its children on the path.
      public var covered: Nanos = 0
      /// The position of its parent among the members; −1 for the root.
      var parent: Int32
    }

    /// A span with its times after cutting.
    struct Fitted: Sendable {
      var span: Int
      var start: Nanos
      var end: Nanos
      var duration: Nanos
      var isOnPath = false
    }

    private struct Frame {
      var member: Int32
      var from: Nanos
      /// The end of what is still to be explained.
      var until: Nanos
      var firstPick: Int32
      var nextPick: Int32
    }

    private var stack: [Frame] = []
    /// The children on the path of every span on the stack, one span after the other.
    private var picks: [Fitted] = []
    var siblings = Siblings()
    /// Erring spans off the path whose parents are still to be told.
    var chained: [Fitted] = []
    /// The path of the root walked last: each span before its children, those that end last first.
    public private(set) var members: [Member] = []
    /// How many children were looked at since the walker was made.
    var steps: Int { siblings.steps }

    public init() {}

    /// Calls `section` with each stretch of the path below `root`, latest first.
    public mutating func walk(
      _ forest: borrowing TraceForest, from root: Int,
      section: (_ span: Int, _ from: Nanos, _ until: Nanos) -> Void
    ) {
      members.removeAll(keepingCapacity: true)
      picks.removeAll(keepingCapacity: true)
      chained.removeAll(keepingCapacity: true)
      let span = forest.spans[root]
      let fitted = Fitted(
        span: root, start: span.start, end: span.end, duration: span.durationNanos)
      enter(fitted, below: -1, from: span.start, until: span.end, in: forest)
      while var frame = stack.popLast() {
        let index = members[Int(frame.member)].span
        guard Int(frame.nextPick) < picks.count else {
          if frame.until > frame.from { section(index, frame.from, frame.until) }
          picks.removeLast(picks.count - Int(frame.firstPick))
          continue
        }
        let child = picks[Int(frame.nextPick)]
        frame.nextPick += 1
        let from = min(max(child.start, frame.from), frame.until)
        let until = max(min(child.end, frame.until), from)
        if frame.until > until { section(index, until, frame.until) }
        frame.until = from
        stack.append(frame)
        enter(child, below: frame.member, from: from, until: until, in: forest)
      }
    }

    /// Puts a span on the path and finds which of its children follow.
    private mutating func enter(
      _ fitted: Fitted, below parent: Int32, from: Nanos, until: Nanos,
      in forest: borrowing TraceForest
    ) {
      if parent >= 0 {
        let covered = members[Int(parent)].covered
        members[Int(parent)].covered = covered.saturatingAdding(fitted.duration)
      }
      stack.append(
        Frame(
          member: Int32(members.count), from: from, until: until, firstPick: Int32(picks.count),
          nextPick: Int32(picks.count)))
      members.append(Member(span: fitted.span, duration: fitted.duration, parent: parent))
      siblings.fit(below: fitted, in: forest)
      siblings.pick(parentDuration: fitted.duration)
      let errs = forest.spans[fitted.span].isError
      for child in siblings.kept {
        if child.isOnPath {
          picks.append(child)
        } else if errs, forest.spans[child.span].isError {
          chained.append(child)
        }
      }
    }
  }
}
