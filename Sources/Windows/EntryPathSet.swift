/// Which ways of one entry point are told apart: those with most time on the critical path, as far as
/// it can be known without keeping all of them.
///
/// The first ones have a place. Of the others a few counts are kept (the frequent items of Misra and
/// Gries, 1982), which are never too high: a way takes the place of the least one as soon as it is
/// certain that it had more time. So whatever the order of arrival, what a way lost before it was told
/// apart is no more than the least of those told apart had, one trace, and what all others together
/// lost, divided by `candidatesMax` + 1.
struct EntryPathSet {
  /// Ways that have or had a place: each is a series in the store.
  static let placesMax = 1_000
  static let candidatesMax = 64

  private struct Way {
    /// Time spent there and below it, as far as it was counted here.
    var time: Int64
    var depth: Int
  }

  private var known: [UInt64: Way] = [:]
  private var candidates: [(path: UInt64, time: Int64)] = []
  /// How often a place was taken.
  private var admissions = 0
  /// The one that would go first; nil when it is not known.
  private var least: UInt64?

  func contains(_ path: UInt64) -> Bool { known[path] != nil }

  var count: Int { known.count }

  /// The place of a way, where there is one.
  /// - Parameters:
  ///   - parent: the way before it; itself for the entry point.
  ///   - time: spent there and below it, in one trace.
  /// - Returns: whether the way is told apart, and which one lost its place.
  mutating func admit(
    _ path: UInt64, below parent: UInt64, time: Int64, placesMax: Int
  ) -> (isAdmitted: Bool, displaced: UInt64?) {
    if let way = known[path] {
      known[path]?.time = way.time.addingClamped(time)
      if path == least { least = nil }
      return (true, nil)
    }
    let depth = path == parent ? 0 : (known[parent]?.depth ?? 0) + 1
    if known.count < placesMax {
      take(path, Way(time: time, depth: depth))
      return (true, nil)
    }
    // Below what is not told apart nothing is.
    guard let above = known[parent], admissions < EntryPathSet.placesMax else {
      return (false, nil)
    }
    let candidate = candidates.firstIndex { $0.path == path }
    let certain = (candidate.map { candidates[$0].time } ?? 0).addingClamped(time)
    guard let least = leastKnown(), least != parent, let way = known[least], certain > way.time
    else {
      count(path, time, candidate)
      return (false, nil)
    }
    known.removeValue(forKey: least)
    if let candidate { candidates.remove(at: candidate) }
    // What is above it is never the one to go first.
    take(path, Way(time: min(certain, above.time), depth: depth))
    return (true, least)
  }

  private mutating func take(_ path: UInt64, _ way: Way) {
    known[path] = way
    admissions += 1
    least = nil
  }

  /// The deepest of those with least time, so that nothing that is told apart lies below it.
  private mutating func leastKnown() -> UInt64? {
    if let least { return least }
    least =
      known.min { a, b in
        if a.value.time != b.value.time { return a.value.time < b.value.time }
        if a.value.depth != b.value.depth { return a.value.depth > b.value.depth }
        return a.key > b.key
      }?.key
    return least
  }

  /// Counts time of a way without a place; where there is no room to, the same goes off all.
  private mutating func count(_ path: UInt64, _ time: Int64, _ candidate: Int?) {
    if let candidate {
      candidates[candidate].time = candidates[candidate].time.addingClamped(time)
      return
    }
    let isFull = candidates.count == EntryPathSet.candidatesMax
    let lost = isFull ? candidates.reduce(time) { min($0, $1.time) } : 0
    if lost > 0 {
      for index in candidates.indices { candidates[index].time -= lost }
      candidates.removeAll { $0.time <= 0 }
    }
    if time > lost, candidates.count < EntryPathSet.candidatesMax {
      candidates.append((path, time - lost))
    }
  }
}

extension Int64 {
  /// Neither times nor their sums are negative.
  fileprivate func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
