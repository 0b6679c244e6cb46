// Analyse turns the set of a trace's spans into findings. It is a pure function: no clock, no state
// that outlives a trace (only buffers, kept to save allocations), and no dependence on the order in
// which spans came. All walks are iterative, because depth is in the hands of senders.

public import Model

/// The spans of one trace with their parentage settled: duplicates removed, parents found, cycles
/// cut, children in the order the time rules need.
/// - Cost: O(n log n), no allocation once the buffers have grown.
public struct TraceForest: Sendable {
  /// Sorted by identity; each span once. Their times agree as far as clocks can be corrected for.
  public private(set) var spans: [SpanRecord] = []
  /// Parallel to `spans`: the index of the parent, or −1 for a root.
  public private(set) var parents: [Int32] = []
  /// Roots first, and every span after its parent.
  public private(set) var order: [Int32] = []
  /// Parallel to `spans`.
  public private(set) var rootReasons: [RootReason] = []
  /// How many of the spans given were copies of another.
  public private(set) var duplicateCount = 0

  private var skew = ClockSkew()
  private var childOffsets: [Int32] = []
  private var childIndices: [Int32] = []
  private var marks: [UInt8] = []

  /// Why a span has no parent in the forest.
  public enum RootReason: UInt8, Sendable {
    case hasParent
    /// It names no parent.
    case first
    /// It names a parent that is not there.
    case parentMissing
    /// Its ancestors led back to itself.
    case cycle
  }

  public init() {}

  /// Settles the parentage of a trace, and its times.
  /// - Parameter clockSkewNanosMax: by how much a span is moved at most so that it agrees with its
  ///   parent on another host; 0 leaves all times as they were sent.
  public mutating func build(_ input: [SpanRecord], clockSkewNanosMax: Nanos = 0) {
    spans.removeAll(keepingCapacity: true)
    spans.append(contentsOf: input)
    spans.removeCopies()
    duplicateCount = input.count - spans.count
    findParents()
    cutCycles()
    listChildren()
    listOrder()
    adjustTimes(clockSkewNanosMax)
  }

  /// Moves spans whose clocks were off; the order of children follows from their times.
  private mutating func adjustTimes(_ nanosMax: Nanos) {
    skew.adjust(&spans, parents: parents, order: order, nanosMax: nanosMax)
    guard skew.adjustedCount > 0 else { return }
    for index in spans.indices { sortChildren(of: index) }
    listOrder()
  }

  /// When a span ended by the clock that timed it, before it was moved.
  public func recordedEnd(of index: Int) -> Nanos {
    skew.deltas.isEmpty ? spans[index].end : spans[index].end &- skew.deltas[index]
  }

  /// Spans whose times were moved, and spans left alone because they would have been moved too far.
  public var skewedCount: Int { skew.adjustedCount }
  public var skewOverLimitCount: Int { skew.overLimitCount }

  /// The children of a span: latest end first, then latest start, then identity.
  public func children(of index: Int) -> ArraySlice<Int32> {
    childIndices[Int(childOffsets[index])..<Int(childOffsets[index + 1])]
  }

  public func parent(of index: Int) -> Int? {
    parents[index] < 0 ? nil : Int(parents[index])
  }

  private mutating func findParents() {
    parents.removeAll(keepingCapacity: true)
    rootReasons.removeAll(keepingCapacity: true)
    for index in spans.indices {
      let parent = parentIndex(of: index)
      parents.append(Int32(parent ?? -1))
      rootReasons.append(rootReason(of: index, parent: parent))
    }
  }

  private func rootReason(of index: Int, parent: Int?) -> RootReason {
    if parent != nil { return .hasParent }
    let span = spans[index]
    if span.parent.isZero { return .first }
    return span.parent == span.id ? .cycle : .parentMissing
  }

  /// How many spans with one id are looked at for a parent. An honest trace has two at most; without
  /// a bound a sender could make every span look at every other.
  static let candidatesMax = 64

  /// The parent of a span. Where client and server share one id (Zipkin's custom), the server's
  /// parent is the client span of the same id, and children of that id belong to the server. So it is
  /// with who sends a message and who takes it.
  private func parentIndex(of index: Int) -> Int? {
    let span = spans[index]
    if span.kind.isEntry, let other = sharedExit(of: index) { return other }
    guard !span.parent.isZero else { return nil }
    var best: Int?
    for candidate in candidates(span.parent) where candidate != index {
      if best.map({ isNearer(candidate, than: $0, to: span) }) ?? true { best = candidate }
    }
    return best
  }

  private func sharedExit(of index: Int) -> Int? {
    let kind: SpanKind = spans[index].kind == .server ? .client : .producer
    return candidates(spans[index].id).first { spans[$0].kind == kind }
  }

  /// The positions of the spans with an id.
  func candidates(_ id: SpanID) -> Range<Int> {
    let first = firstPosition(of: id)
    var end = first
    while end < spans.count, end - first < TraceForest.candidatesMax, spans[end].id == id {
      end += 1
    }
    return first..<end
  }

  private func isNearer(_ a: Int, than b: Int, to span: SpanRecord) -> Bool {
    let aIsOwn = spans[a].service == span.service
    let bIsOwn = spans[b].service == span.service
    if aIsOwn != bIsOwn { return aIsOwn }
    return spans[a].kind.isEntry && !spans[b].kind.isEntry
  }

  private func firstPosition(of id: SpanID) -> Int {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = (low + high) / 2
      if spans[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Makes the earliest span of each cycle a root.
  private mutating func cutCycles() {
    let unseen: UInt8 = 0
    let onPath: UInt8 = 1
    let settled: UInt8 = 2
    marks.removeAll(keepingCapacity: true)
    marks.append(contentsOf: repeatElement(unseen, count: spans.count))
    for start in spans.indices where marks[start] == unseen {
      var walker = start
      while marks[walker] == unseen {
        marks[walker] = onPath
        guard let next = parent(of: walker) else { break }
        walker = next
      }
      if marks[walker] == onPath, parents[walker] >= 0 { cutCycle(through: walker) }
      var settling = start
      while marks[settling] == onPath {
        marks[settling] = settled
        guard let next = parent(of: settling) else { break }
        settling = next
      }
    }
  }

  private mutating func cutCycle(through member: Int) {
    var earliest = member
    var walker = Int(parents[member])
    while walker != member {
      let isEarlier =
        spans[walker].start != spans[earliest].start
        ? spans[walker].start < spans[earliest].start : walker < earliest
      if isEarlier { earliest = walker }
      walker = Int(parents[walker])
    }
    // The members behind the cut are no longer reached from the start of the walk.
    var settling = earliest
    repeat {
      marks[settling] = 2
      settling = Int(parents[settling])
    } while settling != earliest
    parents[earliest] = -1
    rootReasons[earliest] = .cycle
  }

  private mutating func listChildren() {
    childOffsets.removeAll(keepingCapacity: true)
    childOffsets.append(contentsOf: repeatElement(0, count: spans.count + 1))
    for parent in parents where parent >= 0 { childOffsets[Int(parent) + 1] += 1 }
    for index in spans.indices { childOffsets[index + 1] += childOffsets[index] }
    childIndices.removeAll(keepingCapacity: true)
    childIndices.append(contentsOf: repeatElement(0, count: Int(childOffsets[spans.count])))
    for index in spans.indices.reversed() where parents[index] >= 0 {
      let parent = Int(parents[index])
      childOffsets[parent + 1] -= 1
      childIndices[Int(childOffsets[parent + 1])] = Int32(index)
    }
    // Filling moved every offset to the start of its own list; the sum of all is put back.
    for index in spans.indices { childOffsets[index] = childOffsets[index + 1] }
    childOffsets[spans.count] = Int32(childIndices.count)
    for index in spans.indices { sortChildren(of: index) }
  }

  private mutating func sortChildren(of index: Int) {
    let range = Int(childOffsets[index])..<Int(childOffsets[index + 1])
    guard range.count > 1 else { return }
    childIndices[range].sort { a, b in
      let first = spans[Int(a)]
      let second = spans[Int(b)]
      if first.end != second.end { return first.end > second.end }
      if first.start != second.start { return first.start > second.start }
      return a < b
    }
  }

  private mutating func listOrder() {
    order.removeAll(keepingCapacity: true)
    for index in spans.indices where parents[index] < 0 { order.append(Int32(index)) }
    var next = 0
    while next < order.count {
      order.append(contentsOf: children(of: Int(order[next])))
      next += 1
    }
  }
}
