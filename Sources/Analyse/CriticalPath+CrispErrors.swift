import Model

extension CriticalPath {
  /// The error critical path of `crisp`.
  public struct ErrorPath: Sendable, Equatable {
    /// Spans on the critical path that failed, and those above them, in the order of the path.
    public var onPath: [Int] = []
    /// Failed spans off the critical path that hang together with a failed span on it by failed
    /// spans alone.
    public var connected: [Int] = []

    public init() {}
  }
}

extension CriticalPath.Crisp {
  /// The errors of the root that was walked last, added to what was found before.
  public mutating func addErrors(
    to path: inout CriticalPath.ErrorPath, in forest: borrowing TraceForest
  ) {
    var leads = Array(repeating: false, count: members.count)
    for position in members.indices.reversed() {
      let isError = leads[position] || forest.spans[members[position].span].isError
      leads[position] = isError
      if isError, members[position].parent >= 0 { leads[Int(members[position].parent)] = true }
    }
    for position in members.indices where leads[position] {
      path.onPath.append(members[position].span)
    }
    while let failed = chained.popLast() {
      path.connected.append(failed.span)
      siblings.fit(below: failed, in: forest)
      for child in siblings.kept where forest.spans[child.span].isError { chained.append(child) }
    }
  }
}
