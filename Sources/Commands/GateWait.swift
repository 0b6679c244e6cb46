import Model

/// Asks again while the gate waits, until a time is over.
struct GateWait {
  private let context: CommandContext
  private let interval: Nanos
  private let deadline: Nanos
  private let duration: Nanos
  private var shownReason: String?
  private var isOutOfReach = false

  /// Begins now.
  /// - Parameter duration: 0 asks once.
  init(_ duration: Nanos, interval: Nanos, in context: CommandContext) {
    self.context = context
    self.interval = interval
    self.duration = duration
    deadline = context.now().saturatingAdding(duration)
  }

  /// The first reply that is not `wait`, or the last one there was time for.
  /// - Parameter ask: told how long it may take, nil for as long as usual.
  /// - Errors: what `ask` throws. A server out of reach is asked again: it may be restarting, which
  ///   is no reason to stop a rollout that has time left.
  mutating func reply(
    asking ask: (_ timeout: Nanos?) async throws -> GateReply
  ) async throws -> GateReply {
    while true {
      let rest: Nanos
      do {
        let reply = try await ask(timeout)
        rest = deadline.saturatingSubtracting(context.now())
        guard reply.verdict.verdict == .wait, rest > 0 else { return reply }
        show(reply.verdict)
      } catch let failure as CommandFailure where failure.kind == .unreachable {
        rest = deadline.saturatingSubtracting(context.now())
        guard rest > 0 else { throw failure }
        show(failure)
      }
      try await context.sleep(min(interval, rest))
    }
  }

  /// A server that takes the question and says nothing must not make the wait longer.
  private var timeout: Nanos? {
    guard duration > 0 else { return nil }
    return max(deadline.saturatingSubtracting(context.now()), .second)
  }

  /// A line when something new is waited for.
  private mutating func show(_ verdict: GateAnswer) {
    isOutOfReach = false
    guard let reason = verdict.reasons?.first, reason != shownReason else { return }
    shownReason = reason
    context.fail("waiting: \(PlainTable.printable(reason))\n")
  }

  /// A line when the server went out of reach, not each time it still is.
  private mutating func show(_ failure: CommandFailure) {
    guard !isOutOfReach else { return }
    isOutOfReach = true
    context.fail("asking again until the time is over: \(failure.message)\n")
  }
}
