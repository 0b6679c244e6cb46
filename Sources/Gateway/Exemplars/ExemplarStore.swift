import Model
import Synchronization

/// The traces that can be looked at, bounded in bytes. Any thread may ask.
///
/// When it is full, those go that are least likely to be shown: a series shows the traces that come
/// first by hash, so a trace's expected place in its rarest series tells how soon others take its
/// place, and the older it is, the wider the ranges in which it has to come first. So of each stretch
/// of the past about equally many stay (of the last ten minutes, hour, day), and the example of
/// what happens rarely outlives those of what happens all the time.
final class ExemplarStore: Sendable {
  private struct Kept {
    var trace: ExemplarTrace
    /// Its expected place among the examples of its rarest series, as of its ten seconds.
    var place: Double
    var end: Nanos
  }

  private struct State {
    var traces: [TraceID: Kept] = [:]
    var bytes = 0
    var newestEnd: Nanos = 0
    var evicted: UInt64 = 0
  }

  let bytesMax: Int
  private let state = Mutex(State())

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  /// What it holds, for `/metrics`.
  struct Figures: Sendable, Equatable {
    var traces = 0
    var bytes = 0
    /// Traces dropped to make room, since the start.
    var evicted: UInt64 = 0
  }

  var figures: Figures {
    state.withLock { Figures(traces: $0.traces.count, bytes: $0.bytes, evicted: $0.evicted) }
  }

  func trace(_ key: TraceKey) -> ExemplarTrace? {
    state.withLock { state in
      guard let kept = state.traces[key.trace], kept.trace.key == key else { return nil }
      return kept.trace
    }
  }

  func contains(_ trace: TraceID) -> Bool { state.withLock { $0.traces[trace] != nil } }

  /// Keeps those of the traces that series show as examples.
  /// - Parameter places: of the traces that are shown, as `WindowSums.exemplarPlaces` finds them.
  /// - Returns: those that were kept.
  func keep(_ traces: [ExemplarTrace], places: [TraceID: Double]) -> [ExemplarTrace] {
    let shown = traces.filter { places[$0.key.trace] != nil && $0.bytes <= bytesMax }
    return state.withLock { state in
      for trace in shown {
        let end = trace.end
        if let before = state.traces[trace.key.trace] { state.bytes -= before.trace.bytes }
        state.traces[trace.key.trace] = Kept(
          trace: trace, place: places[trace.key.trace, default: 1], end: end)
        state.bytes += trace.bytes
        state.newestEnd = max(state.newestEnd, end)
      }
      if state.bytes > bytesMax { makeRoom(&state) }
      return shown.filter { state.traces[$0.key.trace] != nil }
    }
  }

  /// An eighth of the room is made, so that it is not for every trace.
  private func makeRoom(_ state: inout State) {
    let newest = state.newestEnd
    let sorted = state.traces.map { id, kept -> (id: TraceID, cost: Double) in
      // All of the last ten minutes are equally new.
      let age = newest.saturatingSubtracting(kept.end).saturatingAdding(10 * .minute)
      return (id, kept.place * Double(age))
    }.sorted { ($0.cost, $0.id) > ($1.cost, $1.id) }
    for (id, _) in sorted where state.bytes > bytesMax / 8 * 7 {
      guard let kept = state.traces.removeValue(forKey: id) else { continue }
      state.bytes -= kept.trace.bytes
      state.evicted &+= 1
    }
  }
}

extension WindowSums {
  /// Of each of some traces that a series shows as an example: its expected place among the
  /// traces of the series with the fewest of them.
  func exemplarPlaces(among ids: Set<TraceID>) -> [TraceID: Double] {
    guard !ids.isEmpty else { return [:] }
    var places: [TraceID: Double] = [:]
    for window in windows.values {
      for sums in window.series.values {
        for trace in sums.exemplars.traces where ids.contains(trace) {
          let count = max(1, sums.counters[.requests], sums.counters[.traces])
          let place = Exemplars.place(of: trace) * Double(count)
          places[trace] = min(places[trace] ?? .infinity, place)
        }
      }
    }
    return places
  }
}
