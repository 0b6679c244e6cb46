import Model

/// Keeps the distances in time that requests had, divided by a factor.
struct ReplayPace {
  private let speed: Double
  private let context: CommandContext
  /// The first request's time, and when it was sent.
  private var began: (span: Nanos, at: Nanos)?

  init(speed: Double, context: CommandContext) {
    self.speed = speed
    self.context = context
  }

  /// Waits until it is the turn of a request whose spans begin at `start`. What is older than what
  /// was sent before is sent at once.
  mutating func wait(for start: Nanos?) async throws {
    guard let start else { return }
    guard let began else {
      self.began = (start, context.now())
      return
    }
    let distance = Double(start.saturatingSubtracting(began.span)) / speed
    let due = began.at.saturatingAdding(Nanos(exactly: distance.rounded(.down)) ?? .max)
    let rest = due.saturatingSubtracting(context.now())
    if rest > 0 { try await context.sleep(min(rest, ReplayPace.waitNanosMax)) }
  }

  /// A file with one span of another century must not stop the replay.
  static let waitNanosMax: Nanos = .hour
}
