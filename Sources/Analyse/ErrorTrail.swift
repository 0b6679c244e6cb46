import Model

extension TraceForest {
  /// The way of the failure that the trace showed: from the outermost failed span down to where it
  /// began, each the parent of the next. Of several failed children the one that ended last: its
  /// failure is what the parent saw last; not of a callee that was given up on, whose failure it did not
  /// see. Empty when nothing failed.
  ///
  /// It begins at the failed span nearest to a root; of several the earliest.
  public func errorTrail() -> [Int] {
    guard let first = outermostFailure() else { return [] }
    var trail = [first]
    // The call the last of them belongs to, as in the ledger: internal work passes it on.
    var call = spans[first].kind == .client ? first : nil
    while let last = trail.last,
      // Children are sorted by their end, latest first.
      let next = children(of: last).first(where: { isSeenToFail(Int($0), by: call) })
    {
      trail.append(Int(next))
      let (above, below) = (spans[last], spans[Int(next)])
      if below.kind == .client {
        call = Int(next)
      } else if below.kind != .internal || below.service != above.service {
        call = nil
      }
    }
    return trail
  }

  private func isSeenToFail(_ index: Int, by call: Int?) -> Bool {
    guard spans[index].isError else { return false }
    guard let call, spans[index].service != spans[call].service,
      spans[index].kind != .consumer
    else { return true }
    return !isGivenUp(index, by: call)
  }

  private func outermostFailure() -> Int? {
    var depths = Array(repeating: 0, count: spans.count)
    var found: Int?
    for index32 in order {
      let index = Int(index32)
      if let parent = parent(of: index) { depths[index] = depths[parent] + 1 }
      guard spans[index].isError else { continue }
      guard let before = found else {
        found = index
        continue
      }
      if depths[index] < depths[before]
        || (depths[index] == depths[before] && spans[index].start < spans[before].start)
      {
        found = index
      }
    }
    return found
  }
}
