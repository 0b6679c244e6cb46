public import Model

extension CriticalPath {
  /// The `jaeger` critical path.
  ///
  /// A span waits for the child that ends last; before that child began, for the child that ends
  /// last of those that had ended *earlier*: one that ended at that very instant is passed over,
  /// and so is one that was still running. What no child covers is the span's own, so the sections
  /// partition the root's duration here too. Children are cut to their parent's time first, and
  /// those outside of it are left out with all below them. A consumer under a producer is left out
  /// as well: a link in all but name.
  ///
  /// Of children that end together the one that began first is waited for, because Jaeger looks
  /// at them in the order of their starts. It counts microseconds; here nanoseconds are compared,
  /// so two spans less than a microsecond apart do follow one another.
  /// - Cost: O(n) after the forest is built, no recursion.
  public struct Jaeger: Sendable {
    private struct Frame {
      var span: Int32
      var nextChild: Int32
      var from: Nanos
      /// The end of what is still to be explained: the span's own, then the start of the child
      /// that was waited for last.
      var until: Nanos
      /// The end of the span as it was cut.
      var end: Nanos
      var hasReturned = false
    }

    private struct Pick {
      var span: Int
      var from: Nanos
      var until: Nanos
    }

    private var stack: [Frame] = []
    /// How many children were looked at since the walker was made.
    private(set) var steps = 0

    public init() {}

    /// Calls `section` with each stretch of the path below `root`, latest first.
    public mutating func walk(
      _ forest: borrowing TraceForest, from root: Int,
      section: (_ span: Int, _ from: Nanos, _ until: Nanos) -> Void
    ) {
      stack.removeAll(keepingCapacity: true)
      push(Pick(span: root, from: forest.spans[root].start, until: forest.spans[root].end))
      while var frame = stack.popLast() {
        guard let child = lastFinishing(&frame, in: forest) else {
          if frame.until > frame.from { section(Int(frame.span), frame.from, frame.until) }
          continue
        }
        if frame.until > child.until { section(Int(frame.span), child.until, frame.until) }
        frame.until = child.from
        frame.hasReturned = true
        stack.append(frame)
        push(child)
      }
    }

    private mutating func push(_ pick: Pick) {
      stack.append(
        Frame(
          span: Int32(pick.span), nextChild: 0, from: pick.from, until: pick.until,
          end: pick.until))
    }

    /// The child waited for next. Children come by their end, latest first, and cutting keeps that
    /// order, so none has to be looked at twice.
    private mutating func lastFinishing(
      _ frame: inout Frame, in forest: borrowing TraceForest
    ) -> Pick? {
      let parent = Int(frame.span)
      let children = forest.children(of: parent)
      var found: Pick?
      var earliestStart: Nanos = 0
      while Int(frame.nextChild) < children.count {
        let child = Int(children[children.startIndex + Int(frame.nextChild)])
        let span = forest.spans[child]
        let end = min(span.end, frame.end)
        if let found, end < found.until { break }
        frame.nextChild += 1
        steps += 1
        let isTooLate = frame.hasReturned && end >= frame.until
        if isTooLate || CriticalPath.isLinked(child, to: parent, in: forest) { continue }
        guard Jaeger.touches(span, frame) else { continue }
        if found == nil || span.start < earliestStart {
          earliestStart = span.start
          found = Pick(span: child, from: max(span.start, frame.from), until: end)
        }
      }
      return found
    }

    /// Whether any of the child lies in its parent's time.
    private static func touches(_ child: SpanRecord, _ parent: Frame) -> Bool {
      child.start >= parent.from ? child.start < parent.end : child.end > parent.from
    }
  }

  /// Whether a child only follows from its parent: it took a message off the queue its parent put
  /// it on. Published rules leave out what other formats mark as such a reference.
  static func isLinked(_ child: Int, to parent: Int, in forest: borrowing TraceForest) -> Bool {
    forest.spans[child].kind == .consumer && forest.spans[parent].kind == .producer
  }
}
