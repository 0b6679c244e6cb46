public import Model

/// The `wallclock` critical path: at each instant of a root's duration the one span that the root
/// was waiting for. The sections partition the root's duration exactly.
///
/// Walking back from the end of a span, the child that ends last is what it waited for; before that
/// child began, the child that ends last of those that began earlier, and so on; what no child
/// covers is the span's own. Work that the parent did not wait for never blocks it: consumers, what a
/// broker calls on behalf of who sent a message, and children that outlive their parent, unless the parent is the client of that very call (then the
/// excess is the skew of two clocks, and is cut).
/// - Cost: O(n) after the forest is built, no recursion.
public struct CriticalPath: Sendable {
  private struct Frame {
    var span: Int32
    var nextChild: Int32
    var from: Nanos
    var until: Nanos
  }

  private var stack: [Frame] = []

  public init() {}

  /// Calls `section` with each stretch of the path below `root`, latest first.
  public mutating func walk(
    _ forest: borrowing TraceForest, from root: Int,
    section: (_ span: Int, _ from: Nanos, _ until: Nanos) -> Void
  ) {
    stack.removeAll(keepingCapacity: true)
    push(root, from: forest.spans[root].start, until: forest.spans[root].end)
    while var frame = stack.popLast() {
      let index = Int(frame.span)
      let children = forest.children(of: index)
      var descended = false
      while Int(frame.nextChild) < children.count, frame.until > frame.from {
        let child = Int(children[children.startIndex + Int(frame.nextChild)])
        frame.nextChild += 1
        let end = min(forest.spans[child].end, frame.until)
        let start = max(forest.spans[child].start, frame.from)
        guard end > start, !CriticalPath.isAsynchronous(child, of: index, in: forest) else {
          continue
        }
        if frame.until > end { section(index, end, frame.until) }
        frame.until = start
        stack.append(frame)
        push(child, from: start, until: end)
        descended = true
        break
      }
      if !descended, frame.until > frame.from { section(index, frame.from, frame.until) }
    }
  }

  private mutating func push(_ span: Int, from: Nanos, until: Nanos) {
    stack.append(Frame(span: Int32(span), nextChild: 0, from: from, until: until))
  }

  /// Whether a parent does not wait for this child.
  static func isAsynchronous(
    _ child: Int, of parent: Int, in forest: borrowing TraceForest
  ) -> Bool {
    let span = forest.spans[child]
    if span.kind == .consumer { return true }
    // Whoever sends a message does not wait for what the broker calls with it.
    if span.kind == .server, forest.spans[parent].kind == .producer { return true }
    if span.kind == .server, span.service != forest.spans[parent].service,
      forest.isSent(child, under: parent)
    {
      return true
    }
    guard span.end > forest.spans[parent].end else { return false }
    return !(span.kind == .server && forest.spans[parent].kind == .client)
  }

  /// The roots whose durations are what somebody waited for: those that name no parent; where there
  /// are none, because the first spans were not sent, those whose parent is missing.
  public static func roots(of forest: borrowing TraceForest) -> [Int] {
    var first: [Int] = []
    var missing: [Int] = []
    for index in forest.spans.indices {
      switch forest.rootReasons[index] {
      case .first: first.append(index)
      case .parentMissing, .cycle: missing.append(index)
      case .hasParent: break
      }
    }
    return first.isEmpty ? missing : first
  }
}
