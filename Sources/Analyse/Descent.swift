import Model

/// Which spans are below which: of each the first and the last place in a walk that visits all that is
/// below a span before anything else.
struct Descent: Sendable {
  private var first: [Int32] = []
  private var last: [Int32] = []

  init() {}

  /// - Cost: O(n).
  init(of forest: TraceForest) {
    var sizes = [Int32](repeating: 1, count: forest.spans.count)
    for index32 in forest.order.reversed() {
      if let parent = forest.parent(of: Int(index32)) { sizes[parent] += sizes[Int(index32)] }
    }
    first = [Int32](repeating: 0, count: sizes.count)
    last = first
    /// Of each span the place of the next child.
    var next = first
    var nextRoot: Int32 = 0
    for index32 in forest.order {
      let index = Int(index32)
      if let parent = forest.parent(of: index) {
        first[index] = next[parent]
        next[parent] += sizes[index]
      } else {
        first[index] = nextRoot
        nextRoot += sizes[index]
      }
      last[index] = first[index] + sizes[index] - 1
      next[index] = first[index] + 1
    }
  }

  /// Whether a span is above another one, or is that one.
  func leads(from above: Int, to below: Int) -> Bool {
    first[above] <= first[below] && last[below] <= last[above]
  }
}
