import Model

/// One trace in the table.
struct Trace: Sendable {
  enum State: UInt8, Sendable {
    case open, closed
    /// Idle, but analysed often enough already: what came since its findings were computed waits
    /// until its age has doubled or it is sealed.
    case postponed
  }

  var key: TraceKey
  var state = State.open
  var spans: [SpanRecord] = []
  /// Sorted and without copies.
  var isTidy = true
  /// Of an open or postponed trace whose findings stand: the spans they were computed from. (Of a
  /// closed one they were computed from `spans`.)
  var analysed: [SpanRecord]?
  /// Spans analysed so far, each as often as the trace was.
  var analysedCount = 0
  var firstArrival: Nanos
  var lastArrival: Nanos
  /// The journal sequence of the batch that began it.
  var firstSequence: UInt64
  /// The age at which it is looked at although it grows.
  var nextLookAge: Nanos
  /// The number of spans at which copies are removed next.
  var nextTidyCount = 0
  var byArrival = TraceLink()
  var byBeginning = TraceLink()

  init(key: TraceKey, firstArrival: Nanos, firstSequence: UInt64, nextLookAge: Nanos) {
    self.key = key
    self.firstArrival = firstArrival
    lastArrival = firstArrival
    self.firstSequence = firstSequence
    self.nextLookAge = nextLookAge
  }

  /// What a free slot holds.
  static var vacant: Trace {
    Trace(
      key: TraceKey(tenant: .standard, trace: TraceID(high: 0, low: 0)), firstArrival: 0,
      firstSequence: 0, nextLookAge: 0)
  }
}

/// A trace's place in a doubly linked list of slots.
struct TraceLink: Sendable {
  var previous: Int32 = -1
  var next: Int32 = -1
}

/// A doubly linked list through the slots of the table: O(1) to append and to remove anywhere.
struct TraceList: Sendable {
  private var head: Int32 = -1
  private var tail: Int32 = -1

  var first: Int32? { head < 0 ? nil : head }

  mutating func append(
    _ slot: Int32, link: WritableKeyPath<Trace, TraceLink>, in slots: inout [Trace]
  ) {
    slots[Int(slot)][keyPath: link] = TraceLink(previous: tail, next: -1)
    if tail >= 0 { slots[Int(tail)][keyPath: link].next = slot } else { head = slot }
    tail = slot
  }

  mutating func remove(
    _ slot: Int32, link: WritableKeyPath<Trace, TraceLink>, in slots: inout [Trace]
  ) {
    let place = slots[Int(slot)][keyPath: link]
    if place.previous >= 0 {
      slots[Int(place.previous)][keyPath: link].next = place.next
    } else {
      head = place.next
    }
    if place.next >= 0 {
      slots[Int(place.next)][keyPath: link].previous = place.previous
    } else {
      tail = place.previous
    }
  }
}
