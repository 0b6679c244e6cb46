import Model

/// The machine's clock. Everything else gets its time as an argument or as a closure.
enum SystemClock {
  /// Unix nanoseconds.
  static let now: @Sendable () -> Nanos = { WallClock.now() }
}
