/// What may happen at most so often: a burst at once, and so many more each second.
/// - Shape: times are nanoseconds of one clock that never goes back; one that does adds nothing.
struct TokenBucket {
  private let burst: Double
  private let perSecond: Double
  private var tokens: Double
  private var filledAt: UInt64?

  init(burst: Int, perSecond: Int) {
    self.burst = Double(max(0, burst))
    self.perSecond = Double(max(0, perSecond))
    tokens = self.burst
  }

  /// Room beyond what time gives, earned by something useful.
  mutating func earn(_ count: Int) { tokens = min(burst, tokens + Double(count)) }

  /// False when there is no room for that many.
  mutating func take(_ count: Int, at nanos: UInt64) -> Bool {
    guard count > 0 else { return true }
    let since = filledAt.map { nanos > $0 ? nanos - $0 : 0 } ?? 0
    filledAt = max(nanos, filledAt ?? 0)
    tokens = min(burst, tokens + Double(since) / 1e9 * perSecond)
    guard tokens >= Double(count) else { return false }
    tokens -= Double(count)
    return true
  }
}
