/// What happens next. A binary heap; what is due at the same time happens in the order it was planned.
struct EventQueue: Sendable {
  struct Event: Sendable {
    /// Seconds of the simulation.
    var time: Double
    var order: UInt64
    var action: Action
  }

  enum Action: Sendable {
    case arrival(entry: Int32)
    /// A request reaches an instance.
    case reach(frame: Int32)
    /// A part of the work of a request is done.
    case workDone(frame: Int32)
    /// The answer to a call is back at the caller, or the caller gives up; the first of the two counts.
    case answer(call: Simulator.CallNumber, failed: Bool)
    case level
    case scale(service: Int32)
    case ready(service: Int32, instance: Int32)
  }

  private var events: [Event] = []
  private var planned: UInt64 = 0

  mutating func plan(_ action: Action, at time: Double) {
    planned += 1
    events.append(Event(time: time, order: planned, action: action))
    var position = events.count - 1
    while position > 0 {
      let above = (position - 1) / 2
      guard EventQueue.precedes(events[position], events[above]) else { return }
      events.swapAt(position, above)
      position = above
    }
  }

  mutating func next() -> Event? {
    guard let first = events.first else { return nil }
    let last = events.removeLast()
    if events.isEmpty { return first }
    events[0] = last
    var position = 0
    while 2 * position + 1 < events.count {
      var below = 2 * position + 1
      if below + 1 < events.count, EventQueue.precedes(events[below + 1], events[below]) {
        below += 1
      }
      guard EventQueue.precedes(events[below], events[position]) else { return first }
      events.swapAt(position, below)
      position = below
    }
    return first
  }

  private static func precedes(_ a: Event, _ b: Event) -> Bool {
    a.time != b.time ? a.time < b.time : a.order < b.order
  }
}
