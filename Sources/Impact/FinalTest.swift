internal import Glibc
public import Model

/// By when a verdict is wanted, and since when that stands: what was seen before may have been the
/// reason to choose it, what comes after cannot have been.
public struct FixedDeadline: Equatable, Sendable {
  public let time: Nanos
  /// Where finished data ended when the deadline was named.
  public let fixedAt: Nanos

  public init(time: Nanos, fixedAt: Nanos) {
    self.time = time
    self.fixedAt = fixedAt
  }
}

/// One test of latency at the deadline, over all windows from the moment it was fixed: a single look,
/// so that it needs no reserve for others, and finds what is small and lasts.
///
/// It has a share of α of its own, which the tests at every look do without. Asked after the
/// deadline it looks at the same windows, and so says the same.
/// - Source: Student's t on the mean of the windows' differences, its variance widened by their
///   dependence.
struct FinalTest: Equatable, Sendable {
  /// A spread from fewer windows is not to be trusted as far out as this test looks.
  static let windowsMin = 30
  /// The standard normal at `1 - GateSettings.finalAlpha` (0.998).
  static let normalQuantile = 2.878_161_739

  let deadline: FixedDeadline
  private(set) var latency = LatencyShiftTest()

  init(_ deadline: FixedDeadline) { self.deadline = deadline }

  mutating func add(_ window: ComparedWindow) {
    guard window.start >= deadline.fixedAt,
      window.start.saturatingAdding(window.width) <= deadline.time
    else { return }
    latency.add(window)
  }

  /// What the test says; nil before the deadline, and where too little was seen for it.
  func result(until: Nanos) -> Result? {
    guard until >= deadline.time, latency.windows >= FinalTest.windowsMin,
      let shift = latency.shift
    else { return nil }
    let error = (shift.variance / shift.size).squareRoot()
    let quantile = ShiftEstimate.quantile(
      FinalTest.normalQuantile, degrees: max(1, shift.size - 1))
    let lower = shift.mean - quantile * error
    return Result(
      windows: latency.windows, ratio: shift.ratio, lower: exp(lower),
      isHarmed: lower > log1p(LatencyShiftTest.tolerance))
  }

  struct Result: Equatable, Sendable {
    let windows: Int
    /// Of typical latencies, and what it surely is at least.
    let ratio: Double
    let lower: Double
    let isHarmed: Bool
  }
}
