import Synchronization

/// Counts requests from their arrival until their answer is written or given up.
final class InFlight: Sendable {
  /// Held by the answer; gone when the answer is.
  final class Token: Sendable {
    private let owner: InFlight

    fileprivate init(_ owner: InFlight) { self.owner = owner }

    deinit { owner.state.withLock { $0.count -= 1 } }
  }

  private struct State {
    var count = 0
    var isStopping = false
  }

  private let state = Mutex(State())

  var count: Int { state.withLock(\.count) }
  var isStopping: Bool { state.withLock(\.isStopping) }

  func begin() -> Token {
    state.withLock { $0.count += 1 }
    return Token(self)
  }

  func stop() { state.withLock { $0.isStopping = true } }
}
