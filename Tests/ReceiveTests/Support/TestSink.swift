import Model
import NIOCore
import OTLP
import Receive
import Synchronization

/// A sink that does what the test says and remembers what it was given.
final class TestSink: BatchSink {
  typealias Done = @Sendable (Admission) -> Void

  enum Behaviour: Sendable {
    case accept
    /// From a thread that is no event loop.
    case acceptElsewhere
    case refuse(String, Int)
    /// Until `answerHeld`.
    case hold
  }

  private struct State {
    var behaviour = Behaviour.accept
    var batches: [SpanBatch] = []
    var events: [KubernetesEventRecord] = []
    var held: [Done] = []
    var reserved = 0
    var reservedMost = 0
    var reservations: [Int] = []
    var roomBytes = Int.max
  }

  private let state = Mutex(State())

  var behaviour: Behaviour {
    get { state.withLock { $0.behaviour } }
    set { state.withLock { $0.behaviour = newValue } }
  }
  /// How much may be reserved at once.
  var roomBytes: Int {
    get { state.withLock { $0.roomBytes } }
    set { state.withLock { $0.roomBytes = newValue } }
  }
  var batches: [SpanBatch] { state.withLock { $0.batches } }
  var events: [KubernetesEventRecord] { state.withLock { $0.events } }
  var spanCount: Int { batches.reduce(0) { $0 + $1.count } }
  var heldCount: Int { state.withLock { $0.held.count } }
  var reserved: Int { state.withLock { $0.reserved } }
  var reservedMost: Int { state.withLock { $0.reservedMost } }
  var reservations: [Int] { state.withLock { $0.reservations } }

  func keep(_ events: [KubernetesEventRecord], from loop: any EventLoop, done: @escaping Done) {
    loop.preconditionInEventLoop()
    let behaviour = state.withLock { state in
      state.events += events
      if case .hold = state.behaviour { state.held.append(done) }
      return state.behaviour
    }
    answer(behaviour, done)
  }

  private func answer(_ behaviour: Behaviour, _ done: @escaping Done) {
    switch behaviour {
    case .accept: done(.accepted)
    case .acceptElsewhere: Task.detached { done(.accepted) }
    case .refuse(let reason, let seconds):
      done(.refused(reason: reason, retryAfterSeconds: seconds))
    case .hold: break
    }
  }

  func accept(_ batch: consuming SpanBatch, from loop: any EventLoop, done: @escaping Done) {
    loop.preconditionInEventLoop()
    let batch = batch
    let behaviour = state.withLock { state in
      state.batches.append(batch)
      if case .hold = state.behaviour { state.held.append(done) }
      return state.behaviour
    }
    answer(behaviour, done)
  }

  func answerHeld(_ admission: Admission = .accepted) {
    let held = state.withLock { state in
      defer { state.held = [] }
      return state.held
    }
    for done in held { done(admission) }
  }

  func reserve(bytes: Int) -> Bool {
    state.withLock { state in
      guard bytes <= state.roomBytes - state.reserved else { return false }
      state.reserved += bytes
      state.reservedMost = max(state.reservedMost, state.reserved)
      state.reservations.append(bytes)
      return true
    }
  }

  func release(bytes: Int) { state.withLock { $0.reserved -= bytes } }
}
